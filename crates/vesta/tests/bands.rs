//! The house stands: an arrow between crates points down, never up, and sideways only where named.
//!
//! Each `Cargo.toml` says its band; what the bands mean stands in `ARCHITECTURE.md`.

use std::{collections::BTreeMap, process::Command};

use serde_json::Value;

/// Arrows within a band that the architecture allows: from, to.
const SIDEWAYS: [(&str, &str); 11] = [
    ("blocks", "storage"),
    ("promqltest", "storage"),
    ("receivers", "alertmanager"),
    ("repair", "storeapi"),
    ("cluster", "gossip"),
    ("api", "config"),
    ("api", "ui"),
    ("promtool", "config"),
    ("amtool", "config"),
    ("vesta", "drill"),
    ("vesta", "node"),
];

#[test]
fn arrows_between_crates_point_down() {
    let packages = workspace_packages();
    let bands: BTreeMap<&str, u64> = packages.iter().filter_map(band).collect();
    let mut offending = Vec::new();
    for package in &packages {
        let Some((from, from_band)) = band(package) else { continue };
        for to in dependencies(package) {
            let Some(to_band) = bands.get(to) else { continue };
            let allowed =
                *to_band < from_band || *to_band == from_band && SIDEWAYS.contains(&(from, to));
            if !allowed {
                offending.push(format!("{from} (band {from_band}) -> {to} (band {to_band})"));
            }
        }
    }
    assert!(offending.is_empty(), "arrows that do not point down: {offending:#?}");
}

#[test]
fn every_crate_says_its_band() {
    let packages = workspace_packages();
    let silent: Vec<_> = packages
        .iter()
        .filter(|package| package["manifest_path"].as_str().is_some_and(|p| p.contains("/crates/")))
        .filter(|package| band(package).is_none())
        .map(|package| &package["name"])
        .collect();
    assert!(silent.is_empty(), "no [package.metadata.vesta] band in {silent:?}");
}

fn workspace_packages() -> Vec<Value> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--format-version", "1", "--offline"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs this test, so cargo can be run");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo prints JSON");
    metadata["packages"].as_array().expect("a list of packages").clone()
}

fn band(package: &Value) -> Option<(&str, u64)> {
    Some((package["name"].as_str()?, package["metadata"]["vesta"]["band"].as_u64()?))
}

/// Names of what the package needs to be built; what only its tests need does not count.
fn dependencies(package: &Value) -> impl Iterator<Item = &str> {
    let all = package["dependencies"].as_array().into_iter().flatten();
    all.filter(|dependency| dependency["kind"] != "dev").filter_map(|d| d["name"].as_str())
}
