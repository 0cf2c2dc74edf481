//! The time line of one seed, as a picture and as text.

use std::fmt::Write as _;

use super::escape;
use crate::{ledger::Range, outcome::Outcome, topology::member_name};

const WIDTH: f64 = 1000.0;
const LABEL: f64 = 120.0;
const LANE: f64 = 34.0;
/// Parts of a lane: top and height.
const FAULT: (f64, f64) = (4.0, 10.0);
const REIGN: (f64, f64) = (16.0, 6.0);
const LEAD: (f64, f64) = (22.0, 3.0);
const GAP: (f64, f64) = (26.0, 6.0);

pub(super) fn svg(outcome: &Outcome) -> String {
    let lanes = lanes(outcome);
    let height = LANE * lanes.len() as f64 + 20.0;
    let mut picture = Picture { range: whole(outcome), out: String::new() };
    for (row, lane) in lanes.iter().enumerate() {
        let top = row as f64 * LANE;
        picture.lane(lane, top);
        for event in outcome.events.iter().filter(|event| event.lane == *lane) {
            picture.bar("fault", top, FAULT, event.range, &event.what);
        }
        for (member, range) in &outcome.reigns {
            if member_name(*member) == *lane {
                picture.bar("reign", top, REIGN, *range, "writes to the remote end");
            }
        }
        for (member, range) in &outcome.led {
            if member_name(*member) == *lane {
                picture.bar("lead", top, LEAD, *range, "says that it leads");
            }
        }
        for (target, range) in gaps(outcome, lane) {
            picture.bar("gap", top, GAP, range, &format!("samples of target {target} lost"));
        }
    }
    picture.axis(height);
    format!(
        "<svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"time line of seed {}\">\n{}</svg>",
        outcome.seed, picture.out
    )
}

/// The same, for those who do not see it.
pub(super) fn texts(outcome: &Outcome) -> Vec<String> {
    let zero = whole(outcome).from_ms;
    let span = |range: &Range| {
        let second = |at_ms: i64| (at_ms - zero) as f64 / 1000.0;
        format!("{:.1}–{:.1} s", second(range.from_ms), second(range.to_ms))
    };
    let mut texts: Vec<(i64, String)> = Vec::new();
    for event in &outcome.events {
        texts.push((event.range.from_ms, format!("{}: {}", span(&event.range), event.what)));
    }
    for (member, range) in &outcome.reigns {
        texts.push((range.from_ms, format!("{}: {} writes", span(range), member_name(*member))));
    }
    for lane in lanes(outcome) {
        for (target, range) in gaps(outcome, &lane) {
            let text = format!("{}: samples of target {target} lost at {lane}", span(&range));
            texts.push((range.from_ms, text));
        }
    }
    texts.sort();
    let notes = outcome.notes.iter().chain(&outcome.unasked).cloned();
    texts.into_iter().map(|(_, text)| text).chain(notes).collect()
}

fn lanes(outcome: &Outcome) -> Vec<String> {
    let mut lanes: Vec<String> = outcome.places.iter().map(|place| place.name.clone()).collect();
    let writers = outcome.reigns.iter().map(|(member, _)| member_name(*member));
    let hurt = outcome.events.iter().map(|event| event.lane.clone());
    let mut more: Vec<String> = writers.chain(hurt).filter(|lane| !lanes.contains(lane)).collect();
    more.sort();
    more.dedup();
    lanes.extend(more);
    if outcome.remote.is_some() && !lanes.iter().any(|lane| lane == "remote end") {
        lanes.push("remote end".to_owned());
    }
    lanes
}

fn gaps(outcome: &Outcome, lane: &str) -> Vec<(usize, Range)> {
    let place = match lane {
        "remote end" => outcome.remote.as_ref(),
        _ => outcome.places.iter().find(|place| place.name == lane),
    };
    place.map(|place| place.raw.gaps.clone()).unwrap_or_default()
}

fn whole(outcome: &Outcome) -> Range {
    let starts = outcome.events.iter().map(|event| event.range.from_ms);
    let ends = outcome.events.iter().map(|event| event.range.to_ms);
    Range {
        from_ms: starts.fold(outcome.range.from_ms, i64::min) - 1000,
        to_ms: ends.fold(outcome.range.to_ms, i64::max) + 1000,
    }
}

struct Picture {
    range: Range,
    out: String,
}

impl Picture {
    fn x(&self, at_ms: i64) -> f64 {
        let share = (at_ms - self.range.from_ms) as f64
            / (self.range.to_ms - self.range.from_ms).max(1) as f64;
        LABEL + share.clamp(0.0, 1.0) * (WIDTH - LABEL - 10.0)
    }

    fn lane(&mut self, name: &str, top: f64) {
        let (middle, bottom) = (top + 20.0, top + LANE);
        writeln!(
            self.out,
            "<text x=\"0\" y=\"{middle}\">{}</text>\
             <line class=\"line\" x1=\"0\" x2=\"{WIDTH}\" y1=\"{bottom}\" y2=\"{bottom}\"/>",
            escape(name)
        )
        .expect("strings grow");
    }

    fn bar(
        &mut self,
        class: &str,
        top: f64,
        (below, height): (f64, f64),
        range: Range,
        what: &str,
    ) {
        let (from, to) = (self.x(range.from_ms), self.x(range.to_ms));
        let seconds = (range.to_ms - range.from_ms) as f64 / 1000.0;
        writeln!(
            self.out,
            "<rect class=\"{class}\" x=\"{from:.1}\" y=\"{}\" width=\"{:.1}\" height=\"{height}\">\
             <title>{} ({seconds:.1} s)</title></rect>",
            top + below,
            (to - from).max(2.0),
            escape(what)
        )
        .expect("strings grow");
    }

    fn axis(&mut self, height: f64) {
        let seconds = (self.range.to_ms - self.range.from_ms) / 1000;
        for second in (0..=seconds).step_by(10) {
            let x = self.x(self.range.from_ms + second * 1000);
            writeln!(
                self.out,
                "<line class=\"line\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"0\" y2=\"{}\"/>\
                 <text class=\"axis\" x=\"{x:.1}\" y=\"{}\">{second} s</text>",
                height - 16.0,
                height - 4.0
            )
            .expect("strings grow");
        }
    }
}
