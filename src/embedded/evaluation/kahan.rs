//! Sums and means that lose as little as those of Prometheus.

/// A sum with what its rounding lost so far.
/// Source: Prometheus 3, `util/kahansum`, `Inc`.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sum {
    pub(super) sum: f64,
    pub(super) lost: f64,
}

impl Sum {
    pub(super) fn add(self, value: f64) -> Sum {
        let sum = self.sum + value;
        let lost = if sum.is_infinite() {
            0.0
        } else if self.sum.abs() >= value.abs() {
            self.lost + ((self.sum - sum) + value)
        } else {
            self.lost + ((value - sum) + self.sum)
        };
        Sum { sum, lost }
    }

    pub(super) fn total(self) -> f64 {
        match self.sum.is_infinite() {
            true => self.sum,
            false => self.sum + self.lost,
        }
    }

    fn scaled(self, factor: f64) -> Sum {
        Sum {
            sum: self.sum * factor,
            lost: self.lost * factor,
        }
    }

    fn divided(self, count: f64) -> Sum {
        Sum {
            sum: self.sum / count,
            lost: self.lost / count,
        }
    }
}

pub(super) fn sum(values: impl Iterator<Item = f64>) -> f64 {
    values.fold(Sum::default(), Sum::add).total()
}

/// The sum divided by the count, unless the sum is out of range: from there on the mean goes from value to value.
/// Source: Prometheus 3, `promql/functions.go`, `funcAvgOverTime`.
pub(super) fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (mut count, mut sum, mut mean) = (0.0, Sum::default(), None);
    for value in values {
        count += 1.0;
        if mean.is_none() {
            let longer = if count == 1.0 {
                Sum {
                    sum: value,
                    lost: 0.0,
                }
            } else {
                sum.add(value)
            };
            if count == 1.0 || !longer.sum.is_infinite() {
                sum = longer;
                continue;
            }
        }
        let so_far = mean.unwrap_or_else(|| sum.divided(count - 1.0));
        mean = Some(so_far.scaled((count - 1.0) / count).add(value / count));
    }
    let mean = mean.unwrap_or_else(|| sum.divided(count));
    mean.sum + mean.lost
}

/// The variance over the whole population, in one pass.
/// Source: Prometheus 3, `promql/functions.go`, `varianceOverTime`.
pub(super) fn variance(values: impl Iterator<Item = f64>) -> f64 {
    let (mut count, mut mean, mut squares) = (0.0, Sum::default(), Sum::default());
    for value in values {
        count += 1.0;
        let delta = value - (mean.sum + mean.lost);
        mean = mean.add(delta / count);
        squares = squares.add(delta * (value - (mean.sum + mean.lost)));
    }
    (squares.sum + squares.lost) / count
}

#[cfg(test)]
mod tests {
    use super::{mean, sum};

    #[test]
    fn small_values_are_not_lost_beside_large_ones() {
        assert_eq!(sum([1e100, 1.0, -1e100].into_iter()), 1.0);
    }

    #[test]
    fn mean_of_the_largest_numbers_is_finite() {
        assert_eq!(mean([f64::MAX, f64::MAX].into_iter()), f64::MAX);
        assert_eq!(
            mean([f64::INFINITY, f64::NEG_INFINITY].into_iter()).to_string(),
            "NaN"
        );
    }
}
