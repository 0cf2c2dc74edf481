//! From attributes to labels.

use std::collections::{BTreeMap, BTreeSet};

use model::{Labels, METRIC_NAME, labels::quote};

use super::{
    Promoted, Settings, names,
    point::{Attributes, Scope, Text},
    translate::{Category, Warnings},
};

/// Longer texts have no place in a label set.
const TEXT_BYTES_MAX: usize = (1 << 24) - 1;

const IDENTIFYING: [&str; 3] = ["service.namespace", "service.name", "service.instance.id"];

/// Labels that resource and scope give to every series, sorted by name.
pub(super) type Context = Vec<Given>;

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Given {
    name: String,
    value: String,
    /// Whether it counts also where a point says something else.
    wins: bool,
}

/// Sorted by name, which is unique.
pub(super) type Sorted<'a> = Vec<(Text<'a>, Text<'a>)>;

/// The labels of a point without the metric's name, sorted; none is empty.
pub(super) struct Base<'a>(Vec<(&'a str, &'a str)>);

/// What `resource` gives to its series: promoted attributes, job and instance.
pub(super) fn of_resource(
    resource: &Attributes<'_>,
    settings: &Settings,
) -> Result<Context, String> {
    let mut given = BTreeMap::new();
    let mut sorted: Vec<&(Text<'_>, Text<'_>)> = match &settings.promoted {
        Promoted::Only(names) if names.is_empty() => Vec::new(),
        Promoted::Only(names) => {
            let names: BTreeSet<&str> = names.iter().map(String::as_str).collect();
            resource.iter().filter(|(name, _)| names.contains(&**name)).collect()
        }
        Promoted::AllBut(names) => {
            let names: BTreeSet<&str> = names.iter().map(String::as_str).collect();
            resource.iter().filter(|(name, _)| !names.contains(&**name)).collect()
        }
    };
    sorted.sort_by(|(a, _), (b, _)| a.cmp(b));
    for (name, value) in sorted {
        let name = names::label(name, settings)?.into_owned();
        given.entry(name).or_insert_with(|| (value.to_string(), false));
    }
    given.extend(identity(resource).map(|(name, value)| (name.to_owned(), (value, true))));
    Ok(to_context(given))
}

/// The same, without what is promoted.
pub(super) fn of_identity(resource: &Attributes<'_>) -> Context {
    let given = identity(resource).map(|(name, value)| (name.to_owned(), (value, true)));
    to_context(given.collect())
}

/// Job and instance, as far as the resource says who it is.
fn identity(resource: &Attributes<'_>) -> impl Iterator<Item = (&'static str, String)> {
    let find = |name: &str| resource.iter().find(|(known, _)| known == name).map(|(_, v)| &**v);
    let job = find("service.name").map(|name| match find("service.namespace") {
        Some(namespace) => format!("{namespace}/{name}"),
        None => name.to_owned(),
    });
    let instance = find("service.instance.id").map(str::to_owned);
    [("job", job), ("instance", instance)].into_iter().filter_map(|(n, v)| Some((n, v?)))
}

pub(super) fn is_identifying(name: &str) -> bool {
    IDENTIFYING.contains(&name)
}

/// `context` with what the scope says of itself.
pub(super) fn with_scope(
    context: &Context,
    scope: &Scope<'_>,
    settings: &Settings,
) -> Result<Context, String> {
    let mut added = vec![
        ("otel_scope_name".to_owned(), &*scope.name),
        ("otel_scope_version".to_owned(), &*scope.version),
        ("otel_scope_schema_url".to_owned(), &*scope.schema_url),
    ];
    for (name, value) in &scope.attributes {
        let name = format!("otel_scope_{name}");
        added.push((names::label(&name, settings)?.into_owned(), value));
    }
    // Job and instance stand above what a scope says.
    let is_free = |name: &String| !["job", "instance"].contains(&name.as_str());
    Ok(with_pairs(context, added.into_iter().filter(|(name, _)| is_free(name))))
}

