//! What clients post: from JSON to alerts and silences, with upstream's complaints.

mod fields;
mod uri;

use std::{collections::BTreeMap, sync::Arc};

use ::alertmanager::{
    silence::{Pattern, Silence},
    time::Time,
    view::PostableAlert,
};
use model::{Labels, MatchKind};
use serde_json::Value;

use self::fields::{Fields, first_value, mismatch};
use super::respond::{Error, Result};

/// A list of alerts. Types are checked for all of them before rules are checked for any.
pub(super) fn alerts(bytes: &[u8]) -> Result<Vec<PostableAlert>> {
    let malformed = |reason: String| Error::malformed("alerts", &reason);
    if bytes.is_empty() {
        return Err(Error::required("alerts"));
    }
    let alerts = match first_value(bytes).map_err(malformed)? {
        Value::Null => Vec::new(),
        Value::Array(alerts) => alerts,
        other => {
            let kind = fields::kind(&other);
            return Err(malformed(format!(
                "json: cannot unmarshal {kind} into Go value of type models.PostableAlerts"
            )));
        }
    };
    let raw: Result<Vec<RawAlert>, String> = alerts.iter().map(RawAlert::read).collect();
    raw.map_err(malformed)?.into_iter().enumerate().map(|(idx, raw)| raw.checked(idx)).collect()
}

#[derive(Default)]
struct RawAlert {
    labels: Option<BTreeMap<String, String>>,
    annotations: BTreeMap<String, String>,
    starts_at: Option<Time>,
    ends_at: Option<Time>,
    generator_url: String,
}

impl RawAlert {
    fn read(value: &Value) -> Result<RawAlert, String> {
        let Some(fields) = Fields::of(value, "models.PostableAlert")? else {
            return Ok(RawAlert::default());
        };
        Ok(RawAlert {
            annotations: fields.texts("annotations", "Alert.annotations")?.unwrap_or_default(),
            ends_at: fields.time("endsAt", ".endsAt")?,
            starts_at: fields.time("startsAt", ".startsAt")?,
            generator_url: fields.text("generatorURL", "Alert.generatorURL")?.unwrap_or_default(),
            labels: fields.texts("labels", "Alert.labels")?,
        })
    }

    fn checked(self, idx: usize) -> Result<PostableAlert> {
        let url = self.generator_url;
        if !url.is_empty() && !uri::is_request_uri(&url) {
            let url = model::labels::quote(&url);
            let message = format!("{idx}.generatorURL in body must be of type uri: {url}");
            return Err(Error::invalid(601, message));
        }
        let Some(labels) = self.labels else {
            return Err(Error::required(&format!("{idx}.labels")));
        };
        Ok(PostableAlert {
            labels: Labels::from_pairs(labels.iter().filter(|(_, value)| !value.is_empty())),
            annotations: Arc::new(self.annotations),
            starts_at: self.starts_at,
            ends_at: self.ends_at,
            generator_url: url,
        })
    }
}

/// A silence, new or with the id of the one that it changes.
pub(super) fn silence(bytes: &[u8]) -> Result<Silence> {
    let malformed = |reason: String| Error::malformed("silence", &reason);
    if bytes.is_empty() {
        return Err(Error::required("silence"));
    }
    let value = first_value(bytes).map_err(malformed)?;
    RawSilence::read(&value).map_err(malformed)?.checked()
}

#[derive(Default)]
struct RawSilence {
    id: String,
    annotations: BTreeMap<String, String>,
    comment: Option<String>,
    created_by: Option<String>,
    ends_at: Option<Time>,
    matchers: Option<Vec<RawMatcher>>,
    starts_at: Option<Time>,
}

#[derive(Default)]
struct RawMatcher {
    is_equal: Option<bool>,
    is_regex: Option<bool>,
    name: Option<String>,
    value: Option<String>,
}

impl RawSilence {
    fn read(value: &Value) -> Result<RawSilence, String> {
        let go_type = "struct { ID string \"json:\\\"id,omitempty\\\"\" }";
        let Some(fields) = Fields::of(value, go_type)? else { return Ok(RawSilence::default()) };
        let matchers = match fields.get("matchers") {
            None => None,
            Some(Value::Array(matchers)) => {
                Some(matchers.iter().map(RawMatcher::read).collect::<Result<_, String>>()?)
            }
            Some(other) => return Err(mismatch(other, "Silence.matchers", "models.Matchers")),
        };
        Ok(RawSilence {
            id: fields.text("id", ".id")?.unwrap_or_default(),
            annotations: fields.texts("annotations", "Silence.annotations")?.unwrap_or_default(),
            comment: fields.text("comment", "Silence.comment")?,
            created_by: fields.text("createdBy", "Silence.createdBy")?,
            ends_at: fields.time("endsAt", "Silence.endsAt")?,
            matchers,
            starts_at: fields.time("startsAt", "Silence.startsAt")?,
        })
    }

    fn checked(self) -> Result<Silence> {
        let required = |path: &str| Error::required(path);
        let comment = self.comment.ok_or_else(|| required("comment"))?;
        let created_by = self.created_by.ok_or_else(|| required("createdBy"))?;
        let ends_at = self.ends_at.ok_or_else(|| required("endsAt"))?;
        let matchers = self.matchers.ok_or_else(|| required("matchers"))?;
        if matchers.is_empty() {
            let message = "matchers in body should have at least 1 items".to_owned();
            return Err(Error::invalid(612, message));
        }
        let patterns: Result<Vec<Pattern>> =
            matchers.into_iter().enumerate().map(|(idx, matcher)| matcher.checked(idx)).collect();
        let patterns = patterns?;
        let starts_at = self.starts_at.ok_or_else(|| required("startsAt"))?;
        // Silences travel as protobuf, which knows no offsets.
        let in_utc = |time: Time| Time::from_proto(time.to_proto()).unwrap_or(time);
        Ok(Silence {
            id: self.id,
            matcher_sets: vec![patterns],
            starts_at: Some(in_utc(starts_at)),
            ends_at: Some(in_utc(ends_at)),
            created_by,
            comment,
            annotations: self.annotations,
            ..Silence::default()
        })
    }
}

impl RawMatcher {
    fn read(value: &Value) -> Result<RawMatcher, String> {
        let Some(fields) = Fields::of(value, "models.Matcher")? else {
            return Ok(RawMatcher::default());
        };
        Ok(RawMatcher {
            is_equal: fields.bool("isEqual", "Matcher.matchers.isEqual")?,
            is_regex: fields.bool("isRegex", "Matcher.matchers.isRegex")?,
            name: fields.text("name", "Matcher.matchers.name")?,
            value: fields.text("value", "Matcher.matchers.value")?,
        })
    }

    fn checked(self, idx: usize) -> Result<Pattern> {
        let required = |name: &str| Error::required(&format!("matchers.{idx}.{name}"));
        let is_regex = self.is_regex.ok_or_else(|| required("isRegex"))?;
        let name = self.name.ok_or_else(|| required("name"))?;
        let value = self.value.ok_or_else(|| required("value"))?;
        let kind = match (self.is_equal.unwrap_or(true), is_regex) {
            (true, false) => MatchKind::Equal,
            (false, false) => MatchKind::NotEqual,
            (true, true) => MatchKind::Regex,
            (false, true) => MatchKind::NotRegex,
        };
        Ok(Pattern::new(kind, name, value))
    }
}
