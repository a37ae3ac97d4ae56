//! The command line, as its own process.

use crate::{
    client::{self, PATIENCE},
    running::{Running, pipeline},
};
use serde_json::json;
use std::{
    fs::Permissions, net::SocketAddr, os::unix::fs::PermissionsExt, path::Path, process::Stdio,
};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, BufReader, Lines},
    process::{Child, ChildStderr, ChildStdout, Command},
};

fn tailboard(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tailboard"));
    command.args(args).env_clear().env("PATH", "/usr/bin:/bin").kill_on_drop(true);
    command.env("TAILBOARD_BOOTSTRAP_TOKEN", client::TOKEN);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs to the end: exit status, standard output, standard error.
async fn output(args: &[&str]) -> (Option<i32>, String, String) {
    ended(tailboard(args)).await
}

async fn ended(mut command: Command) -> (Option<i32>, String, String) {
    let output = tokio::time::timeout(PATIENCE, command.output()).await;
    let output = output.expect("an end in time").unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

struct Served {
    child: Child,
    address: SocketAddr,
    _out: Lines<BufReader<ChildStdout>>,
    errors: Lines<BufReader<ChildStderr>>,
}

impl Served {
    async fn start(dir: &Path, toml: &str) -> Self {
        Self::started(dir, toml, tailboard).await
    }

    async fn started(dir: &Path, toml: &str, command: fn(&[&str]) -> Command) -> Self {
        let (config, data) = (dir.join("tailboard.toml"), dir.join("data"));
        std::fs::write(&config, toml).unwrap();
        let (config, data) = (config.to_str().unwrap(), data.to_str().unwrap());
        let args = ["serve", "--config", config, "--data-dir", data, "--listen", "127.0.0.1:0"];
        let mut child = command(&args).spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut errors = BufReader::new(child.stderr.take().unwrap()).lines();
        let said = tokio::time::timeout(PATIENCE, out.next_line()).await.unwrap().unwrap();
        let Some(said) = said else {
            let mut all = String::new();
            errors.get_mut().read_to_string(&mut all).await.unwrap();
            panic!("it ended: {all}");
        };
        let address = said.strip_prefix("Tailboard serves http://").unwrap().parse().unwrap();
        Self { child, address, _out: out, errors }
    }

    async fn post(&self, path: &str, body: serde_json::Value) -> client::Answer {
        let head = [("Content-Type", "application/json")];
        client::send(self.address, "POST", path, &head, body.to_string().as_bytes()).await
    }

    async fn run(&self, pipeline: &str) -> String {
        let answer = self.post("/api/v1/executions", json!({ "pipeline": pipeline })).await;
        answer.json().await["id"].as_str().unwrap().to_owned()
    }

    async fn job(&self, id: &str) -> serde_json::Value {
        client::send(self.address, "GET", &format!("/api/v1/jobs/{id}"), &[], b"")
            .await
            .json()
            .await
    }

    /// Waits until the job is in this state.
    async fn until(&self, id: &str, state: &str) -> serde_json::Value {
        let path = format!("/api/jobs/{id}/stream");
        let answer = client::send(self.address, "GET", &path, &[], b"").await;
        let mut events = crate::events::Events::of(answer);
        loop {
            let job = self.job(id).await;
            if job["state"] == state {
                return job;
            }
            events.next().await.expect("it gets there");
        }
    }

    fn signal(&self, signal: &str) {
        let pid = self.child.id().unwrap().to_string();
        let sent = std::process::Command::new("kill").args([signal, &pid]).status().unwrap();
        assert!(sent.success());
    }

    /// The next line of standard error that has this in it.
    async fn says(&mut self, part: &str) {
        let work = async {
            loop {
                let line = self.errors.next_line().await.unwrap();
                if line.unwrap_or_else(|| panic!("it never said {part:?}")).contains(part) {
                    return;
                }
            }
        };
        tokio::time::timeout(PATIENCE, work).await.unwrap();
    }

    async fn ends(&mut self) -> Option<i32> {
        tokio::time::timeout(PATIENCE, self.child.wait()).await.unwrap().unwrap().code()
    }
}

#[tokio::test]
async fn a_wrong_configuration_is_refused_with_every_mistake_listed() {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("wrong.toml");
    std::fs::write(&config, "grace = 1\n\n[[pipeline]]\nname = 'a b'\n").unwrap();
    let config = config.to_str().unwrap();
    for verb in ["serve", "check"] {
        let (status, _, errors) = output(&[verb, "--config", config]).await;
        assert_eq!(status, Some(2));
        for place in [":1: grace: ", ":4: pipeline[a b].name: ", ":3: pipeline[a b].steps: "] {
            assert!(errors.contains(&format!("{config}{place}")), "{errors}");
        }
    }
}

#[tokio::test]
async fn a_configuration_that_cannot_be_read_is_told_by_its_name() {
    let (status, _, errors) = output(&["check", "--config", "/nowhere/t.toml"]).await;
    assert_eq!(status, Some(2));
    assert!(errors.contains("/nowhere/t.toml"), "{errors}");
    assert_eq!(errors.matches("No such file").count(), 1, "{errors}");
}

#[tokio::test]
async fn a_right_configuration_is_summed_up() {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("right.toml");
    let hello = pipeline("hello", &["true", "true"]);
    let hello = hello.replacen("[[pipeline.steps]]", "cron = '@daily'\n[[pipeline.steps]]", 1);
    std::fs::write(&config, hello).unwrap();
    let (status, said, _) = output(&["check", "--config", config.to_str().unwrap()]).await;
    assert_eq!(status, Some(0));
    assert!(
        said.contains("runs at @daily (UTC); what is late by over a minute is left out"),
        "{said}"
    );
    assert!(said.contains("pipeline hello (queue default): step 1, step 2"), "{said}");
}

#[tokio::test]
async fn a_check_tells_all_that_differs_from_the_usual_and_what_is_usual_once() {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("right.toml");
    let text = r#"
        min_free_disk = "512MiB"
        grace = "10s"
        [retention]
        failed = "never"
        [limits]
        streams = 7
        [[pipeline]]
        name = "nightly"
        cron = "0 3 * * *"
        overlap = "queue"
        catch_up = true
        timeout = "90m"
        retries = 2
        retry_delay = "30s"
        on_lost = "retry"
        priority = -5
        max_concurrent = 1
        max_log_bytes = "10MB"
        env = { PASSWORD = "hunter2" }
        [[pipeline.params]]
        name = "who"
        pattern = "[a-z]+"
        default = "you"
        description = "Whom to greet"
        [[pipeline.steps]]
        name = "build"
        run = "true"
        timeout = "1m"
        continue_on_error = true
    "#;
    std::fs::write(&config, text).unwrap();
    let (status, said, errors) = output(&["check", "--config", config.to_str().unwrap()]).await;
    assert_eq!(status, Some(0), "{errors}");
    let (said, usual) = said.split_once("as usual where nothing else is said: ").unwrap();
    for line in [
        "min_free_disk = 512MiB",
        "retention.failed = never",
        "limits.streams = 7",
        "    overlap = queue",
        "    catch_up = true",
        "  timeout = 1h30m",
        "  retries = 2",
        "  retry_delay = 30s",
        "  on_lost = retry",
        "  priority = -5",
        "  max_concurrent = 1",
        "  max_log_bytes = 10MB",
        "  env = [PASSWORD]",
        "  parameter who (string that matches [a-z]+, \"you\" if it is not given): Whom to greet",
        "  step build: timeout = 1m, continue_on_error = true",
    ] {
        assert!(said.lines().any(|told| told == line), "{line:?} in {said}");
    }
    assert!(!said.contains("grace") && !said.contains("hunter2"), "{said}");
    assert!(usual.contains("grace = 10s, max_log_bytes = 2GiB, min_free_disk = 1GiB"), "{usual}");
    assert!(usual.contains("overlap = skip, catch_up = false"), "{usual}");
}

#[tokio::test]
async fn secrets_that_others_can_read_are_warned_of_at_check_start_and_reload() {
    let dir = tempfile::tempdir().unwrap();
    let secrets = dir.path().join("secrets.env");
    std::fs::write(&secrets, "TOKEN=sesame\n").unwrap();
    let chmod = |mode| std::fs::set_permissions(&secrets, Permissions::from_mode(mode)).unwrap();
    chmod(0o640);
    let two = [pipeline("one", &["true"]), pipeline("two", &["true"])];
    let toml = two.map(|text| text.replacen("name", "env_file = 'secrets.env'\nname", 1)).concat();
    let path = secrets.display();
    let warning = format!("env_file {path} can be read or changed by others (mode 640)");

    let mut server = Served::start(dir.path(), &toml).await;
    server.says(&warning).await;
    let config = dir.path().join("tailboard.toml");
    let check = ["check", "--config", config.to_str().unwrap()];
    let (status, said, _) = output(&check).await;
    assert_eq!((status, said.matches(&warning).count()), (Some(0), 1), "{said}");
    assert!(said.contains(&format!("chmod 600 {path}")));
    server.signal("-HUP");
    server.says(&warning).await;

    chmod(0o600);
    assert!(!output(&check).await.1.contains("warning"));
    server.signal("-TERM");
    assert_eq!(server.ends().await, Some(0));
}

#[tokio::test]
async fn files_of_secrets_that_no_run_could_read_are_mistakes_among_the_others_at_check_alone() {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in [("short.env", "TOKEN=abc\n"), ("open.env", "TOKEN=sesame\n")] {
        let file = dir.path().join(name);
        std::fs::write(&file, text).unwrap();
        std::fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
    }
    let with = |name: &str, file: &str| {
        pipeline(name, &["true"]).replacen("name", &format!("env_file = '{file}'\nname"), 1)
    };
    let toml = with("gone", "none.env") + &with("short", "short.env") + &with("open", "open.env");
    let mut server = Served::start(dir.path(), &toml).await;
    server.run("open").await;
    server.signal("-TERM");
    assert_eq!(server.ends().await, Some(0));

    let config = dir.path().join("tailboard.toml");
    std::fs::write(&config, format!("grace = 1\n{toml}")).unwrap();
    let (status, said, errors) = output(&["check", "--config", config.to_str().unwrap()]).await;
    assert_eq!(status, Some(2));
    for part in [
        ":1: grace: ",
        ":3: pipeline[gone].env_file: ",
        "none.env: No such file or directory",
        "pipeline[short].env_file: ",
        "short.env:1: the value of TOKEN is shorter than 4 bytes",
    ] {
        assert!(errors.contains(part), "{part}\n{errors}");
    }
    assert!(!errors.contains("open.env") && !errors.contains("abc"), "{errors}");
    assert!(said.contains("open.env can be read or changed by others"), "{said}");
    assert!(!said.contains("no mistakes"), "{said}");
}

#[tokio::test]
async fn an_address_that_others_reach_is_refused_while_nobody_has_a_password_or_key() {
    let dir = tempfile::tempdir().unwrap();
    for address in ["0.0.0.0:0", "192.0.2.1:3000", "[::]:0"] {
        let (status, _, errors) = listening(dir.path(), address, "", "").await;
        assert_eq!(status, Some(1), "{errors}");
        assert!(errors.contains("nobody has a password or a key yet"), "{errors}");
        assert!(errors.contains("tailboard user add"), "{errors}");
    }
}

#[tokio::test]
async fn an_address_of_any_name_needs_the_one_that_browsers_use() {
    let dir = tempfile::tempdir().unwrap();
    let (status, _, errors) = listening(dir.path(), "0.0.0.0:0", "", client::TOKEN).await;
    assert_eq!(status, Some(1), "{errors}");
    assert!(errors.contains("set public_url"), "{errors}");
    let below = "public_url = 'https://example.com/tailboard'";
    let (status, _, errors) = listening(dir.path(), "0.0.0.0:0", below, client::TOKEN).await;
    assert_eq!(status, Some(2), "{errors}");
    assert!(errors.contains("cannot be below a path"), "{errors}");
}

/// `serve` on an address, to its end, with or without a first key.
async fn listening(
    dir: &Path,
    address: &str,
    toml: &str,
    token: &str,
) -> (Option<i32>, String, String) {
    let (config, data) = (dir.join("tailboard.toml"), dir.join("data"));
    std::fs::write(&config, toml).unwrap();
    let (config, data) = (config.to_str().unwrap(), data.to_str().unwrap());
    let args = ["serve", "--config", config, "--data-dir", data, "--listen", address];
    let mut command = tailboard(&args);
    if token.is_empty() {
        command.env_remove("TAILBOARD_BOOTSTRAP_TOKEN");
    }
    ended(command).await
}

#[tokio::test]
async fn a_data_directory_has_one_server() {
    let dir = tempfile::tempdir().unwrap();
    let mut first = Served::start(dir.path(), "").await;
    let (config, data) = (dir.path().join("tailboard.toml"), dir.path().join("data"));
    let (config, data) = (config.to_str().unwrap(), data.to_str().unwrap());
    let args = ["serve", "--config", config, "--data-dir", data, "--listen", "127.0.0.1:0"];
    let (status, _, errors) = output(&args).await;
    assert_eq!(status, Some(1));
    assert!(errors.contains("in use"), "{errors}");
    first.signal("-TERM");
    assert_eq!(first.ends().await, Some(0));
}

#[tokio::test]
async fn runs_go_on_without_the_server_and_the_next_one_takes_them_over() {
    let dir = tempfile::tempdir().unwrap();
    let gate = Running::gate("gate");
    let toml = pipeline("waits", &[&format!("echo before; {}; echo after", gate.wait())]);
    let mut server = Served::start(dir.path(), &toml).await;
    let id = server.run("waits").await;
    server.until(&id, "active").await;
    server.signal("-TERM");
    server.says("1 run is going on without the server").await;
    assert_eq!(server.ends().await, Some(0));

    let mut server = Served::start(dir.path(), &toml).await;
    assert_eq!(server.job(&id).await["state"], "active");
    gate.open();
    server.until(&id, "completed").await;
    let path = format!("/api/jobs/{id}/logs/static");
    let log = client::send(server.address, "GET", &path, &[], b"").await.text().await;
    assert_eq!(log, "before\nafter\n");
    server.signal("-TERM");
    assert_eq!(server.ends().await, Some(0));
}

#[tokio::test]
async fn a_second_ctrl_c_cancels_what_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let gate = Running::gate("gate");
    let toml = pipeline("waits", &[&gate.wait()]);
    let mut server = Served::start(dir.path(), &toml).await;
    let id = server.run("waits").await;
    server.until(&id, "active").await;
    server.signal("-INT");
    server.says("press Ctrl-C again").await;
    server.signal("-INT");
    assert_eq!(server.ends().await, Some(0));
    let mut server = Served::start(dir.path(), &toml).await;
    assert_eq!(server.job(&id).await["state"], "cancelled");
    server.signal("-TERM");
    assert_eq!(server.ends().await, Some(0));
}

/// `tailboard` as process 1 of a namespace of its own; `unshare` passes nothing on but its own end.
fn as_init(args: &[&str]) -> Command {
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-root-user", "--pid", "--fork", "--mount-proc", "--kill-child"]);
    command.arg(env!("CARGO_BIN_EXE_tailboard")).args(args);
    command.env_clear().env("PATH", "/usr/bin:/bin").kill_on_drop(true);
    command.env("TAILBOARD_BOOTSTRAP_TOKEN", client::TOKEN);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Looks again until it is so.
async fn until(what: &str, is_so: impl Fn() -> bool) {
    let work = async {
        while !is_so() {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, work).await.unwrap_or_else(|_| panic!("never: {what}"));
}

/// Children of a process.
fn children(pid: u32) -> Vec<u32> {
    let path = format!("/proc/{pid}/task/{pid}/children");
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.split_whitespace().map(|pid| pid.parse().unwrap()).collect()
}

#[tokio::test]
async fn as_process_1_it_reaps_what_it_does_not_know_and_nothing_outlives_it() {
    let dir = tempfile::tempdir().unwrap();
    let orphaned = dir.path().join("orphaned");
    // The orphan ends by itself while its run goes on; the executor is its own subreaper, so it is
    // the executors themselves that come to process 1 when the server is gone.
    let step = format!("touch {}; exec sleep 1000", orphaned.display());
    let toml = pipeline("waits", &[&step]);
    let mut server = Served::started(dir.path(), &toml, as_init).await;
    let id = server.run("waits").await;
    server.until(&id, "active").await;
    let init = children(server.child.id().unwrap())[0];
    let board = children(init)[0];
    until("the step runs", || orphaned.exists()).await;
    // A process that loses its parent: process 1 has to reap it.
    let before = children(init).len();
    let made = std::process::Command::new("nsenter")
        .args([
            "--target",
            &init.to_string(),
            "--user",
            "--preserve-credentials",
            "--pid",
            "--mount",
        ])
        .args(["sh", "-c", "(sleep 0.1 & echo $!)"])
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    until("it is reaped", || children(init).len() == before).await;
    let told = std::time::Instant::now();
    let sent = std::process::Command::new("kill").args(["-TERM", &init.to_string()]).status();
    assert!(sent.unwrap().success());
    assert_eq!(server.ends().await, Some(0));
    // The bound that container engines go by.
    assert!(told.elapsed() < std::time::Duration::from_secs(10));
    assert!(!Path::new(&format!("/proc/{board}")).exists());

    let mut server = Served::start(dir.path(), &toml).await;
    let job = server.until(&id, "failed").await;
    assert_eq!(job["error"], "lost: SIGTERM from outside");
    server.signal("-TERM");
    assert_eq!(server.ends().await, Some(0));
}

#[tokio::test]
async fn a_hangup_reloads_and_the_service_manager_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("notify");
    let manager = tokio::net::UnixDatagram::bind(&socket).unwrap();
    let told = async |part: &str| {
        let mut text = vec![0; 256];
        let work = async {
            loop {
                let n = manager.recv(&mut text).await.unwrap();
                if String::from_utf8_lossy(&text[..n]).contains(part) {
                    return;
                }
            }
        };
        tokio::time::timeout(PATIENCE, work).await.unwrap_or_else(|_| panic!("never {part}"));
    };
    NOTIFY.with_borrow_mut(|path| *path = socket.display().to_string());
    let managed = |args: &[&str]| {
        let mut command = tailboard(args);
        command.env("NOTIFY_SOCKET", NOTIFY.with_borrow(String::clone));
        command
    };
    let mut server = Served::started(dir.path(), &pipeline("one", &["true"]), managed).await;
    told("READY=1").await;
    let two = pipeline("one", &["true"]) + &pipeline("two", &["true"]);
    std::fs::write(dir.path().join("tailboard.toml"), two).unwrap();
    server.signal("-HUP");
    told("RELOADING=1").await;
    told("READY=1").await;
    server.run("two").await;
    std::fs::write(dir.path().join("tailboard.toml"), "nonesuch = 1").unwrap();
    server.signal("-HUP");
    server.says("the configuration was not reloaded").await;
    told("READY=1").await;
    server.run("two").await;
    let path = "/api/v1/audit?action=config.reload";
    let log = client::send(server.address, "GET", path, &[], b"").await.json().await;
    let entries = log["items"].as_array().unwrap();
    let told_of = |entry: &serde_json::Value| {
        (entry["caller"].clone(), entry["address"].clone(), entry["status"].clone())
    };
    let of = |status: u16| (json!("board"), json!("signal"), json!(status));
    assert_eq!(entries.iter().map(told_of).collect::<Vec<_>>(), [of(422), of(200)], "{log}");
    server.signal("-TERM");
    told("STOPPING=1").await;
    assert_eq!(server.ends().await, Some(0));
}

thread_local! {
    /// Where the service manager of a test listens; each test has a thread of its own.
    static NOTIFY: std::cell::RefCell<String> = const { std::cell::RefCell::new(String::new()) };
}
