//! Contract 5 over WebSocket: `GET /runner-jobs/{jobId}/events/ws`.

use crate::{
    client::{self, PATIENCE},
    events::Events,
    running::{Running, pipeline},
};
use engine::Caller;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use shared::{Role, access::NewKey};
use std::time::{Duration, Instant};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{
        Error, Message,
        client::IntoClientRequest,
        protocol::{CloseFrame, frame::coding::CloseCode},
    },
};

const NOBODY: &str = "0193f2c4-7b1e-7c3a-9d20-5f1ab8c2e4d1";

struct Socket(WebSocketStream<TcpStream>);

impl Socket {
    async fn open(server: &Running, id: &str, query: &str) -> Self {
        Self(Self::asked(server, id, query, None).await.expect("an upgrade"))
    }

    async fn asked(
        server: &Running,
        id: &str,
        query: &str,
        origin: Option<&str>,
    ) -> Result<WebSocketStream<TcpStream>, Error> {
        Self::asked_with(server, client::TOKEN, id, query, origin).await
    }

    async fn asked_with(
        server: &Running,
        token: &str,
        id: &str,
        query: &str,
        origin: Option<&str>,
    ) -> Result<WebSocketStream<TcpStream>, Error> {
        let url = format!("ws://{}/runner-jobs/{id}/events/ws{query}", server.address);
        let mut request = url.into_client_request().unwrap();
        let bearer = format!("Bearer {token}");
        request.headers_mut().insert("authorization", bearer.parse().unwrap());
        if let Some(origin) = origin {
            request.headers_mut().insert("origin", origin.parse().unwrap());
        }
        let stream = TcpStream::connect(server.address).await.unwrap();
        client_async(request, stream).await.map(|(socket, _)| socket)
    }

    async fn message(&mut self) -> Message {
        let next = tokio::time::timeout(PATIENCE, self.0.next());
        next.await.expect("a frame in time").expect("a frame").expect("a whole frame")
    }

