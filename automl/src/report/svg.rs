//! A few plots as plain SVG: axes, lines, points and bars in the page's own colours. No script, no font, no library.

use std::fmt::Write;

/// Width of every plot in its own units; the page scales it.
const WIDTH: f64 = 560.0;
const HEIGHT: f64 = 300.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 16.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 44.0;

/// A plot of points and lines over two linear axes.
pub(super) struct Plot {
    body: String,
    x: (f64, f64),
    y: (f64, f64),
}

impl Plot {
    /// Axes over these ranges, labelled; `title` is for those who cannot see.
    pub(super) fn new(title: &str, x_label: &str, y_label: &str, x: (f64, f64), y: (f64, f64)) -> Self {
        let (x, y) = (widen(x), widen(y));
        let mut plot = Self { body: String::new(), x, y };
        let _ = write!(
            plot.body,
            r#"<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{}"><g class="axes">"#,
            escape(title)
        );
        for tick in ticks(x) {
            let at = plot.px(tick);
            let (low, text) = (HEIGHT - BOTTOM, HEIGHT - BOTTOM + 16.0);
            let _ = write!(
                plot.body,
                r#"<line x1="{at:.1}" x2="{at:.1}" y1="{TOP}" y2="{low}"/><text x="{at:.1}" y="{text}" text-anchor="middle">{}</text>"#,
                number(tick)
            );
        }
        for tick in ticks(y) {
            let at = plot.py(tick);
            let (right, left) = (WIDTH - RIGHT, LEFT - 6.0);
            let _ = write!(
                plot.body,
                r#"<line x1="{LEFT}" x2="{right}" y1="{at:.1}" y2="{at:.1}"/><text x="{left}" y="{:.1}" text-anchor="end">{}</text>"#,
                at + 4.0,
                number(tick)
            );
        }
        let (middle, below) = (f64::midpoint(LEFT, WIDTH - RIGHT), HEIGHT - 6.0);
        let up = f64::midpoint(TOP, HEIGHT - BOTTOM);
        let _ = write!(
            plot.body,
            r#"<text class="label" x="{middle}" y="{below}" text-anchor="middle">{}</text><text class="label" transform="translate(14 {up}) rotate(-90)" text-anchor="middle">{}</text></g>"#,
            escape(x_label),
            escape(y_label)
        );
        plot
    }

