//! Numbers as people write them: decimal and thousands marks, percent and currency signs, units.

use super::types::Rules;

/// A way to write numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NumberFormat {
    /// Decimal mark.
    pub(crate) decimal: char,
    /// Mark between groups of three digits; a space stands for any kind of space.
    pub(crate) thousands: Option<char>,
    /// Sign or unit around the number.
    pub(crate) sign: Option<String>,
}

/// Marks in the order of preference: the first that reads every cell is taken.
pub(crate) const MARKS: [(char, Option<char>); 7] = [
    ('.', None),
    ('.', Some(',')),
    (',', None),
    (',', Some('.')),
    ('.', Some(' ')),
    (',', Some(' ')),
    ('.', Some('\'')),
];

/// Signs that may stand on some numbers of a column and be left out on others.
const SIGNS: [&str; 13] = ["%", "€", "$", "£", "¥", "₹", "₽", "₩", "₺", "EUR", "USD", "GBP", "CHF"];

/// The longest unit, in characters, that may follow every number of a column.
const LONGEST_UNIT: usize = 4;

impl NumberFormat {
    /// The format a schema holds.
    pub(crate) fn of(rules: &Rules) -> Self {
        Self { decimal: rules.decimal, thousands: rules.thousands, sign: rules.prefix_or_unit.clone() }
    }

    /// Whether numbers are written as Rust and JSON write them.
    pub(crate) fn is_plain(&self) -> bool {
        self.decimal == '.' && self.thousands.is_none() && self.sign.is_none()
    }

    /// The number a trimmed cell says, infinite if it says so or is too large for a float; `None`
    /// if it is none.
    pub(crate) fn parse(&self, text: &str) -> Option<f64> {
        if let Some(value) = infinity(text) {
            return Some(value);
        }
        if self.is_plain() {
            return plain(text);
        }
        let (negative, body) = self.body(text)?;
        let digits = self.normalise(body)?;
        let value: f64 = digits.parse().ok()?;
        Some(if negative { -value } else { value })
    }

    /// Whether the cell has no decimal mark and no exponent, given that it parses.
    pub(crate) fn is_whole(&self, text: &str) -> bool {
        self.body(text).is_some_and(|(_, body)| !body.contains([self.decimal, 'e', 'E']))
    }

    /// Whether the cell starts with a zero that another digit follows, given that it parses.
    pub(crate) fn has_leading_zero(&self, text: &str) -> bool {
        self.body(text).is_some_and(|(_, body)| {
            let bytes = body.as_bytes();
            bytes.len() > 1 && bytes[0] == b'0' && bytes[1].is_ascii_digit()
        })
    }

    /// Whether every mark in the cell could as well be the other kind of mark: `1,234`, where three
    /// digits follow one mark and one to three precede it, the first not a zero. Cells without a
    /// mark could, too.
    pub(crate) fn reads_both_ways(&self, text: &str) -> bool {
        let Some((_, body)) = self.body(text) else {
            return false;
        };
        let other = Self { decimal: if self.decimal == '.' { ',' } else { '.' }, thousands: None, sign: None };
        if let Some(mark) = self.thousands {
            // Grouped by what could be the decimal mark.
            return mark == other.decimal && other.normalise(body).is_some();
        }
        let grouped = Self { thousands: Some(self.decimal), ..other };
        !body.contains(['e', 'E']) && grouped.normalise(body).is_some()
    }

