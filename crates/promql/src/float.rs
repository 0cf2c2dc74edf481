//! Arithmetic that must give upstream's bits.

pub(crate) use model::float::KahanSum as Sum;

/// A mean: the sum over the count, or, once the sum would overflow, the mean carried along.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mean {
    count: f64,
    sum: Sum,
    incremental: bool,
}

impl Mean {
    pub(crate) fn of(first: f64) -> Mean {
        Mean { count: 1.0, sum: Sum { value: first, compensation: 0.0 }, incremental: false }
    }

    pub(crate) fn add(&mut self, value: f64) {
        self.count += 1.0;
        if !self.incremental {
            let sum = self.sum.plus(value);
            if !sum.value.is_infinite() {
                self.sum = sum;
                return;
            }
            self.incremental = true;
            self.sum.value /= self.count - 1.0;
            self.sum.compensation /= self.count - 1.0;
        }
        let share = (self.count - 1.0) / self.count;
        let scaled =
            Sum { value: share * self.sum.value, compensation: share * self.sum.compensation };
        self.sum = scaled.plus(value / self.count);
    }

    pub(crate) fn result(self) -> f64 {
        if self.incremental {
            return self.sum.total();
        }
        self.sum.value / self.count + self.sum.compensation / self.count
    }
}

/// The φ-quantile of `values`, which are sorted in passing; between two values it interpolates.
pub(crate) fn quantile(phi: f64, values: &mut [f64]) -> f64 {
    if values.is_empty() || phi.is_nan() {
        return f64::NAN;
    }
    if phi < 0.0 {
        return f64::NEG_INFINITY;
    }
    if phi > 1.0 {
        return f64::INFINITY;
    }
    // NaN sorts first.
    values.sort_by(|a, b| match (a.is_nan(), b.is_nan()) {
        (false, false) => a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal),
        (a_nan, b_nan) => b_nan.cmp(&a_nan),
    });
    let last = values.len() as f64 - 1.0;
    let rank = phi * last;
    let lower = rank.floor().max(0.0);
    let upper = (lower + 1.0).min(last);
    let weight = rank - rank.floor();
    values[lower as usize] * (1.0 - weight) + values[upper as usize] * weight
}

/// Go's `math.Min`: NaN wins.
pub(crate) fn min(a: f64, b: f64) -> f64 {
    if a == f64::NEG_INFINITY || b == f64::NEG_INFINITY {
        f64::NEG_INFINITY
    } else if a.is_nan() || b.is_nan() {
        f64::NAN
    } else if a == b {
        // Two zeros: the negative one is less.
        if a.is_sign_negative() { a } else { b }
    } else {
        a.min(b)
    }
}

/// Go's `math.Max`: NaN wins.
pub(crate) fn max(a: f64, b: f64) -> f64 {
    if a == f64::INFINITY || b == f64::INFINITY {
        f64::INFINITY
    } else if a.is_nan() || b.is_nan() {
        f64::NAN
    } else if a == b {
        if a.is_sign_negative() { b } else { a }
    } else {
        a.max(b)
    }
}

/// Slope and value at `origin` of the line through the points, by least squares. Times are
/// milliseconds, the slope is per second.
pub(crate) fn linear_regression(times: &[i64], values: &[f64], origin: i64) -> (f64, f64) {
    let (mut sum_x, mut sum_y, mut sum_xy, mut sum_xx) =
        (Sum::default(), Sum::default(), Sum::default(), Sum::default());
    for (time, y) in times.iter().zip(values) {
        let x = (time - origin) as f64 / 1e3;
        sum_x.add(x);
        sum_y.add(*y);
        sum_xy.add(x * y);
        sum_xx.add(x * x);
    }
    let first = values[0];
    let is_constant = values.iter().all(|value| *value == first) || values.len() == 1;
    if is_constant {
        if first.is_infinite() {
            return (f64::NAN, f64::NAN);
        }
        return (0.0, first);
    }
    let n = values.len() as f64;
    let (x, y, xy, xx) = (sum_x.total(), sum_y.total(), sum_xy.total(), sum_xx.total());
    let covariance = xy - x * y / n;
    let variance = xx - x * x / n;
    let slope = covariance / variance;
    (slope, y / n - slope * x / n)
}
