// A real server with a data directory of its own on a port of its own.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, readdirSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BrowserContext } from "@playwright/test";

/** Why and where jobs stand, as `/api/v1/jobs/{id}` answers. */
export interface Job {
  id: string;
  name: string;
  state: string;
  error: string | null;
}

const binary = process.env.TAILBOARD_BIN;

/** Of every user that tests make. */
export const PASSWORD = "correct-horse-battery";

export class Server {
  /** Configuration and data; there once it was launched. */
  dir = "";
  private port = 0;
  private process?: ChildProcess;
  private output = "";
  /** The admin's session, as `name=value`: made by the link of the first start. */
  cookie = "";
  /** An admin's API key. */
  token = "";

  /** `pipelines` is TOML. Nothing is made before the launch: test files are loaded more often than run. */
  constructor(
    private readonly pipelines: string,
    /** Without one nobody has access yet. */
    private readonly firstAdmin = true,
  ) {}

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Starts it, again on the same port and data, and waits until it is ready. */
  async launch() {
    this.port ||= await freePort();
    if (!this.dir) {
      this.dir = mkdtempSync(join(tmpdir(), "tailboard-e2e-"));
      // What a test left running must not outlive it.
      writeFileSync(join(this.dir, "tailboard.toml"), `on_shutdown = "cancel"\n${this.pipelines}`);
    }
    if (!binary) throw new Error("TAILBOARD_BIN must name the executable to test");
    const args = ["serve", "--config", join(this.dir, "tailboard.toml")];
    args.push("--data-dir", join(this.dir, "data"), "--listen", `127.0.0.1:${this.port}`);
    const child = spawn(binary, args, { cwd: "/", env: { PATH: process.env.PATH }, stdio: ["ignore", "pipe", "pipe"] });
    child.stdout.on("data", (chunk) => (this.output += chunk));
    child.stderr.on("data", (chunk) => (this.output += chunk));
    this.process = child;
    await until("the server to be ready", async () => {
      if (child.exitCode !== null) throw new Error(`the server ended:\n${this.output}`);
      return (await fetch(`${this.url}/readyz`).catch(() => undefined))?.ok;
    });
    if (this.firstAdmin && !this.token) await this.setUp();
  }

  /** The link of the first start. */
  async setUpLink(): Promise<string> {
    const link = /http:\S+\/setup#[0-9a-f]{32}(?=\n)/;
    await until("the set-up link", async () => link.test(this.output));
    return link.exec(this.output)![0];
  }

  /** What the first admin does: follows the link that was printed, and makes a key. */
  private async setUp() {
    const body = new URLSearchParams({ code: (await this.setUpLink()).split("#")[1] });
    const signedIn = await fetch(`${this.url}/setup`, { method: "POST", body, redirect: "manual" });
    this.cookie = signedIn.headers.get("set-cookie")!.split(";")[0];
    const key = await fetch(`${this.url}/api/v1/keys`, {
      method: "POST",
      headers: { cookie: this.cookie, "content-type": "application/json" },
      body: JSON.stringify({ name: "tests", role: "admin" }),
    });
    if (key.status !== 201) throw new Error(`make a key: ${key.status} ${await key.text()}`);
    this.token = ((await key.json()) as { token: string }).token;
  }

  /** Signs a browser in as the admin. */
  async signIn(context: BrowserContext) {
    const [name, value] = this.cookie.split("=");
    await context.addCookies([{ name, value, url: this.url }]);
  }

  /** Makes a user with a password. */
  async user(name: string, role: string) {
    const made = await this.fetch("/api/v1/users", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ name, role, password: PASSWORD }),
    });
    if (made.status !== 201) throw new Error(`make a user: ${made.status} ${await made.text()}`);
  }

  /** Signs a browser in as a user made by `user`. */
  async signInAs(context: BrowserContext, name: string) {
    const body = new URLSearchParams({ name, password: PASSWORD });
    const signedIn = await fetch(`${this.url}/login`, { method: "POST", body, redirect: "manual" });
    const [cookie, value] = signedIn.headers.get("set-cookie")!.split(";")[0].split("=");
    await context.clearCookies();
    await context.addCookies([{ name: cookie, value, url: this.url }]);
  }

  /** A request with the admin's key. */
  fetch(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = { authorization: `Bearer ${this.token}`, ...init.headers };
    return fetch(this.url + path, { ...init, headers });
  }

  get pid(): number {
    return this.process!.pid!;
  }

  /** `kill -9`. */
  async kill() {
    const exit = once(this.process!, "exit");
    this.process!.kill("SIGKILL");
    await exit;
  }

  /** Ends it as Ctrl-C does, checks that it and its runs are gone, and removes its data. */
  async stop() {
    const child = this.process!;
    if (child.exitCode === null && child.signalCode === null) {
      const exit = once(child, "exit");
      child.kill("SIGTERM");
      await exit;
    }
    await until("the runs to end", async () => leftovers(this.dir).length === 0);
    rmSync(this.dir, { recursive: true, force: true });
  }

  async get<T>(path: string): Promise<T> {
    const response = await this.fetch(path);
    if (!response.ok) throw new Error(`GET ${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as T;
  }

  /** Runs a pipeline through the API; answers with the job. */
  async run(pipeline: string, params: Record<string, string> = {}): Promise<Job> {
    const response = await this.fetch("/api/v1/executions", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ pipeline, params }),
    });
    if (response.status !== 202) throw new Error(`run ${pipeline}: ${response.status} ${await response.text()}`);
    return (await response.json()) as Job;
  }

  job(id: string): Promise<Job> {
    return this.get(`/api/v1/jobs/${id}`);
  }

  /** Waits until the job is in one of the states. */
  async reached(id: string, ...states: string[]): Promise<Job> {
    let job: Job | undefined;
    await until(`job ${id} to be ${states.join(" or ")}`, async () => {
      job = await this.job(id);
      return states.includes(job.state);
    });
    return job!;
  }

  /** The whole log as it is downloaded. */
  async log(id: string): Promise<Buffer> {
    const response = await this.fetch(`/api/jobs/${id}/logs/static`);
    if (!response.ok) throw new Error(`log of ${id}: ${response.status}`);
    return Buffer.from(await response.arrayBuffer());
  }
}

/** Waits for a condition, at most 60 s. */
export async function until(what: string, holds: () => Promise<boolean | undefined>) {
  const deadline = Date.now() + 60_000;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`waited 60 s for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

/** Processes that work in `dir` or were told of it: executors and what their steps started. */
export function leftovers(dir: string): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readlinkSync(`/proc/${pid}/cwd`).startsWith(dir) || readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(dir);
      } catch {
        return false; // gone, or not ours to look at
      }
    })
    .map(Number);
}

/** A port that is free now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}
