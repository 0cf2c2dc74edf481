//! Classic histograms of a load block as native ones with custom bounds.

use std::collections::BTreeMap;

use model::{
    Labels, LabelsBuilder, METRIC_NAME,
    float::is_stale,
    histogram::{ClassicBuckets, ClassicError},
};
use storage::Columns;

use crate::LoadedSeries;

/// By the labels of the native histogram, then by time.
type Collected = BTreeMap<Labels, BTreeMap<i64, ClassicBuckets>>;

/// The native histograms that the `_bucket`, `_count` and `_sum` series among `series` make.
pub(crate) fn derive(series: &BTreeMap<Labels, Columns>) -> Result<Vec<LoadedSeries>, String> {
    let mut collected = Collected::new();
    for (labels, samples) in series {
        collect(labels, samples, &mut collected)
            .map_err(|error| format!("convert {labels}: {error}"))?;
    }
    let mut derived = Vec::with_capacity(collected.len());
    for (labels, moments) in collected {
        let mut samples = Columns::default();
        for (time, classic) in moments {
            let histogram = classic.convert().map_err(|error| error.to_string())?.into_float();
            histogram.validate().map_err(|error| error.to_string())?;
            samples.histogram_times.push(time);
            samples.histograms.push(histogram.into());
        }
        derived.push(LoadedSeries { labels, samples });
    }
    Ok(derived)
}

fn collect(
    labels: &Labels,
    samples: &Columns,
    collected: &mut Collected,
) -> Result<(), ClassicError> {
    let name = labels.metric_name();
    let bound: Option<f64> = labels.get("le").and_then(|le| le.trim().parse().ok());
    if let (Some(base), Some(bound)) = (name.strip_suffix("_bucket"), bound)
        && !bound.is_nan()
    {
        return each(base, labels, samples, collected, |classic, value| {
            classic.set_bucket(bound, value)
        });
    }
    if let Some(base) = name.strip_suffix("_count") {
        return each(base, labels, samples, collected, ClassicBuckets::set_count);
    }
    if let Some(base) = name.strip_suffix("_sum") {
        return each(base, labels, samples, collected, |classic, value| {
            classic.set_sum(value);
            Ok(())
        });
    }
    Ok(())
}

fn each(
    base: &str,
    labels: &Labels,
    samples: &Columns,
    collected: &mut Collected,
    mut set: impl FnMut(&mut ClassicBuckets, f64) -> Result<(), ClassicError>,
) -> Result<(), ClassicError> {
    let mut builder = LabelsBuilder::new(labels);
    builder.remove("le").set(METRIC_NAME, base);
    let moments = collected.entry(builder.build()).or_default();
    for (time, value) in samples.times.iter().zip(&samples.values) {
        if !is_stale(*value) {
            set(moments.entry(*time).or_default(), *value)?;
        }
    }
    Ok(())
}
