use telemetry::{Counter, Registry, Vector};

use super::translate::Category;

/// What receiving OTLP counts, under upstream's names.
pub(super) struct Metrics {
    pub(super) without_metadata: Counter,
    pub(super) out_of_order_exemplars: Counter,
    pub(super) warnings: Vector<Counter, 1>,
}

impl Metrics {
    pub(super) fn register(registry: &Registry) -> Metrics {
        let warnings = registry.counters(
            "prometheus_api_otlp_translation_warnings_total",
            "The total number of warnings from translating received OTLP metrics.",
            ["category"],
        );
        // So that they can be watched before they happen.
        for category in Category::ALL {
            warnings.with([category.name()]);
        }
        Metrics {
            without_metadata: registry.counter(
                "prometheus_api_otlp_appended_samples_without_metadata_total",
                "The total number of samples ingested from OTLP without corresponding metadata.",
            ),
            out_of_order_exemplars: registry.counter(
                "prometheus_api_otlp_out_of_order_exemplars_total",
                "The total number of received OTLP exemplars which were rejected because they \
                 were out of order.",
            ),
            warnings,
        }
    }
}
