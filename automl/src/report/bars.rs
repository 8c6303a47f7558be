//! Drawings of a row each: bars, points with intervals, and the small columns of a histogram.

use std::fmt::Write;

use super::svg::{WIDTH, escape, number, open, shorten, ticks, widen};

/// Horizontal bars with their names, longest name cut.
pub(crate) fn bars(title: &str, rows: &[(String, f64)]) -> String {
    const ROW: f64 = 24.0;
    const NAMES: f64 = 180.0;
    let height = ROW * rows.len() as f64 + 8.0;
    let most = rows.iter().map(|(_, value)| value.abs()).fold(f64::MIN_POSITIVE, f64::max);
    let mut body = open(title, height);
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
    const VALUES: f64 = 80.0;
    let height = ROW * rows.len() as f64 + 30.0;
    let ends = rows
        .iter()
        .flat_map(|(_, value, interval)| [*value, interval.map_or(*value, |i| i.0), interval.map_or(*value, |i| i.1)]);
    let (low, high) = widen(ends.fold((0.0, 0.0), |(low, high): (f64, f64), end| (low.min(end), high.max(end))));
    let px = |x: f64| NAMES + (x - low) / (high - low) * (WIDTH - NAMES - VALUES);
    let below = height - 22.0;
    let mut body = open(title, height);
    body.push_str(r#"<g class="axes">"#);
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

/// A histogram of a few columns in the size of a word; `title` says it in words.
pub(super) fn spark(title: &str, counts: &[usize]) -> String {
    const COLUMN: f64 = 5.0;
    const HEIGHT: f64 = 22.0;
    let most = counts.iter().copied().max().unwrap_or(0).max(1) as f64;
    let (width, title) = (COLUMN * counts.len() as f64, escape(title));
    let mut path = String::new();
    for (i, &n) in counts.iter().enumerate().filter(|(_, n)| **n > 0) {
        // A single row is seen as well.
        let height = (n as f64 / most * HEIGHT).max(1.0);
        let _ = write!(path, "M{} {HEIGHT}v-{height:.1}h4v{height:.1}z", COLUMN * i as f64);
    }
    format!(
        r#"<svg class="spark" viewBox="0 0 {width} {HEIGHT}" preserveAspectRatio="xMinYMax" role="img" aria-label="{title}"><title>{title}</title><path class="bar" d="{path}"/></svg>"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_break_the_page() {
        let svg = bars("t", &[("<script>".into(), 1.0)]);
        assert!(!svg.contains("<script>") && svg.contains("&lt;script&gt;"), "{svg}");
        let svg = intervals("t", &[("<script>".into(), 0.1, Some((-0.1, 0.3)))]);
        assert!(!svg.contains("<script>") && svg.contains("&lt;script&gt;"), "{svg}");
    }

    #[test]
    fn intervals_lie_where_their_figures_are() {
        // From -0.1 to 0.3 over 260 units that begin at 220: 0 is a quarter of the way, 0.1 the half.
        let svg = intervals("t", &[("a".into(), 0.1, Some((-0.1, 0.3)))]);
        for part in [r#"points="220.0,12 480.0,12""#, r#"cx="350.0""#, r#"points="285.0,0 285.0,"#] {
            assert!(svg.contains(part), "{part}: {svg}");
        }
        assert!(!intervals("t", &[("a".into(), f64::NAN, None)]).contains("<polyline class=\"line\""));
    }

    #[test]
    fn a_small_histogram_is_as_high_as_its_counts() {
        let svg = spark("3 columns", &[1, 0, 2]);
        assert!(svg.contains(r#"d="M0 22v-11.0h4v11.0zM10 22v-22.0h4v22.0z""#), "{svg}");
        assert!(spark("none", &[]).contains(r#"d="""#));
    }
}
