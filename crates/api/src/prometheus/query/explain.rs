//! How a query was answered, as a tree: as JSON for pages, as text for people.

use std::fmt::Write as _;

use crate::prometheus::{engine::PlanNode, json::Json};

pub(super) fn write(node: &PlanNode, json: &mut Json) {
    json.object(|object| {
        object.string("node", &node.node);
        object.string("detail", &node.detail);
        object.key("rows").int(node.rows);
        object.key("bytes").int(node.bytes);
        object.key("seconds").seconds(node.time);
        object.key("children").array(&node.children, |json, child| write(child, json));
    });
}

/// A line for each node, its children indented below it.
pub(super) fn text(root: &PlanNode) -> String {
    let mut out = format!("{:>12} {:>14} {:>12}  node\n", "rows", "bytes", "ms");
    draw(root, 0, &mut out);
    out
}

fn draw(node: &PlanNode, depth: usize, out: &mut String) {
    let millis = node.time.as_secs_f64() * 1000.0;
    let indent = "  ".repeat(depth);
    let gap = if node.detail.is_empty() { "" } else { " " };
    let PlanNode { rows, bytes, node: name, detail, .. } = node;
    writeln!(out, "{rows:>12} {bytes:>14} {millis:>12.3}  {indent}{name}{gap}{detail}")
        .expect("writing to a string cannot fail");
    node.children.iter().for_each(|child| draw(child, depth + 1, out));
}
