//! Parts of a date, and times of samples.

use crate::{
    Error, Result,
    budget::StepCounts,
    column::{Column, Track},
    eval::{Evaluator, Names, Scope, Sink, with_start_times, with_times},
    plan::{Call, Node, Op, Selector},
};

/// A moment in UTC, by the Gregorian calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Date {
    pub(crate) year: i64,
    pub(crate) month: i64,
    pub(crate) day: i64,
    pub(crate) hour: i64,
    pub(crate) minute: i64,
    pub(crate) second: i64,
    days_since_epoch: i64,
}

impl Date {
    /// The date of a Unix time.
    pub(crate) fn from_seconds(seconds: i64) -> Date {
        const DAY: i64 = 86_400;
        let days = seconds.div_euclid(DAY);
        let of_day = seconds.rem_euclid(DAY);
        // Years that begin in March, so that the leap day is the last; 400 of them repeat.
        let shifted = days + 719_468;
        let era = shifted.div_euclid(146_097);
        let of_era = shifted.rem_euclid(146_097);
        let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * of_year + 2) / 153;
        let day = of_year - (153 * month_from_march + 2) / 5 + 1;
        let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        Date {
            year,
            month,
            day,
            hour: of_day / 3600,
            minute: of_day / 60 % 60,
            second: of_day % 60,
            days_since_epoch: days,
        }
    }

    /// Sunday is 0.
    fn weekday(&self) -> i64 {
        (self.days_since_epoch + 4).rem_euclid(7)
    }

    fn is_leap_year(&self) -> bool {
        self.year % 4 == 0 && (self.year % 100 != 0 || self.year % 400 == 0)
    }

    fn day_of_year(&self) -> i64 {
        const BEFORE: [i64; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
        let leap_day = i64::from(self.month > 2 && self.is_leap_year());
        BEFORE[(self.month - 1) as usize] + self.day + leap_day
    }

    fn days_in_month(&self) -> i64 {
        match self.month {
            2 if self.is_leap_year() => 29,
            2 => 28,
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        }
    }
}

/// Defines functions of a vector of Unix times; without one, of the evaluation time.
macro_rules! date_parts {
    ($($name:ident: $part:expr;)*) => {$(
        pub(super) fn $name(
            evaluator: &Evaluator<'_>,
            call: &Call,
            scope: &Scope,
            sink: Sink<'_>,
        ) -> Result<()> {
            date_part(evaluator, call, scope, sink, $part)
        }
    )*};
}

date_parts! {
    day_of_month: |date| date.day;
    day_of_week: Date::weekday;
    day_of_year: Date::day_of_year;
    days_in_month: Date::days_in_month;
    hour: |date| date.hour;
    minute: |date| date.minute;
    month: |date| date.month;
    year: |date| date.year;
}

fn date_part(
    evaluator: &Evaluator<'_>,
    call: &Call,
    scope: &Scope,
    sink: Sink<'_>,
    part: impl Fn(&Date) -> i64,
) -> Result<()> {
    let of = |seconds: f64| part(&Date::from_seconds(seconds as i64)) as f64;
    let Some(arg) = call.args.first() else {
        let before = evaluator.budget.current();
        let steps = 0..scope.n_steps();
        let values = steps.map(|step| of((scope.steps.time(step) as f64 / 1000.0).trunc()));
        let track = Track::scalar(values.collect());
        evaluator.settle_scalars(before, 0, scope)?;
        return sink(track);
    };
    evaluator.map(arg, scope, sink, &mut |track| {
        track.column.drop_histograms();
        track.column.map_floats(of);
    })
}

/// When the samples were taken; of calculated values, when they were calculated.
pub(super) fn timestamp(
    evaluator: &Evaluator<'_>,
    call: &Call,
    scope: &Scope,
    sink: Sink<'_>,
) -> Result<()> {
    let arg = argument(call)?;
    if let Some(selector) = selector(arg) {
        return of_samples(evaluator, arg, scope, sink, &|take| {
            with_times(evaluator, selector, scope, take)
        });
    }
    evaluator.map(arg, scope, sink, &mut |track| {
        let mut times = Column::default();
        for (step, _) in track.column.cells() {
            times.set(step, scope.steps.time(step) as f64 / 1000.0);
        }
        track.column = times;
    })
}

/// When the counters of the samples began; calculated values have no such time.
pub(super) fn start_timestamp(
    evaluator: &Evaluator<'_>,
    call: &Call,
    scope: &Scope,
    sink: Sink<'_>,
) -> Result<()> {
    let arg = argument(call)?;
    match selector(arg) {
        Some(selector) => of_samples(evaluator, arg, scope, sink, &|take| {
            with_start_times(evaluator, selector, scope, take)
        }),
        None => evaluator.map(arg, scope, sink, &mut |track| track.column = Column::default()),
    }
}

fn of_samples(
    evaluator: &Evaluator<'_>,
    arg: &Node,
    scope: &Scope,
    sink: Sink<'_>,
    select: &dyn Fn(Sink<'_>) -> Result<()>,
) -> Result<()> {
    let before = evaluator.budget.current();
    let mut counts = StepCounts::new(scope.n_steps());
    let mut names = Names::new(evaluator, arg);
    select(&mut |track| {
        counts.input(&track.column);
        counts.output(&track.column);
        names.drop(track, sink)
    })?;
    counts.settle(&evaluator.budget, before)?;
    names.finish(sink)
}

fn argument(call: &Call) -> Result<&Node> {
    call.args.first().ok_or_else(|| Error::execution("instant vector expected"))
}

fn selector(node: &Node) -> Option<&Selector> {
    match &node.op {
        Op::Invariant(inner) => selector(inner),
        Op::Select(selector) => Some(selector),
        _ => None,
    }
}
