// The log viewer, one rule a test.

import { gunzipSync } from "node:zlib";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "@playwright/test";
import { expect, serve, test } from "../board";

const server = serve(`
[[pipeline]]
name = "count"
[[pipeline.steps]]
name = "prepare"
run = "echo ready"
[[pipeline.steps]]
name = "count"
run = "seq -f 'line %.0f of it' 1 100000; printf 'a \\\\033[31mred\\\\033[0m Needle\\\\n'; echo 'a needle more' >&2"

[[pipeline]]
name = "long"
[[pipeline.steps]]
name = "write"
run = "head -c 30000 /dev/zero | tr '\\\\0' x; echo end; for n in 1 2 3; do echo \\"$n: <b onclick=alert(1)>&amp; goes on for so long that no screen is as wide as it is, and so it has to be wrapped or scrolled, which is what this is about, is it not\\"; done"

[[pipeline]]
name = "slow"
[[pipeline.steps]]
name = "prepare"
run = "echo ready"
[[pipeline.steps]]
name = "write"
run = "seq -f 'line %.0f of it' 1 620000; n=0; while [ ! -e enough ]; do n=$((n + 1)); echo more $n; sleep 0.2; done"
cwd = "."

[[pipeline]]
name = "colours"
[[pipeline.steps]]
name = "print"
run = '''
for c in $(seq 0 255); do printf '\\033[38;5;%dmfore\\033[2mdim\\033[0m \\033[48;5;%dmback\\033[0m\\n' $c $c; done
for c in 30 31 32 33 34 35 36 37 90 91 92 93 94 95 96 97; do printf '\\033[%dmfore\\033[2mdim\\033[0m \\033[7;%dminverse\\033[0m\\n' $c $c; done
printf '\\033[2mdim\\033[0m\\n'
'''

[[pipeline]]
name = "gate"
[[pipeline.steps]]
name = "first"
run = "seq 1 500"
[[pipeline.steps]]
name = "wait"
run = "while [ ! -e go ]; do sleep 0.05; done; seq 1001 1100; while [ ! -e end ]; do sleep 0.05; done"
cwd = "."
`);

async function finished(pipeline: string) {
  const job = await server.run(pipeline);
  await server.reached(job.id, "completed");
  return job;
}

const found = (page: Page) => page.locator(".log-found");
const lines = (page: Page) => page.getByRole("log");

test("a search counts in the whole log and leads on, back and around the end", async ({ board, page }) => {
  const job = await finished("count");
  await board.goto(server, `/jobs/${job.id}`);
  await page.keyboard.press("/");
  await page.keyboard.type("line 9999");
  await expect(found(page)).toHaveText("11 found");
  // From what is in view on: the log is seen at its end.
  await page.keyboard.press("Enter");
  await expect(found(page)).toHaveText("2 of 11");
  await expect(page.locator(".line.is-current")).toContainText("line 99990 of it");
  await page.keyboard.press("Shift+Enter");
  await expect(found(page)).toHaveText("1 of 11");
  await expect(page.locator(".line.is-current")).toContainText("line 9999 of it");
  await expect(page.locator(".line.is-current mark")).toHaveText("line 9999");
  await page.keyboard.press("Shift+Enter");
  await expect(found(page)).toHaveText("11 of 11");
  // One mark at a tenth of the log's height and one at its end, in thousandths.
  const marks = await page.locator(".log-marks rect").evaluateAll((all) => all.map((mark) => Number(mark.getAttribute("y"))));
  expect(marks.map((y) => Math.round(y / 10))).toEqual([10, 100]);
  await page.getByRole("button", { name: "Previous match" }).click();
  await expect(page.locator(".line.is-current")).toContainText("line 99998 of it");
  await page.getByRole("searchbox", { name: "Search the log" }).press("Escape");
  await expect(found(page)).toBeEmpty();
  await expect(page.locator("mark")).toHaveCount(0);
});

