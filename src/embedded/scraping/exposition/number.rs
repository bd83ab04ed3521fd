//! Numbers as Go reads and writes them.

/// Reads a value.
///
/// Source: Prometheus 3, `model/textparse`, `parseFloat`, and Go, `strconv.ParseFloat`: neither a sign before `NaN`,
/// nor digits that are too many for a number.
pub(super) fn read(text: &str) -> Option<f64> {
    let value: f64 = text.parse().ok()?;
    let is_word = text.contains(['n', 'N']);
    let is_signed = text.starts_with(['+', '-']);
    let fits = match (value.is_finite(), is_word) {
        (true, _) => true,
        (false, true) => !(value.is_nan() && is_signed),
        (false, false) => false,
    };
    fits.then_some(value)
}

/// Writes a bound of a bucket or a quantile as it stands in a label: `0.5`, `1.0`, `1e+06`, `+Inf`.
///
/// Source: Prometheus 3, `model/textparse`, `formatOpenMetricsFloat`, and Go, `strconv.FormatFloat` with `'g', -1`.
pub(super) fn write(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    if value == 0.0 {
        return "0.0".to_owned();
    }
    let scientific = format!("{value:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    match exponent.parse::<i32>().unwrap_or_default() {
        exponent @ (..-4 | 6..) => {
            let sign = if exponent < 0 { '-' } else { '+' };
            format!("{digits}e{sign}{:02}", exponent.abs())
        }
        _ => {
            let plain = value.to_string();
            if plain.contains('.') { plain } else { plain + ".0" }
        }
    }
}
