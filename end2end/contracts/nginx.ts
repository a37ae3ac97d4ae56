// nginx in front of a server: Debian's, with a configuration and files of its own, never the machine's service.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort, until } from "../server";

// Its folder is not in everybody's PATH.
const env = { PATH: `${process.env.PATH}:/usr/sbin` };

export class Nginx {
  url = "";
  private dir = "";
  private process?: ChildProcess;

  /** `locations` as they stand in a `server`, with SERVER for where to pass to. */
  constructor(private readonly locations: string) {}

  async launch(server: { url: string }) {
    const port = await freePort();
    this.url = `http://127.0.0.1:${port}`;
    this.dir = mkdtempSync(join(tmpdir(), "tailboard-nginx-"));
    // Its workers are another user if this one is root.
    chmodSync(this.dir, 0o755);
    mkdirSync(join(this.dir, "temp"));
    const temp = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
      .map((kind) => `${kind}_temp_path ${this.dir}/temp/${kind};`)
      .join(" ");
    // What Debian's own has in `http`, but for logs: buffering as it is by default.
    const text = `
      worker_processes 1; pid ${this.dir}/pid; error_log ${this.dir}/error.log;
      events { worker_connections 768; }
      http {
        sendfile on; tcp_nopush on; types_hash_max_size 2048; gzip on; access_log off; ${temp}
        server {
          listen 127.0.0.1:${port};
          ${this.locations.replaceAll("SERVER", server.url)}
        }
      }`;
    const file = join(this.dir, "nginx.conf");
    writeFileSync(file, text);
    const args = ["-p", this.dir, "-c", file, "-e", join(this.dir, "error.log"), "-g", "daemon off;"];
    const child = spawn("nginx", args, { cwd: this.dir, env, stdio: "ignore" });
    this.process = child;
    await until("nginx to be ready", async () => {
      if (child.exitCode !== null) throw new Error(`nginx ended: ${readFileSync(join(this.dir, "error.log"), "utf8")}`);
      return (await fetch(`${this.url}/readyz`).catch(() => undefined))?.ok;
    });
  }

  async stop() {
    const child = this.process!;
    const exit = once(child, "exit");
    if (child.exitCode === null && child.kill("SIGTERM")) await exit;
    rmSync(this.dir, { recursive: true, force: true });
  }
}