/// `context` with labels that count whatever a point says.
pub(super) fn with_pairs<'a>(
    context: &Context,
    pairs: impl IntoIterator<Item = (String, &'a str)>,
) -> Context {
    let known = context.iter().cloned();
    let mut given: BTreeMap<_, _> = known.map(|g| (g.name, (g.value, g.wins))).collect();
    given.extend(pairs.into_iter().map(|(name, value)| (name, (value.to_owned(), true))));
    to_context(given)
}

fn to_context(given: BTreeMap<String, (String, bool)>) -> Context {
    given.into_iter().map(|(name, (value, wins))| Given { name, value, wins }).collect()
}

/// The labels that `attributes` become. Of different names that become one, all values are kept.
pub(super) fn of_attributes<'a>(
    attributes: &'a Attributes<'_>,
    is_ignored: impl Fn(&str) -> bool,
    settings: &Settings,
    warnings: &mut Warnings,
) -> Result<Sorted<'a>, String> {
    let mut named = Vec::with_capacity(attributes.len());
    for (key, value) in attributes {
        if key != METRIC_NAME && !is_ignored(key) {
            named.push((names::label(key, settings)?, &**key, &**value));
        }
    }
    // By the names as they were, so that values always come in the same order.
    named.sort_by(|(a, a_key, _), (b, b_key, _)| (a, a_key).cmp(&(b, b_key)));
    let mut sorted: Sorted<'a> = Vec::with_capacity(named.len());
    for same in named.chunk_by(|(a, ..), (b, ..)| a == b) {
        let (name, _, value) = &same[0];
        if let [_, _, ..] = same {
            let keys: Vec<String> = same.iter().map(|(_, key, _)| quote(key)).collect();
            let (keys, shown) = (keys.join(", "), quote(name));
            warnings.add(
                Category::LabelNameCollision,
                format!(
                    "OTLP data point attributes {keys} collide as label {shown} after name \
                     sanitization, values are concatenated with ';'"
                ),
            );
            let values: Vec<&str> = same.iter().map(|(.., value)| *value).collect();
            sorted.push((name.clone(), Text::Owned(values.join(";"))));
        } else {
            sorted.push((name.clone(), Text::Borrowed(*value)));
        }
    }
    Ok(sorted)
}

impl<'a> Base<'a> {
    /// What a point says, and what its resource and scope say of it.
    pub(super) fn new(point: &'a Sorted<'_>, context: &'a Context) -> Result<Base<'a>, String> {
        let mut pairs: Vec<(&str, &str)> = Vec::with_capacity(point.len() + context.len());
        let mut context = context.iter().peekable();
        for (name, value) in point {
            while let Some(given) = context.next_if(|given| *given.name < **name) {
                pairs.push((&given.name, &given.value));
            }
            match context.next_if(|given| given.name == *name) {
                Some(given) if given.wins => pairs.push((name, &given.value)),
                _ => pairs.push((name, value)),
            }
        }
        pairs.extend(context.map(|given| (&*given.name, &*given.value)));
        pairs.retain(|(_, value)| !value.is_empty());
        match pairs.iter().any(|(name, value)| is_long(name) || is_long(value)) {
            true => Err("a label is longer than 16777215 bytes".to_owned()),
            false => Ok(Base(pairs)),
        }
    }

    /// The labels of the series `name`.
    pub(super) fn series(&self, name: &str) -> Labels {
        self.set([(METRIC_NAME, name)])
    }

    /// The labels of the series `name` for which `extra` says which part of the whole it is.
    pub(super) fn part(&self, name: &str, extra: (&str, &str)) -> Labels {
        self.set([(METRIC_NAME, name), extra])
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(known, _)| *known == name)
    }

    fn set<const N: usize>(&self, extra: [(&str, &str); N]) -> Labels {
        let is_free = |name: &str| extra.iter().all(|(known, _)| *known != name);
        let mut pairs = Vec::with_capacity(self.0.len() + N);
        pairs.extend(self.0.iter().copied().filter(|(name, _)| is_free(name)));
        pairs.extend(extra.iter().copied().filter(|(_, v)| !v.is_empty() && !is_long(v)));
        pairs.sort_unstable();
        Labels::from_sorted(pairs)
    }
}

fn is_long(text: &str) -> bool {
    text.len() > TEXT_BYTES_MAX
}
