import { expect, serve, test } from "../board";

const server = serve(`
[[pipeline]]
name = "hello"
[[pipeline.steps]]
name = "greet"
run = "echo hello"
`);

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
