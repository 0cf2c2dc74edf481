//! `/api/vesta/v1/routes`: the tree of routes, and which way an alert with some labels takes
//! through it. Upstream has the latter in its command line tool only.

use std::{collections::BTreeMap, sync::Arc};

use ::alertmanager::{GroupBy, Route, matcher};
use axum::{extract::State, http::StatusCode};
use model::Labels;

use super::{
    Api,
    query::Query,
    respond::{Error, Result, json},
};
use crate::json::{Json, Object};

pub(super) async fn tree(State(api): State<Arc<Api>>, query: Query) -> Result {
    let labels = query.last("labels").map(labels).transpose()?;
    let root = api.alertmanager.routes();
    Ok(json(StatusCode::OK, |json| match &root {
        Some(root) => {
            let walk = labels.map(|labels| Walk::new(root, labels));
            write(json, root, walk.as_ref(), true);
        }
        None => json.raw("null"),
    }))
}

/// Reads `{"alertname":"x"}`.
fn labels(text: &str) -> Result<Labels, Error> {
    let pairs: BTreeMap<String, String> = serde_json::from_str(text).map_err(|error| {
        Error::bad_request(format!("labels must be an object of texts: {error}"))
    })?;
    Ok(Labels::from_pairs(pairs))
}

/// The way of one alert.
struct Walk {
    labels: Labels,
    /// By the index of the route: whether it, and whether it or one below it, takes the alert.
    takes: Vec<bool>,
    reaches: Vec<bool>,
}

impl Walk {
    fn new(root: &Arc<Route>, labels: Labels) -> Walk {
        // The root is last.
        let mut takes = vec![false; root.idx + 1];
        for route in root.find(&labels) {
            takes[route.idx] = true;
        }
        let mut walk = Walk { labels, reaches: takes.clone(), takes };
        walk.note_reaching(root);
        walk
    }

    fn note_reaching(&mut self, route: &Route) -> bool {
        for child in &route.children {
            self.reaches[route.idx] |= self.note_reaching(child);
        }
        self.reaches[route.idx]
    }

    /// Whether the alert comes as far as the children.
    fn passes(&self, route: &Route) -> bool {
        matcher::all_match(&route.matchers, &self.labels)
    }

    fn outcome(&self, route: &Route, is_asked: bool) -> &'static str {
        match (is_asked, self.passes(route), self.takes[route.idx]) {
            (false, ..) => "unasked",
            (true, false, _) => "differs",
            (true, true, true) => "takes",
            (true, true, false) => "passes",
        }
    }
}

/// `is_asked`: whether the alert comes to this route, which a sibling before it may have ended.
fn write(json: &mut Json, route: &Route, walk: Option<&Walk>, is_asked: bool) {
    json.object(|object| {
        write_options(object, route);
        if let Some(walk) = walk {
            object.string("outcome", walk.outcome(route, is_asked));
            let differs =
                |matcher: &&matcher::Matcher| !matcher.matches(walk.labels.value(&matcher.name));
            let differing = route.matchers.iter().filter(differs).map(ToString::to_string);
            object.key("differing").strings(differing);
            if is_asked && walk.takes[route.idx] {
                object.key("groupLabels").labels(&route.group_labels(&walk.labels));
            }
        }
        let mut is_open = is_asked && walk.is_none_or(|walk| walk.passes(route));
        object.key("routes").array(&route.children, |json, child| {
            write(json, child, walk, is_open);
            is_open &= child.continues || walk.is_none_or(|walk| !walk.reaches[child.idx]);
        });
    });
}

fn write_options(object: &mut Object<'_>, route: &Route) {
    let options = &route.options;
    object.string("id", &route.id);
    object.string("receiver", &options.receiver);
    object.key("matchers").strings(route.matchers.iter().map(ToString::to_string));
    object.key("continue").bool(route.continues);
    match &options.group_by {
        GroupBy::All => object.key("groupBy").strings(["..."]),
        GroupBy::Labels(names) => object.key("groupBy").strings(names),
    }
    object.key("groupWaitSeconds").seconds(options.group_wait);
    object.key("groupIntervalSeconds").seconds(options.group_interval);
    object.key("repeatIntervalSeconds").seconds(options.repeat_interval);
    object.key("muteTimeIntervals").strings(&options.mute_time_intervals);
    object.key("activeTimeIntervals").strings(&options.active_time_intervals);
}
