// What happens elsewhere shows up here, without a reload.

import { expect, hydrated, serve, test, watch } from "../board";

const server = serve(`
[[queue]]
name = "default"
concurrency = 1

[[pipeline]]
name = "gate"
[[pipeline.steps]]
name = "wait for the file"
run = 'until [ -e "$GATE" ]; do sleep 0.05; done'
env = { GATE = "/nonexistent" }

[[pipeline]]
name = "hello"
[[pipeline.steps]]
name = "greet"
run = "echo hello"
`);

test("a job started in one browser shows up in another and moves on there", async ({ board, page, browser }) => {
  await board.goto(server, "/jobs");
  await expect(page.getByText("No jobs yet")).toBeVisible();
  const loads: string[] = [];
  page.on("request", (request) => request.isNavigationRequest() && loads.push(request.url()));

  const errors: string[] = [];
  const other = await browser.newPage();
  await server.signIn(other.context());
  watch(other, errors);
  await other.goto(`${server.url}/pipelines`);
  await hydrated(other);
  await other.getByRole("button", { name: "Run now: gate" }).click();
  await expect(other).toHaveURL(/\/jobs\/[0-9a-f-]{36}$/);

  const row = page.getByRole("row").filter({ hasText: "gate" });
  await expect(row).toContainText("Active");
  // The only slot is taken.
  await server.run("hello");
  const waiting = page.getByRole("row").filter({ hasText: "hello" });
  await expect(waiting).toContainText("Queued");

  await other.getByRole("button", { name: "Cancel", exact: true }).click();
  await expect(row).toContainText("Cancelled");
  await expect(waiting).toContainText("Completed");
  expect(loads, "the page was loaded again").toEqual([]);
  expect(errors).toEqual([]);
  await other.close();
});
