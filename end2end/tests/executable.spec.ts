// The one file that `make build` leaves.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "../board";
import { freePort, until } from "../server";

let dir: string;
let server: ChildProcess;
test.beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "tailboard-e2e-"));
});
test.afterAll(async () => {
  if (server?.exitCode === null && server.kill()) await once(server, "exit");
  rmSync(dir, { recursive: true, force: true });
});

test("a copy runs from / with nothing in its environment but its first key and serves its own site", async ({ page }) => {
  const copy = join(dir, "copy");
  copyFileSync(process.env.TAILBOARD_BIN!, copy);
  writeFileSync(join(dir, "t.toml"), "");
  const token = `tb_${"0".repeat(32)}`;
  const url = `http://127.0.0.1:${await freePort()}`;
  const args = ["serve", "--config", join(dir, "t.toml"), "--data-dir", join(dir, "data"), "--listen", url.slice(7)];
  server = spawn(copy, args, { cwd: "/", env: { TAILBOARD_BOOTSTRAP_TOKEN: token }, stdio: "ignore" });
  await until("the server to be ready", async () => (await fetch(`${url}/readyz`).catch(() => undefined))?.ok);

  const kinds = new Map<string, string | undefined>();
  page.on("response", (response) => kinds.set(response.url().split(".").at(-1)!, response.headers()["content-encoding"]));
  await page.setExtraHTTPHeaders({ authorization: `Bearer ${token}` });
  await page.goto(url);
  await expect(page.locator("html[data-hydrated]")).toBeAttached();
  for (const kind of ["js", "css", "wasm"]) expect(kinds.get(kind), kind).toBe("br");
});
