//! Quantities: what Kubernetes reads and prints.

use super::table;
use promql_adapter::model::{Binary, Quantity};
use proptest::prelude::*;

#[test]
fn texts_are_read_and_printed_as_kubernetes_does() {
    table::check("quantity.txt", |text| match text.parse::<Quantity>() {
        Ok(quantity) => quantity.to_string(),
        Err(error) => format!("error: {error}"),
    });
}

#[test]
fn floats_are_rounded_half_to_even_at_the_thousandth() {
    table::check("quantity-from-float.txt", |text| {
        match Quantity::from_f64(text.parse().unwrap()) {
            Some(quantity) => quantity.to_string(),
            None => "none".to_owned(),
        }
    });
}

#[test]
fn amounts_of_memory_are_printed_in_powers_of_1024() {
    table::check("quantity-binary.txt", |text| {
        Binary(text.parse().unwrap()).to_string()
    });
}

proptest! {
    #[test]
    fn what_is_printed_reads_back_as_the_same(milli in any::<i64>()) {
        let quantity = Quantity::from_milli(milli);
        prop_assert_eq!(quantity.to_string().parse(), Ok(quantity));
    }

    #[test]
    fn the_number_printed_has_no_trailing_thousand(milli in any::<i32>(), zeros in 0_u32..9) {
        let text = Quantity::from_milli(i64::from(milli) * 10_i64.pow(zeros)).to_string();
        prop_assert!(!text.contains(['+', '.']), "{text}");
        let number = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        prop_assert!(number == "0" || !number.ends_with("000"), "{text}");
        prop_assert!(number != "0" || text == "0", "{text}");
    }

    #[test]
    fn a_float_is_at_most_half_a_thousandth_away(value in -1e9..1e9_f64) {
        let quantity = Quantity::from_f64(value).unwrap();
        prop_assert!((quantity.milli() as f64 / 1000.0 - value).abs() <= 0.000_500_1);
    }

    #[test]
    fn no_text_panics(text in "[-+0-9.eEinumkKMGTP]{0,24}") {
        let _ = text.parse::<Quantity>();
    }
}
