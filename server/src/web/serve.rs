//! Connections: accepted up to a cap, bounded in what they may hold and how long they may take to
//! ask, and ended in time.

use super::{
    connections::{Connections, Counted},
    endless::{self, Endless},
    in_time::InTime,
};
use axum::Router;
use http::Request;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::{
    convert::Infallible,
    future::{Future, poll_fn},
    io,
    net::SocketAddr,
    pin::{Pin, pin},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::Poll,
    time::Duration,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    task::JoinSet,
    time,
};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

/// Connections at a time, if the system lets us have as many files; the next one waits in the
/// backlog.
const MAX_CONNECTIONS: u32 = 16_384;
/// Files left for all that is no connection: the store, logs that are read, executors.
const OTHER_FILES: u64 = 512;
/// How long a client may take to send a request's head, the wait for it on a kept connection
/// included (slowloris).
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// Bound on a request's head and on what is buffered per connection and direction; hyper's own
/// default is 400 KiB.
const BUFFER: usize = 32 * 1024;
/// What a connection gets to finish its answer once the server was told to end.
const LAST_ANSWER: Duration = Duration::from_millis(1500);
/// Pause after an accept that failed for want of descriptors or memory.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The place of a connection among all. It is in the extensions of each request, for whoever takes
/// the connection over: the place is given back when the last of them is dropped.
#[derive(Clone, Debug)]
pub struct Connected {
    _place: Arc<(OwnedSemaphorePermit, Counted)>,
}

/// Who is at the other end of the connection: a client, or a proxy. In the extensions of each request.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub SocketAddr);

/// Serves `router` until `shutdown`, then lets answers end for at most 1.5 s. Streams do not end by
/// themselves: they watch the same token. Raises this process's own limit of open files, so what is
/// to be handed on of it (to runs) has to be read before.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    counted: Connections,
    shutdown: CancellationToken,
) {
    let room = room_for_connections();
    let places = Arc::new(Semaphore::new(room as usize));
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            () = shutdown.cancelled() => break,
            // Keeps the set from growing with connections that are over.
            Some(_) = connections.join_next() => continue,
            accepted = accept(&listener, &places) => accepted,
        };
        match accepted {
            Ok((stream, peer, place)) => {
                // Closed without a word: any answer but a stream would end a browser's `EventSource` for good, and
                // nothing is read or written for who may be hostile.
                let Some(counted) = counted.take(peer.0.ip(), room) else { continue };
                let (router, shutdown) = (router.clone(), shutdown.clone());
                let place = Connected { _place: Arc::new((place, counted)) };
                connections.spawn(connection(stream, (peer, place), router, shutdown));
            }
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
    // Those that were taken over are no connections of ours, but have places until they end.
    let _ = time::timeout(LAST_ANSWER, places.acquire_many(room)).await;
}

/// A shell's usual soft limit is 1,024 files; every stream needs one.
fn room_for_connections() -> u32 {
    let mut limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    if setrlimit(Resource::Nofile, raised).is_ok() {
        limit = raised;
    }
    let room = |files: u64| files.saturating_sub(OTHER_FILES).max(files / 2);
    let room = limit.current.map(room).and_then(|room| u32::try_from(room).ok());
    room.map_or(MAX_CONNECTIONS, |room| room.min(MAX_CONNECTIONS))
}

async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> io::Result<(TcpStream, Peer, OwnedSemaphorePermit)> {
    let place = places.clone().acquire_owned().await.map_err(io::Error::other)?;
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                // Events are small and must not wait for the next one. Fails when the client is
                // gone already, which its connection will find out.
                let _ = stream.set_nodelay(true);
                return Ok((stream, Peer(peer), place));
            }
            // That client is gone already; the next one is not to blame.
            Err(error) if gone(&error) => {}
            Err(error) => return Err(error),
        }
    }
}

fn gone(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

async fn connection(
    stream: TcpStream,
    (peer, place): (Peer, Connected),
    router: Router,
    shutdown: CancellationToken,
) {
    let late = async {
        shutdown.cancelled().await;
        time::sleep(LAST_ANSWER).await;
    };
    let answers = async {
        // In a box of its own, so that what HTTP needs is given back when a stream goes on without it.
        let requests = Box::pin(requests(stream, (peer, place.clone()), router, &shutdown));
        match requests.await {
            Ok(Some((stream, answer))) => endless::write(stream, answer).await,
            Ok(None) => Ok(()),
            Err(error) => Err(io::Error::other(error)),
        }
    };
    let ended = tokio::select! {
        ended = answers => ended,
        () = late => return,
    };
    if let Err(error) = ended {
        // The client's business: it went away or did not speak HTTP.
        tracing::debug!(%error, "connection ended");
    }
}

/// Answers one request after the other, until the connection ends or is taken over, or an answer comes that
/// is written without HTTP's help.
async fn requests(
    stream: TcpStream,
    (peer, place): (Peer, Connected),
    router: Router,
    shutdown: &CancellationToken,
) -> hyper::Result<Option<(TcpStream, Endless)>> {
    let endless = Arc::new(Mutex::new(None));
    let found = endless.clone();
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(place.clone());
        request.extensions_mut().insert(peer);
        let (method, version) = (request.method().clone(), request.version());
        let (answer, found) = (router.clone().oneshot(request.map(InTime::new)), found.clone());
        async move {
            let Ok(answer) = answer.await;
            if !endless::is(&answer, &method) {
                return Ok::<_, Infallible>(answer);
            }
            *lock(&found) = Some(Endless::of(answer, version));
            // The connection is not polled any more.
            std::future::pending().await
        }
    });
    let mut connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(BUFFER)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut ending = pin!(shutdown.cancelled());
    let mut told = false;
    let taken = poll_fn(|cx| {
        if !told && ending.as_mut().poll(cx).is_ready() {
            told = true;
            Pin::new(&mut connection).graceful_shutdown();
        }
        let ended = Pin::new(&mut connection).poll(cx);
        match lock(&endless).take() {
            Some(answer) => Poll::Ready(Ok(Some(answer))),
            None => ended.map_ok(|()| None),
        }
    });
    let Some(answer) = taken.await? else { return Ok(None) };
    // None: it was upgraded, by no answer of this kind.
    Ok(connection.into_parts().map(|parts| (parts.io.into_inner(), answer)))
}

/// Nothing that holds the lock can panic.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