    /// Whether the number is negative, and its digits and marks alone.
    fn body<'a>(&self, text: &'a str) -> Option<(bool, &'a str)> {
        let (mut negative, mut signed, mut rest) = leading_sign(text);
        if let Some(sign) = &self.sign {
            let bare = rest.strip_prefix(sign.as_str()).or_else(|| rest.strip_suffix(sign.as_str()));
            if bare.is_none() && !SIGNS.contains(&sign.as_str()) {
                return None;
            }
            rest = bare.unwrap_or(rest).trim();
            if !signed {
                (negative, signed, rest) = leading_sign(rest);
            }
        }
        let _ = signed;
        rest.starts_with(|c: char| c.is_ascii_digit() || c == self.decimal).then_some((negative, rest))
    }

    /// The number in Rust's notation, without its sign.
    fn normalise(&self, body: &str) -> Option<String> {
        let (mantissa, exponent) = match body.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, Some(exponent)),
            None => (body, None),
        };
        let (whole, fraction) = match mantissa.split_once(self.decimal) {
            Some((whole, fraction)) => (whole, fraction),
            None => (mantissa, ""),
        };
        if whole.is_empty() && fraction.is_empty() || !is_digits(fraction) {
            return None;
        }
        let mut out = String::with_capacity(body.len());
        match self.thousands {
            Some(mark) if !is_digits(whole) => {
                for (i, group) in whole.split(|c| is_mark(c, mark)).enumerate() {
                    let fits = if i == 0 {
                        (1..=3).contains(&group.len()) && !group.starts_with('0')
                    } else {
                        group.len() == 3
                    };
                    if !fits || !is_digits(group) {
                        return None;
                    }
                    out.push_str(group);
                }
            }
            _ if is_digits(whole) => out.push_str(whole),
            _ => return None,
        }
        if !fraction.is_empty() {
            out.push('.');
            out.push_str(fraction);
        }
        if let Some(exponent) = exponent {
            let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
            if digits.is_empty() || !is_digits(digits) {
                return None;
            }
            out.push('e');
            out.push_str(exponent);
        }
        Some(out)
    }
}

/// The sign or unit around a number that starts or ends with one.
pub(crate) fn sign_of(text: &str) -> Option<String> {
    let (_, _, rest) = leading_sign(text);
    if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign) || rest.ends_with(**sign)) {
        return Some((*sign).to_owned());
    }
    let number = rest.trim_end_matches(char::is_alphabetic);
    let unit = &rest[number.len()..];
    let is_unit =
        !unit.is_empty() && unit.chars().count() <= LONGEST_UNIT && rest.starts_with(|c: char| c.is_ascii_digit());
    is_unit.then(|| unit.to_owned())
}

/// Whether a minus stands first, whether any sign does, and what follows.
fn leading_sign(text: &str) -> (bool, bool, &str) {
    if let Some(rest) = text.strip_prefix(['-', '\u{2212}']) {
        (true, true, rest.trim_start())
    } else if let Some(rest) = text.strip_prefix('+') {
        (false, true, rest.trim_start())
    } else {
        (false, false, text)
    }
}

/// Numbers in Rust's own notation, but for its words for infinity and not-a-number.
fn plain(text: &str) -> Option<f64> {
    let bytes = text.as_bytes();
    let numeric = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'+' | b'e' | b'E');
    // A number does not start with its exponent; Rust's parser refuses the rest of what is wrong.
    if bytes.iter().all(numeric) { text.parse().ok() } else { None }
}

