// A run's log: as it comes, and as it is downloaded.

import { readFileSync } from "node:fs";
import { expect, serve, test } from "../board";

const server = serve(`
[[pipeline]]
name = "count"
[[pipeline.steps]]
name = "count"
run = "for n in $(seq 1 40); do echo line $n of 40; sleep 0.05; done"

[[pipeline]]
name = "bytes"
[[pipeline.steps]]
name = "write"
run = "printf 'colour \\\\033[31mred\\\\033[0m\\\\r\\\\n\\\\377\\\\376 not UTF-8\\\\0\\\\n'; seq 1 5000; printf 'no newline at the end'"
`);

test("a pipeline is run from its page and its log is watched as it grows", async ({ board, page }) => {
  await board.goto(server, "/pipelines");
  await page.getByRole("button", { name: "Run now: count" }).click();
  await expect(page).toHaveURL(/\/jobs\//);
  const log = page.getByRole("log");
  await expect(log).toContainText("line 1 of 40");
  expect(await log.textContent(), "the end is not there yet").not.toContain("line 40 of 40");
  await expect(log).toContainText("line 40 of 40");
  await expect(page.getByText("Completed").first()).toBeVisible();
});

test("the download has exactly the bytes that were written", async ({ board, page }) => {
  const job = await server.run("bytes");
  await server.reached(job.id, "completed");
  const written = Buffer.concat([
    Buffer.from("colour \x1b[31mred\x1b[0m\r\n"),
    Buffer.from([0xff, 0xfe]),
    Buffer.from(" not UTF-8\0\n"),
    Buffer.from(Array.from({ length: 5000 }, (_, i) => `${i + 1}\n`).join("")),
    Buffer.from("no newline at the end"),
  ]);
  expect((await server.log(job.id)).equals(written)).toBe(true);

  await board.goto(server, `/jobs/${job.id}`);
  const downloading = page.waitForEvent("download");
  await page.getByRole("link", { name: "Download" }).click();
  const download = await downloading;
  expect(download.suggestedFilename()).toBe(`tailboard-${job.id}.log`);
  expect(readFileSync(await download.path()).equals(written)).toBe(true);
});
