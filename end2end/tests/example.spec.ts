// What a newcomer sees: the pipelines that come with the project.

import { readFileSync } from "node:fs";
import { expect, serve, test } from "../board";

const server = serve(readFileSync(new URL("../../examples/tailboard.toml", import.meta.url), "utf8"));

test("every pipeline of the example has a page, and one with parameters says what they may be", async ({ board, page }) => {
  await board.goto(server, "/pipelines");
  const names = await page.getByRole("article").getByRole("heading").allTextContents();
  expect(names).toContain("greeting");
  for (const name of names) {
    await board.goto(server, `/pipelines/${name}`);
    await expect(page.getByRole("heading", { level: 1 })).toHaveText(name);
  }
  await board.goto(server, "/pipelines/greeting");
  await page.getByText("Run now …").click();
  await page.getByRole("textbox").first().fill("123");
  board.allowErrors(/status of 400/);
  await page.getByRole("button", { name: "Run now: greeting" }).click();
  await expect(page.getByRole("alert")).toContainText('parameter name: is "123"');
  await page.getByRole("textbox").first().fill("Ada");
  await page.getByRole("button", { name: "Run now: greeting" }).click();
  await expect(page).toHaveURL(/\/jobs\/[0-9a-f-]{36}$/);
  await server.reached(page.url().split("/").at(-1)!, "completed");
});
