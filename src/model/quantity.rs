//! Kubernetes quantities, to the thousandth.

use std::fmt;
use std::str::FromStr;

/// A number as Kubernetes prints it: `1500m`, `2`, `3k`. Held in thousandths.
///
/// Range: ±9223372036854775.807, beyond which the autoscaler's `MilliValue` overflows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Quantity {
    milli: i64,
}

impl Quantity {
    /// From thousandths.
    pub fn from_milli(milli: i64) -> Self {
        Quantity { milli }
    }

    /// Rounds half to even at the thousandth. `None` for NaN, infinities and anything out of range.
    ///
    /// What is rounded is the shortest decimal that names this float, which is the text a backend sends.
    /// Rounding `value * 1000.0` instead would judge ties by the float's error: `0.0005` lies a little above
    /// the half in binary, and the product is rounded once more on the way.
    pub fn from_f64(value: f64) -> Option<Self> {
        let milli = clear_milli(value).or_else(|| exact_milli(value))?;
        Some(Quantity::from_milli(milli))
    }

    /// In thousandths.
    pub fn milli(self) -> i64 {
        self.milli
    }

    /// Appends the canonical form, that of `Display`, without a formatter.
    pub fn push_to(self, text: &mut String) {
        let (number, suffix) = self.canonical();
        text.push_str(itoa::Buffer::new().format(number));
        text.push_str(suffix);
    }

    /// A whole number and the largest suffix that leaves one.
    fn canonical(self) -> (i64, &'static str) {
        match self.milli {
            0 => (0, ""),
            milli => shortest(milli, 1000, &["m", "", "k", "M", "G", "T", "P"]),
        }
    }
}

/// What is left of a number, not zero, with the largest suffix that leaves a whole one; each stands for so many of the
/// one before.
fn shortest(mut number: i64, base: i64, suffixes: &[&'static str]) -> (i64, &'static str) {
    let mut place = 0;
    while number % base == 0 && place + 1 < suffixes.len() {
        number /= base;
        place += 1;
    }
    (number, suffixes[place])
}

/// The nearest thousandth, where it is so clearly the nearest that the errors of floats cannot matter.
fn clear_milli(value: f64) -> Option<i64> {
    // Up to here the float and the product are together off by less than a thousandth of a thousandth.
    const MOST_MILLI: f64 = 1e12;
    let milli = value * 1000.0;
    let nearest = milli.round();
    let is_clear = milli.abs() < MOST_MILLI && (milli - nearest).abs() < 0.499;
    is_clear.then_some(nearest as i64)
}

fn exact_milli(value: f64) -> Option<i64> {
    let decimal = Decimal::parse(&format!("{value:e}")).ok()?;
    decimal.to_milli(Rounding::HalfToEven)
}

/// The canonical form: the largest suffix that leaves a whole number.
///
/// Source: apimachinery, `pkg/api/resource/quantity.go`, format DecimalSI.
impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (number, suffix) = self.canonical();
        write!(f, "{number}{suffix}")
    }
}

/// The canonical form of amounts of memory: the largest power of 1024 that leaves a whole number.
///
/// What is no whole number, and what is below 1024, has the plain form.
/// Source: apimachinery, `pkg/api/resource/quantity.go`, format BinarySI.
#[derive(Clone, Copy, Debug)]
pub struct Binary(pub Quantity);

impl fmt::Display for Binary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Binary(quantity) = self;
        let whole = quantity.milli / 1000;
        if quantity.milli % 1000 != 0 || whole.abs() < 1024 {
            return quantity.fmt(f);
        }
        let (number, suffix) = shortest(whole, 1024, &["", "Ki", "Mi", "Gi", "Ti", "Pi"]);
        write!(f, "{number}{suffix}")
    }
}

/// Why a text is not a quantity. The first two texts are those of Kubernetes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseQuantityError {
    /// There is no number in front, or something that is no suffix behind it.
    #[error("quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'")]
    Form,
    /// It looks like a suffix but is none: `1K`, `1mi`, `1e`.
    #[error("unable to parse quantity's suffix")]
    Suffix,
    /// Kubernetes would wrap around in silence here.
    #[error("the quantity is out of range: no more than 9223372036854775.807 can be held")]
    OutOfRange,
}

/// The grammar of Kubernetes with all three families of suffixes.
///
/// What is finer than a thousandth is rounded away from zero, as the autoscaler does when it reads a target.
/// Unlike in Kubernetes, a text without a digit (`-`, `.`, `m`) is an error and not zero.
impl FromStr for Quantity {
    type Err = ParseQuantityError;

    fn from_str(text: &str) -> Result<Self, ParseQuantityError> {
        Decimal::parse(text)?
            .to_milli(Rounding::AwayFromZero)
            .map(Quantity::from_milli)
            .ok_or(ParseQuantityError::OutOfRange)
    }
}

#[derive(Clone, Copy)]
enum Rounding {
    HalfToEven,
    AwayFromZero,
}

/// An exact decimal number: `digits` times ten to the `exponent`.
struct Decimal {
    negative: bool,
    /// Values 0 to 9, the first not 0; none for zero.
    digits: Vec<u8>,
    exponent: i64,
}

