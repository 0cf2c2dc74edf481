//! `/consoles/*`: pages that operators write as templates, with answers to queries in them.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Weak,
        atomic::{AtomicUsize, Ordering},
    },
};

use axum::{
    extract::{Path, RawQuery, State},
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
};
use gotemplate::{
    Func, Functions, Limits, Map, MissingKey, Struct, Templates, Type, Value, value::SafeKind,
};
use model::Timestamp;
use rules::template;

use super::files::below;
use crate::{
    page::plain,
    prometheus::{
        Api,
        engine::{self, Query, SampleValue, Times},
        params::Form,
    },
};

const INDEX: &str = "index.html";
const LIBRARY: &str = ".lib";
/// How often `tmpl` may be in a template that `tmpl` runs.
const DEPTH_MAX: usize = 16;
/// Each such template has the stack for so much nesting of its own.
const LIMITS: Limits = Limits { depth: 100, steps: 10_000_000, output_bytes: 64 << 20 };

/// What every console begins with.
const DEFINITIONS: &str = "{{$rawParams := .RawParams}}{{$params := .Params}}{{$path := .Path}}\
    {{$externalLabels := .ExternalLabels}}";

/// Where the pages lead to, below the route prefix, if there is something.
pub(super) fn link(api: &Api) -> &'static str {
    let disk = &*api.runtime.disk;
    if disk.exists(&api.pages.consoles.join(INDEX)) {
        return "consoles/index.html";
    }
    match &api.pages.user_assets {
        Some(folder) if disk.exists(&folder.join("static").join(INDEX)) => "user/static/index.html",
        _ => "",
    }
}

pub(super) async fn console(
    State(api): State<Arc<Api>>,
    Path(file): Path<String>,
    RawQuery(query): RawQuery,
) -> Response {
    let query = query.unwrap_or_default();
    let running = tokio::task::spawn_blocking(move || run(&api, &file, &query));
    let failed = |error: tokio::task::JoinError| {
        Err((StatusCode::INTERNAL_SERVER_ERROR, format!("unexpected error: {error}")))
    };
    match running.await.unwrap_or_else(failed) {
        Ok(html) => ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], html).into_response(),
        Err((status, reason)) => plain(status, format!("{reason}\n")),
    }
}

fn run(api: &Arc<Api>, file: &str, query: &str) -> Result<String, (StatusCode, String)> {
    let folder = &api.pages.consoles;
    let path = below(folder, file).ok_or((StatusCode::NOT_FOUND, "no such file".to_owned()))?;
    let text = api.runtime.disk.read_to_string(&path).map_err(|error| {
        // Go names what it did, and to what.
        let reason = match error.kind() {
            std::io::ErrorKind::NotFound => "no such file or directory".to_owned(),
            _ => error.to_string(),
        };
        (StatusCode::NOT_FOUND, format!("open {}: {reason}", path.display()))
    })?;
    let name = format!("__console_/{file}");
    let data = data(api, file, query);
    expand(api, &name, &text, &data).map_err(|reason| (StatusCode::INTERNAL_SERVER_ERROR, reason))
}

fn expand(api: &Arc<Api>, name: &str, text: &str, data: &Value) -> Result<String, String> {
    let context = template::Context {
        query: Arc::new(Ask(api.clone())),
        now: api.now(),
        external_url: api.pages.external_url.clone(),
    };
    let mut templates = Templates::new(template::functions(context));
    templates.is_html = true;
    templates.missing_key = MissingKey::Zero;
    templates.limits = LIMITS;
    // Until the templates are there, so that they can be read.
    let not_yet = Func::new(&[Type::String, Type::Any], |_| Ok(Value::Nil));
    templates.add_functions(Functions::from([("tmpl", not_yet)]));
    let in_parsing = |error: gotemplate::Error| format!("error parsing template {name}: {error}");
    templates.parse(name, &format!("{DEFINITIONS}{text}")).map_err(in_parsing)?;
    for (library, text) in libraries(api) {
        templates.parse(&library, &text).map_err(in_parsing)?;
    }
    let templates = with_tmpl(templates);
    templates
        .execute(name, data)
        .map_err(|error| format!("error executing template {name}: {error}"))
}

