//! The steps of an evaluation, and what was looked at there.

use std::cell::{Ref, RefCell, RefMut};

use model::float::is_stale;

use crate::{column::Column, steps::Steps};

/// The steps at which an expression is evaluated, and what was looked at there.
pub(crate) struct Scope {
    pub(crate) steps: Steps,
    tally: RefCell<Tally>,
}

/// Samples by step.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tally {
    /// Looked at, again at each step.
    pub(crate) total: Vec<u64>,
    /// Read, once.
    pub(crate) read: Vec<u64>,
}

impl Tally {
    /// What a tally of so many steps takes.
    pub(super) fn bytes(n_steps: usize) -> u64 {
        2 * size_of::<u64>() as u64 * n_steps as u64
    }

    pub(crate) fn new(n_steps: usize) -> Tally {
        Tally { total: vec![0; n_steps], read: vec![0; n_steps] }
    }

    /// Each value was read and looked at at its step.
    pub(super) fn count(&mut self, column: &Column) {
        if !column.has_histograms() {
            let (first, floats) = column.run();
            let counts = self.total.iter_mut().zip(&mut self.read).skip(first);
            for ((total, read), float) in counts.zip(floats) {
                let there = u64::from(!is_stale(*float));
                *total += there;
                *read += there;
            }
            return;
        }
        for (step, cell) in column.cells() {
            self.total[step] += cell.weight();
            self.read[step] += cell.weight();
        }
    }

    pub(super) fn add(&mut self, other: &Tally) {
        self.total.iter_mut().zip(&other.total).for_each(|(sum, n)| *sum += n);
        self.read.iter_mut().zip(&other.read).for_each(|(sum, n)| *sum += n);
    }
}

impl Scope {
    pub(crate) fn new(steps: Steps) -> Scope {
        Scope { steps, tally: RefCell::new(Tally::new(steps.count)) }
    }

    /// What the room for each step takes: here, and in the operators above.
    pub(crate) fn bytes(steps: &Steps) -> u64 {
        64 * steps.count as u64
    }

    pub(crate) fn n_steps(&self) -> usize {
        self.steps.count
    }

    pub(crate) fn tally(&self) -> Ref<'_, Tally> {
        self.tally.borrow()
    }

    pub(crate) fn tally_mut(&self) -> RefMut<'_, Tally> {
        self.tally.borrow_mut()
    }

    /// The first step, alone.
    pub(super) fn first(&self) -> Scope {
        Scope::new(Steps { count: 1, ..self.steps })
    }
}
