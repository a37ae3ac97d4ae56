// The pages of the whole board, as it lives: overview, workers, queues.

import { expect, serve, test } from "../board";

const server = serve(`
[[queue]]
name = "default"
concurrency = 2

[[pipeline]]
name = "endless"
[[pipeline.steps]]
name = "go on"
run = "while :; do sleep 1; done"

[[pipeline]]
name = "hello"
[[pipeline.steps]]
name = "greet"
run = "echo hello"

[[pipeline]]
name = "fails"
[[pipeline.steps]]
name = "try"
run = "exit 3"
`);

test("the overview shows the last hour, what runs and what needs attention, as it happens", async ({ board, page }) => {
  await board.goto(server, "/");
  const hour = page.getByRole("region", { name: "The last hour" });
  await expect(hour.getByRole("img")).toHaveAccessibleName(/0 jobs completed and 0 failed/);
  const attention = page.getByRole("list", { name: "Needs attention" });
  await expect(attention).toHaveText("Nothing does");

  const running = await server.run("endless");
  const row = page.getByRole("table", { name: "Jobs that run now" }).getByRole("row").filter({ hasText: "endless" });
  await expect(row).toContainText("go on");
  await expect(page.locator(".tile").filter({ hasText: "Active" })).toContainText("1of 2 slots");

  for (let n = 0; n < 3; n++) await server.reached((await server.run("fails")).id, "failed");
  await server.reached((await server.run("hello")).id, "completed");
  await expect(hour.getByRole("img")).toHaveAccessibleName(/1 jobs completed and 3 failed/);
  await hour.getByText("As a table").click();
  await expect(hour.getByRole("table")).toContainText("Completed");
  const ended = hour.getByRole("table").locator("tbody tr");
  const sums = await ended.evaluateAll((rows) =>
    [1, 2].map((column) => rows.reduce((sum, row) => sum + Number((row as HTMLTableRowElement).cells[column].textContent), 0)),
  );
  expect(sums, "completed and failed").toEqual([1, 3]);

  const failing = attention.getByRole("listitem").filter({ hasText: "Failing" });
  await expect(failing).toContainText("the last 3 runs of fails failed");
  await failing.getByRole("link").click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("fails");

  await server.fetch(`/api/v1/jobs/${running.id}/cancel`, { method: "POST" });
  await server.reached(running.id, "cancelled");
});

test("the workers say what each runs since when, and the queues how long jobs wait and run", async ({ board, page }) => {
  await server.reached((await server.run("hello")).id, "completed");
  await board.goto(server, "/workers");
  const worker = page.getByRole("row").filter({ hasText: "local:default@" });
  await expect(worker).toContainText("Online");
  await expect(worker).toContainText("0 / 2");
  const { id } = await server.run("endless");
  await expect(worker.getByRole("link", { name: /^endless since \d\d:\d\d:\d\d$/ })).toHaveAttribute("href", `/jobs/${id}`);
  await expect(worker).toContainText("1 / 2");

  await page.setViewportSize({ width: 1440, height: 900 });
  await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Queues" }).click();
  const queue = page.getByRole("row").filter({ hasText: "default" });
  await expect(queue).toContainText("1 / 2");
  // p50, p95 and p99 of waiting, and of running.
  await expect(queue).toContainText(/([\d.]+ m?s · [\d.]+ m?s · [\d.]+ m?s\D*){2}/);

  await server.fetch(`/api/v1/jobs/${id}/cancel`, { method: "POST" });
  await server.reached(id, "cancelled");
});

test("the field in the head leads to every page, and to a search", async ({ board, page }) => {
  await board.goto(server, "/workers");
  const field = page.getByRole("link", { name: "Search jobs, pipelines, actions" });
  await field.click();
  const palette = page.getByRole("combobox", { name: "Go to a page, run a pipeline, search" });
  await expect(palette).toBeFocused();
  await palette.fill("pipeline hello");
  await expect(page.getByRole("option").first()).toHaveText("Pipeline hello");
  await palette.press("Enter");
  await expect(page).toHaveURL(/\/pipelines\/hello$/);
});
