// Every stream as clients read it that people have: at once, exactly once over a cut line, and to the end.

import { expect, serve, test } from "../board";
import { type Server, until } from "../server";
import { clients } from "./clients";
import { BrowserSocket } from "./socket";
import { arrived, checkRunnerJob, gated, run, streams } from "./streams";
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
    const { job, urls, open: openGate } = await run(server);
    const client = await open(urls(wire.url), server.token, page);
    // The run goes on only when what there was of it has arrived, and the line is cut in between.
    await arrived(client.readers, "waits");
    wire.cut();
    openGate();
    await arrived(client.readers, "last");
    streams.forEach((stream, n) => {
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

test("the browser's WebSocket reads a runner job whole over a cut line", async ({ board, page }) => {
  board.allowErrors(/net::ERR_|WebSocket connection/);
  await board.goto({ url: wire.url } as Server, "/workers");
  const { job, open } = await run(server);
  const socket = await BrowserSocket.open(page, job.id);
  await socket.reader.saw("the run to wait", streams.at(-1)!.waits);
  wire.cut();
  open();
  await socket.over();
  expect(socket.codes).toEqual([1006, 1000]);
  checkRunnerJob(socket.reader.seen, job);
});
