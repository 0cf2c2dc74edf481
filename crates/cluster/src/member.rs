use std::{fmt, str::FromStr, time::Duration};

use ulid::Ulid;

/// Who a member is, for as long as its data directory lives: a ULID. The lower one is the older.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MemberId(pub u128);

impl MemberId {
    /// A new one, as of `wall` time, that nobody else has.
    pub fn new(wall: Duration, random: &dyn runtime::Random) -> MemberId {
        let mut bytes = [0; 16];
        random.fill(&mut bytes);
        let millis = u64::try_from(wall.as_millis()).unwrap_or(u64::MAX);
        MemberId(Ulid::from_parts(millis, u128::from_ne_bytes(bytes)).0)
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<MemberId> {
        bytes.try_into().ok().map(u128::from_be_bytes).map(MemberId)
    }

    pub(crate) fn to_bytes(self) -> Vec<u8> {
        self.0.to_be_bytes().to_vec()
    }
}

impl fmt::Display for MemberId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ulid(self.0).fmt(f)
    }
}

impl FromStr for MemberId {
    type Err = ulid::DecodeError;

    fn from_str(text: &str) -> Result<MemberId, ulid::DecodeError> {
        Ok(MemberId(Ulid::from_string(text)?.0))
    }
}

/// What both clocks of this machine say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// Never goes back; everything is timed with it.
    pub monotonic: Duration,
    /// Since the Unix epoch; may jump. Only compared with those of other members, and with slots.
    pub wall: Duration,
}

impl Moment {
    /// Now.
    pub fn of(clock: &dyn runtime::Clock) -> Moment {
        Moment { monotonic: clock.monotonic(), wall: clock.now() }
    }
}
