// Clients as people have them, each given a list of URLs to read side by side.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { Page } from "@playwright/test";
import { until } from "../server";
import { Decoder } from "./decode";
import { names } from "./streams";

/** An event as a client gave it. */
export interface Seen {
  id: string | null;
  event: string;
  /** As JSON; an event without data has none, and no stream may have one. */
  data: any;
}

/** What one stream gave to a client. */
export class Reader {
  /** Heartbeats apart: they come when they come. */
  readonly seen: Seen[] = [];
  heartbeats = 0;
  /** The status with which the client was told not to come back. */
  ended?: number;
  /** How often it was asked for; counted for `curl` alone. */
  asked = 0;

  take(told: { id: string | null; event: string; data: string }) {
    if (told.event === "heartbeat" && told.data) this.heartbeats += 1;
    else this.seen.push({ ...told, data: told.data ? JSON.parse(told.data) : undefined });
  }

  /** Waits until the client saw an event. */
  async saw(what: string, found: (event: Seen) => boolean): Promise<void> {
    await until(what, async () => this.seen.some(found)).catch((error) => {
      throw new Error(`${error.message}: it saw ${JSON.stringify(this.seen)}`);
    });
  }
}

export interface Client {
  readers: Reader[];
  stop: () => Promise<void>;
}

export type Open = (urls: string[], token: string, page: Page) => Promise<Client>;

const folder = join(import.meta.dirname, "../clients");

/** A program that prints a line of JSON for each event. */
function program(command: string, ...before: string[]): Open {
  return async (urls, token) => {
    const readers = urls.map(() => new Reader());
    const env = { PATH: process.env.PATH, TAILBOARD_TOKEN: token, PYTHONDONTWRITEBYTECODE: "1" };
    const child = spawn(command, [...before, ...urls], { cwd: folder, env, stdio: ["ignore", "pipe", "inherit"] });
    let rest = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      const lines = (rest + text).split("\n");
      rest = lines.pop()!;
      for (const line of lines) {
        const { stream, ended, ...told } = JSON.parse(line);
        if (ended === undefined) readers[stream].take(told);
        else readers[stream].ended = ended;
      }
    });
    return { readers, stop: () => ended(child) };
  };
}

async function ended(child: ChildProcess) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, "exit");
  child.kill("SIGKILL");
  await exit;
}

const python = process.env.TAILBOARD_PYTHON ?? "TAILBOARD_PYTHON must name the clients' Python";

/** `curl -N`, which knows nothing of events: started again with the last id, as a person would. */
const curl: Open = async (urls, token) => {
  const running = new Set<ChildProcess>();
  let stopped = false;
  const read = async (url: string, reader: Reader) => {
    let last = "";
    while (!stopped) {
      const decoder = new Decoder((block) => {
        last = block.id;
        reader.take(block);
      });
      reader.asked += 1;
      const args = ["-sN", "--noproxy", "*", "-H", `Authorization: Bearer ${token}`, "-w", "%{stderr}%{http_code}"];
      if (last) args.push("-H", `Last-Event-ID: ${last}`);
      const child = spawn("curl", [...args, url], { stdio: ["ignore", "pipe", "pipe"] });
      running.add(child);
      let status = "";
      child.stdout.on("data", (bytes) => decoder.push(bytes));
      child.stderr.on("data", (text) => (status += text));
      await once(child, "close");
      running.delete(child);
      if (!["000", "200"].includes(status)) return void (reader.ended = Number(status));
    }
  };
  const readers = urls.map(() => new Reader());
  const all = urls.map((url, n) => read(url, readers[n]));
  const stop = async () => {
    stopped = true;
    for (const child of running) child.kill("SIGKILL");
    await Promise.all(all);
  };
  return { readers, stop };
};

/** The browser's own, from the page that is open. */
const browser: Open = async (urls, _, page) => {
  const readers = urls.map(() => new Reader());
  // The page of this test is the only one that has this.
  await page.exposeFunction("sourceTold", (stream: number, told: any) => {
    if (told.ended === undefined) readers[stream].take(told);
    else readers[stream].ended = told.ended;
  });
  await page.evaluate(
    ([urls, names]) => {
      const open = ((window as any).sources = [] as EventSource[]);
      urls.forEach((url, stream) => {
        const source = new EventSource(url);
        const tell = (what: object) => void (window as any).sourceTold(stream, what);
        for (const name of ["message", ...names]) {
          source.addEventListener(name, (event: any) => tell({ id: event.lastEventId, event: name, data: event.data }));
        }
        // It does not say which status it was; of ours only 204 is not an error in the console.
        source.onerror = () => source.readyState === EventSource.CLOSED && tell({ ended: 204 });
        open.push(source);
      });
    },
    [urls, names] as const,
  );
  const stop = () => page.evaluate(() => (window as any).sources.forEach((source: EventSource) => source.close()));
  return { readers, stop };
};

export const clients: Record<string, Open> = {
  curl,
  "httpx-sse": program(python, "read_httpx_sse.py"),
  "sseclient-py": program(python, "read_sseclient.py"),
  "Node's eventsource": program(process.execPath, "read_eventsource.mjs", names.join()),
  "the browser's EventSource": browser,
};
