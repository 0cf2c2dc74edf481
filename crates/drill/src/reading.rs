//! What do the servers say? Exact samples, by raw range selectors.

#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Context as _, bail};
use runtime::Runtime;
use serde::Deserialize;
use transport::client::{Client, Config, Limits, Request};
use url::Url;

use crate::{
    ledger::{Range, Reading, Sample},
    truth::{Key, METRIC, RECORDED},
};

const LIMITS: Limits = Limits { timeout: Duration::from_secs(20), body_bytes: 256 << 20 };
/// For questions that are answered at once or not at all.
const SHORT: Limits = Limits { timeout: Duration::from_secs(1), body_bytes: 1 << 20 };

/// Labels, and exact samples.
pub(crate) type Series = (BTreeMap<String, String>, Vec<Sample>);

pub(crate) struct Reader {
    client: Client,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    data: Data,
    #[serde(default)]
    error: String,
    #[serde(default)]
    warnings: Vec<String>,
}

#[derive(Deserialize, Default)]
struct Data {
    #[serde(default)]
    result: Vec<Matrix>,
}

#[derive(Deserialize)]
struct Matrix {
    metric: BTreeMap<String, String>,
    #[serde(default)]
    values: Vec<(f64, String)>,
}

impl Reader {
    pub(crate) fn new(runtime: Runtime) -> anyhow::Result<Reader> {
        Ok(Reader { client: Client::new(Config::default(), runtime)? })
    }

    /// Whether `GET url` is answered with 200, at once.
    pub(crate) async fn says_yes(&self, url: &str) -> bool {
        let Ok(url) = url.parse() else { return false };
        let response = self.client.send(Request::get(url), &SHORT).await;
        response.is_ok_and(|response| response.status.is_success())
    }

    pub(crate) async fn post(&self, url: &str) -> anyhow::Result<()> {
        let request = Request::post(url.parse()?, "text/plain", "");
        let response = self.client.send(request, &LIMITS).await?;
        if !response.status.is_success() {
            let said = String::from_utf8_lossy(&response.body).trim().to_owned();
            bail!("{url} says {}: {said}", response.status);
        }
        Ok(())
    }

    /// All samples of the drill at `base`, and what it warned of.
    pub(crate) async fn read(
        &self,
        base: &str,
        range: Range,
    ) -> anyhow::Result<(Reading, Vec<String>)> {
        let selector = format!("{{__name__=~\"{METRIC}|{RECORDED}\"}}");
        let (series, warnings) = self.samples(base, &selector, range).await?;
        let known = |(labels, samples): Series| Some((key(&labels)?, samples));
        let mut reading = Reading::new();
        for (key, samples) in series.into_iter().filter_map(known) {
            reading.entry(key).or_default().extend(samples);
        }
        Ok((reading, warnings))
    }

    /// The exact samples of what `selector` selects.
    pub(crate) async fn samples(
        &self,
        base: &str,
        selector: &str,
        range: Range,
    ) -> anyhow::Result<(Vec<Series>, Vec<String>)> {
        // A little more on both sides: whether a range is open or closed differs by version.
        let (from_ms, to_ms) = (range.from_ms - 2000, range.to_ms + 2000);
        let query = format!("{selector}[{}ms]", to_ms - from_ms);
        let time = format!("{}.{:03}", to_ms / 1000, to_ms % 1000);
        let url = with_query(base, "/api/v1/query", &[("query", &query), ("time", &time)])?;
        let body = self.get(url).await?;
        parse(&body).with_context(|| format!("read the answer of {base}"))
    }

    /// The answer of a range query, to the byte.
    pub(crate) async fn text(
        &self,
        base: &str,
        expression: &str,
        range: Range,
    ) -> anyhow::Result<String> {
        let (from, to) = (range.from_ms / 1000 + 1, range.to_ms / 1000);
        let (from, to) = (from.to_string(), to.to_string());
        let parameters = [("query", expression), ("start", &from), ("end", &to), ("step", "1")];
        let url = with_query(base, "/api/v1/query_range", &parameters)?;
        Ok(String::from_utf8_lossy(&self.get(url).await?).into_owned())
    }

    async fn get(&self, url: Url) -> anyhow::Result<Vec<u8>> {
        let response = self.client.send(Request::get(url.clone()), &LIMITS).await?;
        let body = response.decoded(LIMITS.body_bytes)?;
        if !response.status.is_success() {
            bail!("{url} says {}: {}", response.status, String::from_utf8_lossy(&body));
        }
        Ok(body.to_vec())
    }
}

fn with_query(base: &str, path: &str, parameters: &[(&str, &str)]) -> anyhow::Result<Url> {
    let mut url: Url = format!("{}{path}", base.trim_end_matches('/')).parse()?;
    url.query_pairs_mut().extend_pairs(parameters);
    Ok(url)
}

fn parse(body: &[u8]) -> anyhow::Result<(Vec<Series>, Vec<String>)> {
    let answer: Answer = serde_json::from_slice(body)?;
    if !answer.error.is_empty() {
        bail!("{}", answer.error);
    }
    let series = answer.data.result.into_iter().map(|matrix| {
        let samples = matrix.values.into_iter().map(|(seconds, value)| Sample {
            at_ms: (seconds * 1000.0).round() as i64,
            value: value.parse().unwrap_or(f64::NAN),
        });
        (matrix.metric, samples.collect())
    });
    Ok((series.collect(), answer.warnings))
}

fn key(labels: &BTreeMap<String, String>) -> Option<Key> {
    let number = |name: &str| labels.get(name)?.parse::<usize>().ok();
    match labels.get("__name__")?.as_str() {
        METRIC => Some(Key::Raw { target: number("target")?, series: number("series")? }),
        RECORDED => Some(Key::Recorded { target: number("target")? }),
        _ => None,
    }
}
