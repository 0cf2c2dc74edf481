use std::{collections::BTreeSet, time::Duration};

use serde_json::Value;

use super::{GroupBy, Route, RouteConfig};
use crate::testing::{expect, labels, route, run_table, text, text_map, texts};

fn check_match(found: &Route, wanted: &Value) -> Result<(), String> {
    let options = &found.options;
    let seconds = |key: &str| Duration::from_secs(wanted[key].as_u64().expect("seconds"));
    expect(options.receiver.as_str(), text(&wanted["receiver"]))?;
    expect(found.key.as_str(), text(&wanted["route_key"]))?;
    let group_by = match wanted["group_by_all"] == true {
        true => GroupBy::All,
        false => GroupBy::Labels(texts(&wanted["group_by"]).into_iter().collect()),
    };
    expect(options.group_by.clone(), group_by)?;
    expect(options.group_wait, seconds("group_wait_s"))?;
    expect(options.group_interval, seconds("group_interval_s"))?;
    expect(options.repeat_interval, seconds("repeat_interval_s"))?;
    expect(options.labels.clone(), text_map(&wanted["labels"]))
}

#[test]
fn alerts_take_the_routes_of_upstream() {
    run_table("routing/match", &[], |_, case| {
        let root = route(text(&case["route_yaml"]));
        for query in case["queries"].as_array().expect("a list") {
            let found = root.find(&labels(&query["labels"]));
            let wanted = query["matches"].as_array().expect("a list");
            expect(found.len(), wanted.len())?;
            for (found, wanted) in found.iter().zip(wanted) {
                check_match(found, wanted)?;
            }
        }
        Ok(())
    });
}

#[test]
fn trees_are_built_as_upstream() {
    run_table("routing/tree", &[], |_, case| {
        let root = route(text(&case["route_yaml"]));
        let mut routes = Vec::new();
        root.walk(&mut |route| routes.push(route.clone()));
        if case["receivers_depth_first"].is_array() {
            let receivers: Vec<String> =
                routes.iter().map(|route| route.options.receiver.clone()).collect();
            return expect(receivers, texts(&case["receivers_depth_first"]));
        }
        if case["route_ids_any_order"].is_array() {
            let ids: BTreeSet<String> = routes.iter().map(|route| route.id.clone()).collect();
            return expect(
                ids,
                texts(&case["route_ids_any_order"]).into_iter().collect::<BTreeSet<_>>(),
            );
        }
        if let Some(count) = case["node_count"].as_u64() {
            expect(routes.len() as u64, count)?;
            expect(Some(root.idx as u64), case["root_index"].as_u64())?;
            let indexes: BTreeSet<usize> = routes.iter().map(|route| route.idx).collect();
            return expect(indexes, (0..routes.len()).collect::<BTreeSet<_>>());
        }
        for (path, is_all) in case["group_by_all"].as_object().expect("a map") {
            let mut route = root.clone();
            for step in path.split('/').filter_map(|step| step.parse::<usize>().ok()) {
                route = route.children[step].clone();
            }
            expect(route.options.group_by == GroupBy::All, *is_all == true)?;
        }
        Ok(())
    });
}

#[test]
fn labels_of_routes_are_inherited_as_upstream() {
    run_table("routing/route_labels", &[], |_, case| {
        let root = route(text(&case["route_yaml"]));
        for query in case["queries"].as_array().expect("a list") {
            let found = root.find(&labels(&query["labels"]));
            let [route] = found.as_slice() else { return Err(format!("{} routes", found.len())) };
            expect(route.options.labels.clone(), text_map(&query["route_labels"]))?;
        }
        Ok(())
    });
}

#[test]
fn group_labels_are_upstreams() {
    run_table("dispatch/group_labels", &[], |_, case| {
        let group_by = match case["group_by_all"] == true {
            true => GroupBy::All,
            false => GroupBy::Labels(texts(&case["group_by"]).into_iter().collect()),
        };
        let group_by = Some(group_by);
        let route = Route::new(&RouteConfig { group_by, ..RouteConfig::default() });
        expect(route.group_labels(&labels(&case["labels"])), labels(&case["group_labels"]))
    });
}
