use telemetry::{Counter, Registry};

/// What receiving counts, under upstream's names.
pub(super) struct Metrics {
    pub(super) invalid_labels: Counter,
    pub(super) without_metadata: Counter,
}

impl Metrics {
    pub(super) fn register(registry: &Registry) -> Metrics {
        Metrics {
            invalid_labels: registry.counter(
                "prometheus_api_remote_write_invalid_labels_samples_total",
                "The total number of received remote write samples and histogram samples which \
                 were rejected due to invalid labels.",
            ),
            without_metadata: registry.counter(
                "prometheus_api_remote_write_without_metadata_appended_samples_total",
                "The total number of received remote write samples (and histogram samples) which \
                 were ingested without corresponding metadata.",
            ),
        }
    }
}
