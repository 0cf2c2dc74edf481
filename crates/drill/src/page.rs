//! The report: a page that needs nothing else, with a time line for each seed. Pure.

#[cfg(test)]
mod tests;
mod timeline;

use std::fmt::{Display, Write as _};

use crate::{
    outcome::{Outcome, promises},
    table::{cells, of_seed},
};

const STYLE: &str = include_str!("page/style.css");

/// The page of one or two topologies, each with its name and what came of its seeds.
pub(crate) fn page(topologies: &[(String, Vec<Outcome>)]) -> String {
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>vesta drill</title>\n<style>\n{STYLE}</style>\n<h1>vesta drill</h1>\n"
    );
    for (name, outcomes) in topologies {
        section(&mut out, name, outcomes);
    }
    out
}

fn section(out: &mut String, name: &str, outcomes: &[Outcome]) {
    let mut line = |text: &dyn Display| writeln!(out, "{text}").expect("strings grow");
    line(&format_args!(
        "<h2>{}</h2>\n<table>\n<thead><tr><th scope=\"col\">Promise</th>",
        escape(name)
    ));
    for column in ["expected", "lost", "doubled", "wrong", "different", "seconds"] {
        line(&format_args!("<th scope=\"col\">{column}</th>"));
    }
    line(&"<th scope=\"col\">verdict</th></tr></thead>\n<tbody>");
    for promise in promises(outcomes) {
        line(&format_args!("<tr><th scope=\"row\">{}</th>", escape(&promise.name)));
        for cell in cells(&promise) {
            line(&format_args!("<td>{cell}</td>"));
        }
        let (class, verdict) =
            if promise.is_kept { ("kept", "✓ kept") } else { ("broken", "✗ broken") };
        line(&format_args!("<td class=\"{class}\">{verdict}</td></tr>"));
    }
    line(&"</tbody>\n</table>");
    line(&LEGEND);
    for outcome in outcomes {
        line(&format_args!("<h3>Seed {}</h3>", outcome.seed));
        line(&format_args!("<p>{}</p>", escape(&of_seed(outcome))));
        line(&timeline::svg(outcome));
        line(&"<details><summary>Faults, writers and notes as text</summary>\n<ul>");
        for text in timeline::texts(outcome) {
            line(&format_args!("<li>{}</li>", escape(&text)));
        }
        line(&"</ul></details>");
    }
}

const LEGEND: &str = "<p class=\"legend\"><span class=\"fault\">fault</span> \
    <span class=\"reign\">writes</span> <span class=\"lead\">says that it leads</span> \
    <span class=\"gap\">samples lost</span></p>";

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
