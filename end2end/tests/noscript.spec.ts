// Without JavaScript everything can be read, and forms act.

import { expect, serve, test } from "../board";

const server = serve(`
[[pipeline]]
name = "endless"
description = "Never ends by itself"
[[pipeline.steps]]
name = "wait"
run = "echo waiting; sleep 1000"
`);

test.use({ javaScriptEnabled: false });

test("a run is started, read and cancelled with forms and links alone", async ({ page }) => {
  await page.goto(`${server.url}/pipelines`);
  await expect(page.getByText("Never ends by itself")).toBeVisible();
  await page.getByRole("button", { name: "Run now: endless" }).click();
  await expect(page).toHaveURL(/\/jobs\/[0-9a-f-]{36}$/);
  const id = page.url().split("/").at(-1)!;
  await server.reached(id, "active");

  await page.goto(`${server.url}/jobs`);
  const row = page.getByRole("row").filter({ hasText: "endless" });
  await expect(row).toContainText("Active");
  await row.getByRole("link").first().click();
  await expect(async () => {
    await page.reload();
    await expect(page.getByRole("log")).toContainText("waiting", { timeout: 500 });
  }).toPass();

  await page.getByRole("button", { name: "Cancel", exact: true }).click();
  await expect(page).toHaveURL(/\/jobs\/[0-9a-f-]{36}$/);
  await server.reached(id, "cancelled");
  await page.reload();
  await expect(page.getByText("Cancelled").first()).toBeVisible();
});
