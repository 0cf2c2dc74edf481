//! A pair of which one writes to a remote storage.

use std::time::Duration;

use acceptance::{program, skip, wait_for};

use super::{Example, SOON, value};

/// Whatever the storage is: it gets every sample although a server dies.
fn check(store_is: &str) {
    let store_is = format!("STORE={store_is}");
    let example = Example::start_with("ha-remote-storage", &[&store_is]);
    let store = example.port(50);
    wait_for("the host in the storage", SOON, || value(store, "up{job=\"host\"}"));
    std::thread::sleep(Duration::from_secs(5));
    example.kill("server-a");
    std::thread::sleep(Duration::from_secs(12));
    let fresh = "count_over_time(up{job=\"host\"}[5s]) >= 3";
    wait_for("the other server writes", SOON, || value(store, fresh));
    example.stop();
}

#[test]
fn a_remote_storage_is_written_to_although_a_server_dies() {
    check("vesta");
}

#[test]
fn victoria_metrics_is_written_to_although_a_server_dies() {
    if program("victoria-metrics").is_none() {
        return skip("the example ha-remote-storage with VictoriaMetrics", "victoria-metrics");
    }
    check("victoria-metrics");
}
