import { expect, serve, test } from "../board";

const server = serve(`
[[pipeline]]
name = "hello"
[[pipeline.steps]]
name = "greet"
run = "echo hello"
[[pipeline]]
name = "long"
[[pipeline.steps]]
name = "wait"
run = "sleep 600"
`);

test("a page that lost its server says since when, stops its clocks, and moves nothing", async ({ board, page, context }) => {
  board.allowErrors(/ERR_INTERNET_DISCONNECTED|ERR_NETWORK_CHANGED|Failed to fetch/);
  const job = await server.run("long");
  await server.reached(job.id, "active");
  await board.goto(server, "/jobs");
  const row = page.getByRole("row").filter({ hasText: "long" });
  await expect(row).toContainText(/\d s/);
  const before = await row.boundingBox();
  await context.setOffline(true);
  const line = page.getByText(/^Not connected since \d\d:\d\d:\d\d: what is shown may be old$/);
  await expect(line).toBeVisible();
  expect(await row.boundingBox()).toEqual(before);
  const words = await row.textContent();
  const ticked = Date.now() + 2500;
  await expect.poll(() => Date.now()).toBeGreaterThan(ticked);
  expect(await row.textContent(), "its clock stands").toBe(words);
  await context.setOffline(false);
  await expect(line).toBeHidden();
  await expect(row).not.toHaveText(words!);
  await server.fetch(`/jobs/${job.id}/cancel`, { method: "POST", redirect: "manual" });
  await server.reached(job.id, "cancelled");
});

test("a page that was offline catches up with what it missed", async ({ board, page, context }) => {
  board.allowErrors(/ERR_INTERNET_DISCONNECTED|ERR_NETWORK_CHANGED|Failed to fetch/);
  await board.goto(server, "/jobs");
  await expect(page.locator("[data-link=live]")).toBeVisible();
  await context.setOffline(true);
  await expect(page.getByText("Reconnecting")).toBeVisible();
  // On a phone it fits beside all that the head can have.
  await page.setViewportSize({ width: 390, height: 844 });
  await expect(page.getByText("No password yet")).toBeVisible();
  expect(await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)).toBeLessThanOrEqual(0);

  const job = await server.run("hello");
  await server.reached(job.id, "completed");
  expect(await page.getByRole("row").filter({ hasText: "hello" }).count()).toBe(0);

  await context.setOffline(false);
  await expect(page.getByRole("row").filter({ hasText: "hello" })).toContainText("Completed");
  await expect(page.locator("[data-link=live]")).toBeVisible();
});
