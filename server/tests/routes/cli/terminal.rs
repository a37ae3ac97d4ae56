//! What a person sees: commands in a terminal.

use super::board::{Board, TOKEN, done, tailboard};
use crate::{client::PATIENCE, running::pipeline};
use rustix::{
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
    termios::{Winsize, tcsetwinsize},
};
use std::{
    fs::File,
    io::{Read, Write},
    process::Stdio,
};
use tokio::process::{Child, Command};

/// A terminal, seen from the side of the person.
pub struct Terminal {
    ours: File,
    seen: tokio::sync::mpsc::UnboundedReceiver<Vec<u8>>,
    text: String,
    child: Child,
}

impl Terminal {
    /// A command in a terminal of so many columns.
    pub fn of(mut command: Command, columns: u16) -> Self {
        let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&ours).unwrap();
        unlockpt(&ours).unwrap();
        let size = Winsize { ws_row: 12, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&ours, size).unwrap();
        let name = ptsname(&ours, Vec::new()).unwrap().into_string().unwrap();
        let theirs = File::options().read(true).write(true).open(name).unwrap();
        let end = || Stdio::from(theirs.try_clone().unwrap());
        let child = command.stdin(end()).stdout(end()).stderr(end()).spawn().unwrap();
        drop((command, theirs));
        let ours = File::from(ours);
        let mut reading = ours.try_clone().unwrap();
        let (tell, seen) = tokio::sync::mpsc::unbounded_channel();
        // Ends when the last of the other side's descriptors is closed.
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(read @ 1..) = reading.read(&mut bytes) {
                if tell.send(bytes[..read].to_vec()).is_err() {
                    return;
                }
            }
        });
        Self { ours, seen, text: String::new(), child }
    }

    /// Waits until this is seen.
    pub async fn until(&mut self, part: &str) {
        while !self.text.contains(part) {
            let seen = tokio::time::timeout(PATIENCE, self.seen.recv()).await;
            let seen =
                seen.ok().flatten().unwrap_or_else(|| panic!("never {part:?}: {:?}", self.text));
            self.text += &String::from_utf8_lossy(&seen);
        }
    }

    pub fn types(&mut self, text: &str) {
        self.ours.write_all(text.as_bytes()).unwrap();
    }

    /// All that was seen, when the command has ended.
    pub async fn end(mut self) -> (Option<i32>, String) {
        while let Some(seen) = tokio::time::timeout(PATIENCE, self.seen.recv()).await.unwrap() {
            self.text += &String::from_utf8_lossy(&seen);
        }
        (self.child.wait().await.unwrap().code(), self.text)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_fit_the_terminal_and_have_colours_unless_they_are_not_wanted() {
    let board =
        Board::start(&pipeline("a-name-that-is-rather-long-for-a-pipeline", &["exit 1"])).await;
    board.run_to_end("a-name-that-is-rather-long-for-a-pipeline").await;
    for (no_color, columns) in [(None, 60), (Some("1"), 72), (Some(""), 200)] {
        let mut command = board.command(&["jobs"]);
        command.env("TERM", "xterm").envs(no_color.map(|value| ("NO_COLOR", value)));
        let (status, seen) = Terminal::of(command, columns).end().await;
        assert_eq!(status, Some(0));
        assert_eq!(seen.contains("\x1b[31mfailed\x1b[0m"), no_color != Some("1"), "{seen:?}");
        for line in seen.lines() {
            let plain = line.replace("\x1b[31m", "").replace("\x1b[2m", "").replace("\x1b[0m", "");
            assert!(plain.chars().count() <= usize::from(columns), "{plain:?}");
        }
        assert_eq!(seen.contains('…'), columns < 100, "{seen:?}");
    }
    board.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_list_is_wider_than_the_terminal_and_no_line_ends_with_blanks() {
    let toml = r#"
        [[pipeline]]
        name = "a-name-that-is-rather-long"
        description = "What it does takes some words"
        cron = "0 3 * * *"
        [[pipeline.params]]
        name = "target"
        default = "staging"
        [[pipeline.steps]]
        name = "a step with a long name"
        run = "echo no; exit 3"
    "#;
    let board = Board::start(toml).await;
    let id = board.run_to_end("a-name-that-is-rather-long").await;
    board.ask(&["key", "add", "a-key-of-a-script", "--role", "viewer", "--expires", "9d"]).await;
    let lists: [&[&str]; 7] = [
        &["jobs"],
        &["job", &id],
        &["queues"],
        &["workers"],
        &["pipelines"],
        &["user", "list"],
        &["key", "list"],
    ];
    let plain = |command: &mut Command| {
        command.env("TERM", "xterm").env("NO_COLOR", "1");
    };
    for (args, columns) in lists.iter().flat_map(|args| [40, 80].map(|columns| (args, columns))) {
        let mut command = board.command(args);
        plain(&mut command);
        let (status, seen) = Terminal::of(command, columns).end().await;
        assert_eq!(status, Some(0), "{seen}");
        for line in seen.lines() {
            assert!(line.chars().count() <= usize::from(columns), "{columns}: {line:?} of {seen}");
            assert_eq!(line, line.trim_end(), "{args:?}");
        }
        // Elsewhere `COLUMNS` says how much room there is.
        let mut command = board.command(args);
        plain(&mut command);
        command.env("COLUMNS", columns.to_string());
        let piped = done(command).await;
        let width = piped.said().lines().map(|line| line.chars().count()).max();
        assert!(width <= Some(usize::from(columns)), "{columns}: {}", piped.text());
        // Without either a line has all there is.
        assert!(!board.ask(args).await.text().contains('…'));
    }
    let job = board.ask(&["job", &id]).await;
    assert!(job.said().contains("1 line, 3 bytes"), "{}", job.text());
    board.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn progress_is_one_line_that_is_gone_at_the_end() {
    let gate = crate::running::Running::gate("gate");
    let steps = ["true", &format!("printf '\\033]9;4;1;42\\033\\\\'; {}", gate.wait()), "true"];
    let board = Board::start(&pipeline("steps", &steps)).await;
    let id = board.run("steps").await;
    let mut wait = Terminal::of(board.command(&["wait", &id]), 80);
    wait.until("running: step 2 of 3").await;
    gate.open();
    let (status, seen) = wait.end().await;
    assert_eq!(status, Some(0));
    let last = seen.rsplit("\r\x1b[K").next().unwrap();
    assert!(last.starts_with("completed in "), "{seen:?}");
    assert_eq!(seen.matches('\n').count(), 1, "{seen:?}");
    // Elsewhere there is no such line.
    let quiet = board.ask(&["wait", &id]).await;
    assert_eq!(quiet.err.lines().count(), 1, "{}", quiet.err);
    board.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_cannot_take_over_the_terminal() {
    let hostile =
        r"printf '\033]0;title\007\033[2J\033]8;;http://x\033\\link\033]8;;\033\\ \033[32mgreen\n'";
    let hostile = &format!(r"{hostile}; printf '10%%\r20%%\r30%%\r\n'");
    let board = Board::start(&pipeline("hostile", &[hostile])).await;
    board.run_to_end("hostile").await;
    for args in [["logs", "latest"].as_slice(), &["logs", "latest", "-f"]] {
        let mut command = board.command(args);
        command.env("TERM", "xterm");
        let (_, seen) = Terminal::of(command, 80).end().await;
        assert_eq!(seen, "link \x1b[32mgreen\x1b[0m\r\n30%\r\n");
        // What is written to a file is what was printed.
        let written = board.ask(args).await;
        assert!(written.text().contains("\x1b]0;title\x07"));
        assert!(written.text().ends_with("10%\r20%\r30%\r\n"), "{written:?}");
    }
    board.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watched_list_is_drawn_in_place_and_the_terminal_is_left_as_it_was() {
    let board = Board::start(&pipeline("one", &["true"])).await;
    let mut watch = Terminal::of(board.command(&["jobs", "--watch"]), 80);
    watch.until("no such jobs").await;
    board.run_to_end("one").await;
    watch.until("completed").await;
    super::board::signal(&watch.child, "-INT");
    let (status, seen) = watch.end().await;
    assert_eq!(status, Some(130));
    assert!(seen.starts_with("\x1b[?1049h") && seen.ends_with("\x1b[?1049l"), "{seen:?}");
    board.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn login_asks_and_does_not_show_the_token() {
    let board = Board::start("").await;
    // Its own session, so that the terminal is its own.
    let mut command = Command::new("setsid");
    command.args(["--ctty", env!("CARGO_BIN_EXE_tailboard"), "login"]);
    command.env_clear().env("PATH", "/usr/bin:/bin").env("HOME", board.dir.path());
    command.kill_on_drop(true);
    let mut login = Terminal::of(command, 80);
    login.until("Address of the board [http://127.0.0.1:3000]: ").await;
    login.types(&format!("{}\n", board.url()));
    login.until("Token").await;
    login.types(&format!("{TOKEN}\n"));
    let (status, seen) = login.end().await;
    assert_eq!(status, Some(0), "{seen:?}");
    assert!(seen.contains("lets you in") && !seen.contains(TOKEN), "{seen:?}");
    let asked = done(tailboard(board.dir.path(), &["jobs", "--json"])).await;
    assert_eq!(asked.status, Some(0), "{}", asked.err);
    board.stop().await;
}

#[tokio::test]
async fn every_shell_can_complete_the_commands() {
    let dir = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = done(tailboard(dir.path(), &["completions", shell])).await;
        assert!(script.said().contains("reconnect-for") && script.text().contains("queues"));
        // Read, and not run, by the shell itself where it is there; the others have no such option.
        let file = dir.path().join(shell);
        std::fs::write(&file, &script.out).unwrap();
        if ["bash", "zsh", "fish"].contains(&shell) {
            match std::process::Command::new(shell).arg("-n").arg(&file).output() {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                    eprintln!("skipped: there is no {shell}");
                }
                read => {
                    let read = read.unwrap();
                    let said = String::from_utf8_lossy(&read.stderr);
                    assert!(read.status.success() && said.is_empty(), "{shell}: {said}");
                }
            }
        }
    }
    let asked = "source \"$0\"; COMP_WORDS=(tailboard pau); COMP_CWORD=1; \
                 _tailboard tailboard pau tailboard; echo \"${COMPREPLY[@]}\"";
    let completed = std::process::Command::new("bash")
        .args(["-c", asked])
        .arg(dir.path().join("bash"))
        .output();
    assert_eq!(String::from_utf8(completed.unwrap().stdout).unwrap(), "pause\n");
}
