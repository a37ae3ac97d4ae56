//! The rules of the web layer, over real connections.

use super::*;
use crate::auth::{Proxies, Writes};
use access::Access;
use app::{
    api::{Answer, JobsParams, PageError},
    reader::Reader,
};
use axum::body::Body;
use shared::{
    JobId,
    job::JobDetail,
    log::LogWindow,
    page::{JobsPage, Overview, PipelinePage, PipelinesPage},
};
use std::{net::SocketAddr, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinHandle,
    time::Instant,
};
use tokio_util::sync::CancellationToken;

const TOKEN: &str = "tb_00000000000000000000000000000000";

/// Pages without data: what is tested here is what is around them.
struct Nothing;

fn nothing<T: Send + 'static>() -> Answer<T> {
    Box::pin(async { Err(PageError::NotFound) })
}

impl Pages for Nothing {
    fn reader(&self) -> Option<Reader> {
        None
    }
    fn overview(&self) -> Answer<Overview> {
        nothing()
    }
    fn jobs(&self, _: JobsParams) -> Answer<JobsPage> {
        nothing()
    }
    fn job(&self, _: JobId) -> Answer<JobDetail> {
        nothing()
    }
    fn log_window(&self, _: JobId, _: i64, _: u32) -> Answer<LogWindow> {
        nothing()
    }
    fn pipelines(&self) -> Answer<PipelinesPage> {
        nothing()
    }
    fn pipeline(&self, _: String) -> Answer<PipelinePage> {
        nothing()
    }
}

struct Site {
    addr: SocketAddr,
    shutdown: CancellationToken,
    served: JoinHandle<()>,
    _dir: tempfile::TempDir,
}

impl Site {
    async fn start() -> Self {
        let endless = || async {
            // Never ends and never looks at the token.
            Body::new(Endless)
        };
        let routes = Routes::<()>::new()
            .post("/change", Rule::Open, || async {})
            .get("/change", Rule::Open, || async {})
            .get("/endless", Rule::Open, endless)
            .get("/silent", Rule::Open, || async { stream(Body::new(Endless)) })
            .get("/stream", Rule::Open, || async {
                stream(Body::new(Pieces(vec!["two\n", "", "one\n"])))
            })
            .merge(assets());
        let (routes, table) = routes.into_parts();
        let listener = bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let addr = listener.local_addr().unwrap();
        let shutdown = CancellationToken::new();
        let dir = tempfile::tempdir().unwrap();
        let access = Access::open(dir.path(), access::Settings::default()).unwrap();
        access.bootstrap(TOKEN).await.unwrap();
        let (writes, proxies) = (Writes::new(10), Proxies::default());
        let connections = Connections::new(100, proxies.clone());
        let gate = Gate::new(access, writes, proxies, (false, addr.port()), &table);
        let router = router(Names::new(addr, None), gate, routes, |_| Some(Arc::new(Nothing)));
        let served = tokio::spawn(serve(listener, router, connections, shutdown.clone()));
        Self { addr, shutdown, served, _dir: dir }
    }

