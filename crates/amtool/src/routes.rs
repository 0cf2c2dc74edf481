//! `config routes show` and `config routes test`.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use alertmanager::{matcher, route::Route};
use model::Labels;

use crate::{
    Outcome, World,
    api::Api,
    arguments::{Global, RoutesShow, RoutesTest},
    labels::parse_labels,
};

pub(crate) async fn show(
    global: &Global,
    world: &World,
    routes: RoutesShow,
    outcome: &mut Outcome,
) -> anyhow::Result<()> {
    let root = load(global, world, routes.file.as_deref(), outcome).await?;
    outcome.stdout.push_str(&format!("Routing tree:\n{}\n", Tree::of_all(&root).print()));
    Ok(())
}

pub(crate) async fn test(
    global: &Global,
    world: &World,
    test: RoutesTest,
    outcome: &mut Outcome,
) -> anyhow::Result<()> {
    let root = load(global, world, test.file.as_deref(), outcome).await?;
    let labels = parse_labels(global.mode, &test.labels, NOT_PAIRS).map_err(|error| {
        if error.to_string() == NOT_PAIRS { error } else { error.context("Failed to parse labels") }
    })?;
    if test.tree {
        let tree = Tree::of_matching(&root, &labels);
        outcome.stdout.push_str(&format!("Matching routes:\n{}\n\n", tree.print()));
    }
    let found = receivers(&root, &labels).join(",");
    outcome.stdout.push_str(&format!("{found}\n"));
    if !test.verify_receivers.is_empty() && test.verify_receivers != found {
        outcome.stdout.push_str("WARNING: Expected receivers did not match resolved receivers.\n");
        outcome.exit_code = 1;
    }
    Ok(())
}

const NOT_PAIRS: &str = "Labels must be specified as key=value pairs";

/// The receivers of an alert with `labels`, in order.
pub(crate) fn receivers(root: &Arc<Route>, labels: &BTreeMap<String, String>) -> Vec<String> {
    let labels = Labels::from_pairs(labels);
    root.find(&labels).into_iter().map(|route| route.options.receiver.clone()).collect()
}

/// The routes of a file, or those of a running Alertmanager.
async fn load(
    global: &Global,
    world: &World,
    file: Option<&Path>,
    outcome: &mut Outcome,
) -> anyhow::Result<Arc<Route>> {
    let config = match file {
        Some(file) => {
            if global.url.is_some() {
                outcome
                    .stderr
                    .push_str("Warning: --config.file flag overrides the --alertmanager.url.\n");
            }
            config::alertmanager::load(&*world.runtime.disk, file, global.mode)?
        }
        None => {
            anyhow::ensure!(
                global.url.is_some(),
                "You have to specify one of --config.file or --alertmanager.url flags."
            );
            let api = Api::new(global, world, outcome).await?;
            let status = api.status().await?;
            config::alertmanager::parse(&status.config.original, global.mode)?
        }
    };
    Ok(Route::new(&config.route()))
}

/// A tree of texts.
struct Tree {
    text: String,
    children: Vec<Tree>,
}

impl Tree {
    fn of_all(route: &Route) -> Tree {
        let children = route.children.iter().map(|child| Tree::of_all(child)).collect();
        Tree { text: describe(route, true, true), children }
    }

    /// The routes on the way to those that take `labels`; only where it ends, a receiver is told.
    fn of_matching(route: &Route, labels: &BTreeMap<String, String>) -> Tree {
        let all = Labels::from_pairs(labels);
        let mut children = Vec::new();
        for child in &route.children {
            if matcher::all_match(&child.matchers, &all) {
                children.push(Tree::of_matching(child, labels));
                if !child.continues {
                    break;
                }
            }
        }
        Tree { text: describe(route, false, children.is_empty()), children }
    }

    fn print(&self) -> String {
        let mut out = ".\n".to_owned();
        self.print_into("", true, &mut out);
        out
    }

    fn print_into(&self, indent: &str, is_last: bool, out: &mut String) {
        let (edge, below) = if is_last { ("└── ", "    ") } else { ("├── ", "│   ") };
        out.push_str(&format!("{indent}{edge}{}\n", self.text));
        for (idx, child) in self.children.iter().enumerate() {
            let is_last = idx + 1 == self.children.len();
            child.print_into(&format!("{indent}{below}"), is_last, out);
        }
    }
}

fn describe(route: &Route, with_continue: bool, with_receiver: bool) -> String {
    let mut text = if route.matchers.is_empty() {
        "default-route".to_owned()
    } else {
        matcher::print(&route.matchers)
    };
    if route.continues && with_continue {
        text.push_str("  continue: true");
    }
    if with_receiver {
        text.push_str(&format!("  receiver: {}", route.options.receiver));
    }
    text
}
