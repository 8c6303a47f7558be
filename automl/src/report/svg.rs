//! What every drawing shares: its size, its numbers, its ticks, and text that cannot break the page.

/// Width of every plot in its own units; the page scales it.
pub(super) const WIDTH: f64 = 560.0;

/// The beginning of a drawing, with its title for those who cannot see it.
pub(super) fn open(title: &str, height: f64) -> String {
    let title = escape(title);
    format!(r#"<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{title}"><title>{title}</title>"#)
}

/// At most `n` characters, the last an ellipsis when something is cut.
pub(super) fn shorten(text: &str, n: usize) -> String {
    if text.chars().count() <= n { text.to_owned() } else { text.chars().take(n - 1).chain(['…']).collect() }
}

/// Four significant digits, plain.
pub(crate) fn number(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return value.to_string();
    }
    let magnitude = value.abs().log10().floor();
    if (-4.0..7.0).contains(&magnitude) {
        let decimals = (3.0 - magnitude).clamp(0.0, 7.0) as usize;
        let text = format!("{value:.decimals$}");
        if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
    } else {
        format!("{value:.2e}")
    }
}

/// Two significant digits.
pub(crate) fn two_digits(value: f64) -> f64 {
    if value == 0.0 || !value.is_finite() {
        return value;
    }
    let scale = 10_f64.powf(1.0 - value.abs().log10().floor());
    (value * scale).round() / scale
}

/// About five round numbers inside a range.
pub(super) fn ticks((low, high): (f64, f64)) -> Vec<f64> {
    let raw = (high - low) / 5.0;
    let power = 10_f64.powf(raw.log10().floor());
    let step = [1.0, 2.0, 2.5, 5.0, 10.0].into_iter().map(|m| m * power).find(|s| *s >= raw).unwrap_or(raw);
    let first = (low / step).ceil() as i64;
    let last = ((high / step) + 1e-9).floor() as i64;
    (first..=last.min(first + 20)).map(|i| i as f64 * step).collect()
}

/// A range that is not empty.
pub(super) fn widen((low, high): (f64, f64)) -> (f64, f64) {
    if high > low && (high - low).is_finite() {
        (low, high)
    } else {
        let low = if low.is_finite() { low } else { 0.0 };
        let pad = low.abs().max(1.0) * 0.05;
        (low - pad, low + pad)
    }
}

/// Text that is only text in XML: marks are written out, and control characters, which have no place there, replaced.
pub(super) fn escape(text: &str) -> String {
    let plain = text.replace(|c: char| c.is_control(), "\u{fffd}");
    plain.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_inside() {
        let unit = ticks((0.0, 1.0));
        assert!(unit.iter().zip([0.0, 0.2, 0.4, 0.6, 0.8, 1.0]).all(|(a, b)| (a - b).abs() < 1e-12), "{unit:?}");
        for range in [(0.7, 0.71), (-3e9, 2e9), (1e-12, 4e-12)] {
            let ticks = ticks(range);
            assert!((2..=12).contains(&ticks.len()), "{range:?}: {ticks:?}");
            let slack = (range.1 - range.0) * 1e-6;
            assert!(ticks.iter().all(|t| (range.0 - slack..=range.1 + slack).contains(t)), "{range:?}: {ticks:?}");
        }
    }

    #[test]
    fn numbers_are_short() {
        for (value, text) in [(0.84731, "0.8473"), (12_345.6, "12346"), (2.0, "2"), (1.5e-9, "1.50e-9"), (100.0, "100")]
        {
            assert_eq!(number(value), text);
        }
    }
}
