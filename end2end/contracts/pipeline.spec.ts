// A pipeline's log as `curl` follows it: plain text of every run, at once, direct and through nginx, until it ends.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, serve, test } from "../board";
import { until } from "../server";
import { Nginx } from "./nginx";
import { gated, run, text } from "./streams";

const server = serve(gated);
const nginx = new Nginx("location / { proxy_pass SERVER; }");
test.beforeAll(() => nginx.launch(server));
test.afterAll(() => nginx.stop());

test("curl follows a pipeline's log, direct and through nginx, until it is restarted", async () => {
  const followers = [server.url, nginx.url].map((base) => {
    const args = ["-sN", "--noproxy", "*", "-H", `Authorization: Bearer ${server.token}`];
    const child = spawn("curl", [...args, `${base}/v0/pipelines/gated/logs`], { stdio: ["ignore", "pipe", "inherit"] });
    const follower = { read: "", end: once(child, "close") };
    child.stdout.setEncoding("utf8").on("data", (chunk) => (follower.read += chunk));
    return follower;
  });
  const all = (what: string, found: (read: string) => boolean) =>
    until(what, async () => followers.every(({ read }) => found(read)));

  await all("a fresh log", (read) => read.endsWith("Fresh start of pipeline logs\n"));
  const { job, open } = await run(server);
  // The run goes on only when what there was of it has arrived.
  await all("the first lines", (read) => read.endsWith(`${text[0]}\n\n`));
  open();
  await all("the end of the run", (read) => read.endsWith(`run ${job.id} completed\n`));
  const restarted = await server.fetch("/api/v1/pipelines/gated/restart", { method: "POST" });
  expect(restarted.ok).toBe(true);

  for (const { read, end } of followers) {
    // In good order: not as a connection that broke.
    expect((await end)[0]).toBe(0);
    const lines = read.split("\n").map((line) => line.replace(/^\[tailboard\] [0-9TZ:.-]{24} /, ""));
    expect(lines).toEqual([
      "INFO  Fresh start of pipeline logs",
      `INFO  run ${job.id} started`,
      ...text,
      `INFO  run ${job.id} completed`,
      "Logs have ended",
      "",
    ]);
  }
});
