use std::path::Path;

use super::{notification::describe, plan};

#[test]
fn addresses_are_filled_in_everywhere() {
    for (path, text) in plan::files(Path::new("dir"), 19090) {
        assert!(!text.contains('@'), "{}: {text}", path.display());
    }
}

#[test]
fn every_process_has_a_port_of_its_own() {
    let processes = plan::processes(Path::new("dir"), 19090);
    let mut addresses: Vec<_> = processes.iter().map(|process| &process.address).collect();
    addresses.sort();
    addresses.dedup();
    assert_eq!(addresses.len(), processes.len());
}

#[test]
fn notifications_are_told_in_a_line_an_alert() {
    let line = r#"{"status":"firing","alerts":[
        {"status":"firing","labels":{"alertname":"ShopErrors"},"annotations":{"summary":"/pay fails"}},
        {"status":"resolved","labels":{"alertname":"TargetDown"},"annotations":{}}]}"#;
    assert_eq!(describe(line), "▲ FIRING   ShopErrors: /pay fails\n▽ resolved TargetDown: \n");
    assert_eq!(describe("something else"), "something else");
}
