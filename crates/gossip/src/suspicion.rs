use std::time::Duration;

/// The shortest suspicion lasts so many probe intervals.
const MULTIPLIER: u32 = 4;
/// The longest lasts so many times the shortest.
const LONGEST: u32 = 6;

/// How long a node has to say that it is alive. The more others suspect it, too, the shorter. From
/// Lifeguard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Suspicion {
    n_wanted: usize,
    shortest: Duration,
    longest: Duration,
    since: Duration,
    /// The first is who began; at most `n_wanted` more.
    accusers: Vec<String>,
}

impl Suspicion {
    /// In a cluster of so many nodes.
    pub(crate) fn new(
        from: &str,
        now: Duration,
        n_nodes: usize,
        probe_interval: Duration,
    ) -> Suspicion {
        let shortest = shortest(MULTIPLIER, n_nodes, probe_interval);
        // Who is suspected and who suspects cannot confirm it.
        let n_others = n_nodes.saturating_sub(2);
        let n_wanted = MULTIPLIER as usize - 2;
        let n_wanted = if n_others < n_wanted { 0 } else { n_wanted };
        Suspicion::between(from, now, n_wanted, (shortest, shortest * LONGEST))
    }

    pub(crate) fn between(
        from: &str,
        now: Duration,
        n_wanted: usize,
        (shortest, longest): (Duration, Duration),
    ) -> Suspicion {
        Suspicion { n_wanted, shortest, longest, since: now, accusers: vec![from.to_owned()] }
    }

    /// Notes who suspects the node, too; says whether that counts.
    pub(crate) fn confirm(&mut self, from: &str) -> bool {
        let is_news = self.n_confirmations() < self.n_wanted
            && !self.accusers.iter().any(|accuser| accuser == from);
        if is_news {
            self.accusers.push(from.to_owned());
        }
        is_news
    }

    pub(crate) fn n_confirmations(&self) -> usize {
        self.accusers.len() - 1
    }

    /// When the node counts as dead.
    pub(crate) fn deadline(&self) -> Duration {
        let lasts = if self.n_wanted == 0 {
            self.shortest
        } else {
            lasts(self.n_confirmations(), self.n_wanted, self.shortest, self.longest)
        };
        self.since + lasts
    }
}

/// The suspicion in all, after so many of the wanted confirmations.
pub(crate) fn lasts(
    n_confirmations: usize,
    n_wanted: usize,
    shortest: Duration,
    longest: Duration,
) -> Duration {
    let share = (n_confirmations as f64 + 1.0).ln() / (n_wanted as f64 + 1.0).ln();
    let seconds = longest.as_secs_f64() - share * (longest.as_secs_f64() - shortest.as_secs_f64());
    // Whole milliseconds, as upstream counts.
    let millis = (1000.0 * seconds).floor().max(0.0) as u64;
    Duration::from_millis(millis).max(shortest)
}

/// Longer in larger clusters, where news needs longer.
pub(crate) fn shortest(multiplier: u32, n_nodes: usize, probe_interval: Duration) -> Duration {
    let scale = (n_nodes.max(1) as f64).log10().max(1.0);
    probe_interval * multiplier * ((scale * 1000.0) as u32) / 1000
}
