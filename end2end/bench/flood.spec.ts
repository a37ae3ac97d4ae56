// A run that prints 1,000,000 lines as fast as it can: captured whole, tailed live, downloaded byte
// for byte; what that costs the server and the page.

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { expect, serve, test } from "../board";

const LINES = 1_000_000;
const text = (n: number) => `line ${n} of ${LINES}: the quick brown fox jumps over the lazy dog`;

const MAX_GROWTH_MIB = 32;
const MAX_TASK_MS = 200;

const server = serve(`
[[pipeline]]
name = "flood"
[[pipeline.steps]]
name = "flood"
run = "seq -f 'line %.0f of ${LINES}: the quick brown fox jumps over the lazy dog' 1 ${LINES}"
`);

/** Resident memory in MiB. */
function rss(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))![1]) / 1024;
}

test("a flood costs neither the server nor the page more than they may spend", async ({ board, page }) => {
  await page.addInitScript(() => {
    const tasks: number[] = ((window as any).tasks = []);
    new PerformanceObserver((list) => tasks.push(...list.getEntries().map((entry) => entry.duration))).observe({ type: "longtask", buffered: true });
  });
  await board.goto(server, "/pipelines");
  const before = rss(server.pid);
  let peak = before;
  const sampler = setInterval(() => (peak = Math.max(peak, rss(server.pid))), 20);

  await page.getByRole("button", { name: "Run now: flood" }).click();
  await expect(page).toHaveURL(/\/jobs\//);
  const id = page.url().split("/").at(-1)!;
  const log = page.getByRole("log");
  await expect(log).toContainText(text(LINES), { timeout: 240_000 });
  await server.reached(id, "completed");

  const digest = createHash("sha256");
  let bytes = 0;
  for await (const chunk of (await server.fetch(`/api/jobs/${id}/logs/static`)).body!) {
    digest.update(chunk);
    bytes += chunk.length;
  }
  clearInterval(sampler);
  const written = createHash("sha256");
  for (let n = 1; n <= LINES; n++) written.update(`${text(n)}\n`);
  const whole = digest.digest("hex") === written.digest("hex");

  const longest = await page.evaluate(() => Math.max(0, ...((window as any).tasks as number[])));
  const nodes = await page.evaluate(() => document.querySelectorAll("*").length);
  const { duration_ms: duration } = await server.get<{ duration_ms: number }>(`/api/v1/jobs/${id}`);
  const growth = peak - before;
  console.log(`lines captured:      ${LINES} (${(bytes / 2 ** 20).toFixed(1)} MiB) in ${duration} ms, ${Math.round(LINES / duration) * 1000} lines/s`);
  console.log(`server memory:       ${before.toFixed(1)} MiB, at most ${peak.toFixed(1)} MiB: grew by ${growth.toFixed(1)} MiB (bound ${MAX_GROWTH_MIB})`);
  console.log(`longest task, page:  ${longest.toFixed(0)} ms (bound ${MAX_TASK_MS})`);
  console.log(`elements in page:    ${nodes}`);
  console.log(`download:            ${whole ? "every byte as written" : "DIFFERS"}`);
  expect(whole).toBe(true);
  expect(growth).toBeLessThan(MAX_GROWTH_MIB);
  expect(longest).toBeLessThanOrEqual(MAX_TASK_MS);
});
