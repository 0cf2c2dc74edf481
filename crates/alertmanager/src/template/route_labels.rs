use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use gotemplate::{Func, Templates, Type, Value};
use parking_lot::Mutex;

use super::{Data, Template};

/// The labels of one route, each rendered at most once.
pub(super) struct Resolver {
    templates: Templates,
    data: Value,
    labels: BTreeMap<String, String>,
    /// `None` while it is being rendered. Never held while a template runs.
    rendered: Mutex<HashMap<String, Option<String>>>,
}

impl Resolver {
    pub(super) fn new(templates: &Templates, data: &Data) -> Arc<Resolver> {
        Arc::new(Resolver {
            templates: templates.clone(),
            data: data.to_value(),
            labels: data.route_labels.0.clone(),
            rendered: Mutex::default(),
        })
    }

    /// `templates` in which `routeLabels` asks this resolver.
    pub(super) fn attach(self: &Arc<Resolver>, templates: &Templates) -> Templates {
        let resolver = self.clone();
        let mut templates = templates.clone();
        templates.set_function(
            "routeLabels",
            Func::new(&[Type::String], move |args| {
                let name = args.first().and_then(Value::as_str).unwrap_or_default();
                resolver.label(name).map(Value::from)
            }),
        );
        templates
    }

    pub(super) fn label(self: &Arc<Resolver>, name: &str) -> Result<String, String> {
        let Some(text) = self.labels.get(name) else { return Ok(String::new()) };
        match self.rendered.lock().get(name) {
            Some(Some(rendered)) => return Ok(rendered.clone()),
            Some(None) => return Err(format!("cyclic reference to route label {name}")),
            None => {}
        }
        self.rendered.lock().insert(name.to_owned(), None);
        let rendered = self
            .attach(&self.templates)
            .execute_text("", text, &self.data)
            .map_err(|error| error.to_string());
        let mut all = self.rendered.lock();
        match &rendered {
            Ok(rendered) => all.insert(name.to_owned(), Some(rendered.clone())),
            Err(_) => all.remove(name),
        };
        rendered
    }
}

/// Renders the label templates of a route. One that fails is logged and left out.
pub(crate) fn render_route_labels(
    template: &Template,
    labels: &BTreeMap<String, String>,
    data: &Data,
) -> BTreeMap<String, String> {
    let mut data = data.clone();
    data.route_labels.0 = labels.clone();
    let resolver = Resolver::new(&template.templates, &data);
    let mut rendered = BTreeMap::new();
    for name in labels.keys() {
        match resolver.label(name) {
            Ok(text) => {
                rendered.insert(name.clone(), text);
            }
            Err(error) => {
                tracing::error!(label = name, err = error, "Failed to render route label");
            }
        }
    }
    rendered
}