test("a search takes case and expressions as it is told, and says what is wrong with one", async ({ board, page }) => {
  board.allowErrors(/400/);
  const job = await finished("count");
  await board.goto(server, `/jobs/${job.id}`);
  const field = page.getByRole("searchbox", { name: "Search the log" });
  await field.fill("RED needle");
  await expect(found(page)).toHaveText("1 found");
  await page.getByRole("button", { name: "Match case" }).click();
  await expect(found(page)).toHaveText("no match");
  await page.getByRole("button", { name: "Match case" }).click();
  await page.getByRole("button", { name: "Regular expression" }).click();
  await field.fill("^a (red |)needle( more)?$");
  await expect(found(page)).toHaveText("2 found");
  const bar = () => page.locator(".log-bar button, .log-bar a").evaluateAll((all) => all.map((one) => one.getBoundingClientRect().x));
  const before = await bar();
  await field.fill("a (");
  await expect(found(page)).toHaveClass(/is-failed/);
  expect(await bar(), "nothing moved").toEqual(before);
  await expect(found(page)).toContainText("unclosed group");
});

test("the view starts at the end, lets go when it is scrolled up, and a pill leads back", async ({ board, page }) => {
  const job = await server.run("gate");
  await board.goto(server, `/jobs/${job.id}`);
  await expect(lines(page)).toContainText("500");
  await lines(page).hover();
  await page.mouse.wheel(0, -600);
  await expect(page.getByRole("button", { name: "Follow" })).toHaveAttribute("aria-pressed", "false");
  const top = () => lines(page).evaluate((log) => {
    const { top } = log.getBoundingClientRect();
    const row = [...log.querySelectorAll(".line")].find((line) => line.getBoundingClientRect().bottom > top + 1);
    return [row?.textContent, Math.round((row?.getBoundingClientRect().top ?? 0) - top)];
  });
  const before = await top();
  writeFileSync(join(server.dir, "go"), "");
  const pill = page.getByRole("button", { name: "100 new lines" });
  await expect(pill).toBeVisible();
  expect(await top()).toEqual(before);
  await pill.click();
  await expect(lines(page)).toContainText("1100");
  await expect(page.getByRole("button", { name: "Follow" })).toHaveAttribute("aria-pressed", "true");
  writeFileSync(join(server.dir, "end"), "");
  await server.reached(job.id, "completed");
});

test("a log of any length stays at its end while it grows slowly, and the end is in sight", async ({ board, page }) => {
  const job = await server.run("slow");
  await board.goto(server, `/jobs/${job.id}`);
  const follow = page.getByRole("button", { name: "Follow" });
  await expect(page.getByText("more 1", { exact: true })).toBeInViewport({ timeout: 60_000 });
  for (let n = 5; n <= 40; n += 5) {
    await expect(page.getByText(`more ${n}`, { exact: true })).toBeInViewport();
    await expect(follow).toHaveAttribute("aria-pressed", "true");
  }
  // Taller than a browser can scroll, the middle of the scrollbar is the middle of the log all the same.
  await lines(page).evaluate((log) => (log.scrollTop = (log.scrollHeight - log.clientHeight) / 2));
  const first = async () => Number(await page.locator("[data-n]").first().getAttribute("data-n"));
  await expect.poll(async () => Math.round((await first()) / 10_000)).toBe(31);
  await lines(page).hover();
  const before = await first();
  await page.mouse.wheel(0, 200);
  await expect.poll(async () => (await first()) - before).toBeGreaterThan(3);
  expect((await first()) - before, "the wheel moves by lines").toBeLessThan(40);
  await page.getByRole("button", { name: "Follow" }).click();
  await expect(page.getByText(/^more \d+$/).last()).toBeInViewport();
  // Where the window is too low for the whole card, what leads back to the end is in sight.
  await page.setViewportSize({ width: 1440, height: 600 });
  await lines(page).hover();
  await page.mouse.wheel(0, -600);
  await expect(page.getByRole("button", { name: /new lines?$/ })).toBeInViewport({ ratio: 1 });

  // On a phone it is above the bar at the foot of the screen, too.
  await page.setViewportSize({ width: 390, height: 844 });
  const pill = (await page.getByRole("button", { name: /new lines?$/ }).boundingBox())!;
  const bar = (await page.getByRole("navigation", { name: "Main" }).boundingBox())!;
  expect(pill.y + pill.height).toBeLessThan(bar.y);
  const number = page.locator(".line-n").last();
  expect(await number.evaluate((cell) => cell.scrollWidth - cell.clientWidth), "the number has room").toBeLessThanOrEqual(0);
  writeFileSync(join(server.dir, "enough"), "");
  await server.reached(job.id, "completed");
});

