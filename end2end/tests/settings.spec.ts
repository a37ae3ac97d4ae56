// Users, keys, sessions and the audit log, in the browser.

import { expect, serve, test } from "../board";
import { PASSWORD } from "../server";
import { sound } from "../sound";

const server = serve("");

test("users are added, changed and removed, but never the last admin", async ({ page, board }, info) => {
  board.allowErrors(/status of 40[09]/);
  await page.goto(`${server.url}/settings/users`);
  const add = async (name: string, role: string, password: string) => {
    await page.getByRole("textbox", { name: "Name" }).fill(name);
    await page.getByRole("combobox", { name: "Role" }).selectOption(role);
    await page.getByRole("textbox", { name: /^Password/ }).fill(password);
    await page.getByRole("button", { name: "Add user" }).click();
  };
  await add("not a name", "viewer", PASSWORD);
  await expect(page.getByRole("alert")).toContainText("it begins with a letter or digit");
  await add("viv", "viewer", PASSWORD);
  await expect(page.getByRole("status")).toHaveText("The user is added.");
  await add("viv", "viewer", PASSWORD);
  await expect(page.getByRole("alert")).toHaveText('The name "viv" is taken.');
  await sound(page, "users", (file) => info.outputPath(file));

  await page.getByRole("link", { name: "viv" }).click();
  await page.getByRole("combobox", { name: "Role" }).selectOption("operator");
  await page.getByRole("button", { name: "Change role" }).click();
  await expect(page.getByRole("region", { name: "User" })).toContainText("reads everything and acts on jobs and queues");
  await page.getByRole("button", { name: "Disable" }).click();
  await expect(page.getByRole("region", { name: "User" })).toContainText("disabled");
  await page.getByRole("button", { name: "Enable" }).click();
  await page.getByText("Remove …").click();
  await sound(page, "user", (file) => info.outputPath(file));
  await page.getByRole("button", { name: "Remove viv" }).click();
  await expect(page.getByRole("status")).toHaveText("The user is removed.");
  await expect(page.getByRole("link", { name: "viv" })).toHaveCount(0);

  await page.goto(`${server.url}/settings/users/owner`);
  await page.getByRole("combobox", { name: "Role" }).selectOption("viewer");
  await page.getByRole("button", { name: "Change role" }).click();
  await expect(page.getByRole("alert")).toContainText("the last admin");
  await page.getByText("Remove …").click();
  await page.getByRole("button", { name: "Remove owner" }).click();
  await expect(page.getByRole("alert")).toContainText("the last admin");
});

test("a key is shown once, works, and no longer when it is revoked", async ({ page, context }, info) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await page.goto(`${server.url}/settings/keys`);
  await page.getByRole("textbox", { name: "Name" }).fill("export");
  await page.getByRole("button", { name: "Make key" }).click();
  const token = await page.getByLabel("Token of export").last().innerText();
  expect(token).toMatch(/^tb_[0-9a-f]{64}$/);
  await page.getByRole("button", { name: "Copy" }).click();
  await expect(page.getByRole("button", { name: "Copied" })).toBeVisible();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(token);
  await sound(page, "key-made", (file) => info.outputPath(file));
  const me = () => fetch(`${server.url}/api/v1/me`, { headers: { authorization: `Bearer ${token}` } });
  expect(await (await me()).json()).toMatchObject({ name: "key:export", role: "viewer" });

  await page.goto(`${server.url}/settings/keys`);
  await expect(page.locator("body")).not.toContainText(token);
  const row = page.getByRole("row").filter({ hasText: "export" });
  await row.getByText("Revoke …").click();
  await sound(page, "keys", (file) => info.outputPath(file));
  await row.getByRole("button", { name: "Revoke export" }).click();
  await expect(row).toContainText("revoked");
  expect((await me()).status).toBe(401);
});

