import { expect, serve, test } from "../board";
import { leftovers, until } from "../server";

const server = serve(`
[[pipeline]]
name = "endless"
[[pipeline.steps]]
name = "leave things behind"
run = "setsid sleep 1000 & (sleep 1000 &) ; echo started; sleep 1000"
[[pipeline.steps]]
name = "never"
run = "echo never"
[[pipeline.steps]]
name = "sweep"
phase = "cleanup"
run = "echo swept"
`);

test("a cancelled run ends with its cleanup and leaves no process", async ({ board, page }) => {
  const job = await server.run("endless");
  await board.goto(server, `/jobs/${job.id}`);
  await expect(page.getByRole("log")).toContainText("started");
  await page.getByRole("button", { name: "Cancel", exact: true }).click();
  await expect(page.getByRole("log")).toContainText("swept");
  await expect(page.getByText("Cancelled").first()).toBeVisible();
  await expect(page.getByRole("button", { name: "Cancel", exact: true })).toHaveCount(0);
  expect((await server.log(job.id)).toString()).toBe("started\nswept\n");
  await until("nothing of the run to be left", async () => leftovers(server.dir).every((pid) => pid === server.pid));
});
