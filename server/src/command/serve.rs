//! `tailboard serve`: start, say where, serve, and end in good order.

use super::{Serve, notify::Notify, print, tell};
use crate::{
    config::{self, AccessSettings, Config},
    contracts::{KEEP_ALIVE, Streams},
    reload::Reloads,
    served::Served,
    web,
};
use access::{Access, audit::Entry};
use anyhow::{Context, bail};
use engine::{Caller, Engine, OnShutdown, store::DirectoryLock};
use http::StatusCode;
use std::{
    io::IsTerminal, os::unix::process::CommandExt, path::PathBuf, process::ExitCode, time::Duration,
};
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    time::Instant,
};
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;

/// Has the token of the first admin key, for scripts: made at the first start, if there is nobody.
const BOOTSTRAP: &str = "TAILBOARD_BOOTSTRAP_TOKEN";
/// After the first Ctrl-C, how long the second one is waited for while runs go on. What is left to do comes after
/// it and takes up to a second where others have the processors, and a server that is told to end is gone within two.
const SECOND_THOUGHTS: Duration = Duration::from_secs(1);

pub(super) fn run(args: Serve) -> anyhow::Result<ExitCode> {
    if std::process::id() == 1 {
        return as_init();
    }
    let config = config::load(&args.config)?;
    let filter = EnvFilter::try_from_env("TAILBOARD_LOG").unwrap_or_else(|_| "info".into());
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
    config::tell_warnings(&config.engine);
    // Executors inherit it: it has to hold before their first allocation.
    engine::use_small_pages();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(serve(args, config))?;
    Ok(ExitCode::SUCCESS)
}

/// In a container without an init the board is its own: as process 1 it starts itself again.
fn as_init() -> anyhow::Result<ExitCode> {
    let mut server = std::process::Command::new("/proc/self/exe");
    server.arg0("tailboard").args(std::env::args_os().skip(1));
    let status = engine::run_as_init(&mut server).context("the board could not be started")?;
    Ok(status.into())
}

async fn serve(args: Serve, config: Config) -> anyhow::Result<()> {
    // Taken first: what comes while the engine starts is not lost.
    let mut signals = Signals::new()?;
    // A binary that was replaced meanwhile still starts executors of its own version.
    let exe = PathBuf::from("/proc/self/exe");
    let access = access(&args, &config.access).await?;
    let engine = Engine::start(&args.data_dir, config.engine, exe).await?;
    access.sweep();
    let listener = match web::bind(args.listen) {
        Ok(listener) => listener,
        Err(error) => {
            engine.stop(false).await;
            return Err(error).with_context(|| format!("cannot listen on {}", args.listen));
        }
    };
    let address = listener.local_addr()?;
    let closing = CancellationToken::new();
    let limits = config.access.limits.clone();
    let streams = Streams::start(KEEP_ALIVE, limits, closing.clone());
    let reloads = Reloads::of(engine.clone(), args.config, config.access.clone());
    let connections = web::Connections::of(&config.access);
    let served = Served {
        engine: engine.clone(),
        streams,
        reloads: reloads.clone(),
        access: access.clone(),
        connections: connections.clone(),
    };
    let router = served.router(address, &config.access);
    let serving = tokio::spawn(web::serve(listener, router, connections, closing.clone()));
    let mut said = format!("Tailboard serves http://{address}\n");
    if let Some(code) = access.setup_code() {
        said += "Nobody has access yet; whoever opens this link first is the admin:\n";
        said += &format!("http://{address}/setup#{code}\n");
    }
    // Whoever read it may be gone: the board serves all the same.
    let _ = print(said);
    let notify = Notify::from_environment();
    notify.ready();

    let asked = signals.next((&reloads, &access), &notify).await;
    notify.stopping();
    let told = Instant::now();
    let cancel = engine.on_shutdown() == OnShutdown::Cancel;
    closing.cancel();
    // A store that cannot be read has no say in the end.
    let running = engine.running(&Caller::board()).await.unwrap_or(0);
    let cancel = match (running, cancel) {
        (0, _) => false,
        (_, true) => {
            let going = runs(running, "going");
            tell(&format!("{going}; cancelling (Ctrl-C again: no more waiting)"));
            true
        }
        (_, false) => {
            tell(&format!("{} without the server", runs(running, "going on")));
            asked == Asked::Interrupt && signals.again(told + SECOND_THOUGHTS).await
        }
    };
    serving.await?;
    tokio::select! {
        () = engine.stop(cancel) => {}
        _ = signals.next((&reloads, &access), &notify), if cancel => tell("not waiting any longer"),
    }
    access.close().await;
    Ok(())
}

