use std::{sync::Arc, time::Duration};

use model::{FloatHistogram, Labels, Timestamp};
use storage::Columns;

/// What is tested: holds series and answers queries about them.
pub trait Subject {
    /// Forgets all series.
    fn clear(&mut self) -> Result<(), String>;

    /// Adds samples to those that are there.
    fn load(&mut self, series: Vec<LoadedSeries>) -> Result<(), String>;

    /// Evaluates a query at one moment. The error is the bare text of what is wrong.
    fn instant(&mut self, query: &str, time: Timestamp) -> Result<Answer, String>;

    /// Evaluates a query at `start`, `start + step`, … up to `end`.
    fn range(
        &mut self,
        query: &str,
        start: Timestamp,
        end: Timestamp,
        step: Duration,
    ) -> Result<Answer, String>;
}

/// Samples of one series.
#[derive(Debug, Clone, PartialEq)]
pub struct LoadedSeries {
    pub labels: Labels,
    pub samples: Columns,
}

/// What a query gave, with its annotations as clients see them.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    pub value: Value,
    pub warnings: Vec<String>,
    pub infos: Vec<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Scalar(f64),
    String(String),
    Vector(Vec<(Labels, Sample)>),
    Matrix(Vec<Series>),
}

#[derive(Debug, Clone, PartialEq)]
pub enum Sample {
    Float(f64),
    Histogram(Arc<FloatHistogram>),
}

/// One series of a matrix.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Series {
    pub labels: Labels,
    pub floats: Vec<(Timestamp, f64)>,
    pub histograms: Vec<(Timestamp, Arc<FloatHistogram>)>,
}
