//! Native histograms: which ones are wanted, and how fine they may be.

use exposition::{
    Series,
    protobuf::{self, NativeHistogram},
};
use model::histogram::bounds::{self, SCHEMA_MAX, SCHEMA_MIN};
use storage::{AppendError, HistogramValue, SeriesRef};

use super::{Ingest, IngestError, Value};

/// Which forms of a target's histograms are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Forms {
    /// Native ones where there are any; then the classic series of the same are left out.
    pub(crate) native: bool,
    /// Classic ones in any case.
    pub(crate) always_classic: bool,
    /// Classic ones become native ones with custom buckets.
    pub(crate) converts_to_custom_buckets: bool,
}

impl Forms {
    pub(super) fn of_protobuf(self) -> protobuf::Options {
        protobuf::Options {
            native_histograms: self.native,
            classic_histograms: self.always_classic,
        }
    }
}

impl Ingest<'_> {
    /// Takes a native histogram in, as coarse as the limits want it.
    pub(super) fn histogram(
        &mut self,
        series: &Series<'_>,
        histogram: NativeHistogram,
    ) -> Result<Option<SeriesRef>, IngestError> {
        let mut histogram = match histogram {
            NativeHistogram::Integer(histogram) => HistogramValue::from(histogram),
            NativeHistogram::Float(histogram) => HistogramValue::from(histogram),
        };
        let config = self.context.config;
        let limits = Limits {
            n_buckets: usize::try_from(config.native_histogram_bucket_limit).unwrap_or(usize::MAX),
            schema: schema_of_factor(config.native_histogram_min_bucket_factor),
        };
        let fits = limits.apply(&mut histogram).and_then(|fits| {
            histogram.settle()?;
            Ok(fits)
        });
        match fits {
            Ok(true) => {}
            // The rest is still read, so that the counts are right.
            Ok(false) => self.has_too_many_buckets = true,
            Err(error) => return Err(AppendError::InvalidHistogram(error.to_string()).into()),
        }
        self.series_with_metadata(series, Value::Histogram(histogram))
    }
}

/// How fine a histogram may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Zero for no limit.
    pub(crate) n_buckets: usize,
    pub(crate) schema: i32,
}

impl Limits {
    /// Makes buckets coarser until they keep the limits; says whether they do.
    pub(crate) fn apply(
        &self,
        histogram: &mut HistogramValue,
    ) -> Result<bool, model::histogram::Error> {
        // Those of reserved schemas are exponential, too.
        let is_exponential = histogram.schema() >= SCHEMA_MIN;
        if is_exponential && histogram.schema() > self.schema {
            histogram.reduce_resolution(self.schema)?;
        }
        if self.n_buckets == 0 {
            return Ok(true);
        }
        while histogram.n_buckets() > self.n_buckets {
            let coarser = histogram.schema() - 1;
            if !bounds::is_exponential(coarser) {
                return Ok(false);
            }
            histogram.reduce_resolution(coarser)?;
        }
        Ok(true)
    }
}

/// The finest schema of which each bucket is at least so much wider than the one before.
pub(crate) fn schema_of_factor(factor: f64) -> i32 {
    if factor <= 1.0 {
        return SCHEMA_MAX;
    }
    let schema = -factor.log2().log2();
    schema.floor().clamp(f64::from(SCHEMA_MIN), f64::from(SCHEMA_MAX)) as i32
}
