//! The five fields of a cron expression.

use super::ScheduleError;

/// What a field may hold.
struct Field {
    name: &'static str,
    from: u8,
    to: u8,
    /// Words for values from `from` on.
    words: &'static [&'static str],
}

const MONTHS: [&str; 12] =
    ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const DAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];
const FIELDS: [Field; 5] = [
    Field { name: "minute", from: 0, to: 59, words: &[] },
    Field { name: "hour", from: 0, to: 23, words: &[] },
    Field { name: "day of the month", from: 1, to: 31, words: &[] },
    Field { name: "month", from: 1, to: 12, words: &MONTHS },
    // Sunday is 0 and 7.
    Field { name: "day of the week", from: 0, to: 7, words: &DAYS },
];
const SHORT: [(&str, &str); 7] = [
    ("@yearly", "0 0 1 1 *"),
    ("@annually", "0 0 1 1 *"),
    ("@monthly", "0 0 1 * *"),
    ("@weekly", "0 0 * * 0"),
    ("@daily", "0 0 * * *"),
    ("@midnight", "0 0 * * *"),
    ("@hourly", "0 * * * *"),
];

/// Values of a field, one bit each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Set(u64);

impl Set {
    fn has(self, value: i8) -> bool {
        u8::try_from(value).is_ok_and(|value| self.0 & (1 << value) != 0)
    }

    fn iter(self) -> impl DoubleEndedIterator<Item = i8> {
        (0..60).filter(move |value| self.has(*value))
    }
}

/// Which local times an expression names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cron {
    minutes: Set,
    hours: Set,
    days: Set,
    months: Set,
    weekdays: Set,
    /// Either may be named, or both: then a day that is one of either counts, as cron has it.
    by_day: bool,
    by_weekday: bool,
    every_hour: bool,
}

impl Cron {
    pub fn parse(text: &str) -> Result<Self, ScheduleError> {
        let short = SHORT.iter().find(|(word, _)| text.trim().eq_ignore_ascii_case(word));
        let text = short.map_or(text, |(_, fields)| fields);
        let parts: Vec<_> = text.split_ascii_whitespace().collect();
        let [minute, hour, day, month, weekday] = parts.as_slice() else {
            let words: Vec<_> = SHORT.iter().map(|(word, _)| *word).collect();
            let (count, words) = (parts.len(), words.join(", "));
            return Err(ScheduleError(format!(
                "has {count} fields, wanted are five (minute, hour, day of the month, month, day of the week) or one of {words}"
            )));
        };
        let mut weekdays = set(weekday, &FIELDS[4])?;
        weekdays.0 |= weekdays.0 >> 7 & 1;
        Ok(Self {
            minutes: set(minute, &FIELDS[0])?,
            hours: set(hour, &FIELDS[1])?,
            days: set(day, &FIELDS[2])?,
            months: set(month, &FIELDS[3])?,
            weekdays,
            by_day: !day.starts_with('*'),
            by_weekday: !weekday.starts_with('*'),
            every_hour: hour.starts_with("*") && *hour == "*",
        })
    }

    /// Whether it names no hour: then it goes by time that passes, not by the clock on the wall.
    pub fn is_every_hour(&self) -> bool {
        self.every_hour
    }

    /// `weekday`: Sunday is 0.
    pub fn has_day(&self, month: i8, day: i8, weekday: i8) -> bool {
        let (named, weekday) = (self.days.has(day), self.weekdays.has(weekday));
        let day = match (self.by_day, self.by_weekday) {
            (true, true) => named || weekday,
            _ => named && weekday,
        };
        day && self.months.has(month)
    }

    pub fn has_minute(&self, minute: i8) -> bool {
        self.minutes.has(minute)
    }

    /// Its times of a day, in order.
    pub fn times(&self) -> impl Iterator<Item = (i8, i8)> {
        self.hours.iter().flat_map(|hour| self.minutes.iter().map(move |minute| (hour, minute)))
    }
}