fn infinity(text: &str) -> Option<f64> {
    let (negative, _, word) = leading_sign(text);
    let infinite = ["inf", "infinity", "∞"].iter().any(|known| word.eq_ignore_ascii_case(known));
    infinite.then_some(if negative { f64::NEG_INFINITY } else { f64::INFINITY })
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_mark(c: char, mark: char) -> bool {
    match mark {
        ' ' => matches!(c, ' ' | '\u{a0}' | '\u{202f}' | '\u{2009}'),
        '\'' => matches!(c, '\'' | '\u{2019}'),
        _ => c == mark,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn format(decimal: char, thousands: Option<char>, sign: Option<&str>) -> NumberFormat {
        NumberFormat { decimal, thousands, sign: sign.map(str::to_owned) }
    }

    #[test]
    fn plain_numbers() {
        let plain = format('.', None, None);
        for (text, expected) in
            [("1", 1.0), ("-2.5", -2.5), ("+3", 3.0), (".5", 0.5), ("1.", 1.0), ("1e3", 1000.0), ("2E-2", 0.02)]
        {
            assert_eq!(plain.parse(text), Some(expected), "{text}");
        }
        for text in ["", "-", ".", "e5", "1,5", "1 000", "nan", "NaN", "0x1f", "1e", "--1", "1.2.3", "五"] {
            assert_eq!(plain.parse(text), None, "{text}");
        }
        assert_eq!(plain.parse("-inf"), Some(f64::NEG_INFINITY));
        assert_eq!(plain.parse("1e999"), Some(f64::INFINITY));
    }

    #[test]
    fn marks_and_groups() {
        let comma = format(',', Some('.'), None);
        assert_eq!(comma.parse("1.234,56"), Some(1234.56));
        assert_eq!(comma.parse("-12.345.678"), Some(-12_345_678.0));
        assert_eq!(comma.parse("1234,5"), Some(1234.5));
        for text in ["1.23,5", "1234.567,0", "0.123", ".123,0", "1.234.5"] {
            assert_eq!(comma.parse(text), None, "{text}");
        }
        let swiss = format('.', Some('\''), None);
        assert_eq!(swiss.parse("1'234'567.5"), Some(1_234_567.5));
        let french = format(',', Some(' '), None);
        assert_eq!(french.parse("12\u{202f}345,5"), Some(12345.5));
        assert_eq!(french.parse("\u{2212}1 000"), Some(-1000.0));
    }

    #[test]
    fn signs_and_units() {
        let dollar = format('.', Some(','), Some("$"));
        for text in ["$1,234.50", "1,234.50", "$ 1,234.50", "+$1,234.50"] {
            assert_eq!(dollar.parse(text), Some(1234.5), "{text}");
        }
        assert_eq!(dollar.parse("-$5"), Some(-5.0));
        assert_eq!(dollar.parse("$-5"), Some(-5.0));
        assert_eq!(dollar.parse("$"), None);
        assert_eq!(dollar.parse("$$5"), None);
        assert_eq!(dollar.parse("--5"), None);
        assert_eq!(format('.', None, Some("%")).parse("12.5 %"), Some(12.5));
        let unit = format('.', None, Some("kmpl"));
        assert_eq!(unit.parse("23.4 kmpl"), Some(23.4));
        assert_eq!(unit.parse("23.4"), None, "a unit stands on every number or on none");
        assert_eq!(sign_of("12 %").as_deref(), Some("%"));
        assert_eq!(sign_of("-€5").as_deref(), Some("€"));
        assert_eq!(sign_of("1248 CC").as_deref(), Some("CC"));
        assert_eq!(sign_of("A1"), None);
        assert_eq!(sign_of("12"), None);
        assert_eq!(sign_of("12 months"), None);
    }

    #[test]
    fn numbers_that_read_both_ways() {
        let point = format('.', None, None);
        assert!(point.reads_both_ways("1.234"));
        assert!(point.reads_both_ways("12"));
        for text in ["0.123", "1.2345", "1.23", "1234.567"] {
            assert!(!point.reads_both_ways(text), "{text}");
        }
        let grouped = format('.', Some(','), None);
        assert!(grouped.reads_both_ways("1,234"));
        assert!(!grouped.reads_both_ways("1,234,567"));
        assert!(!grouped.reads_both_ways("1,234.5"));
    }

    /// Writes a number in a format, independently of how it is read.
    fn write(value: f64, format: &NumberFormat) -> String {
        let text = format!("{:.3}", value.abs());
        let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
        let mut out = String::new();
        for (i, digit) in whole.chars().enumerate() {
            if i > 0 && (whole.len() - i) % 3 == 0 {
                out.extend(format.thousands);
            }
            out.push(digit);
        }
        let sign = if value.is_sign_negative() { "-" } else { "" };
        let unit = format.sign.as_deref().unwrap_or_default();
        format!("{sign}{out}{}{fraction}{unit}", format.decimal)
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(
            thousandths in -9_007_199_254_i64..9_007_199_254,
            marks in 0..MARKS.len(),
            sign in 0..3_usize,
        ) {
            let (decimal, thousands) = MARKS[marks];
            let sign = [None, Some("%"), Some("€")][sign];
            let format = format(decimal, thousands, sign);
            let value = thousandths as f64 / 1000.0;
            let text = write(value, &format);
            prop_assert_eq!(format.parse(&text), Some(value), "{}", text);
        }

        #[test]
        fn shortest_form_is_read_back(
            value in proptest::num::f64::NORMAL | proptest::num::f64::ZERO,
        ) {
            prop_assert_eq!(format('.', None, None).parse(&value.to_string()), Some(value));
        }

        #[test]
        fn any_text_is_read_or_refused(
            characters in proptest::collection::vec(any::<char>(), 0..12),
            marks in 0..MARKS.len(),
        ) {
            let text: String = characters.into_iter().collect();
            let (decimal, thousands) = MARKS[marks];
            let format = format(decimal, thousands, sign_of(&text).as_deref());
            if let Some(value) = format.parse(&text) {
                prop_assert!(!value.is_nan());
            }
            format.reads_both_ways(&text);
        }
    }
}
