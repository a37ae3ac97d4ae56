// Streams through nginx, buffering as it does by default: events come at once and quiet streams stay open.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, serve, test } from "../board";
import { type Server, until } from "../server";
import { clients } from "./clients";
import { Nginx } from "./nginx";
import { BrowserSocket } from "./socket";
import { arrived, checkRunnerJob, gated, run, streams } from "./streams";

const page = readFileSync(join(import.meta.dirname, "../../docs/access.md"), "utf8");
const documented = /```nginx\n([^]*?)```/.exec(page)![1].replaceAll("http://127.0.0.1:3000", "SERVER");

const server = serve(gated);
const bare = new Nginx("location / { proxy_pass SERVER; }");
const full = new Nginx(documented);
const hasty = new Nginx(`proxy_read_timeout 20s; ${documented}`);
const all = [bare, full, hasty];
test.beforeAll(() => Promise.all(all.map((nginx) => nginx.launch(server))));
test.afterAll(() => Promise.all(all.map((nginx) => nginx.stop())));

for (const [name, open] of Object.entries(clients)) {
  test(`${name} reads every stream at once through nginx with nothing set but proxy_pass`, async ({ board, page }) => {
    if (name.includes("browser")) await board.goto({ url: bare.url } as Server, "/workers");
    const { job, urls, open: openGate } = await run(server);
    const client = await open(urls(bare.url), server.token, page);
    // The run goes on only when what there was of it has arrived.
    await arrived(client.readers, "waits");
    openGate();
    await arrived(client.readers, "last");
    streams.forEach((stream, n) => stream.check(client.readers[n].seen, job));
    await client.stop();
  });
}

test("without a credential no stream is had, through nginx no more than direct", async () => {
  const { urls, open } = await run(server);
  open();
  for (const url of [...urls(server.url), ...urls(bare.url)]) {
    const answer = await fetch(url);
    expect([answer.status, answer.headers.get("www-authenticate")], url).toEqual([401, "Bearer"]);
  }
});

test("the browser's WebSocket goes through nginx with the lines that are documented", async ({ board, page }) => {
  await board.goto({ url: full.url } as Server, "/workers");
  const { job, open } = await run(server);
  const socket = await BrowserSocket.open(page, job.id);
  await socket.reader.saw("the run to wait", streams.at(-1)!.waits);
  open();
  await socket.over();
  expect(socket.codes).toEqual([1000]);
  checkRunnerJob(socket.reader.seen, job);
});

test("quiet streams outlast a proxy that ends connections after 20 s without a byte", async ({ board, page }) => {
  await board.goto({ url: hasty.url } as Server, "/workers");
  const { job, urls, open } = await run(server);
  const client = await clients.curl(urls(hasty.url), server.token, page);
  const socket = await BrowserSocket.open(page, job.id);
  await arrived(client.readers, "waits");
  await socket.reader.saw("the run to wait", streams.at(-1)!.waits);

  // Only time makes a proxy lose patience.
  const quiet = Date.now();
  await until("more than 20 s to pass", async () => Date.now() - quiet > 21_000);
  // Nobody had to come back. The first three say that they live in events, the others in comments.
  expect(client.readers.map(({ asked }) => asked)).toEqual(streams.map(() => 1));
  expect(client.readers.map(({ heartbeats }) => heartbeats > 0)).toEqual([true, true, true, false, false]);
  open();
  await arrived(client.readers, "last");
  await socket.over();
  streams.forEach((stream, n) => stream.check(client.readers[n].seen, job));
  checkRunnerJob(socket.reader.seen, job);
  expect(socket.codes).toEqual([1000]);
  await client.stop();
});
