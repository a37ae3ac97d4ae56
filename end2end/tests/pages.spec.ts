// Every page in both themes, wide and narrow: hydrated without an error, nothing that axe finds,
// nothing that sticks out of a screen of any width.

import { AxeBuilder } from "@axe-core/playwright";
import { expect, serve, test } from "../board";

const server = serve(`
[[pipeline]]
name = "good"
description = "Says hello in colour"
[[pipeline.params]]
name = "who"
type = "string"
description = "Whom to greet"
[[pipeline.params]]
name = "mode"
type = "choice"
choices = ["loud", "quiet"]
default = "quiet"
[[pipeline.steps]]
name = "greet"
run = "printf '\\\\033[32mhello\\\\033[0m %s\\\\n' 1 2 3 4 5"
[[pipeline.steps]]
name = "tidy up"
phase = "cleanup"
run = "echo done"


[[pipeline]]
name = "bad"
cron = "0 0 1 1 *"
timezone = "Europe/Berlin"
[[pipeline.steps]]
name = "break"
run = "echo it broke >&2; exit 3"
[[pipeline.steps]]
name = "never"
run = "echo never"

[[pipeline]]
name = "long"
[[pipeline.steps]]
name = "wait"
run = "for n in $(seq 1000); do echo line $n; sleep 0.2; done"
`);

const shapes = [
  { name: "1440", viewport: { width: 1440, height: 900 } },
  { name: "768", viewport: { width: 768, height: 1024 } },
  { name: "390", viewport: { width: 390, height: 844 } },
];
/** Between those, where columns come and go. */
const widths = [390, 500, 640, 720, 721, 768, 900, 960, 961, 1024, 1100, 1101, 1280, 1400, 1401];

let paths: Record<string, string>;
test.beforeAll(async () => {
  const good = await server.run("good");
  const bad = await server.run("bad");
  await server.reached(good.id, "completed");
  await server.reached(bad.id, "failed");
  const long = await server.run("long");
  await server.reached(long.id, "active");
  paths = {
    overview: "/",
    jobs: "/jobs",
    "jobs-failed": "/jobs?state=failed",
    "jobs-searched": "/jobs?q=broke&sort=finished",
    queues: "/queues",
    workers: "/workers",
    pipelines: "/pipelines",
    pipeline: "/pipelines/bad",
    "job-completed": `/jobs/${good.id}`,
    "job-failed": `/jobs/${bad.id}`,
    "job-active": `/jobs/${long.id}`,
    settings: "/settings",
    users: "/settings/users",
    keys: "/settings/keys",
    sessions: "/settings/sessions",
    audit: "/settings/audit",
  };
});

for (const theme of ["light", "dark"] as const) {
  for (const { name: width, viewport } of shapes) {
    test(`every page is sound, ${theme}, ${width} px`, async ({ board, browser, page }, info) => {
      // axe looks at sixteen pages.
      test.slow();
      await page.setViewportSize(viewport);
      await page.emulateMedia({ colorScheme: theme });
      for (const [name, path] of Object.entries(paths)) {
        // The settings are documents without code of the board.
        await (path.startsWith("/settings") ? page.goto(server.url + path) : board.goto(server, path));
        await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
        await page.screenshot({ path: info.outputPath(`${name}-${theme}-${width}.png`) });
        const { violations } = await new AxeBuilder({ page }).withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]).analyze();
        expect(violations.map(({ id, nodes }) => ({ id, at: nodes.map((node) => node.html) })), name).toEqual([]);
        const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
        expect(overflow, `${name} scrolls sideways`).toBeLessThanOrEqual(0);
      }
    });
  }
}

test("on a screen of any width every page fits, and names keep room", async ({ page }) => {
  for (const [name, path] of Object.entries(paths)) {
    await page.goto(server.url + path);
    for (const width of widths) {
      await page.setViewportSize({ width, height: 900 });
      const { overflow, columns } = await page.evaluate(() => {
        const shown = [...document.querySelectorAll("main table.rows thead th")].filter((th) => th.getClientRects().length > 0);
        const columns = shown.map((th) => ({ word: th.textContent!, width: th.getBoundingClientRect().width }));
        return { overflow: document.documentElement.scrollWidth - window.innerWidth, columns };
      });
      expect(overflow, `${name} at ${width} px scrolls sideways`).toBeLessThanOrEqual(0);
      const first = columns.find(({ word }) => /^(Name|Queue|Worker|User|Browser)$/.test(word));
      if (first) expect(first.width, `${first.word} of ${name} at ${width} px`).toBeGreaterThan(76);
    }
  }
});

test("a page that is not there says so with its status", async ({ board, page }) => {
  board.allowErrors(/status of 404/);
  for (const path of ["/nowhere", "/jobs/nonsense", "/jobs/0193f2c4-7b1e-7c3a-9d20-5f1ab8c2e4d1"]) {
    const response = await page.goto(server.url + path);
    expect(response!.status(), path).toBe(404);
    await expect(page.getByRole("heading", { level: 1 })).toContainText("No such");
  }
});