/// A comma list of `*`, values, ranges, each with an optional `/step`.
fn set(text: &str, field: &Field) -> Result<Set, ScheduleError> {
    let wrong = |what: String| {
        let Field { name, from, to, .. } = field;
        let words = match field.words {
            [] => String::new(),
            words => format!(" or {} to {}", words[0], words[words.len() - 1]),
        };
        ScheduleError(format!(
            "{name}: {what}, wanted is *, a value from {from} to {to}{words}, a range such as {from}-{to}, a step such as */2, or a comma list of those"
        ))
    };
    let value = |text: &str| -> Result<u8, ScheduleError> {
        let word = field.words.iter().position(|word| text.eq_ignore_ascii_case(word));
        let number = match word {
            Some(at) => u8::try_from(at).ok().map(|at| at + field.from),
            None if text.bytes().all(|b| b.is_ascii_digit()) => text.parse().ok(),
            None => None,
        };
        number
            .filter(|number| (field.from..=field.to).contains(number))
            .ok_or_else(|| wrong(format!("is {text:?}")))
    };
    let mut bits = 0;
    for part in text.split(',') {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => {
                let number = step.parse::<u8>().ok().filter(|step| (1..=59).contains(step));
                (range, number.ok_or_else(|| wrong(format!("has the step {step:?}")))?)
            }
            None => (part, 1),
        };
        let (from, to) = match range.split_once('-') {
            _ if range == "*" => {
                (field.from, field.to.min(if field.to == 7 { 6 } else { field.to }))
            }
            Some((from, to)) => (value(from)?, value(to)?),
            // `5/10` begins at 5 and goes on to the end.
            None if part.contains('/') => (value(range)?, field.to),
            None => (value(range)?, value(range)?),
        };
        if from > to {
            return Err(wrong(format!("has the range {range:?}, which ends before it begins")));
        }
        (from..=to).step_by(step.into()).for_each(|value| bits |= 1 << value);
    }
    Ok(Set(bits))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(text: &str, field: usize) -> Vec<i8> {
        set(text, &FIELDS[field]).unwrap().iter().collect()
    }

    #[test]
    fn a_field_is_a_list_of_values_ranges_and_steps() {
        assert_eq!(values("5", 0), [5]);
        assert_eq!(values("1,3-5", 0), [1, 3, 4, 5]);
        assert_eq!(values("*/20", 0), [0, 20, 40]);
        assert_eq!(values("10-30/10", 0), [10, 20, 30]);
        assert_eq!(values("50/5", 0), [50, 55]);
        assert_eq!(values("jan,DEC", 3), [1, 12]);
        assert_eq!(values("MON-FRI", 4), [1, 2, 3, 4, 5]);
        assert_eq!(values("*", 4), [0, 1, 2, 3, 4, 5, 6]);
    }

    #[test]
    fn what_is_wrong_is_named_with_its_field_and_what_is_allowed() {
        for (text, part) in [
            ("60 * * * *", "minute: is \"60\", wanted is *, a value from 0 to 59"),
            ("* 24 * * *", "hour: "),
            ("* * 0 * *", "day of the month: "),
            ("* * * FOO *", "month: is \"FOO\", wanted is *, a value from 1 to 12 or JAN to DEC"),
            ("* * * * 8", "day of the week: "),
            ("*/0 * * * *", "minute: has the step \"0\""),
            ("5-1 * * * *", "ends before it begins"),
            ("* * * *", "has 4 fields, wanted are five"),
            ("@often", "has 1 fields"),
            ("", "has 0 fields"),
            ("-1 * * * *", "minute: "),
            ("+1 * * * *", "minute: "),
        ] {
            let error = Cron::parse(text).unwrap_err().to_string();
            assert!(error.contains(part), "{text}: {error}");
        }
    }

    #[test]
    fn of_a_day_and_a_weekday_either_counts() {
        let either = Cron::parse("0 0 13 * FRI").unwrap();
        assert!(either.has_day(1, 13, 2) && either.has_day(1, 2, 5) && !either.has_day(1, 2, 4));
        let weekday = Cron::parse("0 0 * * 7").unwrap();
        assert!(weekday.has_day(1, 13, 0) && !weekday.has_day(1, 13, 1));
    }
}