for (const theme of ["light", "dark"] as const) {
  test(`every colour of a terminal can be read, ${theme}`, async ({ board, page }) => {
    await page.emulateMedia({ colorScheme: theme });
    // Room for all lines at once.
    await page.setViewportSize({ width: 1440, height: 7000 });
    const job = await finished("colours");
    await board.goto(server, `/jobs/${job.id}#L1`);
    await expect(lines(page)).toContainText("inverse");
    await expect(page.locator(".line-n").first()).toHaveText("1");
    const low = await page.locator(".line-x span").evaluateAll((spans) => {
      const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true })!;
      // What is seen when one colour lies on the other, as the browser draws it.
      const over = (below: string, above: string, opacity = 1) => {
        for (const [colour, alpha] of [[below, 1], [above, opacity]] as const) {
          canvas.globalAlpha = alpha;
          canvas.fillStyle = colour;
          canvas.fillRect(0, 0, 1, 1);
        }
        return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
      };
      const rgb = (colour: number[]) => `rgb(${colour.join(" ")})`;
      const luminance = (colour: number[]) => {
        const [r, g, b] = colour.map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
      };
      const surface = getComputedStyle(document.querySelector(".log")!).backgroundColor;
      return spans.flatMap((span) => {
        const style = getComputedStyle(span);
        const back = over(surface, style.backgroundColor);
        const fore = over(rgb(back), style.color, Number(style.opacity));
        const [dark, bright] = [luminance(back), luminance(fore)].sort((a, b) => a - b);
        const contrast = (bright + 0.05) / (dark + 0.05);
        return contrast < 4.5 ? [`${span.className} ${span.textContent}: ${contrast.toFixed(2)}`] : [];
      });
    });
    expect(low).toEqual([]);
  });
}

test("a link beyond the end leads to the last line", async ({ board, page }) => {
  const job = await finished("long");
  await board.goto(server, `/jobs/${job.id}#L99999999`);
  await expect(page.locator(".line.is-marked .line-n")).toHaveText("4");
});

test("keys fold the step in view and copy the link of a line", async ({ board, context, page }) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  const job = await finished("count");
  await board.goto(server, `/jobs/${job.id}#L50000`);
  await page.keyboard.press("y");
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(`${server.url}/jobs/${job.id}#L50000`);
  // And of all from that line to the one that came to the top.
  await page.getByRole("log").focus();
  await page.keyboard.press("PageDown");
  await expect(page.locator("[data-n='50000']")).not.toBeInViewport();
  await page.keyboard.press("Y");
  await expect(page).toHaveURL(/#L50000-L500\d\d$/);
  await page.keyboard.press("s");
  const header = page.getByRole("button", { name: /^count · execution/ });
  await expect(header).toHaveAttribute("aria-expanded", "false");
});

