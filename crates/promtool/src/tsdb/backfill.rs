//! `tsdb create-blocks-from rules`: what recording rules would have recorded.

use std::{io::Write as _, path::Path, sync::Arc, time::Duration};

use anyhow::Context as _;
use model::{Labels, LabelsBuilder, METRIC_NAME, Timestamp, names::ValidationScheme};
use rules::{
    Definition,
    file::{Group, Kind, Rule},
};
use serde_json::Value;

use super::builder::{Builder, block_duration};
use crate::{
    Exit, World,
    arguments::{BackfillRules, CheckRules, Global},
    check::{self, describe},
    http_client::Server,
    lint::Lint,
    time,
};

/// The end, if none is given: the head of the server has what is younger.
const HEAD: Duration = Duration::from_secs(3 * 3600);

pub(crate) async fn run(
    global: &Global,
    world: &mut World,
    backfill: &BackfillRules,
) -> anyhow::Result<Exit> {
    let now = Timestamp::from_millis(world.runtime.clock.now_millis());
    let end = backfill.end.unwrap_or(now - HEAD);
    if backfill.start >= end {
        writeln!(world.stderr, "start time is not before end time")?;
        return Ok(Exit::Failure);
    }
    let server = Server::new(global, world, &backfill.url, &[])?;
    let groups = match read_rules(global, world, backfill) {
        Ok(groups) => groups,
        Err(problems) => {
            for problem in problems {
                writeln!(world.stderr, "rule importer parse error: {problem}")?;
            }
            return Ok(Exit::Failure);
        }
    };
    let mut exit = Exit::Success;
    for (definition, rules) in groups {
        let name = &definition.name;
        writeln!(world.stderr, "backfiller: processing group {name:?}")?;
        for (idx, rule) in rules.iter().enumerate() {
            let n_rules = rules.len();
            writeln!(
                world.stderr,
                "backfiller: processing rule {}/{n_rules} {:?}",
                idx + 1,
                rule.name
            )?;
            let importer = Importer { server: &server, backfill, definition: &definition, end };
            if let Err(error) = importer.import(world, rule).await {
                writeln!(world.stderr, "rule importer error: {}", crate::explain(&error))?;
                exit = Exit::Failure;
            }
        }
    }
    Ok(exit)
}

/// The groups with the rules that record; alerting rules have no past to fill.
fn read_rules(
    global: &Global,
    world: &World,
    backfill: &BackfillRules,
) -> Result<Vec<(Definition, Vec<Rule>)>, Vec<String>> {
    let as_written =
        CheckRules { lint: Lint::default(), ignore_unknown_fields: false, files: Vec::new() };
    let mut all = Vec::new();
    for path in &backfill.files {
        let file = path.display().to_string();
        let text = world
            .runtime
            .disk
            .read_to_string(path)
            .map_err(|error| vec![format!("open {file}: {}", describe(&error))])?;
        let groups = check::rules::parse(global, &as_written, &text, ValidationScheme::Utf8)
            .map_err(|errors| {
                errors.iter().map(|it| format!("{file}: {it}")).collect::<Vec<_>>()
            })?;
        all.extend(groups.into_iter().map(|group| to_definition(&file, group, backfill)));
    }
    Ok(all)
}

fn to_definition(file: &str, group: Group, backfill: &BackfillRules) -> (Definition, Vec<Rule>) {
    let is_recording = |rule: &Rule| matches!(rule.kind, Kind::Recording);
    let rules: Vec<Rule> = group.rules.into_iter().filter(is_recording).collect();
    let definition = Definition {
        file: file.to_owned(),
        name: group.name,
        interval: group.interval.unwrap_or(backfill.eval_interval),
        query_offset: group.query_offset,
        limit: group.limit,
        rules: rules.iter().cloned().map(Arc::new).collect(),
    };
    (definition, rules)
}

/// Brings the rules of one group into blocks.
struct Importer<'a> {
    server: &'a Server,
    backfill: &'a BackfillRules,
    definition: &'a Definition,
    end: Timestamp,
}

impl Importer<'_> {
    /// Asks for one stretch of blocks after the other, and makes a block of each answer.
    async fn import(&self, world: &mut World, rule: &Rule) -> anyhow::Result<()> {
        let length = block_duration(self.backfill.max_block_duration).as_millis() as i64;
        let mut block_start = self.backfill.start.as_millis().div_euclid(length) * length;
        while block_start <= self.end.as_millis() {
            let first = Timestamp::from_millis(block_start).max(self.backfill.start);
            let last = Timestamp::from_millis(block_start + length - 1).min(self.end);
            let (first, last) = (whole_seconds(first), whole_seconds(last));
            let start = self.slot_from(first);
            if start > last {
                break;
            }
            let matrix = self.query(rule, start, last).await?;
            let written = runtime::blocking(|| write(world, &self.backfill.output, rule, &matrix));
            written?;
            block_start += length;
        }
        Ok(())
    }

    /// The first moment from `first` on at which the server evaluates the group.
    fn slot_from(&self, first: Timestamp) -> Timestamp {
        let since_epoch = Duration::from_millis(first.as_millis().max(0) as u64);
        let slot = self.definition.slot_before(since_epoch);
        let mut slot = whole_seconds(Timestamp::from_millis(slot.as_millis() as i64));
        while slot < first {
            slot = slot + self.definition.interval;
        }
        slot
    }

    async fn query(
        &self,
        rule: &Rule,
        start: Timestamp,
        end: Timestamp,
    ) -> anyhow::Result<Vec<Value>> {
        let form = [
            ("query", rule.expr.clone()),
            ("start", time::seconds(start)),
            ("end", time::seconds(end)),
            ("step", time::plain(self.definition.interval.as_secs_f64())),
        ];
        let answer = self.server.ask("/api/v1/query_range", &form).await.context("query range")?;
        match answer.data["resultType"].as_str() {
            Some("matrix") => Ok(answer.data["result"].as_array().cloned().unwrap_or_default()),
            other => anyhow::bail!("rule result is wrong type {}", other.unwrap_or("none")),
        }
    }
}

/// The server counts whole seconds when it slices time.
fn whole_seconds(time: Timestamp) -> Timestamp {
    Timestamp::from_millis(time.as_millis().div_euclid(1000) * 1000)
}

/// Writes the answer as a block, if there is anything in it.
fn write(world: &World, folder: &Path, rule: &Rule, matrix: &[Value]) -> anyhow::Result<()> {
    let mut builder = Builder::new(None);
    for series in matrix {
        let number = builder.series(recorded(rule, &series["metric"]));
        for point in series["values"].as_array().into_iter().flatten() {
            let (time, value) = (point[0].as_f64(), point[1].as_str());
            let (Some(time), Some(value)) = (time, value) else {
                anyhow::bail!("a value that is none: {point}");
            };
            builder.add(number, (time * 1000.0).round() as i64, value.parse()?)?;
        }
    }
    builder.write(&world.runtime, folder, |_| Ok(()))
}

/// The labels of a recorded series: the rule's own win.
fn recorded(rule: &Rule, metric: &Value) -> Labels {
    let pairs = metric.as_object().into_iter().flatten();
    let pairs = pairs.map(|(name, value)| (name, value.as_str().unwrap_or_default()));
    let mut labels = LabelsBuilder::new(&Labels::from_pairs(pairs));
    for (name, value) in &rule.labels {
        labels.set(name, value);
    }
    labels.set(METRIC_NAME, &rule.name);
    labels.build()
}