    /// Sends a request and reads the answer to the end of the connection.
    async fn ask(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(self.addr).await.unwrap();
        let head = format!("Authorization: Bearer {TOKEN}\nConnection: close\n\n");
        let request = format!("{request}{head}").replace('\n', "\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    }

    async fn status(&self, request: &str) -> u16 {
        self.ask(request).await.split(' ').nth(1).unwrap().parse().unwrap()
    }
}

fn stream(body: Body) -> axum::response::Response {
    let mut answer = axum::response::Response::new(body);
    answer.extensions_mut().insert(IsEndless);
    answer
}

/// The last is said first.
struct Pieces(Vec<&'static str>);

impl http_body::Body for Pieces {
    type Data = bytes::Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<Self::Data>, Self::Error>>> {
        std::task::Poll::Ready(self.0.pop().map(|piece| Ok(http_body::Frame::data(piece.into()))))
    }
}

struct Endless;

impl http_body::Body for Endless {
    type Data = bytes::Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<Self::Data>, Self::Error>>> {
        std::task::Poll::Pending
    }
}

#[tokio::test]
async fn a_name_that_is_not_ours_is_misdirected() {
    let site = Site::start().await;
    for host in ["localhost", "LOCALHOST:3000", "127.0.0.1:9", "[::1]:3000", "board.localhost"] {
        assert_eq!(
            site.status(&format!("GET /change HTTP/1.1\nHost: {host}\n")).await,
            200,
            "{host}"
        );
    }
    for host in ["evil.example", "localhost.evil.example", "10.0.0.1", "a@localhost", "", "@"] {
        assert_eq!(site.status(&format!("GET / HTTP/1.1\nHost: {host}\n")).await, 421, "{host}");
    }
    let absolute = "GET http://evil.example/ HTTP/1.1\nHost: localhost\n";
    assert_eq!(site.status(absolute).await, 421);
    let two = "GET / HTTP/1.1\nHost: localhost\nHost: evil.example\n";
    assert_eq!(site.status(two).await, 421);
    assert_eq!(site.status("GET / HTTP/1.0\n").await, 421);
}

#[tokio::test]
async fn a_change_that_another_site_asks_for_is_forbidden() {
    let site = Site::start().await;
    let change = |headers: &str| {
        format!("POST /change HTTP/1.1\nHost: localhost:3000\nContent-Length: 0\n{headers}")
    };
    for ours in [
        "",
        "Sec-Fetch-Site: same-origin\n",
        "Sec-Fetch-Site: none\n",
        "Origin: http://localhost:3000\n",
    ] {
        assert_eq!(site.status(&change(ours)).await, 200, "{ours}");
    }
    for other in [
        "Sec-Fetch-Site: cross-site\n",
        "Sec-Fetch-Site: same-site\n",
        "Sec-Fetch-Site: cross-site\nOrigin: http://localhost:3000\n",
        "Origin: null\n",
        "Origin: http://localhost:3001\n",
        "Origin: http://evil.example\n",
    ] {
        assert_eq!(site.status(&change(other)).await, 403, "{other}");
    }
}

#[tokio::test]
async fn only_a_socket_is_held_to_be_one_whatever_else_is_offered() {
    let site = Site::start().await;
    let offers = |protocols: &str| {
        format!(
            "GET /change HTTP/1.1\nHost: localhost\nCookie: a=b\nUpgrade: {protocols}\nOrigin: null\n"
        )
    };
    for other in ["h2c", "TLS/1.0, h2c"] {
        assert_eq!(site.status(&offers(other)).await, 200, "{other}");
    }
    for socket in ["websocket", "WebSocket", "h2c, websocket", "websocket/13"] {
        assert_eq!(site.status(&offers(socket)).await, 403, "{socket}");
    }
}

#[tokio::test]
async fn every_answer_has_the_security_headers() {
    let site = Site::start().await;
    for request in [
        "GET / HTTP/1.1\nHost: localhost\n",
        "GET /pkg/none/x HTTP/1.1\nHost: localhost\n",
        "POST /change HTTP/1.1\nHost: localhost\nContent-Length: 0\n",
        "GET / HTTP/1.1\nHost: evil.example\n",
    ] {
        let answer = site.ask(request).await;
        for header in [
            "x-content-type-options: nosniff",
            "referrer-policy: same-origin",
            "content-security-policy: default-src 'none'",
            "frame-ancestors 'none'",
        ] {
            assert!(answer.contains(header), "{header} is missing in the answer to {request}");
        }
    }
}

#[tokio::test]
async fn the_scripts_of_a_page_carry_the_nonce_of_its_policy() {
    let site = Site::start().await;
    let request = "GET / HTTP/1.1\nHost: localhost\n";
    let nonce = |answer: &str| {
        let from = answer.find("'nonce-").unwrap() + "'nonce-".len();
        answer[from..].split('\'').next().unwrap().to_owned()
    };
    let page = site.ask(request).await;
    let scripts = page.matches("<script").count();
    assert!(scripts > 0);
    assert_eq!(page.matches(&format!("nonce=\"{}\"", nonce(&page))).count(), scripts, "{page}");
    assert!(!page.contains("style=\""), "{page}");
    assert_ne!(nonce(&page), nonce(&site.ask(request).await));
}

#[cfg(feature = "embed")]
#[tokio::test]
async fn a_file_of_the_site_is_compressed_and_never_asked_for_again() {
    let site = Site::start().await;
    let path = format!("{}/tailboard.wasm", assets::prefix());
    let head = |coding: &str| {
        format!("HEAD {path} HTTP/1.1\nHost: localhost\nAccept-Encoding: {coding}\n")
    };
    let answer = site.ask(&head("gzip, deflate, br, zstd")).await;
    assert!(answer.contains("content-encoding: br"), "{answer}");
    assert!(answer.contains("content-type: application/wasm"), "{answer}");
    assert!(answer.contains("immutable"), "{answer}");
    assert!(site.ask(&head("gzip")).await.contains("content-encoding: gzip"));
    assert!(site.ask(&head("br;q=0, gzip;q=0.5")).await.contains("content-encoding: gzip"));
    assert!(!site.ask(&head("identity")).await.contains("content-encoding"));
}

#[tokio::test]
async fn no_path_leads_out_of_the_site() {
    let site = Site::start().await;
    let prefix = assets::prefix();
    for path in
        ["../Cargo.toml", "..%2f..%2fCargo.toml", "%2e%2e/%2e%2e/Cargo.toml", "%2fetc%2fpasswd"]
    {
        let status = site.status(&format!("GET {prefix}/{path} HTTP/1.1\nHost: localhost\n")).await;
        assert_eq!(status, 404, "{path}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_never_finishes_its_request_is_dropped() {
    let site = Site::start().await;
    let mut stream = TcpStream::connect(site.addr).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: loc").await.unwrap();
    let begin = Instant::now();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    assert!(begin.elapsed() < Duration::from_secs(31), "{:?}", begin.elapsed());
}

#[tokio::test(start_paused = true)]
async fn an_answer_without_end_begins_at_once_and_does_not_hold_up_the_end() {
    for path in ["/endless", "/silent"] {
        let site = Site::start().await;
        let mut stream = TcpStream::connect(site.addr).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        stream.read_u8().await.unwrap();
        let begin = Instant::now();
        site.shutdown.cancel();
        site.served.await.unwrap();
        assert!(begin.elapsed() < Duration::from_secs(2), "{path} {:?}", begin.elapsed());
    }
}

#[tokio::test]
async fn a_stream_has_its_pieces_and_its_end_as_the_version_of_the_request_wants_them() {
    let site = Site::start().await;
    let body = |answer: &str| answer.split_once("\r\n\r\n").unwrap().1.to_owned();
    // Kept alive by the client's wish, ended with the stream all the same.
    let mut kept = TcpStream::connect(site.addr).await.unwrap();
    kept.write_all(b"GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    kept.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    for header in ["transfer-encoding: chunked", "connection: close", "date: ", "x-frame-options"] {
        assert!(answer.contains(header), "{header} is missing in {answer}");
    }
    assert_eq!(body(&answer), "4\r\none\n\r\n4\r\ntwo\n\r\n0\r\n\r\n");
    let old = site.ask("GET /stream HTTP/1.0\nHost: localhost\n").await;
    assert!(old.starts_with("HTTP/1.0 200 OK\r\n") && !old.contains("chunked"), "{old}");
    assert_eq!(body(&old), "one\ntwo\n");
    assert_eq!(body(&site.ask("HEAD /stream HTTP/1.1\nHost: localhost\n").await), "");
}

#[tokio::test]
async fn whoever_closes_a_stream_or_talks_into_it_without_end_is_done() {
    let site = Site::start().await;
    let open = async || {
        let mut stream = TcpStream::connect(site.addr).await.unwrap();
        stream.write_all(b"GET /silent HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.unwrap());
        }
        stream
    };
    let mut leaves = open().await;
    leaves.shutdown().await.unwrap();
    assert_eq!(leaves.read(&mut [0; 8]).await.unwrap(), 0);
    let mut talks = open().await;
    while talks.write_all(&[b'x'; 8192]).await.is_ok() {}
}
