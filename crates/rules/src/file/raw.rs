//! A rule file as written: every field optional, with its position, unknown fields noted.

use std::{collections::BTreeMap, fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, IgnoredAny, MapAccess, Visitor},
};
use serde_saphyr::{Location, Spanned};

use super::{Position, Problem};

#[derive(Debug, Default)]
pub(super) struct RawFile {
    pub(super) groups: Vec<Spanned<RawGroup>>,
    unknown: Unknown,
}

#[derive(Debug, Default)]
pub(super) struct RawGroup {
    pub(super) name: String,
    pub(super) interval: Option<Spanned<String>>,
    pub(super) query_offset: Option<Spanned<String>>,
    pub(super) limit: i64,
    pub(super) labels: BTreeMap<String, String>,
    pub(super) rules: Vec<RawRule>,
    unknown: Unknown,
}

#[derive(Debug, Default)]
pub(super) struct RawRule {
    pub(super) record: Option<Spanned<String>>,
    pub(super) alert: Option<Spanned<String>>,
    pub(super) expr: Option<Spanned<String>>,
    pub(super) hold: Option<Spanned<String>>,
    pub(super) keep_firing_for: Option<Spanned<String>>,
    pub(super) labels: BTreeMap<String, String>,
    pub(super) annotations: BTreeMap<String, String>,
    unknown: Unknown,
}

type Unknown = Vec<Spanned<String>>;

/// Reads one document; the problems are the fields that nobody knows.
pub(super) fn parse(text: &str) -> Result<(RawFile, Vec<Problem>), Vec<Problem>> {
    let file: Option<RawFile> = serde_saphyr::from_str(text).map_err(|error| {
        let position = error.location().map(|location| position(&location));
        let message = format!("yaml: {}", error.without_snippet());
        vec![Problem { position, alternative: None, rule: None, message }]
    })?;
    let file = file.unwrap_or_default();
    let mut problems = Vec::new();
    note(&file.unknown, "RuleGroups", &mut problems);
    for group in &file.groups {
        note(&group.value.unknown, "RuleGroup", &mut problems);
        for rule in &group.value.rules {
            note(&rule.unknown, "Rule", &mut problems);
        }
    }
    Ok((file, problems))
}

fn note(unknown: &Unknown, type_name: &str, problems: &mut Vec<Problem>) {
    for field in unknown {
        // Without a place before it: the decoder's own message names the line.
        let line = field.referenced.line();
        let name = &field.value;
        let message = format!(
            "yaml: unmarshal errors:\n  line {line}: field {name} not found in type rulefmt.{type_name}"
        );
        problems.push(Problem { position: None, alternative: None, rule: None, message });
    }
}

pub(super) fn position(location: &Location) -> Position {
    Position { line: location.line(), column: location.column() }
}

/// A mapping that takes its known fields one by one and notes the others.
trait Fields: Default {
    const EXPECTED: &'static str;

    /// Reads the value of `key` if it is known; says whether it is.
    fn take<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<bool, A::Error>;

    fn unknown(&mut self) -> &mut Unknown;
}

struct FieldsVisitor<T>(PhantomData<T>);

impl<'de, T: Fields> Visitor<'de> for FieldsVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::EXPECTED)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<T, A::Error> {
        let mut fields = T::default();
        while let Some(key) = map.next_key::<Spanned<String>>()? {
            if !fields.take(&key.value, &mut map)? {
                map.next_value::<IgnoredAny>()?;
                fields.unknown().push(key);
            }
        }
        Ok(fields)
    }
}

/// The next value; null is the default, as in Go.
fn value<'de, T: DeserializeOwned + Default, A: MapAccess<'de>>(
    map: &mut A,
) -> Result<T, A::Error> {
    Ok(map.next_value::<Option<T>>()?.unwrap_or_default())
}

/// The next list; a null in it is left out, as in Go.
fn list<'de, T: DeserializeOwned, A: MapAccess<'de>>(map: &mut A) -> Result<Vec<T>, A::Error> {
    let list: Vec<Option<T>> = value(map)?;
    Ok(list.into_iter().flatten().collect())
}

/// The next mapping of texts; a null in it is an empty text.
fn texts<'de, A: MapAccess<'de>>(map: &mut A) -> Result<BTreeMap<String, String>, A::Error> {
    let texts: BTreeMap<String, Option<String>> = value(map)?;
    Ok(texts.into_iter().map(|(name, text)| (name, text.unwrap_or_default())).collect())
}

impl Fields for RawFile {
    const EXPECTED: &'static str = "a rule file";

    fn take<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<bool, A::Error> {
        match key {
            "groups" => self.groups = list(map)?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn unknown(&mut self) -> &mut Unknown {
        &mut self.unknown
    }
}

impl Fields for RawGroup {
    const EXPECTED: &'static str = "a rule group";

    fn take<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<bool, A::Error> {
        match key {
            "name" => self.name = value(map)?,
            "interval" => self.interval = map.next_value()?,
            "query_offset" => self.query_offset = map.next_value()?,
            "limit" => self.limit = value::<Whole, _>(map)?.0,
            "labels" => self.labels = texts(map)?,
            "rules" => self.rules = list(map)?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn unknown(&mut self) -> &mut Unknown {
        &mut self.unknown
    }
}

impl Fields for RawRule {
    const EXPECTED: &'static str = "a rule";

    fn take<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<bool, A::Error> {
        match key {
            "record" => self.record = map.next_value()?,
            "alert" => self.alert = map.next_value()?,
            "expr" => self.expr = map.next_value()?,
            "for" => self.hold = map.next_value()?,
            "keep_firing_for" => self.keep_firing_for = map.next_value()?,
            "labels" => self.labels = texts(map)?,
            "annotations" => self.annotations = texts(map)?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn unknown(&mut self) -> &mut Unknown {
        &mut self.unknown
    }
}

impl<'de> Deserialize<'de> for RawFile {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<RawFile, D::Error> {
        deserializer.deserialize_map(FieldsVisitor(PhantomData))
    }
}

impl<'de> Deserialize<'de> for RawGroup {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<RawGroup, D::Error> {
        deserializer.deserialize_map(FieldsVisitor(PhantomData))
    }
}

impl<'de> Deserialize<'de> for RawRule {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<RawRule, D::Error> {
        deserializer.deserialize_map(FieldsVisitor(PhantomData))
    }
}

/// A whole number; of a fraction what is before the point, as in Go.
#[derive(Default)]
struct Whole(i64);

impl<'de> Deserialize<'de> for Whole {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Whole, D::Error> {
        deserializer.deserialize_any(WholeVisitor)
    }
}

struct WholeVisitor;

impl Visitor<'_> for WholeVisitor {
    type Value = Whole;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number")
    }

    fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<Whole, E> {
        Ok(Whole(number))
    }

    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Whole, E> {
        let too_large = || E::custom(format!("{number} is too large"));
        i64::try_from(number).map(Whole).map_err(|_| too_large())
    }

    fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<Whole, E> {
        Ok(Whole(number as i64))
    }
}
