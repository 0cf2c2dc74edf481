//! What the parts of a plan gave and cost, for those who want to know.

use std::{collections::HashMap, time::Duration};

use promql_syntax::ast::{Cardinality, VectorMatching};

use crate::{
    PlanNode, aggregate,
    plan::{Aggregate, Binary, Node, Op, Plan, Selector, When},
};

/// What came out of a part, and how long it took with all that is below it.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Cost {
    pub(crate) rows: u64,
    pub(crate) bytes: u64,
    pub(crate) time: Duration,
}

impl Cost {
    pub(crate) fn add(&mut self, other: Cost) {
        self.rows += other.rows;
        self.bytes += other.bytes;
        self.time += other.time;
    }
}

/// By the addresses of the plan's nodes, which stay where they are.
#[derive(Default)]
pub(crate) struct Costs(HashMap<*const Node, Cost>);

impl Costs {
    pub(crate) fn add(&mut self, node: &Node, cost: Cost) {
        self.0.entry(std::ptr::from_ref(node)).or_default().add(cost);
    }

    fn of(&self, node: &Node) -> Cost {
        self.0.get(&std::ptr::from_ref(node)).copied().unwrap_or_default()
    }
}

/// The plan as a tree with what each part cost; `found` says of each selection how many series
/// the index gave and how long that took.
pub(crate) fn tree(plan: &Plan, costs: &Costs, found: &[Cost]) -> PlanNode {
    Drawing { costs, found }.node(&plan.root)
}

struct Drawing<'a> {
    costs: &'a Costs,
    found: &'a [Cost],
}

impl Drawing<'_> {
    fn node(&self, node: &Node) -> PlanNode {
        let (name, detail, children) = match &node.op {
            Op::Number(value) => ("number", value.to_string(), Vec::new()),
            Op::Text(text) => ("text", format!("{text:?}"), Vec::new()),
            Op::Select(selector) => ("select", of_selector(selector), vec![self.index(selector)]),
            Op::Window(window) => {
                let selector = &window.selector;
                let detail = format!("[{}] {}", millis(window.range_ms), of_selector(selector));
                ("window", detail, vec![self.index(selector)])
            }
            Op::Subquery(subquery) => {
                let (range, step) = (millis(subquery.range_ms), millis(subquery.step_ms));
                let detail = format!("[{range}:{step}]{}", of_times(subquery.when));
                ("subquery", detail, vec![self.node(&subquery.inner)])
            }
            Op::Call(call) => {
                let children = call.args.iter().map(|arg| self.node(arg)).collect();
                (call.function.name, String::new(), children)
            }
            Op::Aggregate(aggregate) => {
                let inner = std::iter::once(&aggregate.inner).chain(&aggregate.param);
                let children = inner.map(|node| self.node(node)).collect();
                (aggregate::name(aggregate.op), of_grouping(aggregate), children)
            }
            Op::Binary(binary) => {
                let children = vec![self.node(&binary.lhs), self.node(&binary.rhs)];
                (binary.op.as_str(), of_matching(binary), children)
            }
            Op::Negate(inner) => ("negate", String::new(), vec![self.node(inner)]),
            Op::Invariant(inner) => {
                ("once", "the same at every step".to_owned(), vec![self.node(inner)])
            }
        };
        let Cost { rows, bytes, time } = self.costs.of(node);
        PlanNode { node: name.to_owned(), detail, rows, bytes, time, children }
    }

    fn index(&self, selector: &Selector) -> PlanNode {
        let Cost { rows, bytes, time } = self.found.get(selector.id).copied().unwrap_or_default();
        let detail = format!("{} matchers", selector.matchers.len());
        PlanNode { node: "index".to_owned(), detail, rows, bytes, time, children: Vec::new() }
    }
}

fn of_selector(selector: &Selector) -> String {
    let matchers: Vec<String> = selector.matchers.iter().map(ToString::to_string).collect();
    let edges = match (selector.anchored, selector.smoothed) {
        (true, _) => " anchored",
        (false, true) => " smoothed",
        (false, false) => "",
    };
    format!("{{{}}}{}{edges}", matchers.join(","), of_times(selector.when))
}

fn of_times(when: When) -> String {
    let offset = match when.offset_ms {
        0 => String::new(),
        offset => format!(" offset {}", millis(offset)),
    };
    let pinned = when.pinned.map(|time| format!(" @ {}", time as f64 / 1000.0));
    offset + &pinned.unwrap_or_default()
}

fn of_grouping(aggregate: &Aggregate) -> String {
    match (aggregate.without, &aggregate.grouping[..]) {
        (false, []) => String::new(),
        (true, labels) => format!("without ({})", labels.join(", ")),
        (false, labels) => format!("by ({})", labels.join(", ")),
    }
}

fn of_matching(binary: &Binary) -> String {
    let Some(matching) = &binary.matching else { return String::new() };
    let VectorMatching { labels, on, include, cardinality, .. } = matching;
    let mut text = match (on, &labels[..]) {
        (false, []) => String::new(),
        (true, labels) => format!("on ({})", labels.join(", ")),
        (false, labels) => format!("ignoring ({})", labels.join(", ")),
    };
    let side = match cardinality {
        Cardinality::ManyToOne => " group_left",
        Cardinality::OneToMany => " group_right",
        _ => return text,
    };
    text.push_str(side);
    if !include.is_empty() {
        text.push_str(&format!(" ({})", include.join(", ")));
    }
    text
}

fn millis(millis: i64) -> String {
    let text = model::duration::format(Duration::from_millis(millis.unsigned_abs()));
    if millis < 0 { format!("-{text}") } else { text }
}
