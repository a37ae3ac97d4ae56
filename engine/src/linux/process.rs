//! All that only Linux has: `/proc`, pidfds, signalfd, subreaper, and the few calls for which there
//! is no safe wrapper. Everything above is plain POSIX.

use rustix::{
    fd::{AsFd, FromRawFd, OwnedFd},
    io::Errno,
    process::{Pid, PidfdFlags, Resource, Rlimit, Signal},
};
use std::{fs, io, os::unix::process::CommandExt, process::Command};

/// Signals that the executor reads from a descriptor instead of being interrupted by them.
const READ_SIGNALS: [i32; 6] =
    [libc::SIGTERM, libc::SIGINT, libc::SIGHUP, libc::SIGQUIT, libc::SIGUSR1, libc::SIGCHLD];
/// How much sooner than the server and its executors a step is killed when memory runs out.
const OOM_SCORE: i32 = 200;

/// Identifies this boot of the machine: a process recorded under another one is gone.
pub fn boot_id() -> io::Result<String> {
    Ok(fs::read_to_string("/proc/sys/kernel/random/boot_id")?.trim().to_owned())
}

/// The umask of this process, read without changing it.
pub fn umask() -> u32 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("Umask:"));
    mask.and_then(|mask| u32::from_str_radix(mask.trim(), 8).ok()).unwrap_or(0o022)
}

/// What tells a process from every other that has or had its pid.
#[derive(Clone, Copy, Debug)]
pub struct Stat {
    pub parent: i32,
    pub group: i32,
    /// Clock ticks since boot.
    pub start_time: u64,
    pub is_zombie: bool,
}

/// None: no such process.
pub fn stat(pid: i32) -> Option<Stat> {
    let text = fs::read(format!("/proc/{pid}/stat")).ok()?;
    // The second field is the name, which may hold anything, brackets and blanks too.
    let after_name = memchr::memrchr(b')', &text)? + 1;
    let mut fields = std::str::from_utf8(&text[after_name..]).ok()?.split_ascii_whitespace();
    let is_zombie = matches!(fields.next()?, "Z" | "X");
    let parent = fields.next()?.parse().ok()?;
    let group = fields.next()?.parse().ok()?;
    let start_time = fields.nth(16)?.parse().ok()?;
    Some(Stat { parent, group, start_time, is_zombie })
}

/// Every process there is now.
pub fn pids() -> io::Result<Vec<i32>> {
    let names = fs::read_dir("/proc")?.filter_map(|entry| entry.ok());
    Ok(names.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect())
}

/// A process as a person may look for it: `123 (sleep)`.
pub fn described(pid: i32) -> String {
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    format!("{pid} ({})", name.trim_end())
}

/// The value of a variable in the environment a process was started with. None: it has none, is
/// gone, or is somebody else's.
pub fn variable_of(pid: i32, name: &str) -> Option<Vec<u8>> {
    let environ = fs::read(format!("/proc/{pid}/environ")).ok()?;
    let mut entries = environ.split(|&b| b == 0);
    entries
        .find_map(|entry| Some(entry.strip_prefix(name.as_bytes())?.strip_prefix(b"=")?.to_vec()))
}

/// No huge pages for this process and, from their first allocation on, for the executors it starts:
/// a small process would hold megabytes of them. Steps get them back.
pub fn use_small_pages() {
    // A kernel without the call has nothing to turn off.
    let _ = rustix::thread::disable_transparent_huge_pages(true);
}

