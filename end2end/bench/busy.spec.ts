// The pages under 1,000 events a second, for MINUTES (10): frames, long tasks, memory.
// Jobs of a queue that is held are run again and cancelled, many at once: every one of them is two
// events, and none needs a process.

import type { Page } from "@playwright/test";
import { expect, serve, test } from "../board";

const MINUTES = Number(process.env.MINUTES ?? 10);
const PER_SECOND = 1000;
/** Jobs acted on at once. */
const BATCH = 50;

const server = serve(`
[limits]
writes_per_minute = 1000000
[[queue]]
name = "held"
concurrency = 1
[[pipeline]]
name = "waits"
queue = "held"
[[pipeline.steps]]
name = "one"
run = "true"
`);

async function act(act: string, ids: string[]) {
  const body = new URLSearchParams([["act", act], ...ids.map((id) => ["id", id])]);
  const response = await server.fetch("/jobs/selected", { method: "POST", body });
  if (!response.ok) throw new Error(`${act}: ${response.status} ${await response.text()}`);
}

/** MiB that the page holds: JavaScript's own after a collection, and WebAssembly's. */
async function held(page: Page): Promise<string> {
  const client = await page.context().newCDPSession(page);
  await client.send("HeapProfiler.collectGarbage");
  const { usedSize } = await client.send("Runtime.getHeapUsage");
  await client.detach();
  const wasm = await page.evaluate(() => (window as any).memory.buffer.byteLength as number);
  return `${(usedSize / 2 ** 20).toFixed(1)}+${(wasm / 2 ** 20).toFixed(1)}`;
}

test("pages stay smooth and small", async ({ browser }) => {
  const [{ id }] = (await server.get<{ items: { id: string }[] }>("/api/v1/connections")).items;
  await server.fetch(`/queues/${id}/held/pause`, { method: "POST", redirect: "manual" });
  const seeds: string[] = [];
  for (let n = 0; n < BATCH; n++) seeds.push((await server.run("waits")).id);
  await act("cancel", seeds);

  const pages: Record<string, Page> = {};
  for (const path of ["/", "/jobs"]) {
    const page = (pages[path] = await browser.newPage({ viewport: { width: 1440, height: 900 } }));
    await server.signIn(page.context());
    await page.addInitScript(() => {
      const seen: { frames: number[]; tasks: number[]; events: number } = ((window as any).seen = { frames: [], tasks: [], events: 0 });
      new PerformanceObserver((list) => seen.tasks.push(...list.getEntries().map((entry) => entry.duration))).observe({ type: "longtask", buffered: true });
      const { instantiateStreaming } = WebAssembly;
      WebAssembly.instantiateStreaming = async (...given) => {
        const made = await instantiateStreaming(...given);
        (window as any).memory = made.instance.exports.memory;
        return made;
      };
      let last = performance.now();
      const tick = (now: number) => {
        seen.frames.push(now - last);
        last = now;
        requestAnimationFrame(tick);
      };
      requestAnimationFrame(tick);
    });
  }
  let events = 0;
  let ended = false;
  const feed = (async () => {
    const begun = Date.now();
    while (!ended) {
      // New jobs that do the seeds again, cancelled as soon as they are there: two events each.
      await act("retry", seeds);
      const queued = await server.get<{ items: { id: string }[] }>(`/api/v1/jobs?state=queued&limit=${BATCH}`);
      await act("cancel", queued.items.map((job) => job.id));
      events += 2 * BATCH;
      const ahead = begun + (events / PER_SECOND) * 1000 - Date.now();
      if (ahead > 0) await new Promise((resolve) => setTimeout(resolve, ahead));
    }
    return events / ((Date.now() - begun) / 1000);
  })();

  for (const [path, page] of Object.entries(pages)) {
    // One at a time: a page in the background draws nothing.
    await page.bringToFront();
    await page.goto(server.url + path);
    await expect(page.locator("[data-link=live]")).toBeVisible();
    await page.evaluate(() => Object.assign((window as any).seen, { frames: [], tasks: [] }));
    const before = await held(page);
    const samples: string[] = [];
    for (let minute = 0; minute < (path === "/" ? MINUTES : Math.max(1, MINUTES / 5)); minute++) {
      await page.waitForTimeout(60_000);
      samples.push(await held(page));
    }
    const seen = await page.evaluate(() => (window as any).seen as { frames: number[]; tasks: number[] });
    const frames = seen.frames.sort((a, b) => a - b);
    const nodes = await page.locator("*").count();
    const p = (share: number) => frames[Math.floor(frames.length * share)].toFixed(1);
    console.log(`${path}: frames p50 ${p(0.5)}, p95 ${p(0.95)}, p99 ${p(0.99)} ms of ${frames.length}; ${seen.tasks.length} long tasks, longest ${Math.max(0, ...seen.tasks).toFixed(0)} ms`);
    console.log(`${path}: JavaScript+WebAssembly ${before} MiB, then by the minute ${samples.join(", ")}; ${nodes} elements`);
    await page.close();
  }
  ended = true;
  console.log(`events: ${(await feed).toFixed(0)} a second`);
});
