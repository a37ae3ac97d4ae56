// In by name and password, out again, and what a reader who may only read is shown.

import { expect, hydrated, serve, test } from "../board";
import { PASSWORD } from "../server";
import { sound } from "../sound";

const server = serve(`
[[pipeline]]
name = "plain"
[[pipeline.steps]]
name = "greet"
run = "echo hello"
[[pipeline]]
name = "endless"
[[pipeline.steps]]
name = "wait"
run = "sleep 1000"
`);

test.beforeAll(async () => {
  await server.user("ann", "admin");
  await server.user("viv", "viewer");
});

test("who is not signed in is led to the sign-in and from there back", async ({ page, context, board }, info) => {
  board.allowErrors(/status of 401/);
  await context.clearCookies();
  await page.goto(`${server.url}/jobs?state=failed`);
  await expect(page).toHaveURL(/\/login\?next=/);
  await sound(page, "login", (file) => info.outputPath(file));
  const signIn = async (name: string, password: string) => {
    await page.getByRole("textbox", { name: "Name" }).fill(name);
    await page.getByRole("textbox", { name: "Password" }).fill(password);
    await page.getByRole("button", { name: "Sign in" }).click();
  };
  // Nobody learns which of the two is wrong.
  const said: string[] = [];
  for (const name of ["ann", "nobody"]) {
    await signIn(name, "not the password");
    said.push(await page.getByRole("alert").innerText());
    await expect(page.getByRole("textbox", { name: "Name" })).toHaveValue(name);
  }
  expect(said).toEqual(Array(2).fill("The name or the password is not right."));
  await sound(page, "login-wrong", (file) => info.outputPath(file));
  await signIn("ann", PASSWORD);
  await expect(page).toHaveURL(`${server.url}/jobs?state=failed`);
  await hydrated(page);
  await page.goto(`${server.url}/login`);
  await expect(page).toHaveURL(`${server.url}/`);
});

test("signing out ends an open page in another tab, which leads to the sign-in", async ({ page, context, board }) => {
  board.allowErrors(/status of 401/);
  await server.signInAs(context, "ann");
  await board.goto(server, "/jobs?state=active");
  await expect(page.getByRole("status").filter({ hasText: "Live" })).toBeVisible();
  const other = await context.newPage();
  await other.goto(`${server.url}/settings`);
  await other.getByRole("button", { name: "Signed in as ann" }).click();
  await other.getByRole("button", { name: "Sign out", exact: true }).click();
  await expect(other).toHaveURL(/\/login$/);
  await other.close();
  // The stream ends at once; the browser asks for it again within 5 s and is refused.
  await expect(page).toHaveURL(/\/login\?next=%2Fjobs%3Fstate%3Dactive$/, { timeout: 15_000 });
  const asked: string[] = [];
  page.on("request", (request) => asked.push(request.url()));
  await page.getByRole("textbox", { name: "Name" }).fill("ann");
  await page.getByRole("textbox", { name: "Password" }).fill(PASSWORD);
  expect(asked, "nothing is asked for any more").toEqual([]);
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page).toHaveURL(`${server.url}/jobs?state=active`);
});

test("a form of a page whose session is over leads to the sign-in", async ({ page, context, board }) => {
  board.allowErrors(/status of 401/);
  await server.signInAs(context, "ann");
  await board.goto(server, "/pipelines");
  await context.clearCookies();
  await page.getByRole("button", { name: "Run now: plain" }).click();
  await expect(page).toHaveURL(/\/login\?next=%2Fpipelines$/);
});

test("a viewer is shown nothing that acts, and is refused by hand", async ({ page, context, board }, info) => {
  board.allowErrors(/status of 403/);
  const job = await server.run("plain");
  await server.reached(job.id, "completed");
  const long = await server.run("endless");
  await server.reached(long.id, "active");
  await server.signInAs(context, "viv");
  const shown: Record<string, string> = {
    "/": "Overview",
    "/jobs": "Jobs",
    [`/jobs/${job.id}`]: "plain",
    [`/jobs/${long.id}`]: "endless",
    "/queues": "Queues",
    "/workers": "Workers",
    "/pipelines": "Pipelines",
    "/pipelines/plain": "plain",
  };
  for (const [path, title] of Object.entries(shown)) {
    await board.goto(server, path);
    await expect(page.getByRole("heading", { level: 1 })).toHaveText(title);
    await expect(page.locator("main").getByRole("button", { name: /^(Run|Cancel|Delete|Pause|Resume)/ }), path).toHaveCount(0);
    await expect(page.locator("main").getByRole("checkbox"), path).toHaveCount(0);
  }
  // Nor by keys.
  await page.keyboard.press("Control+k");
  await page.keyboard.type("plain");
  await expect(page.getByRole("option")).toHaveText(["Pipeline plain", "Search jobs for plain"]);
  await page.keyboard.press("Escape");
  await board.goto(server, "/jobs");
  await page.keyboard.press("j");
  await page.keyboard.press("x");
  await expect(page.locator("main input:checked")).toHaveCount(0);

  // What the page does not show is refused all the same, and said where it was asked for.
  await board.goto(server, "/pipelines");
  await page.locator("html").evaluate((root) => root.removeAttribute("data-role"));
  await page.getByRole("button", { name: "Run now: plain" }).click();
  await expect(page.getByRole("alert").filter({ hasText: "You may not do this" })).toBeVisible();
  const refused = await page.goto(`${server.url}/settings/users`);
  expect(refused!.status()).toBe(403);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("You may not do this");
  await sound(page, "forbidden", (file) => info.outputPath(file));
  await page.goto(`${server.url}/settings`);
  await sound(page, "settings-viewer", (file) => info.outputPath(file));
  await expect(page.getByRole("navigation", { name: "Settings" })).toHaveCount(0);
});

// The last of this file: after it nobody signs in from this address for a while.
test("after too many attempts it says in how many seconds", async ({ page, context, board }, info) => {
  board.allowErrors(/status of 4(01|29)/);
  await context.clearCookies();
  await page.goto(`${server.url}/login`);
  await expect(async () => {
    await page.getByRole("textbox", { name: "Name" }).fill("ann");
    await page.getByRole("textbox", { name: "Password" }).fill("not the password");
    await page.getByRole("button", { name: "Sign in" }).click();
    await expect(page.getByRole("alert")).toContainText(/Too many attempts; try again in \d+ s/, { timeout: 1000 });
  }).toPass();
  await sound(page, "login-too-many", (file) => info.outputPath(file));
});