    /// A line through points in data units; `class` is a colour of the page.
    pub(super) fn line(mut self, class: &str, points: impl IntoIterator<Item = (f64, f64)>) -> Self {
        let path: Vec<String> =
            points.into_iter().map(|(x, y)| format!("{:.1},{:.1}", self.px(x), self.py(y))).collect();
        let _ = write!(self.body, r#"<polyline class="{class}" points="{}"/>"#, path.join(" "));
        self
    }

    /// Dots at points in data units.
    pub(super) fn dots(mut self, class: &str, radius: f64, points: impl IntoIterator<Item = (f64, f64)>) -> Self {
        for (x, y) in points {
            let (cx, cy) = (self.px(x), self.py(y));
            let _ = write!(self.body, r#"<circle class="{class}" cx="{cx:.1}" cy="{cy:.1}" r="{radius}"/>"#);
        }
        self
    }

    pub(super) fn finish(mut self) -> String {
        self.body.push_str("</svg>");
        self.body
    }

    fn px(&self, x: f64) -> f64 {
        LEFT + (x - self.x.0) / (self.x.1 - self.x.0) * (WIDTH - LEFT - RIGHT)
    }

    fn py(&self, y: f64) -> f64 {
        HEIGHT - BOTTOM - (y - self.y.0) / (self.y.1 - self.y.0) * (HEIGHT - TOP - BOTTOM)
    }
}

/// Horizontal bars with their names, longest name cut.
pub(crate) fn bars(title: &str, rows: &[(String, f64)]) -> String {
    const ROW: f64 = 24.0;
    const NAMES: f64 = 180.0;
    let height = ROW * rows.len() as f64 + 8.0;
    let most = rows.iter().map(|(_, value)| value.abs()).fold(f64::MIN_POSITIVE, f64::max);
    let mut body = format!(r#"<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{}">"#, escape(title));
    for (i, (name, value)) in rows.iter().enumerate() {
        let y = ROW * i as f64 + 4.0;
        let width = value.max(0.0) / most * (WIDTH - NAMES - 80.0);
        let _ = write!(
            body,
            r#"<text x="{}" y="{:.1}" text-anchor="end">{}</text><rect class="bar" x="{NAMES}" y="{y:.1}" width="{width:.1}" height="16" rx="2"/><text x="{:.1}" y="{:.1}">{}</text>"#,
            NAMES - 8.0,
            y + 12.5,
            escape(&shorten(name, 26)),
            NAMES + width + 6.0,
            y + 12.5,
            number(*value)
        );
    }
    body.push_str("</svg>");
    body
}

/// A name, a value and its interval.
pub(crate) type Interval = (String, f64, Option<(f64, f64)>);

/// Points with their intervals on one axis through 0, longest name cut. A row is a name, a value and its interval.
pub(crate) fn intervals(title: &str, rows: &[Interval]) -> String {
    const ROW: f64 = 24.0;
    const NAMES: f64 = 220.0;
    const VALUES: f64 = 60.0;
    let height = ROW * rows.len() as f64 + 30.0;
    let ends = rows
        .iter()
        .flat_map(|(_, value, interval)| [*value, interval.map_or(*value, |i| i.0), interval.map_or(*value, |i| i.1)]);
    let (low, high) = widen(ends.fold((0.0, 0.0), |(low, high): (f64, f64), end| (low.min(end), high.max(end))));
    let px = |x: f64| NAMES + (x - low) / (high - low) * (WIDTH - NAMES - VALUES);
    let below = height - 22.0;
    let mut body =
        format!(r#"<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{}"><g class="axes">"#, escape(title));
    for tick in ticks((low, high)) {
        let (at, text) = (px(tick), height - 6.0);
        let _ = write!(
            body,
            r#"<line x1="{at:.1}" x2="{at:.1}" y1="0" y2="{below}"/><text x="{at:.1}" y="{text}" text-anchor="middle">{}</text>"#,
            number(tick)
        );
    }
    let zero = px(0.0);
    let _ = write!(body, r#"</g><polyline class="faint" points="{zero:.1},0 {zero:.1},{below}"/>"#);
    for (i, (name, value, interval)) in rows.iter().enumerate() {
        let y = ROW * i as f64 + 12.0;
        if let Some((from, to)) = interval {
            let _ = write!(body, r#"<polyline class="line" points="{:.1},{y} {:.1},{y}"/>"#, px(*from), px(*to));
        }
        let _ = write!(
            body,
            r#"<circle class="bar" cx="{:.1}" cy="{y}" r="4"/><text x="{}" y="{:.1}" text-anchor="end">{}</text><text x="{}" y="{:.1}">{}</text>"#,
            px(*value),
            NAMES - 8.0,
            y + 4.0,
            escape(&shorten(name, 32)),
            WIDTH - VALUES + 8.0,
            y + 4.0,
            number(*value)
        );
    }
    body.push_str("</svg>");
    body
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
fn ticks((low, high): (f64, f64)) -> Vec<f64> {
    let raw = (high - low) / 5.0;
    let power = 10_f64.powf(raw.log10().floor());
    let step = [1.0, 2.0, 2.5, 5.0, 10.0].into_iter().map(|m| m * power).find(|s| *s >= raw).unwrap_or(raw);
    let first = (low / step).ceil() as i64;
    let last = ((high / step) + 1e-9).floor() as i64;
    (first..=last.min(first + 20)).map(|i| i as f64 * step).collect()
}

/// A range that is not empty.
fn widen((low, high): (f64, f64)) -> (f64, f64) {
    if high > low && (high - low).is_finite() {
        (low, high)
    } else {
        let low = if low.is_finite() { low } else { 0.0 };
        let pad = low.abs().max(1.0) * 0.05;
        (low - pad, low + pad)
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
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
    fn names_cannot_break_the_page() {
        let svg = bars("t", &[("<script>".into(), 1.0)]);
        assert!(!svg.contains("<script>") && svg.contains("&lt;script&gt;"), "{svg}");
        let svg = intervals("t", &[("<script>".into(), 0.1, Some((-0.1, 0.3)))]);
        assert!(!svg.contains("<script>") && svg.contains("&lt;script&gt;"), "{svg}");
    }

    #[test]
    fn intervals_lie_where_their_figures_are() {
        // From -0.1 to 0.3 over 280 units that begin at 220: 0 is a quarter of the way, 0.1 the half.
        let svg = intervals("t", &[("a".into(), 0.1, Some((-0.1, 0.3)))]);
        for part in [r#"points="220.0,12 500.0,12""#, r#"cx="360.0""#, r#"points="290.0,0 290.0,"#] {
            assert!(svg.contains(part), "{part}: {svg}");
        }
        assert!(!intervals("t", &[("a".into(), f64::NAN, None)]).contains("<polyline class=\"line\""));
    }

    #[test]
    fn numbers_are_short() {
        for (value, text) in [(0.84731, "0.8473"), (12_345.6, "12346"), (2.0, "2"), (1.5e-9, "1.50e-9"), (100.0, "100")]
        {
            assert_eq!(number(value), text);
        }
    }
}
