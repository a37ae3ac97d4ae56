//! When a pipeline is due: a cron expression in a time zone.
//!
//! A schedule that names hours goes by the clock on the wall: a time that a clock change skips is due
//! at the moment of the change, one that the change repeats is due once, the first time. One that
//! names no hour (`*/5 * * * *`) goes by time that passes: it is due every five minutes, whatever the
//! clock is set to.

mod cron;

use crate::ScheduleDef;
use cron::Cron;
use jiff::{
    SignedDuration, Timestamp as Instant, Zoned,
    civil::{Date, DateTime},
    tz::TimeZone,
};
use shared::Timestamp;

/// How far ahead is looked: the 29th of February comes after eight years at the latest.
const DAYS: usize = 366 * 9;

/// Due times that are shown.
const SHOWN: usize = 5;

/// When something is due.
#[derive(Clone, Debug)]
pub struct Schedule {
    cron: Cron,
    zone: TimeZone,
}

/// What is wrong with an expression or a time zone, and what is allowed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ScheduleError(String);

impl Schedule {
    /// Reads a cron expression.
    ///
    /// # Errors
    /// Names the field that is wrong, and what it may be.
    pub fn parse(cron: &str, zone: TimeZone) -> Result<Self, ScheduleError> {
        let schedule = Self { cron: Cron::parse(cron)?, zone };
        match schedule.next_after(Timestamp::now()) {
            Some(_) => Ok(schedule),
            None => Err(ScheduleError("never comes: there is no such day".to_owned())),
        }
    }

    /// The first due time after another. None: there is none in the next years.
    pub fn next_after(&self, after: Timestamp) -> Option<Timestamp> {
        let after = Instant::from_millisecond(after.0).ok()?;
        let from = after.to_zoned(self.zone.clone());
        let next = if self.cron.is_every_hour() {
            self.by_time(from)
        } else {
            self.by_clock(after, &from)
        };
        next.map(|next| Timestamp(next.as_millisecond()))
    }

    /// The next `count` due times.
    pub fn next(&self, after: Timestamp, count: usize) -> Vec<Timestamp> {
        std::iter::successors(self.next_after(after), |at| self.next_after(*at))
            .take(count)
            .collect()
    }

    fn by_time(&self, from: Zoned) -> Option<Instant> {
        let minute = SignedDuration::from_mins(1);
        let mut at = from.timestamp();
        at = at
            .checked_sub(SignedDuration::from_millis(at.as_millisecond().rem_euclid(60_000)))
            .ok()?;
        let (mut seen, mut days) = (from.date(), 0);
        loop {
            at = at.checked_add(minute).ok()?;
            let local = at.to_zoned(self.zone.clone());
            if !self.has_day(local.date()) {
                if local.date() != seen {
                    (seen, days) = (local.date(), days + 1);
                }
                if days > DAYS {
                    return None;
                }
                // The minute before the next day: that is looked at next.
                let next = local.date().tomorrow().ok()?.to_zoned(self.zone.clone()).ok()?;
                at = next.timestamp().checked_sub(minute).ok()?;
            } else if self.cron.has_minute(local.minute()) {
                return Some(at);
            }
        }
    }

    fn by_clock(&self, after: Instant, from: &Zoned) -> Option<Instant> {
        let (first, minute) = (from.date(), (from.hour(), from.minute()));
        let mut day = first;
        for _ in 0..DAYS {
            if self.has_day(day) {
                let times = self.cron.times().filter(|time| day != first || *time >= minute);
                for (hour, minute) in times {
                    // A second pass through an hour, or a time that comes with the change before it.
                    if let Some(at) = self.at(day.at(hour, minute, 0, 0)).filter(|at| *at > after) {
                        return Some(at);
                    }
                }
            }
            day = day.tomorrow().ok()?;
        }
        None
    }

    fn has_day(&self, day: Date) -> bool {
        self.cron.has_day(day.month(), day.day(), day.weekday().to_sunday_zero_offset())
    }

    /// The moment of a local time: of a repeated one the first, of a skipped one that of the change.
    fn at(&self, local: DateTime) -> Option<Instant> {
        let found = self.zone.to_ambiguous_timestamp(local);
        match found.offset() {
            jiff::tz::AmbiguousOffset::Gap { before, .. } => {
                // With the offset before the gap it lies after the change, by less than a day.
                let beyond = before.to_timestamp(local).ok()?;
                let day = SignedDuration::from_hours(24);
                let changes = self.zone.following(beyond.checked_sub(day).ok()?);
                changes.map(|change| change.timestamp()).take_while(|at| *at <= beyond).last()
            }
            _ => found.earlier().ok(),
        }
    }
}

/// A time zone by its IANA name; the database is built in.
///
/// # Errors
/// When there is none of that name.
pub fn zone(name: &str) -> Result<TimeZone, ScheduleError> {
    TimeZone::get(name).map_err(|_| {
        ScheduleError(format!(
            "{name:?} is no time zone, wanted is an IANA name such as UTC or Europe/Berlin"
        ))
    })
}