test("sessions are seen and ended, one or all others", async ({ page, browser }, info) => {
  await server.user("sam", "viewer");
  const sams = await Promise.all([0, 1, 2].map(() => browser.newContext()));
  for (const context of sams) await server.signInAs(context, "sam");
  const [first, second, third] = await Promise.all(sams.map((context) => context.newPage()));
  await first.goto(`${server.url}/settings`);
  await expect(first.getByRole("row")).toHaveCount(4);
  await first.getByRole("button", { name: "Sign out all other browsers" }).click();
  await expect(first.getByRole("row")).toHaveCount(2);
  await expect(first.getByRole("row").last()).toContainText("this browser");
  for (const ended of [second, third]) {
    await ended.goto(server.url);
    await expect(ended).toHaveURL(/\/login$/);
  }

  await page.goto(`${server.url}/settings/sessions`);
  await sound(page, "sessions", (file) => info.outputPath(file));
  await page.getByRole("row").filter({ hasText: "sam" }).getByRole("button").click();
  await expect(page.getByRole("row").filter({ hasText: "sam" })).toHaveCount(0);
  await first.goto(server.url);
  await expect(first).toHaveURL(/\/login$/);
  for (const context of sams) await context.close();
});

test("the audit log says what was done and what was refused, filtered and page by page", async ({ page }, info) => {
  const refused = await fetch(`${server.url}/login`, { method: "POST", body: new URLSearchParams({ name: "owner", password: "x" }) });
  expect(refused.status).toBe(401);
  for (let n = 0; n < 60; n++) await Promise.all([0, 1].map(() => server.fetch("/jobs/none/cancel", { method: "POST" })));
  await page.goto(`${server.url}/settings/audit`);
  await expect(page.getByRole("row")).toHaveCount(101);
  await page.getByRole("link", { name: "Older" }).click();
  const row = page.getByRole("row").filter({ hasText: "sign-in" }).filter({ hasText: "not let in" });
  await expect(row).toContainText("owner");
  await sound(page, "audit", (file) => info.outputPath(file));
  // The reader's zone, not UTC.
  const time = row.getByRole("time");
  const [iso, words] = [await time.getAttribute("datetime"), await time.innerText()];
  const local = await page.evaluate((at) => new Date(at!).toLocaleTimeString([], { hourCycle: "h23" }), iso);
  expect(local).toContain(words.split(" ").at(-1));

  await page.getByRole("textbox", { name: "Who" }).or(page.getByRole("combobox", { name: "Who" })).fill("owner");
  await page.getByRole("combobox", { name: "Action" }).fill("key");
  await page.getByRole("button", { name: "Show" }).click();
  await expect(page.getByRole("row").filter({ hasText: "key.create" }).first()).toBeVisible();
  await expect(page.getByRole("row").filter({ hasText: "job.cancel" })).toHaveCount(0);
});

test.describe("without JavaScript", () => {
  test.use({ javaScriptEnabled: false });

  test("one signs in, changes the password and signs out", async ({ page, context, board }) => {
    board.allowErrors(/status of 400/);
    await server.user("nora", "viewer");
    await context.clearCookies();
    await page.goto(`${server.url}/settings`);
    await page.getByRole("textbox", { name: "Name" }).fill("nora");
    await page.getByRole("textbox", { name: "Password" }).fill(PASSWORD);
    await page.getByRole("button", { name: "Sign in" }).click();
    await expect(page).toHaveURL(`${server.url}/settings`);
    const change = async (current: string) => {
      await page.getByRole("textbox", { name: "Password you have now" }).fill(current);
      await page.getByRole("textbox", { name: "New password" }).fill(`${PASSWORD}-2`);
      await page.getByRole("textbox", { name: "The same again" }).fill(`${PASSWORD}-2`);
      await page.getByRole("button", { name: "Change password" }).click();
    };
    await change("not the password");
    await expect(page.getByRole("alert")).toContainText("not the password that you have now");
    await change(PASSWORD);
    await expect(page.getByRole("status")).toContainText("Your password is changed");
    await page.getByRole("button", { name: "Signed in as nora" }).click();
    await page.getByRole("button", { name: "Sign out" }).first().click();
    await expect(page).toHaveURL(`${server.url}/login`);
  });
});
