// The streams, a run that waits for its readers, and what each of them has to have read of it in the end.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "@playwright/test";
import { type Job, Server } from "../server";
import type { Reader, Seen } from "./clients";

/** What tears a line for clients that split it anywhere but at CR and LF, and what is more than a byte. */
const ODD = "ä 😀 \u0085\u2028\u2029\u000b\u000c \\ \" data: x";

/** What a run prints. */
export const text = [ODD, "", "it's open", "three"];

const first = `printf '%s\\n\\n' '${ODD}'; until [ -e "$PARAM_GATE" ]; do sleep 0.02; done; echo "it's open"`;

/** Goes on after its first lines when a file is there whose name the run is given. */
export const gated = `
[[pipeline]]
name = "gated"
[[pipeline.params]]
name = "gate"
type = "string"
required = true
[[pipeline.steps]]
name = "first"
run = ${JSON.stringify(first)}
[[pipeline.steps]]
name = "second"
run = "echo three"
`;

let runs = 0;

export interface Run {
  job: Job;
  /** Every stream of it, by way of this address. */
  urls: (base: string) => string[];
  open: () => void;
}

/** A run whose first step waits until `open` is called. */
export async function run(server: Server): Promise<Run> {
  const { items, as_of } = await server.get<{ items: { id: string }[]; as_of: string }>("/api/v1/connections");
  const gate = join(server.dir, `gate-${runs++}`);
  const job = await server.run("gated", { gate });
  return {
    job,
    urls: (base) => streams.map((stream) => base + stream.path(job, items[0].id, as_of)),
    open: () => writeFileSync(gate, ""),
  };
}

/** Waits until each stream has told that the run waits, or all there is. */
export async function arrived(readers: Reader[], where: "waits" | "last") {
  await Promise.all(streams.map((stream, n) => readers[n].saw(`${stream.name}: ${where}`, stream[where])));
}

export interface Stream {
  name: string;
  path: (job: Job, connection: string, since: string) => string;
  /** Tells that the run waits: nothing before it comes again, and nothing after it is there yet. */
  waits: (event: Seen) => boolean;
  last: (event: Seen) => boolean;
  /** Checks all that was read. */
  check: (seen: Seen[], job: Job) => void;
  /** It has no end, and is told of other jobs too. */
  endless?: boolean;
}

const isEnd = ({ id }: Seen) => id === "end";

export const streams: Stream[] = [
  {
    name: "dashboard",
    path: (_, connection, since) => `/api/events/stream?connectionId=${connection}&types=job&since=${since}`,
    waits: ({ event, data }) => event === "job:state_change" && data.state === "active",
    last: ({ event, data }) => event === "job:state_change" && data.state === "completed",
    check: (seen, job) => {
      const changes = seen.filter(({ event, data }) => event === "job:state_change" && data.id === job.id);
      expect(changes.map(({ data }) => [data.previousState, data.state])).toEqual([
        [null, "queued"],
        ["queued", "active"],
        ["active", "completed"],
      ]);
      for (const { id, data } of changes) expect(id).toMatch(new RegExp(`^[0-9a-f]{8}-${data.revision}$`));
    },
    endless: true,
  },
  {
    name: "job status",
    path: (job) => `/api/jobs/${job.id}/stream`,
    waits: ({ data }) => data.current_step === 1,
    last: isEnd,
    check: (seen, job) => {
      const told = seen.filter(({ event }) => event === "job_status").map(({ data }) => data);
      expect(told.map(({ job_id }) => job_id)).toEqual(told.map(() => job.id));
      const done = told.map(({ completed_steps }) => completed_steps);
      expect(done).toEqual(done.toSorted());
      expect(told.at(-1)).toMatchObject({ status: "completed", progress_percent: 100, completed_steps: 2 });
      const end = { id: "end", event: "job_finished", data: { job_id: job.id, final_status: "completed" } };
      expect(seen.at(-1)).toEqual(end);
    },
  },
  {
    name: "job logs",
    path: (job) => `/api/jobs/${job.id}/logs`,
    waits: ({ id }) => id === "2",
    last: isEnd,
    check: (seen) => {
      const told = seen.map(({ id, event, data }) => [id, event, data.line_number, data.line ?? data.message]);
      const expected: unknown[] = text.map((line, n) => [`${n + 1}`, "log", n + 1, line]);
      expect(told).toEqual([...expected, ["end", "log_complete", undefined, "Log is complete"]]);
    },
  },
  {
    name: "execution events",
    path: (job) => `/api/v1/executions/${job.id}/events`,
    waits: ({ data }) => data.name === "first",
    last: isEnd,
    check: (seen, job) => {
      // Progress has no id of its own and is no part of the story.
      const told = seen.filter(({ data }) => data.progress === null);
      expect(told.map(({ id, event, data }) => [id, event, data.scope, data.name, data.status])).toEqual([
        ["1", "initiated", "execution", "gated", "queued"],
        ["2", "processing", "execution", "gated", "active"],
        ["3", "processing", "step", "first", "active"],
        ["4", "completed", "step", "first", "completed"],
        ["5", "processing", "step", "second", "active"],
        ["6", "completed", "step", "second", "completed"],
        ["end", "completed", "execution", "gated", "completed"],
      ]);
      expect(new Set(told.map(({ data }) => data.execution_id))).toEqual(new Set([job.id]));
    },
  },
  {
    name: "runner-job events",
    path: (job) => `/runner-jobs/${job.id}/events/stream`,
    waits: ({ event }) => event === "step.output",
    last: isEnd,
    check: checkRunnerJob,
  },
];

/** Of the stream and of the socket: the output in one piece per step, however it was cut. */
export function checkRunnerJob(seen: Seen[], job: Job) {
  const told: [string, unknown][] = [];
  for (const { event, data } of seen) {
    const before = told.at(-1);
    if (event === "step.output" && before?.[0] === event) before[1] += data.chunk;
    else told.push([event, data.chunk ?? data.name ?? data.status]);
  }
  expect(told).toEqual([
    ["job.started", "active"],
    ["step.started", "first"],
    ["step.output", `${text.slice(0, 3).join("\n")}\n`],
    ["step.completed", "completed"],
    ["step.started", "second"],
    ["step.output", "three\n"],
    ["step.completed", "completed"],
    ["job.completed", "completed"],
    ["stream.complete", "completed"],
  ]);
  expect(seen.at(-1)).toEqual({ id: "end", event: "stream.complete", data: { jobId: job.id, status: "completed" } });
}

/** Every name that an event of these streams may have: a browser hears only of those it asks for. */
export const names = [
  ...["job:state_change", "job:progress", "job:deleted", "job:log", "worker:heartbeat", "worker:state_change"],
  ...["worker:deleted", "queue:snapshot", "queue:deleted", "connection:state_change", "heartbeat", "cursor", "reset"],
  ...["job_status", "job_finished", "job_deleted", "log", "log_complete"],
  ...["initiated", "processing", "completed", "failed"],
  ...["job.started", "step.started", "step.output", "step.completed", "job.completed", "job.failed", "job.cancelled"],
  ...["stream.complete", "stream_error"],
];
