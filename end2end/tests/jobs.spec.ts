// The list of jobs: many rows, several at once, a span of time, an order.

import { expect, serve, test } from "../board";

const server = serve(`
[[queue]]
name = "default"
concurrency = 2
[[queue]]
name = "held"
concurrency = 1

[[pipeline]]
name = "quick"
[[pipeline.steps]]
name = "one"
run = "true"

[[pipeline]]
name = "waits"
queue = "held"
[[pipeline.steps]]
name = "one"
run = "true"
`);

test.beforeAll(async () => {
  const [{ id }] = (await server.get<{ items: { id: string }[] }>("/api/v1/connections")).items;
  const paused = await server.fetch(`/queues/${id}/held/pause`, { method: "POST", redirect: "manual" });
  expect(paused.status).toBe(303);
  // They wait, so they are many at no cost.
  for (let n = 0; n < 20; n++) await Promise.all(Array.from({ length: 10 }, () => server.run("waits")));
});

test("rows come as they are scrolled to, and the page stays small", async ({ board, page }) => {
  await board.goto(server, "/jobs?pipeline=waits");
  const rows = page.locator("tbody tr:not(.space)");
  // Those near the eye, of the first fifty.
  await expect.poll(() => rows.count()).toBeLessThan(50);
  await expect.poll(() => page.evaluate(() => document.querySelector("tbody")!.getBoundingClientRect().height)).toBeGreaterThan(49 * 36);
  const last = page.locator("tbody tr:not(.space)").last();
  await expect
    .poll(async () => {
      await page.mouse.wheel(0, 3000);
      return page.evaluate(() => document.querySelector("tbody")!.getBoundingClientRect().height);
    })
    .toBeGreaterThan(199 * 36);
  await expect(last).toBeVisible();
  await expect(page.getByRole("link", { name: "Older" })).toHaveCount(0);
  expect(await page.locator("*").count(), "elements").toBeLessThan(1500);

  // What is new waits at the top and moves nothing.
  const top = () => page.evaluate(() => [window.scrollY, document.elementFromPoint(600, 500)?.closest("tr")?.textContent]);
  const before = await top();
  await server.run("waits");
  const pill = page.getByRole("button", { name: "1 new job" });
  await expect(pill).toBeVisible();
  expect(await top()).toEqual(before);
  await pill.click();
  await expect.poll(() => page.evaluate(() => window.scrollY)).toBe(0);
  await expect.poll(() => page.evaluate(() => document.querySelector("tbody")!.getBoundingClientRect().height)).toBeLessThan(60 * 36);
});

test("the name has the widest column, however many rows are not drawn", async ({ board, page }) => {
  await board.goto(server, "/jobs?pipeline=waits");
  const rows = page.locator("tbody tr:not(.space)");
  await expect.poll(() => rows.count()).toBeLessThan(50);
  for (const width of [390, 500, 640, 768, 900, 1024, 1280, 1440]) {
    await page.setViewportSize({ width, height: 844 });
    await expect(page.locator("tr.space").first(), `some rows are not drawn at ${width} px`).toBeAttached();
    const widths = await rows.first().evaluate((row) => [...row.children].map((cell) => cell.getBoundingClientRect().width));
    const name = (await rows.first().locator(".job-name").locator("xpath=..").boundingBox())!.width;
    expect(Math.max(...widths), `at ${width} px: ${widths}`).toBe(name);
  }
});

test("on a phone the search and all that the list is narrowed by are in sight", async ({ board, page }) => {
  await page.setViewportSize({ width: 390, height: 844 });
  await board.goto(server, "/jobs");
  const first = page.getByRole("searchbox", { name: "Search" });
  const others = page.getByRole("group", { name: "Filters" }).locator("a, select");
  for (const one of [first, ...(await others.all())]) await expect(one).toBeInViewport({ ratio: 1 });
  const top = (await first.boundingBox())!.y;
  for (const one of await others.all()) expect((await one.boundingBox())!.y).toBeGreaterThan(top);
});

test("figures beside the states are those of the list, or there are none", async ({ board, page }) => {
  await board.goto(server, "/jobs?pipeline=quick");
  const chips = page.getByRole("group", { name: "Filters" });
  await expect(chips.getByRole("link", { name: /^Queued\s*0$/ })).toBeVisible();
  // Nobody counts by state what a search finds.
  await board.goto(server, "/jobs?q=nothing-like-it");
  await expect(chips.getByRole("link", { name: /^Queued$/ })).toBeVisible();
});

test("a state that there is not is said, and several are shown as chosen", async ({ board, page }) => {
  await board.goto(server, "/jobs?state=bogus");
  await expect(page.getByText("No such state: bogus")).toBeVisible();
  await expect(page.getByRole("row")).toHaveCount(0);
  await page.getByRole("link", { name: "Show all jobs" }).click();
  await expect(page.getByRole("row").first()).toBeVisible();
  await board.goto(server, "/jobs?state=failed,cancelled");
  await expect(page.locator(".chips a[aria-current]")).toHaveText([/^Failed/, /^Cancelled/]);
});

for (const javaScriptEnabled of [true, false]) {
  test.describe(javaScriptEnabled ? "with JavaScript" : "without JavaScript", () => {
    test.use({ javaScriptEnabled });

    test("several jobs are selected and cancelled, and what could not be done is said", async ({ board, page }) => {
      // The plain answer may run no scripts, the test's own neither.
      board.allowErrors(/sandboxed/);
      const jobs = [await server.run("waits"), await server.run("waits")];
      if (javaScriptEnabled) await board.goto(server, "/jobs?state=queued");
      else await page.goto(`${server.url}/jobs?state=queued`);
      const bar = page.getByRole("group", { name: "With the selected jobs" });
      await expect(bar).toBeHidden();
      for (const { id } of jobs) await page.locator(`input[value="${id}"]`).check();
      await expect(bar).toBeVisible();
      if (javaScriptEnabled) await expect(bar).toContainText("2 selected");
      // One of them is over when the button is pressed.
      await server.fetch(`/jobs/${jobs[0].id}/cancel`, { method: "POST", redirect: "manual" });
      await server.reached(jobs[0].id, "cancelled");
      await bar.getByRole("button", { name: "Cancel" }).click();
      await expect(page.locator("body")).toContainText("1 asked to end; 1 not: the job is cancelled already");
      await server.reached(jobs[1].id, "cancelled");
    });
  });
}

test("a span of time and an order are chosen and stand in the address", async ({ board, page }) => {
  const job = await server.run("quick");
  await server.reached(job.id, "completed");
  await board.goto(server, "/jobs?state=completed");
  await page.getByRole("combobox", { name: "Created" }).selectOption("last hour");
  await expect(page).toHaveURL(/from=-1h/);
  await page.getByRole("combobox", { name: "Order" }).selectOption("over, longest first");
  await expect(page).toHaveURL(/sort=duration/);
  await expect(page.getByRole("row").filter({ hasText: "quick" })).toBeVisible();
  await expect(page.getByRole("combobox", { name: "Created" })).toHaveValue("-1h");
  await page.reload();
  await expect(page.getByRole("combobox", { name: "Order" })).toHaveValue("duration");
});
