//! Upstream's acceptance scenarios of amtool: `vesta amtool` against `vesta alertmanager`.

use std::{collections::BTreeMap, process::Command, time::Duration};

use acceptance::{vesta, wait_for};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::bed::{Bed, Running};

/// A scenario while it runs.
struct Scene {
    bed: Bed,
    alertmanager: Running,
    webhook: Running,
    start: Timestamp,
    /// What earlier steps have printed: silences' ids by the names that later steps use.
    saved: BTreeMap<String, String>,
}

#[test]
fn upstreams_scenarios_of_amtool_end_as_there() {
    let Some(table) = conformance::cases("alertmanager/acceptance/amtool.json") else { return };
    let mut score = conformance::Score::new("alertmanager/acceptance/amtool.json");
    for case in &table.cases {
        score.add(case["name"].as_str().unwrap(), play(case));
    }
    score.finish(&[]);
}

fn play(case: &Value) -> Result<(), String> {
    let bed = Bed::new();
    let webhook = bed.webhook();
    let config = case["config_yaml"].as_str();
    let config = config.unwrap_or("route: {receiver: none}\nreceivers: [{name: none}]\n");
    let config = config.replace("{webhook}", &format!("127.0.0.1:{}", webhook.port));
    let alertmanager = bed.vesta_alertmanager("ours", &config);
    let saved = BTreeMap::new();
    let mut scene = Scene { bed, alertmanager, webhook, start: Timestamp::now(), saved };
    for (name, text) in case["files"].as_object().into_iter().flatten() {
        scene.bed.write(name, text.as_str().unwrap());
    }
    for (name, value) in case["json_files"].as_object().into_iter().flatten() {
        scene.bed.write(name, &scene.fill(&value.to_string()));
    }
    for step in case["steps"].as_array().unwrap() {
        scene.step(step).map_err(|error| format!("{}: {error}", step["amtool"]))?;
    }
    for expected in case["expect"].as_array().into_iter().flatten() {
        scene.expect_notification(expected);
    }
    Ok(())
}

impl Scene {
    fn at(&self, seconds: i64) -> Timestamp {
        self.start + SignedDuration::from_secs(seconds)
    }

    /// Puts addresses, moments and what was saved into a text.
    fn fill(&self, text: &str) -> String {
        let mut text = text.replace("{api}", &format!("127.0.0.1:{}", self.alertmanager.port));
        for seconds in [0, 1, 2, 14_400] {
            let moment = format!("{:.3}", self.at(seconds));
            text = text.replace(&format!("{{t+{seconds}}}"), &moment);
        }
        for (name, value) in &self.saved {
            text = text.replace(&format!("{{{name}}}"), value);
        }
        text
    }

    fn step(&mut self, step: &Value) -> Result<(), String> {
        let words = step["amtool"].as_array().unwrap().iter();
        let words: Vec<String> = words.map(|word| self.fill(word.as_str().unwrap())).collect();
        let output = Command::new(vesta())
            .arg("amtool")
            .args(&words)
            .current_dir(self.bed.path())
            .env("HOME", self.bed.path())
            .output()
            .map_err(|error| error.to_string())?;
        let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
        let whole = format!("{stdout}{}", String::from_utf8_lossy(&output.stderr));
        let expect = &step["expect"];
        self.judge(expect, i64::from(output.status.code().unwrap_or(-1)), &whole)
            .map_err(|error| format!("{error}: {whole}"))?;
        if let Some(name) = step["save_stdout_as"].as_str() {
            self.bed.write(name, &stdout);
        }
        if let Some(names) = step["save_ids_as"].as_array() {
            for (name, row) in names.iter().zip(silences(&whole)?) {
                self.saved.insert(name.as_str().unwrap().to_owned(), row.id);
            }
        }
        Ok(())
    }

    fn judge(&self, expect: &Value, exit: i64, whole: &str) -> Result<(), String> {
        for (what, expected) in expect.as_object().unwrap() {
            let is_met = match what.as_str() {
                "exit" => *expected == exit,
                "exit_not" => *expected != exit,
                "output" => *expected == whole,
                "output_contains" => whole.contains(expected.as_str().unwrap()),
                // The only pattern of the table.
                "output_matches" => {
                    let version = whole.strip_prefix("amtool, version ").unwrap_or_default();
                    let number = version.split(' ').next().unwrap_or_default();
                    let mut parts = number.split('.');
                    number.split('.').count() == 3 && parts.all(|part| part.parse::<u32>().is_ok())
                }
                "alert_table" => alerts_are(whole, expected)?,
                "silence_table" => self.silences_are(whole, expected)?,
                other => return Err(format!("the test knows no {other}")),
            };
            if !is_met {
                return Err(format!("{what} is not {expected}, exit {exit}"));
            }
        }
        Ok(())
    }

