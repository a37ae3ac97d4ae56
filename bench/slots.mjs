// How long a freed slot waits for its next run, and how pages answer meanwhile: 50 runs at a time,
// 1,000 queued. Starts the given server on a data directory of its own.
//
//     node bench/slots.mjs target/release/tailboard
//
// The k-th run to start takes the slot that the (k - 50)-th to end freed; both times are the
// executors' own, from the jobs' rows.

import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

const SLOTS = 50;
const RUNS = Number(process.env.RUNS ?? 1000);
const [binary = "target/release/tailboard"] = process.argv.slice(2);

const dir = mkdtempSync(join(tmpdir(), "tailboard-bench-"));
const config = join(dir, "tailboard.toml");
writeFileSync(
  config,
  `on_shutdown = "cancel"
min_free_disk = "1MiB"
[[queue]]
name = "default"
concurrency = ${SLOTS}
[[pipeline]]
name = "short"
[[pipeline.steps]]
name = "work"
run = "echo begun; sleep 2; echo done"
`,
);
const token = `tb_${randomBytes(32).toString("hex")}`;
const authorization = `Bearer ${token}`;
const port = await freePort();
const base = `http://127.0.0.1:${port}`;
const server = spawn(
  binary,
  ["serve", "--config", config, "--data-dir", join(dir, "data"), "--listen", `127.0.0.1:${port}`],
  { stdio: ["ignore", "ignore", "inherit"], env: { ...process.env, TAILBOARD_BOOTSTRAP_TOKEN: token } },
);
try {
  await until(async () => (await fetch(`${base}/readyz`)).ok);
  const posted = await Promise.all(Array.from({ length: RUNS }, run));
  const pages = [];
  const over = async () => {
    for (const path of ["/", "/jobs", "/pipelines", "/api/v1/jobs?limit=50"]) {
      const before = performance.now();
      await (await fetch(base + path, { headers: { authorization } })).text();
      pages.push(performance.now() - before);
    }
    const queues = await json("/api/v1/queues");
    const queue = queues.items.find((row) => row.name === "default");
    return queue.depth + queue.active === 0;
  };
  await until(over, 10 * 60_000);
  const jobs = [];
  for (const id of posted) jobs.push(await json(`/api/v1/jobs/${id}`));
  const starts = jobs.map((job) => Date.parse(job.steps[0].started_at)).sort(ascending);
  const ends = jobs.map((job) => Date.parse(job.finished_at)).sort(ascending);
  const gaps = starts.slice(SLOTS).map((start, k) => start - ends[k]);
  console.log(`jobs: ${jobs.length}, completed: ${jobs.filter((job) => job.state === "completed").length}`);
  console.log(`freed slot to the next step started, ms: ${summary(gaps)}`);
  console.log(`pages and lists meanwhile, ms: ${summary(pages)}`);
} finally {
  server.kill("SIGTERM");
  await new Promise((ended) => server.once("exit", ended));
  rmSync(dir, { recursive: true, force: true });
}

async function run() {
  for (;;) {
    const answer = await fetch(`${base}/api/v1/executions`, {
      method: "POST",
      headers: { authorization, "content-type": "application/json" },
      body: JSON.stringify({ pipeline: "short" }),
    });
    const body = await answer.json();
    if (answer.status === 202) return body.id;
    if (answer.status !== 503) throw new Error(`${answer.status} ${JSON.stringify(body)}`);
    await pause(1000 * Number(answer.headers.get("retry-after") ?? 1));
  }
}

async function json(path) {
  const answer = await fetch(base + path, { headers: { authorization } });
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return answer.json();
}

async function until(condition, patience = 30_000) {
  const since = Date.now();
  while (!(await condition().catch(() => false))) {
    if (Date.now() - since > patience) throw new Error("waited in vain");
    await pause(50);
  }
}

function summary(values) {
  const sorted = [...values].sort(ascending);
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
  const shown = (value) => value.toFixed(1);
  return `p50 ${shown(at(0.5))}, p95 ${shown(at(0.95))}, p99 ${shown(at(0.99))}, max ${shown(at(1))} (${sorted.length})`;
}

function ascending(a, b) {
  return a - b;
}

function freePort() {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}
