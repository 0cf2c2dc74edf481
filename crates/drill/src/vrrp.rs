//! What keepalived would do: VRRP between two machines, and the notify scripts of the recipe that
//! start and stop the Prometheus of a machine. Pure.
//!
//! Follows RFC 5798: a backup that hears nothing for three advertisements and a skew becomes master;
//! the higher priority takes over again when it returns (keepalived's default, `preempt`).

#[cfg(test)]
mod tests;

/// keepalived's `advert_int 1`.
pub(crate) const ADVERT_MS: i64 = 1000;
/// As often as the check of the recipe must fail (`fall 2`).
const FALL: u32 = 2;
/// Until the service manager has started a keepalived again that gave up.
const RETURN_MS: i64 = 5000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// The machine is off, or keepalived is stopped.
    Away,
    /// The check failed; back at this time.
    Fault {
        until_ms: i64,
    },
    Backup {
        master_down_ms: i64,
    },
    Master {
        advert_ms: i64,
    },
}

/// One machine's keepalived.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) priority: u8,
    pub(crate) state: State,
    failed_checks: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Input {
    Tick,
    /// The other machine says that it is master; 0: no longer.
    Advert {
        priority: u8,
    },
    /// Whether this machine's Prometheus answers.
    Check(bool),
    /// keepalived starts.
    Join,
    /// keepalived is stopped as it should be.
    Leave,
    /// The machine is gone at once.
    Vanish,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Output {
    Advert {
        priority: u8,
    },
    /// `notify_master`: start Prometheus.
    Start,
    /// `notify_backup`, `notify_fault`, `notify_stop`: stop Prometheus.
    Stop,
}

impl Node {
    pub(crate) fn new(priority: u8) -> Node {
        Node { priority, state: State::Away, failed_checks: 0 }
    }

    pub(crate) fn is_master(&self) -> bool {
        matches!(self.state, State::Master { .. })
    }

    pub(crate) fn handle(&mut self, now_ms: i64, input: Input) -> Vec<Output> {
        match (input, self.state) {
            (Input::Vanish, _) => {
                self.state = State::Away;
                Vec::new()
            }
            (Input::Join, State::Away) => {
                self.state = self.backup(now_ms);
                Vec::new()
            }
            (Input::Leave, State::Away) => Vec::new(),
            (Input::Leave, _) => self.step_down(State::Away),
            (Input::Tick, State::Fault { until_ms }) if now_ms >= until_ms => {
                self.state = self.backup(now_ms);
                Vec::new()
            }
            (Input::Tick, State::Backup { master_down_ms }) if now_ms >= master_down_ms => {
                self.state = State::Master { advert_ms: now_ms + ADVERT_MS };
                self.failed_checks = 0;
                vec![Output::Advert { priority: self.priority }, Output::Start]
            }
            (Input::Tick, State::Master { advert_ms }) if now_ms >= advert_ms => {
                self.state = State::Master { advert_ms: now_ms + ADVERT_MS };
                vec![Output::Advert { priority: self.priority }]
            }
            (Input::Advert { priority: 0 }, State::Backup { .. }) => {
                self.state = State::Backup { master_down_ms: now_ms + self.skew_ms() };
                Vec::new()
            }
            (Input::Advert { priority }, State::Backup { .. }) if priority >= self.priority => {
                self.state = self.backup(now_ms);
                Vec::new()
            }
            (Input::Advert { priority }, State::Master { .. }) if priority > self.priority => {
                self.state = self.backup(now_ms);
                vec![Output::Stop]
            }
            (Input::Check(false), State::Master { .. }) => {
                self.failed_checks += 1;
                match self.failed_checks >= FALL {
                    true => self.step_down(State::Fault { until_ms: now_ms + RETURN_MS }),
                    false => Vec::new(),
                }
            }
            (Input::Check(true), _) => {
                self.failed_checks = 0;
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    fn step_down(&mut self, state: State) -> Vec<Output> {
        let was_master = self.is_master();
        self.state = state;
        match was_master {
            true => vec![Output::Advert { priority: 0 }, Output::Stop],
            false => Vec::new(),
        }
    }

    fn backup(&self, now_ms: i64) -> State {
        State::Backup { master_down_ms: now_ms + 3 * ADVERT_MS + self.skew_ms() }
    }

    fn skew_ms(&self) -> i64 {
        (256 - i64::from(self.priority)) * ADVERT_MS / 256
    }
}
