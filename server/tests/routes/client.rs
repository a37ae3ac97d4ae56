//! HTTP/1.1 over a socket, as little as the tests need.

use std::{collections::HashMap, net::SocketAddr, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
};

/// The longest that any test waits for anything.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// An answer: its head, and its body to be read.
pub struct Answer {
    pub status: u16,
    /// Names in lower case.
    pub headers: HashMap<String, String>,
    body: Body,
    stream: BufReader<TcpStream>,
}

enum Body {
    Length(usize),
    Chunked,
    None,
}

/// The key of every server in these tests; an admin's.
pub const TOKEN: &str = "tb_0123456789abcdef0123456789abcdef";

/// Sends a request with the admin's key and reads the head of its answer. `head` has further header lines.
pub async fn send(
    address: SocketAddr,
    method: &str,
    path: &str,
    head: &[(&str, &str)],
    body: &[u8],
) -> Answer {
    let bearer = format!("Bearer {TOKEN}");
    let mut with_key = vec![("Authorization", &*bearer)];
    with_key.extend_from_slice(head);
    send_bare(address, method, path, &with_key, body).await
}

/// The same without any credential but what `head` has.
pub async fn send_bare(
    address: SocketAddr,
    method: &str,
    path: &str,
    head: &[(&str, &str)],
    body: &[u8],
) -> Answer {
    let work = async {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let mut request = format!("{method} {path} HTTP/1.1\r\nHost: {address}\r\n");
        if !body.is_empty() {
            request += &format!("Content-Length: {}\r\n", body.len());
        }
        for (name, value) in head {
            request += &format!("{name}: {value}\r\n");
        }
        request += "\r\n";
        stream.write_all(request.as_bytes()).await.unwrap();
        stream.write_all(body).await.unwrap();
        head_of(stream, method).await
    };
    tokio::time::timeout(PATIENCE, work).await.expect("an answer in time")
}

async fn head_of(stream: TcpStream, method: &str) -> Answer {
    let mut stream = BufReader::new(stream);
    let first = line(&mut stream).await.expect("a status line");
    let status = first.split(' ').nth(1).unwrap().parse().unwrap();
    let mut headers = HashMap::new();
    while let Some(line) = line(&mut stream).await.filter(|line| !line.is_empty()) {
        let (name, value) = line.split_once(':').unwrap();
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let length = headers.get("content-length").map(|length| length.parse().unwrap());
    let body = match length {
        _ if method == "HEAD" || status == 204 || status == 304 => Body::None,
        Some(length) => Body::Length(length),
        None => Body::Chunked,
    };
    Answer { status, headers, body, stream }
}

/// A line without its CRLF; `None` at the end of the connection.
async fn line(stream: &mut BufReader<TcpStream>) -> Option<String> {
    let mut line = Vec::new();
    loop {
        match stream.read_u8().await {
            Ok(b'\n') => break,
            Ok(byte) => line.push(byte),
            Err(_) => return None,
        }
    }
    Some(String::from_utf8(line).unwrap().trim_end_matches('\r').to_owned())
}

impl Answer {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(String::as_str).unwrap_or_default()
    }

    /// The whole body.
    pub async fn bytes(mut self) -> Vec<u8> {
        let mut all = Vec::new();
        while let Some(piece) = self.piece().await {
            all.extend(piece);
        }
        all
    }

    pub async fn text(self) -> String {
        String::from_utf8(self.bytes().await).unwrap()
    }

    pub async fn json(self) -> serde_json::Value {
        serde_json::from_slice(&self.bytes().await).unwrap()
    }

    /// The next piece of the body as it arrives; `None` at its end.
    pub async fn piece(&mut self) -> Option<Vec<u8>> {
        let piece = self.next_piece();
        tokio::time::timeout(PATIENCE, piece).await.expect("the next piece in time")
    }

    async fn next_piece(&mut self) -> Option<Vec<u8>> {
        let length = match &mut self.body {
            Body::None => return None,
            Body::Length(left) => std::mem::take(left),
            Body::Chunked => {
                let size = line(&mut self.stream).await.expect("the body ended in good order");
                usize::from_str_radix(&size, 16).unwrap()
            }
        };
        let mut piece = vec![0; length];
        self.stream.read_exact(&mut piece).await.expect("a whole body");
        if let Body::Chunked = self.body {
            line(&mut self.stream).await;
        }
        if length == 0 {
            self.body = Body::None;
            return None;
        }
        Some(piece)
    }
}

/// Sends these bytes and reads to the end of the connection.
pub async fn raw(address: SocketAddr, request: &[u8]) -> String {
    let work = async {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(request).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    };
    tokio::time::timeout(PATIENCE, work).await.expect("an answer in time")
}
