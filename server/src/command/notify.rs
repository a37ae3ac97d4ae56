//! What systemd is told (`Type=notify`): ready, reloading, stopping.

use std::os::unix::net::UnixDatagram;

/// The socket that systemd named, if it started this server.
pub struct Notify(Option<(UnixDatagram, Address)>);

enum Address {
    Path(String),
    Abstract(Vec<u8>),
}

impl Notify {
    pub fn from_environment() -> Self {
        let name = std::env::var("NOTIFY_SOCKET").ok();
        let address = name.and_then(|name| match name.strip_prefix('@') {
            Some(name) => Some(Address::Abstract(name.as_bytes().to_vec())),
            None if name.starts_with('/') => Some(Address::Path(name)),
            None => None,
        });
        Self(address.and_then(|address| Some((UnixDatagram::unbound().ok()?, address))))
    }

    pub fn ready(&self) {
        self.say("READY=1\n");
    }

    /// A reload begins; with [`Self::ready`] it is over. The time is for units of `Type=notify-reload`, which
    /// wait for it.
    pub fn reloading(&self) {
        let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
        let microseconds = now.tv_sec * 1_000_000 + now.tv_nsec / 1000;
        self.say(&format!("RELOADING=1\nMONOTONIC_USEC={microseconds}\n"));
    }

    pub fn stopping(&self) {
        self.say("STOPPING=1\n");
    }

    /// Nobody waits for it, and a manager that is gone is no reason to end.
    fn say(&self, text: &str) {
        use std::os::linux::net::SocketAddrExt;
        let Some((socket, address)) = &self.0 else { return };
        let _ = match address {
            Address::Path(path) => socket.send_to(text.as_bytes(), path),
            Address::Abstract(name) => std::os::unix::net::SocketAddr::from_abstract_name(name)
                .and_then(|address| socket.send_to_addr(text.as_bytes(), &address)),
        };
    }
}
