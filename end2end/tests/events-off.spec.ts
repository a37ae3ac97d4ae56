import { expect, serve, test } from "../board";
import type { Server } from "../server";

const server = serve(`
[[pipeline]]
name = "hello"
[[pipeline.steps]]
name = "greet"
run = "echo hello"
`);

async function switchEvents(server: Server, events: "on" | "off") {
  const { items } = await server.get<{ items: { id: string }[] }>("/api/v1/connections");
  const headers = { "content-type": "application/json" };
  const body = JSON.stringify({ events });
  const answer = await server.fetch(`/api/v1/connections/${items[0].id}`, { method: "PATCH", headers, body });
  expect(answer.status).toBe(200);
}

test("a page says that events are off, and catches up when they are on again", async ({ board, page }) => {
  await board.goto(server, "/jobs");
  await expect(page.locator("[data-link=live]")).toBeVisible();
  const off = page.getByText("has its events switched off");
  await switchEvents(server, "off");
  await expect(off).toContainText("switched off by key:");

  const { id } = await server.run("hello");
  await server.reached(id, "completed");
  const row = page.getByRole("row").filter({ hasText: "hello" });
  expect(await row.count()).toBe(0);
  // Whoever comes now gets what is stored, and is told.
  await board.goto(server, "/jobs");
  await expect(row).toContainText("Completed");
  await expect(off).toBeVisible();

  const { id: second } = await server.run("hello");
  await server.reached(second, "completed");
  await switchEvents(server, "on");
  await expect(row).toHaveCount(2);
  await expect(off).toHaveCount(0);
});
