use model::{
    FloatHistogram,
    histogram::{Error, Histogram, bounds},
};

/// The finest schema that is accepted; those above the finest known one are made coarser.
const RESERVED_SCHEMA_MAX: i32 = 52;

/// A native histogram as it was sent.
#[derive(Debug, Clone, PartialEq)]
pub enum HistogramValue {
    Integer(Box<Histogram>),
    Float(Box<FloatHistogram>),
}

impl HistogramValue {
    pub fn to_float(&self) -> FloatHistogram {
        match self {
            HistogramValue::Integer(histogram) => histogram.to_float(),
            HistogramValue::Float(histogram) => (**histogram).clone(),
        }
    }

    pub fn sum(&self) -> f64 {
        match self {
            HistogramValue::Integer(histogram) => histogram.sum,
            HistogramValue::Float(histogram) => histogram.sum,
        }
    }

    pub fn schema(&self) -> i32 {
        match self {
            HistogramValue::Integer(histogram) => histogram.schema,
            HistogramValue::Float(histogram) => histogram.schema,
        }
    }

    /// How many buckets it has, but for the one around zero.
    pub fn n_buckets(&self) -> usize {
        match self {
            HistogramValue::Integer(h) => h.positive_buckets.len() + h.negative_buckets.len(),
            HistogramValue::Float(h) => h.positive_buckets.len() + h.negative_buckets.len(),
        }
    }

    /// Makes buckets as coarse as those of `schema`.
    pub fn reduce_resolution(&mut self, schema: i32) -> Result<(), Error> {
        match self {
            HistogramValue::Integer(histogram) => histogram.reduce_resolution(schema),
            HistogramValue::Float(histogram) => histogram.reduce_resolution(schema),
        }
    }

    /// Makes a histogram of a finer schema than we know coarser, and checks that it makes sense.
    pub fn settle(&mut self) -> Result<(), Error> {
        if (bounds::SCHEMA_MAX + 1..=RESERVED_SCHEMA_MAX).contains(&self.schema()) {
            self.reduce_resolution(bounds::SCHEMA_MAX)?;
        }
        match self {
            HistogramValue::Integer(histogram) => histogram.validate(),
            HistogramValue::Float(histogram) => histogram.validate(),
        }
    }
}

impl From<Histogram> for HistogramValue {
    fn from(histogram: Histogram) -> HistogramValue {
        HistogramValue::Integer(Box::new(histogram))
    }
}

impl From<FloatHistogram> for HistogramValue {
    fn from(histogram: FloatHistogram) -> HistogramValue {
        HistogramValue::Float(Box::new(histogram))
    }
}