/// Name and text of each library, by name.
fn libraries(api: &Api) -> BTreeMap<String, String> {
    let folder = &api.pages.console_libraries;
    let entries = api.runtime.disk.list(folder).unwrap_or_default();
    let names = entries.into_iter().map(|entry| entry.name);
    let libraries = names.filter(|name| name.ends_with(LIBRARY)).filter_map(|name| {
        let text = api.runtime.disk.read_to_string(&folder.join(&name)).ok()?;
        Some((name, text))
    });
    libraries.collect()
}

/// Adds `tmpl name data`, which runs a template whose name is the result of something.
fn with_tmpl(mut templates: Templates) -> Arc<Templates> {
    let depth = AtomicUsize::new(0);
    Arc::new_cyclic(|all: &Weak<Templates>| {
        let all = all.clone();
        let tmpl = Func::new(&[Type::String, Type::Any], move |args| {
            let templates = all.upgrade().ok_or("it has ended")?;
            let (name, data) = match args {
                [name, data] => (name.as_str().unwrap_or_default(), data),
                _ => return Err("a name and data are needed".to_owned()),
            };
            if depth.fetch_add(1, Ordering::Relaxed) >= DEPTH_MAX {
                return Err(format!("templates call each other more than {DEPTH_MAX} times"));
            }
            let html = templates.execute(name, data).map_err(|error| error.to_string())?;
            depth.fetch_sub(1, Ordering::Relaxed);
            Ok(Value::Safe(SafeKind::Html, html.into()))
        });
        templates.set_function("tmpl", tmpl);
        templates
    })
}

fn data(api: &Api, file: &str, query: &str) -> Value {
    let form = Form::parse(&[], query);
    let mut all: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (name, value) in form.pairs() {
        all.entry(name).or_default().push(value);
    }
    let first = all.iter().map(|(name, values)| (*name, *values.first().unwrap_or(&"")));
    let first = Map::of_strings("map[string]string", first);
    let lists = all.iter().map(|(name, values)| (*name, Value::strings(values.iter().copied())));
    let mut raw = Map::of_any(lists);
    raw.type_name = "url.Values";
    raw.zero = Arc::new(Value::strings(std::iter::empty::<&str>()));
    let external_labels = (api.external_labels)();
    let external_labels = Map::of_strings("map[string]string", external_labels.iter());
    Value::object(Struct {
        type_name: "struct { RawParams url.Values; Params map[string]string; Path string; \
                    ExternalLabels map[string]string }",
        fields: vec![
            ("RawParams", Value::Map(raw)),
            ("Params", Value::Map(first)),
            ("Path", Value::from(file.trim_start_matches('/'))),
            ("ExternalLabels", Value::Map(external_labels)),
        ],
    })
}

/// Templates ask what everybody may ask.
struct Ask(Arc<Api>);

impl rules::Query for Ask {
    fn instant(&self, expr: &str, time: Timestamp) -> Result<Vec<rules::Sample>, String> {
        let query = Query {
            text: expr.to_owned(),
            times: Times::Instant(time),
            timeout: None,
            lookback_delta: None,
            per_step_stats: false,
            explain: false,
            request: None,
            cancel: Arc::default(),
        };
        let sample = |labels: model::Labels, value: SampleValue| {
            let value = match value {
                SampleValue::Float(value) => rules::SampleValue::Float(value),
                SampleValue::Histogram(histogram) => rules::SampleValue::Histogram(histogram),
            };
            rules::Sample { labels, value }
        };
        match self.0.engine.run(&query).map_err(|error| error.to_string())?.value {
            engine::Value::Vector(samples) => {
                Ok(samples.into_iter().map(|it| sample(it.labels, it.value)).collect())
            }
            engine::Value::Scalar { value, .. } => {
                Ok(vec![sample(model::Labels::default(), SampleValue::Float(value))])
            }
            _ => Err("query result is not a vector or scalar".to_owned()),
        }
    }
}