impl Decimal {
    fn parse(text: &str) -> Result<Self, ParseQuantityError> {
        let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
        let number_end = unsigned.find(|c: char| !c.is_ascii_digit() && c != '.');
        let (number, suffix) = unsigned.split_at(number_end.unwrap_or(unsigned.len()));
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let has_digit = !whole.is_empty() || !fraction.is_empty();
        if !has_digit || fraction.contains('.') {
            return Err(ParseQuantityError::Form);
        }
        let figures = whole.bytes().chain(fraction.bytes());
        let mut decimal = Decimal {
            negative: text.starts_with('-'),
            digits: figures.skip_while(|c| *c == b'0').map(|c| c - b'0').collect(),
            exponent: -(fraction.len() as i64),
        };
        match Factor::parse(suffix)? {
            Factor::PowerOfTen(power) => decimal.exponent = decimal.exponent.saturating_add(power),
            Factor::PowerOfTwo(power) => decimal.multiply(1 << power),
        }
        Ok(decimal)
    }

    fn multiply(&mut self, factor: u64) {
        let mut carry = 0_u128;
        for digit in self.digits.iter_mut().rev() {
            let product = u128::from(*digit) * u128::from(factor) + carry;
            *digit = (product % 10) as u8;
            carry = product / 10;
        }
        while carry > 0 {
            self.digits.insert(0, (carry % 10) as u8);
            carry /= 10;
        }
    }

    /// `None` if the number of thousandths does not fit.
    fn to_milli(&self, rounding: Rounding) -> Option<i64> {
        const MOST_DIGITS: i64 = 19;
        if self.digits.is_empty() {
            return Some(0);
        }
        let whole_digits = self
            .exponent
            .saturating_add(3)
            .saturating_add(self.digits.len() as i64);
        if whole_digits > MOST_DIGITS {
            return None;
        }
        let digit = |position: i64| self.digits.get(position as usize).copied().unwrap_or(0);
        let whole = (0..whole_digits).fold(0_i128, |sum, position| sum * 10 + i128::from(digit(position)));
        let up = match rounding {
            Rounding::AwayFromZero => self.has_digit_from(whole_digits),
            Rounding::HalfToEven if whole_digits < 0 => false,
            Rounding::HalfToEven => match digit(whole_digits) {
                5 => whole % 2 == 1 || self.has_digit_from(whole_digits + 1),
                next => next > 5,
            },
        };
        let magnitude = whole + i128::from(up);
        i64::try_from(if self.negative { -magnitude } else { magnitude }).ok()
    }

    /// Whether anything but zeros stands at this position or behind it.
    fn has_digit_from(&self, position: i64) -> bool {
        let start = usize::try_from(position).unwrap_or(0);
        self.digits.iter().skip(start).any(|digit| *digit != 0)
    }
}

/// What a suffix multiplies by.
enum Factor {
    PowerOfTen(i64),
    PowerOfTwo(u32),
}

impl Factor {
    fn parse(suffix: &str) -> Result<Self, ParseQuantityError> {
        Ok(match suffix {
            "n" => Factor::PowerOfTen(-9),
            "u" => Factor::PowerOfTen(-6),
            "m" => Factor::PowerOfTen(-3),
            "" => Factor::PowerOfTen(0),
            "k" => Factor::PowerOfTen(3),
            "M" => Factor::PowerOfTen(6),
            "G" => Factor::PowerOfTen(9),
            "T" => Factor::PowerOfTen(12),
            "P" => Factor::PowerOfTen(15),
            "E" => Factor::PowerOfTen(18),
            "Ki" => Factor::PowerOfTwo(10),
            "Mi" => Factor::PowerOfTwo(20),
            "Gi" => Factor::PowerOfTwo(30),
            "Ti" => Factor::PowerOfTwo(40),
            "Pi" => Factor::PowerOfTwo(50),
            "Ei" => Factor::PowerOfTwo(60),
            exponent => Factor::parse_exponent(exponent)?,
        })
    }

    fn parse_exponent(suffix: &str) -> Result<Self, ParseQuantityError> {
        let exponent = suffix
            .strip_prefix(['e', 'E'])
            .and_then(|power| power.parse().ok());
        if let Some(power) = exponent {
            return Ok(Factor::PowerOfTen(power));
        }
        let power = suffix.trim_start_matches(|c: char| "eEinumkKMGTP".contains(c));
        let figures = power.strip_prefix(['+', '-']).unwrap_or(power);
        match figures.bytes().all(|c| c.is_ascii_digit()) {
            true => Err(ParseQuantityError::Suffix),
            false => Err(ParseQuantityError::Form),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_clearly_nearest_is_what_the_decimal_rounds_to(
            whole in -1_000_000_000_i64..1_000_000_000,
            millionths in 0_u32..1_000_000,
            value in any::<f64>(),
        ) {
            let near_tie: f64 = format!("{whole}.{millionths:06}").parse().unwrap();
            for value in [near_tie, value] {
                if let Some(milli) = clear_milli(value) {
                    prop_assert_eq!(Some(milli), exact_milli(value), "{}", value);
                }
            }
        }
    }
}