    fn silences_are(&self, whole: &str, expected: &Value) -> Result<bool, String> {
        let rows = silences(whole)?;
        let mut is_met = true;
        for (what, expected) in expected.as_object().unwrap() {
            is_met &= match what.as_str() {
                "rows" => *expected == rows.len(),
                "rows_at_least" => expected.as_u64().unwrap() <= rows.len() as u64,
                "matchers" => {
                    let mut found: Vec<Vec<&str>> = rows.iter().map(Row::matchers).collect();
                    found.sort();
                    serde_json::json!(found) == *expected
                }
                "ids_any_order" => {
                    let mut ids: Vec<&str> = rows.iter().map(|row| row.id.as_str()).collect();
                    let wanted = expected.as_array().unwrap().iter();
                    let mut wanted: Vec<String> =
                        wanted.map(|id| self.fill(id.as_str().unwrap())).collect();
                    ids.sort_unstable();
                    wanted.sort();
                    ids == wanted
                }
                "ends_at_not_after_now" => {
                    let now = Timestamp::now().strftime("%Y-%m-%d %H:%M:%S UTC").to_string();
                    rows.iter().all(|row| row.ends_at <= now)
                }
                other => return Err(format!("the test knows no {other}")),
            };
        }
        Ok(is_met)
    }

    /// Waits for what a scenario wants to be told. How long that takes is the machine's affair
    /// here; the scenarios with a clock of their own look at moments.
    fn expect_notification(&self, expected: &Value) {
        let alert = &expected["alerts"][0];
        let starts_at = self.at(alert["starts_at"].as_i64().unwrap());
        wait_for("the notification", Duration::from_secs(30), || {
            let output = self.webhook.process.output();
            let mut bodies = output.lines().filter_map(|line| serde_json::from_str(line).ok());
            bodies.find_map(|body: Value| {
                let told = find_alert(&body, &alert["labels"])?;
                let told_start: Timestamp = told["startsAt"].as_str()?.parse().ok()?;
                let off = told_start.duration_since(starts_at).abs();
                (off <= SignedDuration::from_millis(150)).then_some(())
            })
        });
    }
}

/// The alert with these labels, wherever the webhook prints it.
fn find_alert<'a>(body: &'a Value, labels: &Value) -> Option<&'a Value> {
    match body {
        Value::Object(fields) if fields.contains_key("startsAt") => {
            (body["labels"] == *labels).then_some(body)
        }
        Value::Object(fields) => fields.values().find_map(|value| find_alert(value, labels)),
        Value::Array(values) => values.iter().find_map(|value| find_alert(value, labels)),
        _ => None,
    }
}

fn alerts_are(whole: &str, expected: &Value) -> Result<bool, String> {
    let mut lines = whole.lines();
    let header = lines.next().unwrap_or_default();
    let starts_at = header.find("Starts At").ok_or("no column \"Starts At\"")?;
    header.find("Summary").ok_or("no column \"Summary\"")?;
    let names: Vec<&str> = lines.map(|line| line.get(..starts_at).unwrap_or(line).trim()).collect();
    let is_right =
        expected["alertnames"].is_null() || expected["alertnames"] == serde_json::json!(names);
    Ok(expected["rows"] == names.len() && is_right)
}

struct Row {
    id: String,
    matchers: String,
    ends_at: String,
}

impl Row {
    fn matchers(&self) -> Vec<&str> {
        self.matchers.split_inclusive("\" ").map(str::trim).collect()
    }
}

fn silences(whole: &str) -> Result<Vec<Row>, String> {
    let mut lines = whole.lines();
    let header = lines.next().unwrap_or_default();
    let column = |name: &str| header.find(name).ok_or(format!("no column {name:?}"));
    let (matchers, ends_at) = (column("Matchers")?, column("Ends At")?);
    let (author, _) = (column("Created By")?, column("Comment")?);
    let cut = |line: &str, from, to| line.get(from..to).unwrap_or_default().trim().to_owned();
    let rows = lines.map(|line| Row {
        id: cut(line, 0, matchers),
        matchers: cut(line, matchers, ends_at),
        ends_at: cut(line, ends_at, author),
    });
    Ok(rows.collect())
}
