//! What is read at the start only: which of it a file that was read again says otherwise.

use super::{AccessSettings, Limits};

impl AccessSettings {
    /// Keys of what `other` says otherwise: what holds from the next start on.
    pub fn differing(&self, other: &Self) -> Vec<&'static str> {
        // Taken apart as a whole, so that no setting is forgotten.
        let Self { public_url, trusted_proxies, limits, access } = self;
        let Limits {
            streams,
            streams_per_caller,
            streams_per_address,
            connections_per_address,
            writes_per_minute,
        } = limits;
        let access::Settings { session_idle, session_longest, sign_ins, audit_kept, issuer } =
            access;
        let differs = [
            ("public_url", *public_url != other.public_url),
            ("trusted_proxies", *trusted_proxies != other.trusted_proxies),
            ("limits.streams", *streams != other.limits.streams),
            ("limits.streams_per_caller", *streams_per_caller != other.limits.streams_per_caller),
            (
                "limits.streams_per_address",
                *streams_per_address != other.limits.streams_per_address,
            ),
            (
                "limits.connections_per_address",
                *connections_per_address != other.limits.connections_per_address,
            ),
            ("limits.writes_per_minute", *writes_per_minute != other.limits.writes_per_minute),
            ("access.session_idle", *session_idle != other.access.session_idle),
            ("access.session_longest", *session_longest != other.access.session_longest),
            ("access.sign_ins", *sign_ins != other.access.sign_ins),
            ("access.audit_kept", *audit_kept != other.access.audit_kept),
            ("access.jwt", *issuer != other.access.issuer),
        ];
        differs.into_iter().filter_map(|(key, differs)| differs.then_some(key)).collect()
    }
}
