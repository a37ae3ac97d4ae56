// What every browser test starts from: a page that reports what went wrong in it.

import { test as base, expect, type Page } from "@playwright/test";
import { Server } from "./server";

interface Board {
  /** Opens a path and waits until the page is hydrated: a click before that would vanish. */
  goto: (server: Server, path: string) => Promise<void>;
  /** Errors of the console that this test causes itself (a server that is away). */
  allowErrors: (pattern: RegExp) => void;
}

export const test = base.extend<{ board: Board }>({
  // Automatic: no test passes with an error or a policy violation in its console.
  board: [
    async ({ page }, use) => {
      const errors: string[] = [];
      const allowed: RegExp[] = [];
      watch(page, errors);
      await use({
        goto: async (server, path) => {
          await page.goto(server.url + path);
          await hydrated(page);
        },
        allowErrors: (pattern) => allowed.push(pattern),
      });
      expect(errors.filter((error) => !allowed.some((pattern) => pattern.test(error)))).toEqual([]);
    },
    { auto: true },
  ],
});

export { expect };

/** A server for all tests of a file, whose browsers are signed in as the admin. */
export function serve(pipelines: string): Server {
  const server = new Server(pipelines);
  test.beforeAll(() => server.launch());
  test.beforeEach(({ context }) => server.signIn(context));
  test.afterAll(() => server.stop());
  return server;
}

/** Waits until the page's own code runs. */
export async function hydrated(page: Page) {
  await expect(page.locator("html[data-hydrated]")).toBeAttached();
}

/** Collects what the page's console says is wrong; Chromium reports policy violations there too. */
export function watch(page: Page, errors: string[]) {
  page.on("pageerror", (error) => errors.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error") errors.push(message.text());
  });
}
