// Running with parameters, running again, deleting, pausing, searching: from the page, with JavaScript and
// without it the same.

import { expect, serve, test } from "../board";

const server = serve(`
[[queue]]
name = "default"
concurrency = 4
[[queue]]
name = "narrow"
concurrency = 1

[[pipeline]]
name = "endless"
queue = "narrow"
[[pipeline.steps]]
name = "go on"
run = "while :; do sleep 1; done"

[[pipeline]]
name = "greets"
[[pipeline.params]]
name = "who"
type = "string"
pattern = "[a-z]+"
required = true
[[pipeline.params]]
name = "mode"
type = "choice"
choices = ["loud", "quiet"]
default = "quiet"
[[pipeline.steps]]
name = "greet"
run = 'echo "hello $PARAM_WHO, $PARAM_MODE"'

[[pipeline]]
name = "flaky"
retries = 1
retry_delay = "1h"
retry_max_delay = "1h"
[[pipeline.steps]]
name = "try"
run = "echo trying; exit 1"

[[pipeline]]
name = "plain"
[[pipeline.steps]]
name = "go"
run = "true"
`);

for (const javaScriptEnabled of [true, false]) {
  test.describe(javaScriptEnabled ? "with JavaScript" : "without JavaScript", () => {
    test.use({ javaScriptEnabled });

    test("a run is given its parameters, run again with others, and deleted", async ({ board, page }) => {
      const open = (path: string) => (javaScriptEnabled ? board.goto(server, path) : page.goto(server.url + path));
      await open("/pipelines");
      const card = page.getByRole("article", { name: "greets" });
      await card.locator("summary").click();
      await card.getByLabel("who (required)").fill("you");
      await card.getByLabel("mode").selectOption("loud");
      await card.getByRole("button", { name: "Run" }).click();
      await expect(page).toHaveURL(/\/jobs\/[0-9a-f-]{36}$/);
      const first = page.url().split("/").at(-1)!;
      await server.reached(first, "completed");
      await open(`/jobs/${first}`);
      await expect(page.getByRole("log")).toContainText("hello you, loud");

      await page.getByText("Run again …").click();
      await expect(page.getByLabel("who (required)")).toHaveValue("you");
      await page.getByLabel("who (required)").fill("them");
      await page.getByRole("button", { name: "Run again" }).click();
      await expect(page).not.toHaveURL(new RegExp(first));
      const second = page.url().split("/").at(-1)!;
      await server.reached(second, "completed");
      await open(`/jobs/${second}`);
      await expect(page.getByRole("log")).toContainText("hello them, loud");
      await expect(page.getByText("Runs again")).toBeVisible();

      await page.getByText("Delete …").click();
      await page.getByRole("button", { name: "Delete it" }).click();
      await expect(page).toHaveURL(/\/jobs$/);
      expect((await page.request.get(`${server.url}/api/v1/jobs/${second}`)).status()).toBe(404);
    });
  });
}

test("a queue is paused and goes on, and a job that waits says why", async ({ board, page }) => {
  await board.goto(server, "/queues");
  await page.getByRole("button", { name: "Pause default" }).click();
  await expect(page.getByRole("button", { name: "Resume default" })).toBeVisible();
  const { id } = await server.run("plain");
  await board.goto(server, `/jobs/${id}`);
  await expect(page.getByText("queue default is paused by")).toBeVisible();
  await board.goto(server, "/queues");
  await page.getByRole("button", { name: "Resume default" }).click();
  await server.reached(id, "completed");
});

test("a page says why its job waits as that changes", async ({ board, page }) => {
  const post = async (path: string) => {
    expect((await server.fetch(`/api/v1/${path}`, { method: "POST" })).ok).toBe(true);
  };
  const { id: first } = await server.run("endless");
  await server.reached(first, "active");
  const { id: second } = await server.run("endless");
  const { id } = await server.run("endless");
  await board.goto(server, `/jobs/${id}`);
  await expect(page.getByText("1 of 1 in use, 1 job is before it")).toBeVisible();
  await post(`jobs/${second}/cancel`);
  await expect(page.getByText("1 of 1 in use, it is the next")).toBeVisible();
  await post(`queues/narrow/pause`);
  const paused = page.getByText("queue narrow is paused by");
  await expect(paused).toBeVisible();
  // A moment as the reader's clock has it, not as it is sent.
  await expect(paused.locator("time")).toHaveText(/^\d\d:\d\d:\d\d$/);
  await post(`queues/narrow/resume`);
  await expect(page.getByText("1 of 1 in use, it is the next")).toBeVisible();
  for (const one of [id, first]) await post(`jobs/${one}/cancel`);
});

test("a search finds a job by what it failed of, and by its id", async ({ board, page }) => {
  const { id } = await server.run("flaky");
  await server.reached(id, "retrying");
  await board.goto(server, "/jobs");
  await page.getByRole("searchbox").fill("exit cod");
  await page.getByRole("searchbox").press("Enter");
  await expect(page).toHaveURL(/q=exit/);
  const rows = page.getByRole("table").getByRole("row").filter({ hasText: "flaky" });
  await expect(rows).toHaveCount(1);
  await expect(rows).toContainText("Retrying");
  await page.getByRole("searchbox").fill(id);
  await page.getByRole("searchbox").press("Enter");
  await expect(rows).toHaveCount(1);
  await page.getByRole("searchbox").fill('"><img src=x onerror=alert(1)> OR *');
  await page.getByRole("searchbox").press("Enter");
  await expect(page.getByText("No job matches")).toBeVisible();
  await expect(page.locator("img")).toHaveCount(0);
});
