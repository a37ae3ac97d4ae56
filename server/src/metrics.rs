//! `/metrics`: what there is, in Prometheus' text format.

use crate::{
    auth::{By, Routes, Rule},
    contracts::Streams,
    served::Served,
    web::Connections,
};
use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use engine::{Engine, Measures, ReadError, board::Histogram};
use http::{StatusCode, header};
use shared::{ConnectionId, Queue, WorkerState, page::Overview};
use std::fmt::Write;

pub fn routes() -> Routes {
    Routes::new().get("/metrics", Rule::READ, show)
}

async fn show(
    State(Served { engine, streams, connections, .. }): State<Served>,
    By(caller): By,
) -> Response {
    let asked = async { Ok((engine.overview(&caller).await?, engine.measures(&caller).await?)) };
    match asked.await {
        Ok((overview, measures)) => {
            let mut page = page(&engine, &overview);
            page.measures(&measures, &overview);
            page.connections(&connections);
            page.streams(&streams);
            let text = page.0;
            ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text)
                .into_response()
        }
        Err(error) => unreadable(&error),
    }
}

fn unreadable(error: &ReadError) -> Response {
    tracing::error!(%error, "the metrics cannot be read");
    (StatusCode::SERVICE_UNAVAILABLE, "the store cannot be read now\n").into_response()
}

/// One metric: its name, kind and meaning, then a line per sample.
struct Page(String);

impl Page {
    fn metric(&mut self, name: &str, kind: &str, help: &str) {
        // Writing into a String cannot fail; the same below.
        let _ = writeln!(self.0, "# HELP tailboard_{name} {help}\n# TYPE tailboard_{name} {kind}");
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl std::fmt::Display) {
        let _ = write!(self.0, "tailboard_{name}");
        for (at, (label, text)) in labels.iter().enumerate() {
            let text = text.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n");
            let _ = write!(self.0, "{}{label}=\"{text}\"", if at == 0 { '{' } else { ',' });
        }
        let end = if labels.is_empty() { "" } else { "}" };
        let _ = writeln!(self.0, "{end} {value}");
    }
}

/// Units of a value in a second.
const MILLISECONDS: f64 = 1e3;
const MICROSECONDS: f64 = 1e6;

impl Page {
    fn measures(&mut self, measures: &Measures, overview: &Overview) {
        let name = |id: ConnectionId| {
            let known = overview.connections.iter().find(|connection| connection.id == id);
            known.map_or_else(|| id.to_string(), |connection| connection.name.clone())
        };
        self.metric("jobs", "gauge", "Jobs by connection, queue and state.");
        for count in &measures.jobs {
            let (connection, state) = (name(count.connection), count.state.as_str());
            let labels = [("connection", &*connection), ("queue", &*count.queue), ("state", state)];
            self.sample("jobs", &labels, count.count);
        }
        self.metric("log_bytes", "gauge", "Bytes of the logs of jobs that are over.");
        self.sample("log_bytes", &[], measures.log_bytes);
        self.metric("ring_floor", "gauge", "Number of the last event that is not kept any more.");
        for (connection, floor) in &measures.floors {
            self.sample("ring_floor", &[("connection", &name(*connection))], floor);
        }
        self.metric("commit_seconds", "histogram", "Time that commits of the store take.");
        self.histogram("commit_seconds", &[], &measures.commits, MICROSECONDS);
        self.metric(
            "job_wait_seconds",
            "histogram",
            "Time from when an attempt may begin to its start.",
        );
        for of in &measures.queues {
            let connection = name(of.connection);
            let labels = [("connection", &*connection), ("queue", &*of.queue)];
            self.histogram("job_wait_seconds", &labels, &of.wait, MILLISECONDS);
        }
        self.metric("job_run_seconds", "histogram", "Time from a job's first start to its end.");
        for of in &measures.queues {
            let connection = name(of.connection);
            let labels = [("connection", &*connection), ("queue", &*of.queue)];
            self.histogram("job_run_seconds", &labels, &of.run, MILLISECONDS);
        }
    }

