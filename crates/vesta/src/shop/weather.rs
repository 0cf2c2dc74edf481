//! When requests fail and how long they take. Pure.

use std::time::Duration;

/// What customers ask for.
pub(crate) const PATHS: [&str; 4] = ["/", "/search", "/basket", "/pay"];

/// Every so long, paying goes wrong for a minute.
const PERIOD: Duration = Duration::from_secs(300);
const TROUBLE: std::ops::Range<u64> = 15..75;

pub(crate) struct Weather {
    /// When the shop opened, on the monotonic clock.
    pub(crate) opened: Duration,
}

impl Weather {
    /// Status code and latency of a request at `now`, by two dice in `0.0..1.0`.
    pub(crate) fn outcome(
        &self,
        path: &str,
        now: Duration,
        luck: f64,
        haste: f64,
    ) -> (u16, Duration) {
        let since_open = now.saturating_sub(self.opened).as_secs();
        let in_trouble = path == "/pay" && TROUBLE.contains(&(since_open % PERIOD.as_secs()));
        let error_ratio = if in_trouble { 0.3 } else { 0.005 };
        let code = if luck < error_ratio { 500 } else { 200 };
        let typical_ms = match path {
            "/" => 8.0,
            "/search" => 60.0,
            "/basket" => 20.0,
            _ => 110.0,
        };
        // Most requests are quick, a few take several times as long.
        let spread = 0.5 + haste + 4.0 * haste.powi(12);
        (code, Duration::from_secs_f64(typical_ms * spread / 1000.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str, second: u64, luck: f64, expected: u16) {
        let weather = Weather { opened: Duration::from_secs(100) };
        let now = Duration::from_secs(100 + second);
        assert_eq!(weather.outcome(path, now, luck, 0.5).0, expected, "{path} at {second} s");
    }

    #[test]
    fn paying_fails_for_a_minute_every_five() {
        check("/pay", 0, 0.2, 200);
        check("/pay", 15, 0.2, 500);
        check("/pay", 74, 0.2, 500);
        check("/pay", 75, 0.2, 200);
        check("/pay", 315, 0.2, 500);
        check("/search", 20, 0.2, 200);
        check("/search", 20, 0.001, 500);
    }
}