/// A schedule as it is shown.
pub fn shown(rule: ScheduleDef, skipped_at: Option<Timestamp>, now: Timestamp) -> shared::Schedule {
    let schedule = zone(&rule.timezone).and_then(|zone| Schedule::parse(&rule.cron, zone));
    shared::Schedule {
        // One that cannot be read does not run; the log said so.
        next: schedule.map(|schedule| schedule.next(now, SHOWN)).unwrap_or_default(),
        cron: rule.cron,
        timezone: rule.timezone,
        overlap: rule.overlap,
        catch_up: rule.catch_up,
        skipped_at,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp(text.parse::<Instant>().unwrap().as_millisecond())
    }

    fn due(cron: &str, name: &str, after: &str, count: usize) -> Vec<String> {
        let schedule = Schedule::parse(cron, zone(name).unwrap()).unwrap();
        let text = |at: Timestamp| Instant::from_millisecond(at.0).unwrap().to_string();
        schedule.next(at(after), count).into_iter().map(text).collect()
    }

    #[test]
    fn a_time_that_the_clock_change_skips_is_due_at_the_change() {
        // 2026-03-29: 02:00 becomes 03:00 in Berlin, which is 01:00 UTC.
        assert_eq!(
            due("30 2 * * *", "Europe/Berlin", "2026-03-28T00:00:00Z", 3),
            ["2026-03-28T01:30:00Z", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"]
        );
        // Several skipped ones are due together, once.
        assert_eq!(
            due("0,15,30 2-3 * * *", "Europe/Berlin", "2026-03-29T00:30:00Z", 3),
            ["2026-03-29T01:00:00Z", "2026-03-29T01:15:00Z", "2026-03-29T01:30:00Z"]
        );
    }

    #[test]
    fn a_time_that_the_clock_change_repeats_is_due_the_first_time_only() {
        // 2026-10-25: 03:00 becomes 02:00 in Berlin, which is 01:00 UTC.
        assert_eq!(
            due("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", 2),
            ["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"]
        );
        assert_eq!(
            due("30 2 * * *", "Europe/Berlin", "2026-10-25T01:10:00Z", 1),
            ["2026-10-26T01:30:00Z"],
            "asked for in the second pass"
        );
        // Half an hour, in the other hemisphere.
        assert_eq!(
            due("45 1 * * *", "Australia/Lord_Howe", "2026-04-03T20:00:00Z", 2),
            ["2026-04-04T14:45:00Z", "2026-04-05T15:15:00Z"]
        );
    }

    #[test]
    fn what_names_no_hour_goes_by_time_that_passes() {
        for (after, zone) in [
            ("2026-10-25T00:00:00Z", "Europe/Berlin"),
            ("2026-03-29T00:00:00Z", "Europe/Berlin"),
            ("2026-11-01T05:00:00Z", "America/New_York"),
        ] {
            let all = Schedule::parse("* * * * *", super::zone(zone).unwrap()).unwrap();
            let all = all.next(at(after), 240);
            assert!(all.windows(2).all(|pair| pair[1].0 - pair[0].0 == 60_000), "{zone}");
        }
        assert_eq!(
            due("15 * * * *", "Europe/Berlin", "2026-03-29T00:30:00Z", 2),
            ["2026-03-29T01:15:00Z", "2026-03-29T02:15:00Z"]
        );
    }

    #[test]
    fn days_months_and_leap_years_are_found() {
        assert_eq!(due("0 12 29 2 *", "UTC", "2026-01-01T00:00:00Z", 1), ["2028-02-29T12:00:00Z"]);
        assert_eq!(
            due("0 9 * * MON-FRI", "UTC", "2026-11-20T10:00:00Z", 1),
            ["2026-11-23T09:00:00Z"]
        );
        assert_eq!(due("*/5 * 1 1 *", "UTC", "2026-11-20T10:00:00Z", 1), ["2027-01-01T00:00:00Z"]);
        assert_eq!(
            due("@daily", "America/New_York", "2026-07-01T00:00:00Z", 1),
            ["2026-07-01T04:00:00Z"]
        );
        let never = Schedule::parse("0 0 31 2 *", TimeZone::UTC).unwrap_err();
        assert!(never.to_string().contains("never comes"));
        assert!(zone("Mars/Base").unwrap_err().to_string().contains("IANA"));
    }

    #[test]
    fn the_next_is_the_first_of_all_that_come_after() {
        // Against a naive walk over two weeks with a change in them.
        for (cron, name, from) in [
            ("*/7 1-3,22 * * *", "Europe/Berlin", "2026-10-20T00:00:00Z"),
            ("13 */5 * * 1,3", "America/New_York", "2026-03-01T00:00:00Z"),
        ] {
            let schedule = Schedule::parse(cron, zone(name).unwrap()).unwrap();
            let all = schedule.next(at(from), 60);
            assert!(all.is_sorted() && all.windows(2).all(|pair| pair[0] < pair[1]));
            for pair in all.windows(2) {
                let between = Timestamp((pair[0].0 + pair[1].0) / 2);
                assert_eq!(schedule.next_after(between), Some(pair[1]), "{cron} {name}");
                assert_eq!(schedule.next_after(Timestamp(pair[1].0 - 1)), Some(pair[1]));
            }
        }
    }
}