    fn streams(&mut self, streams: &Streams) {
        self.metric("streams", "gauge", "Open streams by contract.");
        for (contract, open) in streams.by_contract() {
            self.sample("streams", &[("contract", contract)], open);
        }
    }

    fn connections(&mut self, connections: &Connections) {
        self.metric("connections", "gauge", "Open connections.");
        self.sample("connections", &[], connections.count());
        let help = "Connections closed as they came, because their address had as many as it may.";
        self.metric("connections_refused_total", "counter", help);
        self.sample("connections_refused_total", &[], connections.refused());
    }

    fn histogram(
        &mut self,
        name: &str,
        labels: &[(&str, &str)],
        histogram: &Histogram,
        units: f64,
    ) {
        let bucket = format!("{name}_bucket");
        for (end, count) in histogram.cumulative() {
            // Counted are the values below: as whole numbers those up to one less.
            let end = ((end - 1) as f64 / units).to_string();
            self.sample(&bucket, &[labels, &[("le", &end)]].concat(), count);
        }
        self.sample(&bucket, &[labels, &[("le", "+Inf")]].concat(), histogram.count());
        self.sample(&format!("{name}_sum"), labels, histogram.sum() as f64 / units);
        self.sample(&format!("{name}_count"), labels, histogram.count());
    }
}

/// Name, meaning and value of what is measured of a queue.
type OfQueue = (&'static str, &'static str, fn(&Queue) -> f64);

fn page(engine: &Engine, overview: &Overview) -> Page {
    let mut page = Page(String::new());
    page.metric("ready", "gauge", "Whether new work is taken on.");
    page.sample("ready", &[], u8::from(engine.ready().is_ok()));
    page.metric("event_number", "counter", "Number of the newest event.");
    page.sample("event_number", &[], overview.as_of.seq);
    let of_queues: [OfQueue; 7] = [
        ("queue_depth", "Jobs that wait for a slot.", |q| q.depth as f64),
        ("queue_active", "Jobs that have a slot.", |q| q.active as f64),
        ("queue_slots", "Slots.", |q| q.concurrency.unwrap_or(0).into()),
        ("queue_paused", "Whether nothing is claimed.", |q| f64::from(u8::from(q.paused))),
        ("queue_oldest_waiting_seconds", "How long the job that waits longest does.", |q| {
            q.oldest_waiting_ms.unwrap_or(0) as f64 / 1000.0
        }),
        ("queue_ended_per_minute", "Jobs that completed or failed in the last minute.", |q| {
            q.rate_per_min
        }),
        ("queue_failed_per_minute", "Jobs that failed in the last minute.", |q| q.failed_per_min),
    ];
    for (name, help, value) in of_queues {
        page.metric(name, "gauge", help);
        for queue in &overview.queues {
            page.sample(name, &[("queue", &queue.name)], value(queue));
        }
    }
    page.metric("worker_online", "gauge", "Whether a worker is heard of.");
    for worker in &overview.workers {
        let online = worker.state == WorkerState::Online;
        page.sample("worker_online", &[("worker", &worker.id)], u8::from(online));
    }
    page.metric(
        "worker_processed_total",
        "counter",
        "Jobs that ended on a worker since it came online.",
    );
    for worker in &overview.workers {
        page.sample("worker_processed_total", &[("worker", &worker.id)], worker.processed);
    }
    page.metric(
        "worker_failed_total",
        "counter",
        "Jobs that failed on a worker since it came online.",
    );
    for worker in &overview.workers {
        page.sample("worker_failed_total", &[("worker", &worker.id)], worker.failed);
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_end_its_label() {
        let mut page = Page(String::new());
        page.sample("x", &[("a", "q\"\\\n"), ("b", "1")], 2);
        assert_eq!(page.0, "tailboard_x{a=\"q\\\"\\\\\\n\",b=\"1\"} 2\n");
    }
}
