//! How much a query may take: samples, bytes, time, and the patience of its caller.

mod memory;

use std::{
    cell::Cell,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use model::float::is_stale;
use runtime::Clock;

use crate::{Error, Result, column::Column};

pub(crate) use memory::{Held, Memory};

/// The caller's way to end a query; all clones are one.
#[derive(Debug, Clone, Default)]
pub struct Cancel(Arc<AtomicBool>);

/// What others share with it.
impl From<Arc<AtomicBool>> for Cancel {
    fn from(flag: Arc<AtomicBool>) -> Cancel {
        Cancel(flag)
    }
}

impl Cancel {
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    pub fn is_canceled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Ends a query whose time is over or whose caller has gone. Asked between series.
pub(crate) struct Guard {
    pub(crate) clock: Arc<dyn Clock>,
    /// On the clock's monotonic time.
    pub(crate) deadline: Option<Duration>,
    pub(crate) cancel: Cancel,
}

impl Guard {
    pub(crate) fn check(&self) -> Result<()> {
        if self.cancel.is_canceled() {
            return Err(Error::Canceled("expression evaluation"));
        }
        if self.deadline.is_some_and(|deadline| self.clock.monotonic() >= deadline) {
            return Err(Error::Timeout("expression evaluation"));
        }
        Ok(())
    }
}

/// Counts samples as upstream holds them: whole intermediate results, although series pass
/// through here one at a time. So a limit means the same in both.
pub(crate) struct Budget {
    max: u64,
    current: Cell<u64>,
    peak: Cell<u64>,
}

impl Budget {
    pub(crate) fn new(max: u64) -> Budget {
        Budget { max, current: Cell::new(0), peak: Cell::new(0) }
    }

    pub(crate) fn current(&self) -> u64 {
        self.current.get()
    }

    pub(crate) fn peak(&self) -> u64 {
        self.peak.get()
    }

    /// Takes samples into account for good.
    pub(crate) fn hold(&self, samples: u64) -> Result<()> {
        self.current.set(self.current.get() + samples);
        self.pass(0)
    }

    /// Takes samples into account that are held for a moment beside what is held now.
    pub(crate) fn pass(&self, samples: u64) -> Result<()> {
        let level = self.current.get() + samples;
        self.peak.set(self.peak.get().max(level));
        if level > self.max { Err(Error::TooManySamples) } else { Ok(()) }
    }

    /// Says whether so many samples could be held, without holding them.
    pub(crate) fn allows(&self, level: u64) -> Result<()> {
        if level > self.max { Err(Error::TooManySamples) } else { Ok(()) }
    }

    /// Says whether so many steps can be gone through: a scalar has a number at each.
    pub(crate) fn allows_steps(&self, n_steps: usize) -> Result<()> {
        const ALWAYS: u64 = 1 << 20;
        if n_steps as u64 <= ALWAYS { Ok(()) } else { self.allows(n_steps as u64) }
    }

    /// Goes back to `level`, which was [`Budget::current`] before.
    pub(crate) fn set(&self, level: u64) {
        self.current.set(level);
        self.peak.set(self.peak.get().max(level));
    }
}

/// Adds one for each step that has a float.
fn count_floats(counts: &mut [u32], column: &Column) {
    let (first, floats) = column.run();
    for (count, float) in counts.iter_mut().skip(first).zip(floats) {
        *count += u32::from(!is_stale(*float));
    }
}

/// Samples that go into and come out of an operator at each step.
///
/// Upstream evaluates such an operator step by step: it holds its inputs for one step and its
/// output up to that step.
#[derive(Debug, Default)]
pub(crate) struct StepCounts {
    inputs: Vec<u32>,
    outputs: Vec<u32>,
}

impl StepCounts {
    pub(crate) fn new(n_steps: usize) -> StepCounts {
        StepCounts { inputs: vec![0; n_steps], outputs: vec![0; n_steps] }
    }

    pub(crate) fn input(&mut self, column: &Column) {
        if !column.has_histograms() {
            return count_floats(&mut self.inputs, column);
        }
        for (step, _) in column.cells() {
            self.inputs[step] += 1;
        }
    }

    pub(crate) fn output(&mut self, column: &Column) {
        if !column.has_histograms() {
            return count_floats(&mut self.outputs, column);
        }
        for (step, cell) in column.cells() {
            self.outputs[step] += cell.weight() as u32;
        }
    }

    /// One float at every step.
    pub(crate) fn input_scalar(&mut self) {
        self.inputs.iter_mut().for_each(|count| *count += 1);
    }

    pub(crate) fn output_scalar(&mut self) {
        self.outputs.iter_mut().for_each(|count| *count += 1);
    }

    /// Accounts for the operator, whose inputs are held on top of `before`; leaves its output.
    pub(crate) fn settle(&self, budget: &Budget, before: u64) -> Result<()> {
        let mut outputs_so_far = 0;
        for (inputs, outputs) in self.inputs.iter().zip(&self.outputs) {
            outputs_so_far += u64::from(*outputs);
            budget.pass(u64::from(*inputs) + outputs_so_far)?;
        }
        budget.set(before + outputs_so_far);
        Ok(())
    }
}
