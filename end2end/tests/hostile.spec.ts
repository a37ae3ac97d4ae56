// What jobs and links may say to harm their reader: it is shown as text, and nothing of it runs.

import { expect, hydrated, serve, test } from "../board";

const CORPUS = [
  `<script>window.harmed=1</script>`,
  `"><img src=x onerror="window.harmed=1">`,
  `'><svg/onload=window.harmed=1>`,
  `</script><script>window.harmed=1</script>`,
  `</textarea></title></style><iframe srcdoc="<script>parent.harmed=1</script>">`,
  `javascript:window.harmed=1`,
  "{{constructor.constructor('window.harmed=1')()}}",
  `<a href="javascript:window.harmed=1">click</a>`,
  `<!--<img src="--><img src=x onerror=window.harmed=1>`,
];
/** An OSC 8 link, a window title, and an escape that is cut off. */
const ESCAPES = String.raw`\033]8;;javascript:window.harmed=1\033\\\\click\033]8;;\033\\\\ \033]0;title\007 \033[31m<b>red</b>\033[0m \033[`;

const server = serve(`
[[pipeline]]
name = "says"
description = '''${CORPUS[1]}'''
[[pipeline.params]]
name = "what"
description = '''${CORPUS[0]}'''
default = '''${CORPUS[2]}'''
[[pipeline.steps]]
name = "says it"
run = '''
printf '%s\\n' "$PARAM_WHAT"
printf '${ESCAPES}\\n'
exit 3
'''
`);

test("nothing that a job or a link says runs in the page", async ({ page, board, context }) => {
  page.on("dialog", (dialog) => {
    throw new Error(`a dialog: ${dialog.message()}`);
  });
  const harmless = async (where: string) => {
    expect(await page.evaluate(() => (window as any).harmed), where).toBeUndefined();
    expect(await page.locator("img[src=x], iframe, a[href^='javascript:' i], svg[onload]").count(), where).toBe(0);
  };
  const ids: string[] = [];
  for (const what of CORPUS) {
    const response = await server.fetch("/api/v1/executions", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ pipeline: "says", params: { what } }),
    });
    expect(response.status).toBe(202);
    ids.push(((await response.json()) as { id: string }).id);
  }
  for (const id of ids) await server.reached(id, "failed");

  for (const [n, id] of ids.entries()) {
    await board.goto(server, `/jobs/${id}`);
    await expect(page.locator("main")).toContainText(CORPUS[n]);
    await harmless(`job with ${CORPUS[n]}`);
  }
  for (const path of ["/", "/jobs", "/pipelines", "/pipelines/says", "/queues", "/workers"]) {
    await board.goto(server, path);
    await harmless(path);
  }
  for (const text of CORPUS) {
    await board.goto(server, `/jobs?q=${encodeURIComponent(text)}`);
    await harmless(`a search for ${text}`);
  }
  await board.goto(server, `/jobs/${ids[1]}`);
  for (const text of CORPUS.slice(0, 3)) {
    await page.getByRole("searchbox", { name: "Search the log" }).fill(text);
    await expect(page.locator(".log-found")).not.toBeEmpty();
    await harmless(`a search in a log for ${text}`);
  }
  // Without scripts the same document is all there is.
  const plain = await context.browser()!.newContext({ javaScriptEnabled: false });
  await server.signIn(plain);
  const read = await plain.newPage();
  await read.goto(`${server.url}/jobs/${ids[1]}`);
  await expect(read.locator("img[src=x]")).toHaveCount(0);
  await plain.close();
  await hydrated(page);
});