    /// The next event; the code of the close frame at the end.
    async fn next(&mut self) -> Result<Value, u16> {
        loop {
            match self.message().await {
                Message::Text(text) => return Ok(serde_json::from_str(&text).unwrap()),
                Message::Close(close) => {
                    // Sends our own, which was made when this one was read.
                    let _ = self.0.flush().await;
                    return Err(close.unwrap().code.into());
                }
                Message::Ping(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    async fn rest(&mut self) -> (Vec<Value>, u16) {
        let mut events = Vec::new();
        loop {
            match self.next().await {
                Ok(event) => events.push(event),
                Err(code) => return (events, code),
            }
        }
    }
}

#[tokio::test]
async fn its_frames_are_the_events_of_the_stream_and_it_closes_with_1000() {
    let server = Running::start(&pipeline("prints", &["echo \"it's\"", "seq 1 30000"])).await;
    let id = server.run_to_end("prints").await;
    let stream = server.get(&format!("/runner-jobs/{id}/events/stream")).await;
    let stream = Events::of(stream).rest().await;
    let (events, code) = Socket::open(&server, &id, "").await.rest().await;
    assert_eq!(code, 1000);
    let expected: Vec<_> = stream
        .iter()
        .map(|event| json!({ "id": event.id, "event": event.name, "data": event.data }))
        .collect();
    assert_eq!(events, expected);
    server.stop().await;
}

#[tokio::test]
async fn events_come_as_steps_run() {
    let gate = Running::gate("gate");
    let run = format!("echo on; {}; echo off", gate.wait());
    let server = Running::start(&pipeline("works", &[&run])).await;
    let id = server.run("works").await;
    let mut socket = Socket::open(&server, &id, "").await;
    while socket.next().await.unwrap()["data"]["chunk"] != "on\n" {}
    gate.open();
    let (events, code) = socket.rest().await;
    assert_eq!(events[0]["data"]["chunk"], "off\n");
    assert_eq!((&events.last().unwrap()["id"], code), (&json!("end"), 1000));
    server.stop().await;
}

#[tokio::test]
async fn since_goes_on_after_an_id_and_after_the_end_it_closes_at_once() {
    let server = Running::start(&pipeline("prints", &["echo one", "echo two"])).await;
    let id = server.run_to_end("prints").await;
    let (all, _) = Socket::open(&server, &id, "").await.rest().await;
    for (i, event) in all.iter().enumerate() {
        let query = format!("?since={}&_=1", event["id"].as_str().unwrap());
        let (rest, code) = Socket::open(&server, &id, &query).await.rest().await;
        assert_eq!((rest.as_slice(), code), (&all[i + 1..], 1000), "{query}");
    }
    server.stop().await;
}

#[tokio::test]
async fn what_cannot_be_told_is_refused_before_the_upgrade() {
    let server = Running::start(&pipeline("hello", &["true"])).await;
    let id = server.run_to_end("hello").await;
    let local = format!("http://{}", server.address);
    for (id, query, origin, status) in [
        ("42", "", None, 400),
        (&*id, "?since=7", None, 400),
        (NOBODY, "", None, 404),
        // Any page can open a socket to anywhere; the browser says which page it was.
        (&*id, "", Some("http://elsewhere.example"), 403),
    ] {
        let refused = Socket::asked(&server, id, query, origin).await.unwrap_err();
        let Error::Http(answer) = refused else { panic!("{refused}") };
        assert_eq!(answer.status().as_u16(), status, "{id}{query}");
    }
    assert!(Socket::asked(&server, &id, "", Some(&local)).await.is_ok());
    let path = format!("/runner-jobs/{id}/events/ws");
    let answer = client::send(server.address, "GET", &path, &[], b"").await;
    let status = answer.status;
    assert!((400..500).contains(&status), "{status}");
    assert_eq!(answer.json().await["statusCode"], status);
    server.stop().await;
}

#[tokio::test]
async fn silence_is_filled_with_ping_frames_and_a_client_that_closes_frees_everything() {
    let gate = Running::gate("gate");
    let server = Running::start(&pipeline("waits", &[&gate.wait()])).await;
    let id = server.run("waits").await;
    let mut socket = Socket::open(&server, &id, "").await;
    for _ in 0..2 {
        while !matches!(socket.message().await, Message::Ping(_)) {}
    }
    let gone = Socket::open(&server, &id, "").await;
    assert_eq!(server.streams.count(), 2);
    // One says so, the other is just gone.
    socket.0.send(Message::Close(None)).await.unwrap();
    drop(gone);
    server.no_streams().await;
    gate.open();
    server.stop().await;
}

#[tokio::test]
async fn a_close_of_the_client_is_answered_with_the_same_code() {
    let gate = Running::gate("gate");
    let flood = pipeline("floods", &["seq 1 400000"]);
    let server = Running::start(&(pipeline("waits", &[&gate.wait()]) + &flood)).await;
    // One that waits for its next event, and one that is being told of many.
    for id in [server.run("waits").await, server.run_to_end("floods").await] {
        let mut socket = Socket::open(&server, &id, "").await;
        socket.next().await.unwrap();
        let close = CloseFrame { code: CloseCode::Normal, reason: "enough".into() };
        socket.0.send(Message::Close(Some(close))).await.unwrap();
        assert_eq!(socket.rest().await.1, 1000);
    }
    server.no_streams().await;
    gate.open();
    server.stop().await;
}

#[tokio::test]
async fn it_closes_with_1009_when_the_client_says_more_than_it_has_to_say() {
    let gate = Running::gate("gate");
    let server = Running::start(&pipeline("waits", &[&gate.wait()])).await;
    let id = server.run("waits").await;
    let mut socket = Socket::open(&server, &id, "").await;
    socket.0.send(Message::Text("x".repeat(4 * 1024).into())).await.unwrap();
    socket.next().await.expect("up to 4 KiB may be said");
    socket.0.send(Message::Text("x".repeat(4 * 1024 + 1).into())).await.unwrap();
    assert_eq!(socket.rest().await.1, 1009);
    gate.open();
    server.stop().await;
}

#[tokio::test]
async fn it_closes_with_1000_at_its_longest() {
    let gate = Running::gate("gate");
    let toml = pipeline("waits", &[&gate.wait()]);
    let longest = Duration::from_millis(300);
    let server = Running::start_with(&toml, |streams| streams.longest = longest).await;
    let id = server.run("waits").await;
    let (events, code) = Socket::open(&server, &id, "").await.rest().await;
    assert_eq!((&events.last().unwrap()["event"], code), (&json!("step.started"), 1000));
    gate.open();
    server.stop().await;
}

#[tokio::test]
async fn it_closes_with_4401_when_access_ends() {
    let gate = Running::gate("gate");
    let server = Running::start(&pipeline("waits", &[&gate.wait()])).await;
    let id = server.run("waits").await;
    let key = NewKey { name: "socket".to_owned(), role: Role::Viewer, until: None };
    let made = server.access.add_key(&Caller::board(), key).await.unwrap();
    let opened = Socket::asked_with(&server, &made.token, &id, "", None).await.unwrap();
    let mut socket = Socket(opened);
    socket.next().await.unwrap();
    server.access.revoke_key(&Caller::board(), made.key.id).await.unwrap();
    assert_eq!(socket.rest().await.1, 4401);
    assert!(Socket::asked_with(&server, &made.token, &id, "", None).await.is_err());
    gate.open();
    server.stop().await;
}

#[tokio::test]
async fn a_server_that_goes_away_closes_it_with_1001() {
    let gate = Running::gate("gate");
    let server = Running::start(&pipeline("waits", &[&gate.wait()])).await;
    let id = server.run("waits").await;
    let mut socket = Socket::open(&server, &id, "").await;
    socket.next().await.unwrap();
    server.closing.cancel();
    assert_eq!(socket.rest().await.1, 1001);
    server.stop().await;
}

#[tokio::test]
async fn a_client_that_does_not_read_does_not_keep_the_server_from_going() {
    let server = Running::start(&pipeline("floods", &["seq 1 4000000"])).await;
    let id = server.run_to_end("floods").await;
    let mut socket = Socket::open(&server, &id, "").await;
    socket.next().await.unwrap();
    let begun = Instant::now();
    server.stop().await;
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
}
