//! Samples as Prometheus takes them from outside: a few messages of protobuf, compressed by not being compressed.
//!
//! Unlike what is scraped, the times are as chosen, and a series can end.
//! Source: Prometheus 3, `prompb/remote.proto` and `prompb/types.proto`; snappy, `format_description.txt`.

use super::notation::Step;
use super::recorded::Recorded;

/// The pattern of a staleness marker.
/// Source: Prometheus 3, `model/value/value.go`, `StaleNaN`.
const STALE: u64 = 0x7ff0_0000_0000_0002;

/// The body of a request that writes these series.
pub(crate) fn body(series: &[Recorded]) -> Vec<u8> {
    let mut request = Vec::new();
    for recorded in series.iter().filter(|recorded| !recorded.samples.is_empty()) {
        field(&mut request, 1, &time_series(recorded));
    }
    in_snappy(&request)
}

fn time_series(recorded: &Recorded) -> Vec<u8> {
    let mut message = Vec::new();
    for (name, value) in recorded.labels.iter() {
        let mut label = Vec::new();
        field(&mut label, 1, name.as_bytes());
        field(&mut label, 2, value.as_bytes());
        field(&mut message, 1, &label);
    }
    for (at_ms, step) in &recorded.samples {
        let bits = match step {
            Step::Value(value) => value.to_bits(),
            Step::Stale => STALE,
            Step::Missing | Step::Histogram => continue,
        };
        let mut sample = vec![1 << 3 | 1];
        sample.extend(bits.to_le_bytes());
        sample.push(2 << 3);
        varint(&mut sample, *at_ms as u64);
        field(&mut message, 2, &sample);
    }
    message
}

/// A field whose value has a length.
fn field(message: &mut Vec<u8>, number: u64, value: &[u8]) {
    varint(message, number << 3 | 2);
    varint(message, value.len() as u64);
    message.extend(value);
}

fn varint(message: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        message.push(number as u8 | 0x80);
        number >>= 7;
    }
    message.push(number as u8);
}

/// Literals of at most 64 KiB.
fn in_snappy(bytes: &[u8]) -> Vec<u8> {
    let mut compressed = Vec::new();
    varint(&mut compressed, bytes.len() as u64);
    for literal in bytes.chunks(1 << 16) {
        compressed.push(61 << 2);
        compressed.extend(((literal.len() - 1) as u16).to_le_bytes());
        compressed.extend(literal);
    }
    compressed
}
