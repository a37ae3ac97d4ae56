// The keyboard, and a pipeline's own page.

import { expect, serve, test } from "../board";

const server = serve(`
[[pipeline]]
name = "hello"
description = "Says hello"
cron = "0 3 * * *"
retries = 1
retry_delay = "100ms"
on_lost = "retry"
overlap = "queue"
[[pipeline.steps]]
name = "greet"
run = "echo hello $PARAM_WHO"
[[pipeline]]
name = "asks"
[[pipeline.params]]
name = "who"
type = "string"
pattern = "[a-z ]+"
[[pipeline.steps]]
name = "greet"
run = "echo hello"
[[pipeline]]
name = "again"
retries = 1
retry_delay = "100ms"
[[pipeline.steps]]
name = "try"
run = "echo try; exit 4"
`);

test("keys lead anywhere, and a sheet says which", async ({ board, page }) => {
  const job = await server.run("hello");
  await server.reached(job.id, "completed");
  await board.goto(server, "/");
  await page.keyboard.press("?");
  await expect(page.getByRole("dialog", { name: "Keyboard" })).toContainText("Next and previous row");
  await page.keyboard.press("Escape");
  await expect(page.getByRole("dialog")).toHaveCount(0);
  for (const [key, title] of [["q", "Queues"], ["w", "Workers"], ["p", "Pipelines"], ["j", "Jobs"]]) {
    await page.keyboard.press("g");
    await page.keyboard.press(key);
    await expect(page.getByRole("heading", { level: 1 })).toHaveText(title);
  }
  await page.keyboard.press("/");
  await expect(page.getByRole("searchbox")).toBeFocused();
  // A letter that is typed is a letter.
  await page.keyboard.type("gq");
  await expect(page).toHaveURL(/\/jobs$/);
  await page.locator("h1").click();
  await page.keyboard.press("j");
  await page.keyboard.press("x");
  await expect(page.getByRole("group", { name: "With the selected jobs" })).toContainText("1 selected");
  await page.keyboard.press("j");
  await page.keyboard.press("k");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/\/jobs\/[0-9a-f-]{36}/);
});

test("the palette finds pages and pipelines, runs one, and searches", async ({ board, page }) => {
  await board.goto(server, "/workers");
  await page.keyboard.press("Control+k");
  await page.keyboard.type("run hel");
  await expect(page.getByRole("option").first()).toHaveText("Run hello");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/\/jobs\//);
  await expect(page.getByRole("log")).toContainText("hello");
  await page.keyboard.press("Control+k");
  await page.keyboard.type("greeting");
  await expect(page.getByRole("option")).toHaveCount(1);
  await page.getByRole("option", { name: "Search jobs for greeting" }).click();
  await expect(page).toHaveURL(/\/jobs\?q=greeting/);
});

test("the palette leads to the settings and switches the theme, and a slash opens it where there is nothing else to search", async ({ board, page }) => {
  await board.goto(server, "/workers");
  await page.keyboard.press("/");
  await page.keyboard.type("theme");
  // Nothing moves any more: the list is that of the whole word.
  await expect(page.getByRole("option")).toHaveText(["Switch the theme", "Search jobs for theme"]);
  await page.getByRole("option", { name: "Switch the theme" }).click();
  await expect(page.locator("html")).toHaveAttribute("data-theme", "light");
  await page.keyboard.press("/");
  await page.keyboard.type("sett");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/\/settings$/);
  await board.goto(server, "/");
  await page.keyboard.press("g");
  await page.keyboard.press("s");
  await expect(page).toHaveURL(/\/settings$/);
});

test("what a job was run with is read as it was given, and a field says what it takes", async ({ board, page }) => {
  const job = await server.run("asks", { who: "two  of them" });
  await server.reached(job.id, "completed");
  await board.goto(server, `/jobs/${job.id}`);
  const value = page.getByRole("table", { name: "Parameters" }).getByRole("cell");
  expect(await value.innerText()).toBe("two  of them");
  await page.getByText("Run again …").click();
  await expect(page.getByRole("textbox", { name: "who" })).toHaveAttribute("title", "It has to match [a-z ]+");
});

test("a pipeline's page shows its commands, its schedule and how its runs went, live", async ({ board, page }) => {
  const job = await server.run("hello");
  await server.reached(job.id, "completed");
  await board.goto(server, "/pipelines");
  await page.getByRole("link", { name: "hello", exact: true }).click();
  await expect(page).toHaveURL(/\/pipelines\/hello$/);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("hello");
  await expect(page.getByText("0 3 * * *")).toBeVisible();
  await expect(page.getByText("Due while a run goes on: queued · due while no board ran: not made up for")).toBeVisible();
  await expect(page.getByRole("region", { name: "What it is" })).toContainText("Pause before the next0.1 s to 15 m 00 s");
  await expect(page.getByText("tried again")).toBeVisible();
  await page.getByText("1 step", { exact: true }).click();
  await expect(page.getByText("echo hello $PARAM_WHO")).toBeVisible();
  const bars = page.getByLabel(/^How long the last/).locator("rect");
  const before = await bars.count();
  expect(before).toBeGreaterThan(0);
  const another = await server.run("hello");
  await server.reached(another.id, "completed");
  await expect(bars).toHaveCount(before + 1);
  await expect(page.getByText(/^100 % of/)).toBeVisible();
  board.allowErrors(/status of 404/);
  await page.goto(`${server.url}/pipelines/nothing`);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("No such pipeline");
});

test("attempts are told apart, and the command that runs it again is copied", async ({ board, context, page }) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  const job = await server.run("again");
  await server.reached(job.id, "failed");
  await board.goto(server, `/jobs/${job.id}`);
  const attempts = page.getByRole("table", { name: "Attempts" }).getByRole("row");
  await expect(attempts).toHaveCount(3);
  await expect(attempts.nth(1)).toContainText("exit code 4");
  // Each attempt has its steps, and a header in the log.
  await page.getByText("Steps of attempt 1").click();
  await expect(page.getByRole("button", { name: /try\s*, Failed/ })).toHaveCount(2);
  await expect(page.getByRole("log").getByRole("button", { name: /attempt 2/ })).toBeVisible();
  await page.getByRole("button", { name: "Copy as curl" }).click();
  await expect(page.getByRole("button", { name: "Copied" })).toBeVisible();
  const command = await page.evaluate(() => navigator.clipboard.readText());
  expect(command).toBe(
    `curl -X POST -H "Authorization: Bearer $TAILBOARD_TOKEN" -H 'Content-Type: application/json' -d '{"pipeline":"again"}' ${server.url}/api/v1/executions`,
  );
});