/// A handle of a process that stays its own, whatever becomes of the number. None: it is gone.
pub fn pidfd(pid: i32) -> io::Result<Option<OwnedFd>> {
    let Some(pid) = Pid::from_raw(pid) else { return Ok(None) };
    match rustix::process::pidfd_open(pid, PidfdFlags::empty()) {
        Ok(fd) => Ok(Some(fd)),
        Err(Errno::SRCH) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Sends a signal; a process that is gone is no error.
pub fn signal(pidfd: impl AsFd, signal: Signal) -> io::Result<()> {
    match rustix::process::pidfd_send_signal(pidfd, signal) {
        Ok(()) | Err(Errno::SRCH) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// The descriptors of this process, and the one they were read from.
fn descriptors() -> io::Result<Vec<i32>> {
    let names = fs::read_dir("/proc/self/fd")?.filter_map(|entry| entry.ok());
    Ok(names.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect())
}

/// Makes this process a session of its own that inherits nothing it was not meant to have: no
/// descriptor above 2, no ignored signal but SIGPIPE, umask 077. From here on it is the parent of
/// whatever its descendants leave behind, and the signals it cares about are read from the result.
///
/// Only for a process with one thread that owns no descriptor yet.
pub fn become_executor() -> io::Result<Signals> {
    for fd in descriptors()?.into_iter().filter(|&fd| fd > 2) {
        // SAFETY: nothing in this process owns a descriptor above 2 yet; the one that listed them is
        // closed by now, and to close it again is an error without effect.
        unsafe { libc::close(fd) };
    }
    // Fails where it leads a session already, which is as good.
    let _ = rustix::process::setsid();
    rustix::process::set_child_subreaper(Some(rustix::process::getpid()))?;
    use_small_pages();
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    // SAFETY: nothing in this process handles signals yet.
    unsafe {
        default_signals();
        libc::signal(libc::SIGPIPE, libc::SIG_IGN);
    }
    read_signals()
}

/// From here on the signals that end a process, tell of a child, or knock ([`READ_SIGNALS`]) are read
/// from the result.
///
/// Only for a process with one thread.
pub fn read_signals() -> io::Result<Signals> {
    // SAFETY: the set is initialised by sigemptyset before it is read; one thread, so the mask of
    // the thread is that of the process; the new descriptor is owned by nobody else.
    unsafe {
        let mut set = std::mem::zeroed();
        libc::sigemptyset(&mut set);
        for signal in READ_SIGNALS {
            libc::sigaddset(&mut set, signal);
        }
        if libc::sigprocmask(libc::SIG_SETMASK, &set, std::ptr::null_mut()) != 0 {
            return Err(io::Error::last_os_error());
        }
        let fd = libc::signalfd(-1, &set, libc::SFD_CLOEXEC | libc::SFD_NONBLOCK);
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(Signals(OwnedFd::from_raw_fd(fd)))
    }
}

/// Blocks no signal any more; async-signal-safe.
pub fn unblock_signals() {
    // SAFETY: the set is initialised by sigemptyset before it is read.
    unsafe {
        let mut none = std::mem::zeroed();
        libc::sigemptyset(&mut none);
        libc::sigprocmask(libc::SIG_SETMASK, &none, std::ptr::null_mut());
    }
}

/// Every signal back to its default.
///
/// # Safety
/// The process must not rely on a handler of its own; async-signal-safe.
unsafe fn default_signals() {
    for signal in 1..=libc::SIGRTMAX() {
        // SAFETY: SIG_DFL is always a valid disposition; KILL, STOP and the two of
        // the C library itself answer EINVAL.
        unsafe { libc::signal(signal, libc::SIG_DFL) };
    }
}

/// The signals that came to this process.
pub struct Signals(OwnedFd);

impl Signals {
    /// The next one; None: none came.
    pub fn next(&self) -> Option<i32> {
        let mut info = [0_u8; size_of::<libc::signalfd_siginfo>()];
        let n = rustix::io::retry_on_intr(|| rustix::io::read(&self.0, &mut info)).ok()?;
        // `ssi_signo` is the first field.
        (n == info.len()).then(|| i32::from_ne_bytes([info[0], info[1], info[2], info[3]]))
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> rustix::fd::BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Makes `command` start as the leader of its own process group with the given umask and soft limit
/// of open files, default signals, nothing blocked, and first in line when memory runs out.
pub fn as_step(command: &mut Command, umask: u32, open_files: Option<u64>) {
    let executor = rustix::process::getpid();
    let own_score = fs::read_to_string("/proc/self/oom_score_adj").unwrap_or_default();
    let score = own_score.trim().parse::<i32>().unwrap_or(0).saturating_add(OOM_SCORE).min(1000);
    let score = score.to_string();
    command.process_group(0);
    // SAFETY: the closure makes system calls only: no allocation, no lock; and the executor that
    // forks has one thread.
    unsafe {
        command.pre_exec(move || {
            default_signals();
            unblock_signals();
            let _ = rustix::thread::disable_transparent_huge_pages(false);
            rustix::process::umask(rustix::fs::Mode::from_raw_mode(umask));
            let hard = rustix::process::getrlimit(Resource::Nofile).maximum;
            let soft = match (open_files, hard) {
                (Some(soft), Some(hard)) => Some(soft.min(hard)),
                (soft, hard) => soft.or(hard),
            };
            let _ = rustix::process::setrlimit(
                Resource::Nofile,
                Rlimit { current: soft, maximum: hard },
            );
            // Best effort: not every sandbox lets a process write its score.
            if let Ok(fd) = rustix::fs::open(
                c"/proc/self/oom_score_adj",
                rustix::fs::OFlags::WRONLY | rustix::fs::OFlags::CLOEXEC,
                rustix::fs::Mode::empty(),
            ) {
                let _ = rustix::io::write(&fd, score.as_bytes());
            }
            // Killed since: a step that began now would be nobody's.
            match rustix::process::getppid() == Some(executor) {
                true => Ok(()),
                false => Err(Errno::SRCH.into()),
            }
        });
    }
}
