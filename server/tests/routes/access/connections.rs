//! How many connections one address may have.

use super::*;
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
};

/// A connection from this address that was answered and is kept; `None`: it was closed without an answer.
async fn kept(server: &Running, from: &str) -> Option<TcpStream> {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(format!("{from}:0").parse().unwrap()).unwrap();
    let mut stream = socket.connect(server.address).await.unwrap();
    asks(&mut stream).await.then_some(stream)
}

/// Whether another request is answered on this connection.
async fn asks(stream: &mut TcpStream) -> bool {
    let work = async {
        stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").await.ok()?;
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\nok\n") {
            answer.push(stream.read_u8().await.ok()?);
        }
        Some(())
    };
    tokio::time::timeout(client::PATIENCE, work).await.expect("an answer or an end").is_some()
}

#[tokio::test]
async fn past_its_connections_an_address_is_closed_at_once_and_nobody_else_is() {
    let server = Running::start("limits.connections_per_address = 3").await;
    let mut mine = Vec::new();
    for _ in 0..3 {
        mine.push(kept(&server, "127.0.0.2").await.expect("within the bound"));
    }
    for _ in 0..5 {
        assert!(kept(&server, "127.0.0.2").await.is_none());
    }
    assert!(asks(&mut mine[0]).await, "those that are there go on");
    let metrics = server.get("/metrics").await.text().await;
    assert!(metrics.contains("\ntailboard_connections_refused_total 5\n"), "{metrics}");
    assert!(metrics.contains("\ntailboard_connections 4\n"), "{metrics}");
    mine.pop();
    let again = async {
        while kept(&server, "127.0.0.2").await.is_none() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(client::PATIENCE, again).await.expect("a place that was given back");
    server.stop().await;
}

#[tokio::test]
async fn a_trusted_proxy_has_as_many_connections_as_it_needs() {
    let toml = "trusted_proxies = ['127.0.0.2']\nlimits.connections_per_address = 1";
    let server = Running::start(toml).await;
    let mut proxies = Vec::new();
    for _ in 0..10 {
        proxies.push(kept(&server, "127.0.0.2").await.expect("a proxy has no bound"));
    }
    let _one = kept(&server, "127.0.0.3").await.unwrap();
    assert!(kept(&server, "127.0.0.3").await.is_none());
    server.stop().await;
}

#[tokio::test]
async fn idle_connections_of_one_address_do_not_keep_others_out() {
    let server = Running::start("limits.connections_per_address = 50").await;
    let mut idle = Vec::new();
    for _ in 0..500 {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.2:0".parse().unwrap()).unwrap();
        idle.push(socket.connect(server.address).await.unwrap());
    }
    let begun = std::time::Instant::now();
    assert!(kept(&server, "127.0.0.3").await.is_some());
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    let refused = server.get("/metrics").await.text().await;
    assert!(refused.contains("\ntailboard_connections_refused_total 450\n"), "{refused}");
    server.stop().await;
}
