//! How many connections there are, and no more of one address than it may have: else a few thousand that say
//! nothing, from one place, would keep out everybody else.

use crate::{auth::Proxies, config::AccessSettings};
use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// Time between two lines of the log about connections that were closed.
const SAID_EVERY: Duration = Duration::from_secs(60);

/// All connections; a cheap handle.
#[derive(Clone, Debug)]
pub struct Connections(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    per_address: u32,
    proxies: Proxies,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    all: u32,
    by_place: HashMap<IpAddr, u32>,
    /// Closed as they came, since the start.
    refused: u64,
    /// When that was said last, and how many of them it counted.
    said: Option<(Instant, u64)>,
}

impl Connections {
    /// `per_address`: how many one address may have. Trusted proxies may have any number: they carry many people.
    pub(super) fn new(per_address: u32, proxies: Proxies) -> Self {
        Self(Arc::new(Inner { per_address, proxies, open: Mutex::default() }))
    }

    /// As it is configured.
    pub fn of(settings: &AccessSettings) -> Self {
        let proxies = Proxies(settings.trusted_proxies.clone());
        Self::new(settings.limits.connections_per_address, proxies)
    }

    /// Counts one more, until what is given is dropped. `None`: there is none to be had for this address.
    /// `room` is how many there may be in all; of it one address never gets more than three quarters.
    pub(super) fn take(&self, peer: IpAddr, room: u32) -> Option<Counted> {
        let most = self.0.per_address.min(room - room / 4);
        let place = (!self.0.proxies.trusts(peer.to_canonical())).then(|| place(peer));
        let mut open = self.lock();
        if let Some(place) = place {
            let count = open.by_place.entry(place).or_default();
            if *count >= most {
                open.refused += 1;
                let closed = open.unsaid(Instant::now());
                drop(open);
                if let Some(closed) = closed {
                    tracing::warn!(
                        address = %peer,
                        closed,
                        "closed a new connection of {peer}, which has {most}: limits.connections_per_address; \
                         {closed} were closed since this was said last"
                    );
                }
                return None;
            }
            *count += 1;
        }
        open.all += 1;
        drop(open);
        Some(Counted { connections: self.clone(), place })
    }

    /// How many are open.
    pub fn count(&self) -> u32 {
        self.lock().all
    }

    /// How many were closed as they came.
    pub fn refused(&self) -> u64 {
        self.lock().refused
    }

    /// Nothing that holds this lock can panic half-way through a change.
    fn lock(&self) -> MutexGuard<'_, Open> {
        self.0.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Open {
    /// How many were closed that nothing was said of, if it is time to say so.
    fn unsaid(&mut self, now: Instant) -> Option<u64> {
        let said = match self.said {
            Some((at, _)) if now.duration_since(at) < SAID_EVERY => return None,
            said => said.map_or(0, |(_, count)| count),
        };
        self.said = Some((now, self.refused));
        Some(self.refused - said)
    }
}

/// One connection, as long as this is kept.
#[derive(Debug)]
pub(super) struct Counted {
    connections: Connections,
    place: Option<IpAddr>,
}

impl Drop for Counted {
    fn drop(&mut self) {
        let mut open = self.connections.lock();
        open.all -= 1;
        let Some(place) = self.place else { return };
        if let Some(count) = open.by_place.get_mut(&place) {
            *count -= 1;
            if *count == 0 {
                open.by_place.remove(&place);
            }
        }
    }
}

/// What counts as one address: of IPv6 the network of 2^64 that a single host has.
fn place(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => Ipv6Addr::from(u128::from(v6) >> 64 << 64).into(),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOM: u32 = 1_000;

    fn of(per_address: u32) -> Connections {
        Connections::new(per_address, Proxies(vec!["10.0.0.0/8".parse().unwrap()]))
    }

    fn at(address: &str) -> IpAddr {
        address.parse().unwrap()
    }

    #[test]
    fn a_host_has_its_share_whichever_of_its_addresses_it_uses() {
        let connections = of(2);
        let _kept: Vec<_> = ["2001:db8::1", "2001:db8::ffff:2"]
            .map(|address| connections.take(at(address), ROOM).unwrap())
            .into();
        assert!(connections.take(at("2001:db8::3"), ROOM).is_none());
        assert!(connections.take(at("2001:db8:0:1::3"), ROOM).is_some());
        let mapped = connections.take(at("::ffff:192.0.2.1"), ROOM).unwrap();
        let plain = connections.take(at("192.0.2.1"), ROOM).unwrap();
        assert!(connections.take(at("192.0.2.1"), ROOM).is_none());
        drop(mapped);
        assert!(connections.take(at("192.0.2.1"), ROOM).is_some());
        drop(plain);
        assert_eq!((connections.count(), connections.refused()), (2, 2));
    }

    #[test]
    fn one_address_never_has_all_the_room_there_is_and_a_trusted_proxy_may() {
        let connections = of(1_000_000);
        let (one, proxy) = (at("192.0.2.1"), at("10.1.2.3"));
        let kept: Vec<_> = std::iter::from_fn(|| connections.take(one, 8)).collect();
        assert_eq!(kept.len(), 6);
        let kept: Vec<_> = (0..8).map_while(|_| connections.take(proxy, 8)).collect();
        assert_eq!(kept.len(), 8);
    }

    #[test]
    fn a_flood_is_a_line_of_the_log_a_minute_that_says_how_many() {
        let (mut open, begin) = (Open::default(), Instant::now());
        let mut said = Vec::new();
        for second in 0..150 {
            open.refused += 10;
            said.extend(open.unsaid(begin + Duration::from_secs(second)));
        }
        assert_eq!(said, [10, 600, 600]);
    }
}
