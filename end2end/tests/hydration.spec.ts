import { expect, test } from "../board";
import { Server } from "../server";

let server: Server;
test.beforeAll(async () => {
  server = await Server.start("");
});
test.afterAll(() => server.stop());

test("a page is hydrated without an error or a policy violation", async ({ board, page }) => {
  await board.goto(server.url);
  await expect(page).toHaveTitle(/Tailboard/);
});
