/// A metric family as gathered: a name, and a reading for each set of labels.
#[derive(Debug, Clone, PartialEq)]
pub struct Family {
    pub name: String,
    pub help: String,
    pub kind: Kind,
    pub metrics: Vec<Metric>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Counter,
    Gauge,
    Histogram,
    Summary,
    Untyped,
}

/// One reading with its labels, sorted by name.
#[derive(Debug, Clone, PartialEq)]
pub struct Metric {
    pub labels: Vec<(String, String)>,
    pub reading: Reading,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Reading {
    Value(f64),
    /// Buckets are cumulative and without `+Inf`, which is `count`.
    Histogram {
        buckets: Vec<Bucket>,
        sum: f64,
        count: u64,
    },
    /// Quantile and its value, ascending.
    Summary {
        quantiles: Vec<(f64, f64)>,
        sum: f64,
        count: u64,
    },
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bucket {
    pub upper_bound: f64,
    pub cumulative_count: u64,
}

impl Family {
    pub fn new(name: &str, help: &str, kind: Kind) -> Family {
        Family { name: name.to_owned(), help: help.to_owned(), kind, metrics: Vec::new() }
    }

    /// A family of one reading without labels.
    pub fn single(name: &str, help: &str, kind: Kind, value: f64) -> Family {
        Family::new(name, help, kind).with(&[], value)
    }

    /// The family with one more reading.
    #[must_use]
    pub fn with(mut self, labels: &[(&str, &str)], value: f64) -> Family {
        self.push(labels, value);
        self
    }

    pub fn push(&mut self, labels: &[(&str, &str)], value: f64) {
        let mut labels: Vec<_> =
            labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        labels.sort();
        self.metrics.push(Metric { labels, reading: Reading::Value(value) });
    }
}
