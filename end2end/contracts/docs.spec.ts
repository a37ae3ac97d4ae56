// The examples of docs/streams, as they stand there: what is marked `test` runs, and shows what it should.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "@playwright/test";
import { expect, serve, test } from "../board";
import { until } from "../server";

const server = serve(`
[[pipeline]]
name = "hello"
[[pipeline.steps]]
name = "greet"
run = "echo hello; echo there"
`);

/** What the examples of each page print, in their order. */
const prints: Record<string, RegExp[]> = {
  "README.md": [],
  "dashboard.md": [
    /event: job:state_change\ndata: .*"name":"hello","state":"completed"/,
    /^\d+ jobs\n[^]*hello queued\n[^]*hello completed\n/,
    /hello completed\n/,
  ],
  "job.md": [
    /event: job_finished\n[^]*"line":"there"[^]*event: log_complete\n[^]*Z hello\n[^]*Z there\n/,
    /^hello\nthere\n$/,
  ],
  "execution.md": [
    /event: initiated\n[^]*id: end\nevent: completed\n/,
    /^execution hello queued\n[^]*step greet completed\nexecution hello completed\n$/,
  ],
  "pipeline.md": [/INFO  run [0-9a-f-]+ started\nhello\nthere\n/],
  "runner-job.md": [
    /event: step\.output\ndata: .*"hello\\nthere\\n"[^]*event: stream\.complete\n/,
    /^hello\nthere\n$/,
    /^job.started active\nstep.started greet\n[^]*stream.complete completed\n$/,
  ],
};

const folder = join(import.meta.dirname, "../../docs/streams");
const pages = readdirSync(folder).filter((name) => name.endsWith(".md"));

/** Code between fences that are marked, with its language. */
function examples(name: string): [string, string][] {
  const text = readFileSync(join(folder, name), "utf8");
  return [...text.matchAll(/^```(\w+) test ?(\w*)\n([^]*?)^```$/gm)].map(([, language, where, code]) => [where || language, code]);
}

/** Runs one; gives what it has printed so far, and its end. */
function start(language: string, code: string, job: string, page: Page, cwd: string) {
  let text = "";
  if (language === "browser") {
    page.on("console", (message) => (text += `${message.text()}\n`));
    void page.evaluate(`(async () => { const job = ${JSON.stringify(job)};\n${code} })()`);
    return { text: () => text, stop: async () => {} };
  }
  const commands: Record<string, [string, string[]]> = {
    sh: ["sh", ["-euc", code]],
    python: [process.env.TAILBOARD_PYTHON!, ["-c", code]],
    node: [process.execPath, ["--input-type=module", "-e", code]],
  };
  const [command, args] = commands[language];
  const env = { PATH: process.env.PATH, TAILBOARD_URL: server.url, TAILBOARD_TOKEN: server.token, JOB: job };
  const child = spawn(command, args, { cwd, env, detached: true, stdio: ["ignore", "pipe", "pipe"] });
  for (const output of [child.stdout, child.stderr]) output.on("data", (bytes) => (text += bytes));
  return { text: () => text, stop: () => ended(child) };
}

/** With what it has started. */
async function ended(child: ChildProcess) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, "exit");
  process.kill(-child.pid!, "SIGKILL");
  await exit;
}

test("every page has its examples", () => {
  const found = Object.fromEntries(pages.map((name) => [name, examples(name).length]));
  expect(found).toEqual(Object.fromEntries(Object.entries(prints).map(([name, all]) => [name, all.length])));
});

for (const name of pages) {
  examples(name).forEach(([language, code], n) => {
    test(`${name}: example ${n + 1} (${language}) shows what it should`, async ({ board, page }) => {
      if (language === "browser") await board.goto(server, "/workers");
      const { id } = await server.run("hello");
      await server.reached(id, "completed");
      // Node looks for its packages from where it runs.
      const own = mkdtempSync(join(tmpdir(), "tailboard-docs-"));
      const example = start(language, code, id, page, language === "node" ? join(import.meta.dirname, "../clients") : own);
      try {
        await until("the example to show it", async () => {
          if (prints[name][n].test(example.text())) return true;
          // What tells of all jobs has something to tell.
          if (name === "dashboard.md") await server.reached((await server.run("hello")).id, "completed");
          return false;
        }).catch((error) => {
          throw new Error(`${error.message}: it printed ${example.text()}`);
        });
      } finally {
        await example.stop();
        rmSync(own, { recursive: true, force: true });
      }
    });
  });
}
