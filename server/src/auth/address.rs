//! Where a request comes from, and by what scheme, behind proxies that are trusted.

use http::HeaderMap;
use ipnet::IpNet;
use std::net::{IpAddr, SocketAddr};

/// Who is believed about whom a request comes from.
#[derive(Clone, Debug, Default)]
pub struct Proxies(pub Vec<IpNet>);

impl Proxies {
    pub fn trusts(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }

    /// The nearest address that no trusted proxy has: each proxy adds the one it was asked by at the end.
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let peer = peer.to_canonical();
        let mut nearest = peer;
        if !self.trusts(nearest) {
            return peer;
        }
        let lines: Vec<_> = headers.get_all("x-forwarded-for").iter().collect();
        let hops = lines.iter().rev().flat_map(|line| line.to_str().unwrap_or("?").rsplit(','));
        for hop in hops {
            // What is no address cannot be looked behind.
            let Some(address) = address(hop.trim()) else { break };
            nearest = address;
            if !self.trusts(nearest) {
                break;
            }
        }
        nearest
    }

    /// Whether a trusted proxy says that the browser came by https.
    pub fn https(&self, peer: IpAddr, headers: &HeaderMap) -> bool {
        self.trusts(peer.to_canonical())
            && headers.get("x-forwarded-proto").is_some_and(|proto| proto == "https")
    }
}

/// `1.2.3.4`, `1.2.3.4:5`, `::1`, `[::1]:5`.
fn address(hop: &str) -> Option<IpAddr> {
    let bare = hop.trim_start_matches('[').trim_end_matches(']');
    let parsed = bare.parse().ok().or_else(|| hop.parse::<SocketAddr>().ok().map(|at| at.ip()));
    parsed.map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(peer: &str, forwarded: &[&str]) -> String {
        let proxies = Proxies(vec!["10.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()]);
        let mut headers = HeaderMap::new();
        for line in forwarded {
            headers.append("x-forwarded-for", line.parse().unwrap());
        }
        proxies.client(peer.parse().unwrap(), &headers).to_string()
    }

    #[test]
    fn only_a_trusted_proxy_is_believed() {
        assert_eq!(client("192.0.2.1", &["198.51.100.7"]), "192.0.2.1");
        assert_eq!(client("10.1.2.3", &["198.51.100.7"]), "198.51.100.7");
        assert_eq!(client("::ffff:10.1.2.3", &["198.51.100.7:99"]), "198.51.100.7");
        assert_eq!(client("::1", &[]), "::1");
    }

    #[test]
    fn what_a_client_wrote_itself_before_the_proxies_is_not_believed() {
        assert_eq!(client("10.1.2.3", &["1.1.1.1, 198.51.100.7, 10.9.9.9"]), "198.51.100.7");
        assert_eq!(client("10.1.2.3", &["1.1.1.1", "198.51.100.7"]), "198.51.100.7");
        assert_eq!(client("10.1.2.3", &["1.1.1.1, nonsense"]), "10.1.2.3");
    }
}
