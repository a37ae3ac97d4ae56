// The server is killed and started again under a running job and an open page.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "@playwright/test";
import { expect, serve, test } from "../board";

// Its second step prints while the server is away: it begins when the server is killed and the third when it is back.
const gates = mkdtempSync(join(tmpdir(), "tailboard-gates-"));
const gate = (name: string) => join(gates, name);
const open = (name: string) => writeFileSync(gate(name), "");
test.afterAll(() => rmSync(gates, { recursive: true }));

const server = serve(`
[[pipeline]]
name = "steady"
${["one", "two", "three"]
  .map(
    (name) => `
[[pipeline.steps]]
name = "${name}"
run = "until test -e ${gate(name)}; do sleep 0.01; done; for n in $(seq 1 30); do echo ${name} $n; done"
`,
  )
  .join("")}
`);

/** Every text the job's state had on the page, in order. */
async function recordStates(page: Page) {
  await page.evaluate(() => {
    const words = ["Queued", "Active", "Completed", "Failed", "Cancelled"];
    const seen: string[] = ((window as any).seen = []);
    const look = () => {
      const row = document.querySelector("table.rows tbody tr")?.textContent ?? "";
      const word = words.find((word) => row.includes(word));
      if (word && seen.at(-1) !== word) seen.push(word);
    };
    look();
    new MutationObserver(look).observe(document.body, { subtree: true, childList: true, characterData: true });
  });
  return () => page.evaluate(() => (window as any).seen as string[]);
}

test("the page goes on without a missed or repeated change, and the log is unbroken", async ({ board, page, context }) => {
  // The server is away for a moment.
  board.allowErrors(/ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET|ERR_INCOMPLETE_CHUNKED_ENCODING|ERR_EMPTY_RESPONSE|Failed to fetch/);
  const job = await server.run("steady");
  await server.reached(job.id, "active");
  await board.goto(server, "/jobs");
  const states = await recordStates(page);
  const watcher = await context.newPage();
  await watcher.goto(`${server.url}/jobs/${job.id}`);
  open("one");
  await expect(watcher.getByRole("log")).toContainText("one 30");

  await server.kill();
  open("two");
  await expect(page.getByText("Reconnecting")).toBeVisible();
  await server.launch();
  await expect(page.locator("[data-link=live]")).toBeVisible();
  await expect(watcher.getByRole("log")).toContainText("two 30");
  open("three");

  await server.reached(job.id, "completed");
  await expect(page.getByRole("row").filter({ hasText: "steady" })).toContainText("Completed");
  expect(await states()).toEqual(["Active", "Completed"]);

  const lines = ["one", "two", "three"].flatMap((name) => Array.from({ length: 30 }, (_, i) => `${name} ${i + 1}`));
  expect((await server.log(job.id)).toString()).toBe(`${lines.join("\n")}\n`);
  await expect(watcher.getByRole("log")).toContainText("three 30");
});
