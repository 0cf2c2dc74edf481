use std::{collections::VecDeque, sync::Arc, time::Duration};

use parking_lot::Mutex;

use crate::{Reading, instruments::Instrument};

/// At most so many of the newest observations take part in the quantiles.
const WINDOW: usize = 2048;

/// Quantiles of the newest observations, sum and count of all. Cloning shares them.
///
/// Upstream estimates quantiles over ten minutes in a compressed form; here they are exact over the
/// newest 2,048 observations, which is what a dashboard looks at.
#[derive(Debug, Clone)]
pub struct Summary(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    quantiles: Vec<f64>,
    newest: VecDeque<f64>,
    sum: f64,
    count: u64,
}

impl Summary {
    pub(crate) fn new(quantiles: &[f64]) -> Summary {
        Summary(Arc::new(Mutex::new(State {
            quantiles: quantiles.to_vec(),
            newest: VecDeque::new(),
            sum: 0.0,
            count: 0,
        })))
    }

    pub fn observe(&self, value: f64) {
        let mut state = self.0.lock();
        state.sum += value;
        state.count += 1;
        if state.quantiles.is_empty() {
            return;
        }
        if state.newest.len() == WINDOW {
            state.newest.pop_front();
        }
        state.newest.push_back(value);
    }

    pub fn observe_duration(&self, duration: Duration) {
        self.observe(duration.as_secs_f64());
    }
}

impl Instrument for Summary {
    fn read(&self) -> Reading {
        let state = self.0.lock();
        let mut sorted: Vec<f64> = state.newest.iter().copied().collect();
        sorted.sort_by(f64::total_cmp);
        let value_at = |quantile: f64| {
            let rank = (quantile * sorted.len() as f64).ceil() as usize;
            sorted.get(rank.saturating_sub(1)).copied().unwrap_or(f64::NAN)
        };
        let quantiles = state.quantiles.iter().map(|q| (*q, value_at(*q))).collect();
        Reading::Summary { quantiles, sum: state.sum, count: state.count }
    }
}
