//! The keys of an issuer that are fetched, from a server that answers when the test lets it.

use super::*;
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    sync::Semaphore,
    task::JoinHandle,
};

/// The longest that any of these waits for anything.
const PATIENCE: Duration = Duration::from_secs(30);

/// Serves the keys that it has at the moment of the answer.
#[derive(Clone)]
struct Served {
    url: String,
    keys: Arc<Mutex<Vec<Value>>>,
    /// How often it was asked.
    asked: Arc<AtomicUsize>,
    /// How many more answers it gives.
    answers: Arc<Semaphore>,
}

impl Served {
    /// One that answers at once.
    async fn at_once(keys: &[Value]) -> Self {
        let served = Self::when_let(keys).await;
        served.answers.add_permits(1_000);
        served
    }

    /// One that gives no answer before it is let.
    async fn when_let(keys: &[Value]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let served = Self {
            url: format!("http://{}/keys", listener.local_addr().unwrap()),
            keys: Arc::new(Mutex::new(keys.to_vec())),
            asked: Arc::default(),
            answers: Arc::new(Semaphore::new(0)),
        };
        let serving = served.clone();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let _ = stream.read(&mut [0; 4096]).await;
                serving.asked.fetch_add(1, Ordering::SeqCst);
                serving.answers.acquire().await.unwrap().forget();
                let body = json!({ "keys": *serving.keys.lock().unwrap() }).to_string();
                let length = body.len();
                let head = format!(
                    "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
                );
                let _ = stream.write_all((head + &body).as_bytes()).await;
            }
        });
        served
    }

    fn access(&self) -> (Access, TempDir) {
        open(KeySource::Url(self.url.clone()), &[])
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    /// Waits until it was asked so often.
    async fn until_asked(&self, times: usize) {
        let asked = async {
            while self.asked() < times {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, asked).await.expect("a question in time");
    }
}

/// A request with a token of its own, signed by this key; whether it is let in.
fn asks(access: &Access, key: &EncodingKey, kid: &str, sub: &str) -> JoinHandle<bool> {
    let token = signed(key, Algorithm::EdDSA, kid, &with("sub", json!(sub)));
    let access = access.clone();
    tokio::spawn(async move { access.bearer(&token).await.is_some() })
}

async fn is_in(request: JoinHandle<bool>) -> bool {
    tokio::time::timeout(PATIENCE, request).await.expect("an answer in time").unwrap()
}

/// Lets so much time pass at once.
async fn pass(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

const MINUTE: Duration = Duration::from_secs(61);

#[tokio::test]
async fn keys_are_fetched_from_the_configured_address_alone_and_not_for_every_unknown_one() {
    let (a, b) = (ed(), ed());
    let keys = [listed(&a, Algorithm::EdDSA, "a")];
    let (ours, elsewhere) = (Served::at_once(&keys).await, Served::at_once(&keys).await);
    let (access, _dir) = ours.access();
    assert!(is_in(asks(&access, &a, "a", "ann")).await);
    let jku = Some(elsewhere.url.clone());
    let header = Header { kid: Some("b".to_owned()), jku, ..Header::new(Algorithm::EdDSA) };
    let forged = encode(&header, &claims(), &b).unwrap();
    for _ in 0..20 {
        assert!(access.bearer(&forged).await.is_none());
    }
    assert_eq!(ours.asked(), 1, "once a minute at most");
    assert_eq!(elsewhere.asked(), 0);
}

#[tokio::test]
async fn every_token_that_comes_while_the_first_keys_are_fetched_waits_for_them() {
    let key = ed();
    let served = Served::when_let(&[listed(&key, Algorithm::EdDSA, "a")]).await;
    let (access, _dir) = served.access();
    let first = asks(&access, &key, "a", "ann");
    served.until_asked(1).await;
    let others = ["bob", "cleo", "dan"].map(|sub| asks(&access, &key, "a", sub));
    let forged = asks(&access, &ed(), "a", "eve");
    // All of them have come as far as they get: one thread runs them in turn.
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    served.answers.add_permits(1);
    for request in others.into_iter().chain([first]) {
        assert!(is_in(request).await);
    }
    assert!(!is_in(forged).await);
    assert_eq!(served.asked(), 1);
}

#[tokio::test]
async fn a_request_that_is_given_up_does_not_end_the_fetch_it_began() {
    let key = ed();
    let served = Served::when_let(&[listed(&key, Algorithm::EdDSA, "a")]).await;
    let (access, _dir) = served.access();
    // Not even one of the issuer: anybody can ask.
    let given_up = asks(&access, &ed(), "x", "eve");
    served.until_asked(1).await;
    given_up.abort();
    assert!(given_up.await.unwrap_err().is_cancelled());
    let request = asks(&access, &key, "a", "ann");
    served.answers.add_permits(1);
    assert!(is_in(request).await);
    assert_eq!(served.asked(), 1);
}

#[tokio::test]
async fn a_new_key_of_the_issuer_is_found_a_minute_after_the_last_fetch_and_the_old_one_goes() {
    let (old, new) = (ed(), ed());
    let served = Served::when_let(&[listed(&old, Algorithm::EdDSA, "old")]).await;
    let (access, _dir) = served.access();
    served.answers.add_permits(1);
    assert!(is_in(asks(&access, &old, "old", "ann")).await);
    *served.keys.lock().unwrap() = vec![listed(&new, Algorithm::EdDSA, "new")];
    assert!(!is_in(asks(&access, &new, "new", "ann")).await);
    assert_eq!(served.asked(), 1, "within the minute");
    pass(MINUTE).await;
    let requests = ["ann", "bob", "cleo"].map(|sub| asks(&access, &new, "new", sub));
    served.until_asked(2).await;
    assert!(is_in(asks(&access, &old, "old", "dan")).await, "who has a known key does not wait");
    served.answers.add_permits(1);
    for request in requests {
        assert!(is_in(request).await);
    }
    assert!(!is_in(asks(&access, &old, "old", "eve")).await, "withdrawn");
    assert_eq!(served.asked(), 2);
}

#[tokio::test]
async fn keys_are_fetched_anew_every_hour_and_for_a_day_used_when_they_cannot_be() {
    let key = ed();
    let served = Served::at_once(&[listed(&key, Algorithm::EdDSA, "a")]).await;
    let (access, _dir) = served.access();
    assert!(is_in(asks(&access, &key, "a", "ann")).await);
    pass(Duration::from_secs(3600)).await;
    assert!(is_in(asks(&access, &key, "a", "bob")).await);
    assert_eq!(served.asked(), 2);
    // From here on it gives keys of nobody's, in a shape that is none.
    *served.keys.lock().unwrap() = vec![json!("none")];
    pass(Duration::from_secs(23 * 3600)).await;
    assert!(is_in(asks(&access, &key, "a", "cleo")).await);
    assert_eq!(served.asked(), 3);
    pass(Duration::from_secs(3600)).await;
    assert!(!is_in(asks(&access, &key, "a", "dan")).await);
    assert_eq!(served.asked(), 4);
}
