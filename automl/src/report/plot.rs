//! A plot over two axes, as plain SVG in the page's own colours. No script, no font, no library.

use std::fmt::Write;

use super::svg::{WIDTH, escape, number, open, shorten, ticks, widen};

const HEIGHT: f64 = 300.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 16.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 44.0;
/// Characters of a level below the axis.
const LEVEL: usize = 9;

/// Points, lines and columns over two linear axes.
pub(super) struct Plot {
    body: String,
    x: (f64, f64),
    y: (f64, f64),
}

impl Plot {
    /// Axes over these ranges, labelled; `title` is for those who cannot see.
    pub(super) fn new(title: &str, x_label: &str, y_label: &str, x: (f64, f64), y: (f64, f64)) -> Self {
        let x = widen(x);
        let marks: Vec<(f64, String)> = ticks(x).into_iter().map(|tick| (tick, number(tick))).collect();
        Self::with_marks(title, x_label, y_label, x, y, &marks)
    }

    /// The same over names, the i-th at x = i.
    pub(super) fn over_names(title: &str, x_label: &str, y_label: &str, names: &[String], y: (f64, f64)) -> Self {
        let marks: Vec<(f64, String)> =
            names.iter().enumerate().map(|(i, name)| (i as f64, shorten(name, LEVEL))).collect();
        Self::with_marks(title, x_label, y_label, (-0.5, names.len() as f64 - 0.5), y, &marks)
    }

    fn with_marks(
        title: &str,
        x_label: &str,
        y_label: &str,
        x: (f64, f64),
        y: (f64, f64),
        marks: &[(f64, String)],
    ) -> Self {
        let (x, y) = (widen(x), widen(y));
        let mut plot = Self { body: open(title, HEIGHT), x, y };
        plot.body.push_str(r#"<g class="axes">"#);
        for (mark, name) in marks {
            let at = plot.px(*mark);
            let (low, text) = (HEIGHT - BOTTOM, HEIGHT - BOTTOM + 16.0);
            let _ = write!(
                plot.body,
                r#"<line x1="{at:.1}" x2="{at:.1}" y1="{TOP}" y2="{low}"/><text x="{at:.1}" y="{text}" text-anchor="middle">{}</text>"#,
                escape(name)
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
            escape(&shorten(x_label, 60)),
            escape(&shorten(y_label, 34))
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

    /// Columns from the foot of the plot: from, to, height, in data units.
    pub(super) fn columns(mut self, columns: impl IntoIterator<Item = (f64, f64, f64)>) -> Self {
        for (from, to, top) in columns {
            let (left, right, high) = (self.px(from), self.px(to), self.py(top));
            let (width, height) = ((right - left - 1.0).max(0.5), (HEIGHT - BOTTOM - high).max(0.0));
            let _ = write!(
                self.body,
                r#"<rect class="bar" x="{left:.1}" y="{high:.1}" width="{width:.1}" height="{height:.1}"/>"#
            );
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_lie_where_their_numbers_are() {
        // 480 units for 0 to 10 from 64 on, 244 units for 0 to 1 up from 256.
        let svg = Plot::new("t", "x", "y", (0.0, 10.0), (0.0, 1.0))
            .line("line", [(0.0, 0.0), (5.0, 0.5)])
            .columns([(0.0, 5.0, 1.0)])
            .finish();
        assert!(svg.contains(r#"points="64.0,256.0 304.0,134.0""#), "{svg}");
        assert!(svg.contains(r#"x="64.0" y="12.0" width="239.0" height="244.0""#), "{svg}");
        let named = Plot::over_names("t", "x", "y", &["<b>".into(), "two".into()], (0.0, 1.0)).finish();
        assert!(named.contains("&lt;b&gt;") && !named.contains("<b>"), "{named}");
    }
}