test("a link to lines opens there, and a click on numbers makes one", async ({ board, page }) => {
  const job = await finished("count");
  await board.goto(server, `/jobs/${job.id}#L50000-L50002`);
  await expect(page.locator(".line.is-marked")).toHaveCount(3);
  await expect(page.locator(".line.is-marked").first()).toContainText("line 49999 of it");
  await expect(page.getByRole("button", { name: "Follow" })).toHaveAttribute("aria-pressed", "false");
  await page.locator("[data-n='50001']").click();
  await expect(page).toHaveURL(/#L50001$/);
  await page.locator("[data-n='50004']").click({ modifiers: ["Shift"] });
  await expect(page).toHaveURL(/#L50001-L50004$/);
  await expect(page.locator(".line.is-marked")).toHaveCount(4);
});

test("long lines wrap when they are told to, and one that was cut is shown whole on demand", async ({ board, page }) => {
  const job = await finished("long");
  await board.goto(server, `/jobs/${job.id}`);
  const row = page.locator(".line").filter({ hasText: "1: <b onclick" });
  const height = () => row.evaluate((line) => line.getBoundingClientRect().height);
  expect(await height()).toBe(20);
  await page.getByRole("button", { name: "Wrap" }).click();
  await expect(page.getByRole("button", { name: "Wrap" })).toHaveAttribute("aria-pressed", "true");
  await expect.poll(height).toBeGreaterThan(20);
  const long = page.locator(".line").filter({ hasText: "xxxx" });
  expect((await long.locator(".line-x").textContent())?.length).toBeLessThan(5000);
  await page.keyboard.press("w");
  await expect(long.getByRole("button", { name: "show all" }), "in sight without scrolling to its end").toBeInViewport({ ratio: 1 });
  await page.keyboard.press("w");
  await long.getByRole("button", { name: "show all" }).click();
  await expect(long).toContainText("xend");
  await page.reload();
  await expect(page.getByRole("button", { name: "Wrap" }), "it is remembered").toHaveAttribute("aria-pressed", "true");
  await expect(page.locator("main b")).toHaveCount(0);
});

test("times are of day, since the beginning, or off", async ({ board, page }) => {
  const job = await finished("count");
  await board.goto(server, `/jobs/${job.id}`);
  const time = page.locator(".line").filter({ hasText: "needle more" }).locator(".line-t");
  await expect(time).toHaveText(/^\d\d:\d\d:\d\d\.\d{3}$/);
  await page.keyboard.press("t");
  await expect(time).toHaveText(/^\+0:\d\d\.\d{3}$/);
  await page.keyboard.press("t");
  await expect(time).toBeHidden();
});

test("a step folds to its header, and a link into it opens it again", async ({ board, page }) => {
  const job = await finished("count");
  await board.goto(server, `/jobs/${job.id}#L1`);
  await page.getByRole("button", { name: /^count · execution/ }).click();
  await expect(page.locator(".line")).toHaveCount(3);
  await expect(lines(page)).toContainText("ready");
  await expect(page.getByRole("button", { name: /^count · execution/ })).toHaveAttribute("aria-expanded", "false");
  await page.evaluate(() => { location.hash = "#L77"; });
  await expect(page.locator(".line.is-marked")).toContainText("line 76 of it");
});

test("keys move through a log that is longer than a browser can scroll", async ({ board, page }) => {
  const job = await finished("count");
  await board.goto(server, `/jobs/${job.id}`);
  await page.keyboard.press("w");
  await lines(page).focus();
  await page.keyboard.press("Home");
  await expect(lines(page)).toContainText("ready");
  // More than what is drawn around what is seen.
  for (let n = 0; n < 3; n++) await page.keyboard.press("PageDown");
  await expect(lines(page)).not.toContainText("ready");
  await page.keyboard.press("End");
  await expect(lines(page)).toContainText("needle more");
  expect(await page.locator("*").count(), "elements").toBeLessThan(1500);
});

test("the compressed download has the same bytes", async ({ board, page }) => {
  const job = await finished("count");
  await board.goto(server, `/jobs/${job.id}`);
  const downloading = page.waitForEvent("download");
  await page.getByRole("link", { name: "the compressed log" }).click();
  const file = await (await downloading).path();
  expect(gunzipSync(readFileSync(file)).equals(await server.log(job.id))).toBe(true);
});
