//! Where 3.14 judges otherwise than 2.42, and why.

/// What 3.14 does that 2.42 does not.
pub struct Difference {
    pub reason: &'static str,
    /// By name.
    pub cases: &'static [&'static str],
}

/// Every case that is not listed is judged the same.
pub const DIFFERENCES: &[Difference] = &[];

/// Why a case is judged otherwise; nothing if it is not.
pub fn reason(case: &str) -> Option<&'static str> {
    let difference = DIFFERENCES.iter().find(|difference| difference.cases.contains(&case));
    difference.map(|difference| difference.reason)
}