/// Who gets in; refused where that could be anybody from anywhere.
async fn access(args: &Serve, settings: &AccessSettings) -> anyhow::Result<Access> {
    engine::make_private(&args.data_dir)?;
    // Another server's directory is left as it is. The engine takes the lock for good.
    let _lock = DirectoryLock::take(&args.data_dir)?;
    let access = Access::open(&args.data_dir, settings.access.clone())?;
    if let Ok(token) = std::env::var(BOOTSTRAP) {
        match access.bootstrap(&token).await? {
            true => tracing::info!("made the admin key \"bootstrap\" of {BOOTSTRAP}"),
            false => tracing::warn!(
                "{BOOTSTRAP} is ignored: there are users or keys already, or its own was revoked"
            ),
        }
    }
    let listen = args.listen;
    if listen.ip().is_loopback() {
        return Ok(access);
    }
    if !access.has_credential() {
        bail!(
            "refused to listen on {listen}: nobody has a password or a key yet. Start on 127.0.0.1, open \
             the link that is printed and set a password; or make a user with \
             `tailboard user add NAME --role admin --data-dir {}`",
            args.data_dir.display()
        );
    }
    if listen.ip().is_unspecified() && settings.public_url.is_none() {
        bail!(
            "refused to listen on {listen}: set public_url in {} to the address that browsers use \
             (https://jobs.example.com), so that no other name is answered",
            args.config.display()
        );
    }
    Ok(access)
}

/// Reads the configuration again, as a signal asked for, and writes that down as of the same request over the API.
async fn reload((reloads, access): (&Reloads, &Access)) {
    let done = reloads.now().await;
    let status = match &done {
        Ok(_) => StatusCode::OK,
        Err(_) => StatusCode::UNPROCESSABLE_ENTITY,
    };
    if let Err(error) = done {
        tracing::error!("the configuration was not reloaded: {error}");
    }
    let entry = Entry::of_board("signal", "config.reload", "SIGHUP", None);
    access.audit(Entry { status: status.as_u16(), ..entry }).await;
}

/// "1 run is going on", "3 runs are going on".
fn runs(count: u64, doing: &str) -> String {
    if count == 1 { format!("1 run is {doing}") } else { format!("{count} runs are {doing}") }
}

/// How the server was asked to end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Asked {
    /// By a person at a terminal.
    Interrupt,
    Terminate,
}

struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        let interrupt = signal(SignalKind::interrupt())?;
        let (terminate, hangup) = (SignalKind::terminate(), SignalKind::hangup());
        Ok(Self { interrupt, terminate: signal(terminate)?, hangup: signal(hangup)? })
    }

    /// How the server is asked to end. A hangup meanwhile reloads the configuration.
    async fn next(&mut self, on_hangup: (&Reloads, &Access), notify: &Notify) -> Asked {
        loop {
            tokio::select! {
                _ = self.interrupt.recv() => return Asked::Interrupt,
                _ = self.terminate.recv() => return Asked::Terminate,
                _ = self.hangup.recv() => {
                    notify.reloading();
                    reload(on_hangup).await;
                    notify.ready();
                }
            }
        }
    }

    /// Whether Ctrl-C is pressed again, to cancel what goes on.
    async fn again(&mut self, until: Instant) -> bool {
        tell("press Ctrl-C again now to cancel");
        let again = tokio::time::timeout_at(until, self.interrupt.recv()).await.is_ok();
        if again {
            tell("cancelling");
        }
        again
    }
}
