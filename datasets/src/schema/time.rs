//! Times as people write them.

use chrono::format::{Item, Parsed, StrftimeItems, parse};
use chrono::{Datelike, NaiveDate, NaiveDateTime, NaiveTime};

/// The name of the ISO 8601 family in a schema's rules.
pub(crate) const ISO: &str = "iso";

/// Day first, by separator; each may be followed by a time of day.
const DAY_FIRST: [&str; 6] = ["%d/%m/%Y", "%d-%m-%Y", "%d.%m.%Y", "%d/%m/%y", "%d-%m-%y", "%d.%m.%y"];
/// Month first. With dots nobody writes so.
const MONTH_FIRST: [&str; 4] = ["%m/%d/%Y", "%m-%d-%Y", "%m/%d/%y", "%m-%d-%y"];
/// Year first, other than ISO.
const YEAR_FIRST: [&str; 3] = ["%Y/%m/%d", "%Y.%m.%d", "%Y%m%dT%H%M%S"];
/// With the month's name, long or short.
const NAMED: [&str; 6] = ["%d %B %Y", "%d-%B-%Y", "%B %d, %Y", "%B %d %Y", "%d-%B-%y", "%a, %d %B %Y"];
/// Times of day that may follow a date.
const CLOCKS: [&str; 5] = ["", " %H:%M", " %H:%M:%S%.f", " %I:%M %p", " %I:%M:%S %p"];

/// Reads times of one format.
pub(crate) struct TimeReader {
    /// `None` for ISO.
    items: Option<Vec<Item<'static>>>,
}

impl TimeReader {
    /// A reader of `iso` or of a strftime format; `None` if the format has unknown parts.
    pub(crate) fn new(format: &str) -> Option<Self> {
        if format == ISO {
            return Some(Self { items: None });
        }
        let items = StrftimeItems::new(format).parse_to_owned().ok()?;
        Some(Self { items: Some(items) })
    }

    /// Microseconds since 1970-01-01 UTC, of years 1000 to 9999.
    pub(crate) fn parse(&self, text: &str) -> Option<i64> {
        let Some(items) = &self.items else {
            return parse_iso(text);
        };
        let mut parsed = Parsed::new();
        parse(&mut parsed, text, items.iter()).ok()?;
        let offset = parsed.offset().unwrap_or(0);
        let time = match parsed.to_naive_datetime_with_offset(offset) {
            Ok(time) => time,
            // A date alone, or a date and something short of a time of day.
            Err(_) => parsed.to_naive_date().ok()?.and_time(NaiveTime::MIN),
        };
        micros(time, offset)
    }
}

/// Formats to try, in the order of preference: ISO, then month first where slashes or dashes leave
/// it open.
pub(crate) fn formats(order: Option<&str>) -> Vec<String> {
    let families: Vec<&[&str]> = match order {
        Some("dmy") => vec![&DAY_FIRST],
        Some("mdy") => vec![&MONTH_FIRST],
        Some("ymd") => vec![&[ISO], &YEAR_FIRST],
        _ => vec![&[ISO], &YEAR_FIRST, &MONTH_FIRST, &DAY_FIRST, &NAMED],
    };
    let mut formats = Vec::new();
    for date in families.into_iter().flatten() {
        if *date == ISO || date.contains("%H") {
            formats.push((*date).to_owned());
        } else {
            formats.extend(CLOCKS.iter().map(|clock| format!("{date}{clock}")));
        }
    }
    formats
}

/// The format with day and month changed places, where that is a format, too.
pub(crate) fn swapped(format: &str) -> Option<String> {
    if let Some(rest) = format.strip_prefix("%m") {
        let at = rest.find("%d")?;
        return Some(format!("%d{}%m{}", &rest[..at], &rest[at + 2..]));
    }
    None
}

/// ISO 8601 and RFC 3339: a date, then perhaps `T` or a blank and a time of day, then perhaps a
/// zone.
///
/// Written out because it is what nearly every file holds: some ten times as fast as a general
/// format.
fn parse_iso(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    if bytes.len() < 10 || bytes[4] != b'-' || bytes[7] != b'-' {
        return None;
    }
    let date = NaiveDate::from_ymd_opt(digits(&bytes[..4])? as i32, digits(&bytes[5..7])?, digits(&bytes[8..10])?)?;
    let rest = &bytes[10..];
    if rest.is_empty() {
        return micros(date.and_time(NaiveTime::MIN), 0);
    }
    if !matches!(rest[0], b'T' | b't' | b' ') || rest.len() < 6 || rest[3] != b':' {
        return None;
    }
    let (hour, minute) = (digits(&rest[1..3])?, digits(&rest[4..6])?);
    let mut rest = &rest[6..];
    let (mut second, mut nanos) = (0, 0);
    if let [b':', tens, ones, tail @ ..] = rest {
        second = digits(&[*tens, *ones])?;
        rest = tail;
        if let [b'.' | b',', tail @ ..] = rest {
            let n = tail.iter().take_while(|byte| byte.is_ascii_digit()).count();
            if n == 0 || n > 9 {
                return None;
            }
            nanos = digits(&tail[..n])? * 10_u32.pow(9 - n as u32);
            rest = &tail[n..];
        }
    }
    // A leap second is read as the second before it.
    let time = NaiveTime::from_hms_nano_opt(hour, minute, second.min(59), nanos).filter(|_| second <= 60)?;
    micros(date.and_time(time), zone(rest.trim_ascii_start())?)
}

