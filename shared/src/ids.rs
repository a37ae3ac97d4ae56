//! Identifiers. Local jobs are UUIDv7, observed ones UUIDv5, so two servers agree on them.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::{fmt, str::FromStr};
use uuid::Uuid;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an id is a UUID such as 0192f0c1-2b3d-7e4f-8a5b-6c7d8e9f0a1b")]
pub struct BadId;

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(value_type = String, format = Uuid))]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0.hyphenated())
            }
        }

        impl FromStr for $name {
            type Err = BadId;

            /// Accepts the hyphenated form only, so that an id has one spelling in every URL.
            fn from_str(text: &str) -> Result<Self, BadId> {
                let id = Uuid::try_parse(text).ok();
                let id = id.filter(|_| text.len() == uuid::fmt::Hyphenated::LENGTH);
                id.map(Self).ok_or(BadId)
            }
        }
    };
}

uuid_id!(
    /// One unit of work.
    JobId
);
uuid_id!(
    /// One system being watched.
    ConnectionId
);
uuid_id!(
    /// One step of one attempt; another attempt of the same step has another id.
    StepId
);

impl StepId {
    /// The id of step number `ordinal` (0-based) of this attempt: UUIDv5 of the three.
    pub fn of(job: JobId, attempt: u32, ordinal: u32) -> Self {
        Self(Uuid::new_v5(&job.0, format!("{attempt}/{ordinal}").as_bytes()))
    }
}

/// Made with the data directory; another one means that history cannot be continued.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Epoch(pub u32);

/// The id of an event, `<epoch>-<seq>`: eight hex digits, a hyphen, the decimal number.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct EventId {
    pub epoch: Epoch,
    pub seq: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an event id is <epoch>-<number>: eight hex digits, a hyphen, decimal digits")]
pub struct BadEventId;

#[cfg(feature = "openapi")]
impl utoipa::PartialSchema for EventId {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        String::schema()
    }
}

#[cfg(feature = "openapi")]
impl utoipa::ToSchema for EventId {}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}-{}", self.epoch.0, self.seq)
    }
}

impl FromStr for EventId {
    type Err = BadEventId;

    fn from_str(text: &str) -> Result<Self, BadEventId> {
        let (epoch, seq) = text.split_once('-').ok_or(BadEventId)?;
        let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
        let hex = epoch.len() == 8
            && epoch.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        if !hex || !digits(seq) {
            return Err(BadEventId);
        }
        Ok(Self {
            epoch: Epoch(u32::from_str_radix(epoch, 16).map_err(|_| BadEventId)?),
            seq: seq.parse().map_err(|_| BadEventId)?,
        })
    }
}

impl Serialize for EventId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for EventId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_id_reads_back_as_written() {
        let id = EventId { epoch: Epoch(0xbeef), seq: 42 };
        assert_eq!(id.to_string(), "0000beef-42");
        assert_eq!("0000beef-42".parse(), Ok(id));
    }

    #[test]
    fn anything_else_is_no_event_id() {
        for text in [
            "",
            "-",
            "beef-1",
            "0000beef",
            "0000beef-",
            "0000BEEF-1",
            "0000beef-+1",
            "0000beef-99999999999999999999",
        ] {
            assert_eq!(text.parse::<EventId>(), Err(BadEventId), "{text}");
        }
    }

    #[test]
    fn a_job_id_has_one_spelling() {
        let id = "0193f2c4-7b1e-7c3a-9d20-5f1ab8c2e4d1";
        assert_eq!(id.parse::<JobId>().unwrap().to_string(), id);
        assert!("0193f2c47b1e7c3a9d205f1ab8c2e4d1".parse::<JobId>().is_err());
        assert!("{0193f2c4-7b1e-7c3a-9d20-5f1ab8c2e4d1}".parse::<JobId>().is_err());
    }
}
