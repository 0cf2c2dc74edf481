use std::sync::atomic::{AtomicU64, Ordering};

static COUNT: AtomicU64 = AtomicU64::new(0);

/// Says whether a condition that must never hold does hold: panics in debug builds, counts and
/// goes on in release builds.
///
/// ```ignore
/// if never!(group.is_empty()) { return }
/// ```
#[macro_export]
macro_rules! never {
    ($condition:expr) => {
        if $condition {
            $crate::report_never(stringify!($condition), file!(), line!());
            true
        } else {
            false
        }
    };
}

/// How many times [`never!`] held since the start of the process.
pub fn never_count() -> u64 {
    COUNT.load(Ordering::Relaxed)
}

/// The cold half of [`never!`].
#[cold]
pub fn report_never(condition: &str, file: &str, line: u32) {
    COUNT.fetch_add(1, Ordering::Relaxed);
    debug_assert!(false, "never: {condition} at {file}:{line}");
}
