// Every stream as clients read it that people have: at once, exactly once over a cut line, and to the end.

import { expect, serve, test } from "../board";
import { type Server, until } from "../server";
import { clients } from "./clients";
import { gated, run, streams } from "./streams";
import { Wire } from "./wires";

const server = serve(gated);
let wire: Wire;
test.beforeAll(async () => {
  wire = new Wire(Number(new URL(server.url).port));
  await wire.lay();
});
test.afterAll(() => wire.remove());

for (const [name, open] of Object.entries(clients)) {
  test(`${name} reads every stream whole over a cut line`, async ({ board, page }) => {
    if (name.includes("browser")) {
      // The line of the page's own stream is cut too.
      board.allowErrors(/net::ERR_/);
      await board.goto({ url: wire.url } as Server, "/workers");
    }
    const connections = await server.get<{ items: { id: string }[]; as_of: string }>("/api/v1/connections");
    const { job, open: openGate } = await run(server);
    const paths = streams.map((stream) => stream.path(job, connections.items[0].id, connections.as_of));
    const client = await open(paths.map((path) => wire.url + path), server.token, page);
    const each = (act: (stream: (typeof streams)[0], n: number) => unknown) => Promise.all(streams.map(act));

    // The run goes on only when what there was of it has arrived, and the line is cut in between.
    await each((stream, n) => client.readers[n].saw(`${stream.name}: the run to wait`, stream.waits));
    wire.cut();
    openGate();
    await each((stream, n) => client.readers[n].saw(`${stream.name}: the end`, stream.last));
    await each((stream, n) => {
      const { seen } = client.readers[n];
      expect(seen.filter(({ data }) => data === undefined), `${stream.name}: events without data`).toEqual([]);
      stream.check(seen, job);
    });
    // Whoever comes back after the end is told that there is no more.
    const jobs = client.readers.filter((_, n) => !streams[n].endless);
    await until("the streams of the job to be over", async () => jobs.every(({ ended }) => ended === 204));
    await client.stop();
  });
}
