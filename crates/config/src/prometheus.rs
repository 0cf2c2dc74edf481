//! What `prometheus.yml` means.
