//! A curve as a picture.

use std::fmt::Write as _;

/// Size of the picture and its margin, in pixels.
const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 240.0;
const MARGIN: f64 = 40.0;

/// Lines across, with their values.
const LINES: usize = 4;

/// Values at equal distances, from 0 upwards, as SVG.
pub(crate) fn svg(title: &str, values: &[f64]) -> String {
    let most = values.iter().copied().fold(1.0, f64::max) * 1.1;
    let y = |value: f64| HEIGHT - MARGIN - (HEIGHT - 2.0 * MARGIN) * value / most;
    let step = (WIDTH - 2.0 * MARGIN) / (values.len().max(2) - 1) as f64;
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" \
         font-size=\"12\">\n<rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"white\"/>\n\
         <text x=\"{MARGIN}\" y=\"20\">{title}</text>\n"
    );
    for line in 0..=LINES {
        let value = most * line as f64 / LINES as f64;
        let (y, right) = (y(value), WIDTH - MARGIN);
        writeln!(
            text,
            "<line x1=\"{MARGIN}\" y1=\"{y:.1}\" x2=\"{right}\" y2=\"{y:.1}\" stroke=\"#ccc\"/>\
             <text x=\"4\" y=\"{y:.1}\">{value:.1}</text>"
        )
        .unwrap();
    }
    let points = values.iter().enumerate();
    let points = points.map(|(at, value)| format!("{:.1},{:.1}", MARGIN + step * at as f64, y(*value)));
    let points: Vec<String> = points.collect();
    text + &format!(
        "<polyline points=\"{}\" fill=\"none\" stroke=\"#06c\"/>\n</svg>\n",
        points.join(" ")
    )
}
