// The first admin: the link that was printed, one click, a live board.

import { expect, hydrated, test } from "../board";
import { Server } from "../server";
import { sound } from "../sound";

const server = new Server("", false);
test.beforeAll(() => server.launch());
test.afterAll(() => server.stop());

test("one click on the printed link begins, once, and a name and a password follow", async ({ page, board, browser }, info) => {
  board.allowErrors(/status of 40[019]/);
  const picture = (file: string) => info.outputPath(file);
  const link = await server.setUpLink();

  // Whatever page is asked for says where the link is.
  const closed = await page.goto(`${server.url}/jobs`);
  expect(closed!.status()).toBe(401);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Open the link");
  await sound(page, "closed", picture);
  await page.getByRole("link", { name: "Enter the code by hand" }).click();
  await sound(page, "setup-by-hand", picture);
  await page.getByRole("textbox", { name: "Code" }).fill("0".repeat(32));
  await page.getByRole("button", { name: "Begin as admin" }).click();
  await expect(page.getByRole("alert")).toContainText("not the one that this start of the server printed");

  // The code is out of the address before anything else happens, and nothing is sent by itself.
  const posts: string[] = [];
  page.on("request", (request) => request.method() === "POST" && posts.push(request.url()));
  await page.goto("about:blank");
  await page.goto(link);
  await expect(page).toHaveURL(`${server.url}/setup`);
  await expect(page.getByRole("textbox")).toHaveCount(0);
  await expect(page.getByRole("button")).toHaveCount(1);
  await sound(page, "setup", picture);
  expect(posts).toEqual([]);
  await page.getByRole("button", { name: "Begin as admin" }).click();
  await expect(page).toHaveURL(`${server.url}/`);
  await hydrated(page);
  await expect(page.getByRole("status").filter({ hasText: "Live" })).toBeVisible();

  // A second use, in another browser, gets nobody in.
  const other = await browser.newPage();
  await other.goto(link);
  await expect(other).toHaveURL(/\/login/);
  await other.close();

  // It can wait, but is not forgotten.
  await page.getByRole("link", { name: "No password yet" }).click();
  await expect(page.getByRole("heading", { name: "Give yourself a name and a password" })).toBeVisible();
  await sound(page, "settings-begin", picture);
  const fill = async (name: string, password: string, again: string) => {
    await page.getByRole("textbox", { name: "Name" }).fill(name);
    await page.getByRole("textbox", { name: "Password" }).fill(password);
    await page.getByRole("textbox", { name: "The same again" }).fill(again);
    await page.getByRole("button", { name: "Save" }).click();
  };
  await fill("anna", "correct-horse-battery", "correct-horse-battary");
  await expect(page.getByRole("alert")).toContainText("not the same both times");
  await fill("anna", "correct-horse-battery", "correct-horse-battery");
  await expect(page.getByRole("status")).toHaveText("You have a name and a password now.");
  await expect(page.getByRole("link", { name: "No password yet" })).toHaveCount(0);
  await expect(page.getByRole("button", { name: "Signed in as anna" })).toBeVisible();

  await page.getByRole("button", { name: "Signed in as anna" }).click();
  await page.getByRole("button", { name: "Sign out" }).first().click();
  await expect(page).toHaveURL(/\/login$/);
  await page.getByRole("textbox", { name: "Name" }).fill("anna");
  await page.getByRole("textbox", { name: "Password" }).fill("correct-horse-battery");
  await page.getByRole("button", { name: "Sign in" }).click();
  await hydrated(page);
});
