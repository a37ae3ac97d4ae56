//! What stands between a client and a server, and breaks connections: after so many bytes of the answer,
//! by chance, with an end or with a reset. Also what answers by itself.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// What becomes of a connection.
#[derive(Clone)]
pub enum Fate {
    /// It is passed on.
    Whole,
    /// It breaks after so many bytes of answers; with a reset or an end.
    Cut { after: usize, reset: bool },
    /// This is the answer; the server hears nothing.
    Answer(String),
    /// It is passed on, up to a request that has an answer here.
    Instead(Arc<Instead>),
}

/// The answer to a request, if the server is not to give it.
pub type Instead = dyn Fn(&str) -> Option<String> + Send + Sync;

impl Fate {
    pub fn instead(answer: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        Self::Instead(Arc::new(answer))
    }
}

pub struct Proxy {
    pub address: SocketAddr,
    /// Connections that were broken.
    pub cuts: Arc<AtomicUsize>,
    /// What clients sent, by connection.
    pub heard: Arc<Mutex<Vec<String>>>,
    accepting: JoinHandle<()>,
}

impl Proxy {
    /// Before this server; the fate of connection 0, 1, … is what `fate` says.
    pub async fn before(server: SocketAddr, fate: impl Fn(usize) -> Fate + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (cuts, heard) = (Arc::new(AtomicUsize::new(0)), Arc::<Mutex<Vec<String>>>::default());
        let (counted, written) = (cuts.clone(), heard.clone());
        let accepting = tokio::spawn(async move {
            for n in 0.. {
                let Ok((client, _)) = listener.accept().await else { return };
                written.lock().unwrap().push(String::new());
                tokio::spawn(connection(
                    client,
                    server,
                    fate(n),
                    n,
                    counted.clone(),
                    written.clone(),
                ));
            }
        });
        Self { address, cuts, heard, accepting }
    }

    /// One that breaks every connection, as this seed has it: most after 0 to `most` bytes; some later, so
    /// that an answer that comes whole or not at all comes at last.
    pub async fn cutting(server: SocketAddr, seed: u64, most: usize) -> Self {
        Self::before(server, move |n| {
            let mut chance =
                Chance(seed.wrapping_mul(0x9e37_79b9).wrapping_add(n as u64 * 7919 + 1));
            let most = if chance.below(4) == 0 { 32_000 } else { most };
            let after = chance.below(most);
            Fate::Cut { after, reset: chance.below(2) == 0 }
        })
        .await
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// Numbers that are the same for the same seed (splitmix64).
pub struct Chance(pub u64);

impl Chance {
    pub fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % most as u64).unwrap()
    }
}

async fn connection(
    mut client: TcpStream,
    server: SocketAddr,
    fate: Fate,
    n: usize,
    cuts: Arc<AtomicUsize>,
    heard: Arc<Mutex<Vec<String>>>,
) {
    let (mut left, reset, instead) = match fate {
        Fate::Whole => (usize::MAX, false, None),
        Fate::Cut { after, reset } => (after, reset, None),
        Fate::Instead(answer) => (usize::MAX, false, Some(answer)),
        Fate::Answer(answer) => {
            let mut request = vec![0; 64 * 1024];
            let read = client.read(&mut request).await.unwrap_or(0);
            heard.lock().unwrap()[n].push_str(&String::from_utf8_lossy(&request[..read]));
            let _ = client.write_all(answer.as_bytes()).await;
            let _ = client.shutdown().await;
            return;
        }
    };
    // A server that restarts is a connection that ends.
    let Ok(mut server) = TcpStream::connect(server).await else { return };
    let (mut up, mut down) = (vec![0; 16 * 1024], vec![0; 16 * 1024]);
    loop {
        tokio::select! {
            read = client.read(&mut up) => {
                let Ok(read @ 1..) = read else { return };
                let request = String::from_utf8_lossy(&up[..read]);
                heard.lock().unwrap()[n].push_str(&request);
                if let Some(answer) = instead.as_ref().and_then(|answer| answer(&request)) {
                    let _ = client.write_all(answer.as_bytes()).await;
                    let _ = client.shutdown().await;
                    return;
                }
                if server.write_all(&up[..read]).await.is_err() {
                    return;
                }
            }
            read = server.read(&mut down) => {
                let Ok(read @ 1..) = read else { return };
                let passed = read.min(left);
                if client.write_all(&down[..passed]).await.is_err() {
                    return;
                }
                left -= passed;
                if left == 0 {
                    cuts.fetch_add(1, Ordering::Relaxed);
                    if reset {
                        let _ = client.set_zero_linger();
                    }
                    return;
                }
            }
        }
    }
}