/// Seconds east of Greenwich: nothing, `Z`, `+01`, `+0100` or `+01:00`.
fn zone(text: &[u8]) -> Option<i32> {
    let (sign, rest) = match text {
        [] | [b'Z' | b'z'] => return Some(0),
        [b'+', rest @ ..] => (1, rest),
        [b'-', rest @ ..] => (-1, rest),
        _ => return None,
    };
    let (hours, minutes) = match rest {
        [_, _] => (digits(rest)?, 0),
        [a, b, c, d] | [a, b, b':', c, d] => (digits(&[*a, *b])?, digits(&[*c, *d])?),
        _ => return None,
    };
    (hours <= 23 && minutes <= 59).then(|| sign * (hours * 3600 + minutes * 60) as i32)
}

/// A run of ASCII digits, at most nine.
fn digits(bytes: &[u8]) -> Option<u32> {
    bytes.iter().try_fold(0_u32, |value, byte| byte.is_ascii_digit().then(|| value * 10 + u32::from(byte - b'0')))
}

fn micros(time: NaiveDateTime, offset: i32) -> Option<i64> {
    (1000..=9999).contains(&time.year()).then(|| time.and_utc().timestamp_micros() - i64::from(offset) * 1_000_000)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::raw::time_text;

    fn read(format: &str, text: &str) -> Option<String> {
        TimeReader::new(format).unwrap().parse(text).map(time_text)
    }

    #[test]
    fn iso_family() {
        for (text, expected) in [
            ("2025-03-04", "2025-03-04"),
            ("2025-03-04 05:06", "2025-03-04T05:06:00"),
            ("2025-03-04T05:06:07.5", "2025-03-04T05:06:07.500"),
            ("2025-03-04T05:06:07Z", "2025-03-04T05:06:07"),
            ("2025-03-04T05:06:07+01:00", "2025-03-04T04:06:07"),
            ("2025-03-04 05:06:07 -0230", "2025-03-04T07:36:07"),
        ] {
            assert_eq!(read(ISO, text).as_deref(), Some(expected), "{text}");
        }
        for text in
            ["2025-13-01", "2025-02-30", "2025-3-4", "2025-03-04X", "2025-03-04 25:00", "0000-00-00", "20250304", ""]
        {
            assert_eq!(read(ISO, text), None, "{text}");
        }
    }

    #[test]
    fn other_formats() {
        assert_eq!(read("%d/%m/%Y", "03/04/2025").as_deref(), Some("2025-04-03"));
        assert_eq!(read("%m/%d/%Y %H:%M", "3/4/2025 7:08").as_deref(), Some("2025-03-04T07:08:00"));
        assert_eq!(read("%m/%d/%Y %I:%M %p", "3/4/2025 7:08 PM").as_deref(), Some("2025-03-04T19:08:00"));
        assert_eq!(read("%B %d, %Y", "Mar 4, 2025").as_deref(), Some("2025-03-04"));
        assert_eq!(read("%d/%m/%Y", "03/04/25"), None, "a year has four digits");
        assert_eq!(read("%d/%m/%y", "03/04/25").as_deref(), Some("2025-04-03"));
        assert!(TimeReader::new("%Q").is_none());
    }

    #[test]
    fn day_and_month_change_places() {
        assert_eq!(swapped("%m/%d/%Y %H:%M").as_deref(), Some("%d/%m/%Y %H:%M"));
        assert_eq!(swapped("%d.%m.%Y"), None);
        assert_eq!(swapped(ISO), None);
    }

    #[test]
    fn every_format_is_known_to_chrono() {
        for format in formats(None) {
            assert!(TimeReader::new(&format).is_some(), "{format}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(
            micros in -30_000_000_000_000_000_i64..250_000_000_000_000_000,
        ) {
            prop_assert_eq!(TimeReader::new(ISO).unwrap().parse(&time_text(micros)), Some(micros));
        }

        #[test]
        fn any_text_is_read_or_refused(
            characters in proptest::collection::vec(any::<char>(), 0..30),
        ) {
            let text: String = characters.into_iter().collect();
            for format in formats(None) {
                TimeReader::new(&format).unwrap().parse(&text);
            }
        }

        #[test]
        fn near_times_are_read_or_refused(
            text in proptest::collection::vec(
                proptest::sample::select(b"0123456789-T: +.Z".to_vec()),
                8..30,
            ),
        ) {
            parse_iso(std::str::from_utf8(&text).unwrap());
        }
    }
}
