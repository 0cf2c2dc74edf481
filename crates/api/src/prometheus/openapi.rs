//! `/openapi.yaml`: what the API is, for programs that write clients.
//!
//! The document is put together from tables: operations, their parameters, and the shapes of data
//! in `openapi/schemas.yaml`. Names and types are upstream's, words are ours.

mod operations;
mod parameters;
#[cfg(test)]
mod tests;

use std::{fmt::Write as _, sync::Arc};

use axum::{
    extract::State,
    http::header,
    response::{IntoResponse as _, Response},
};

use self::{
    operations::{Answer, OPERATIONS, Operation},
    parameters::{Given, parameter},
};
use super::{Api, params::Form};

const SCHEMAS: &str = include_str!("openapi/schemas.yaml");

/// Which OpenAPI the document is written in; the newer one can describe streams of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    V3_1,
    V3_2,
}

/// Each with what it is called, and what is in it.
const TAGS: [(&str, &str, &str); 13] = [
    ("query", "Query", "Answers to PromQL."),
    ("metadata", "Metadata", "What metrics mean."),
    ("labels", "Labels", "Names and values of labels."),
    ("series", "Series", "Which series there are."),
    ("targets", "Targets", "What is scraped."),
    ("rules", "Rules", "Recording and alerting rules."),
    ("alerts", "Alerts", "Alerts, and the Alertmanagers that hear of them."),
    ("status", "Status", "How the server is set up and how it is doing."),
    ("admin", "Admin", "What changes the storage; off unless it was asked for."),
    ("features", "Features", "What this server can do."),
    ("remote", "Remote Storage", "Samples from and to other servers."),
    ("otlp", "OTLP", "Metrics from OpenTelemetry."),
    ("notifications", "Notifications", "What whoever looks at the server should know."),
];

pub(super) async fn openapi(State(api): State<Arc<Api>>, form: Form) -> Response {
    let version = match form.first("openapi_version") {
        "3.2" => Version::V3_2,
        _ => Version::V3_1,
    };
    let base = format!("{}/api/v1", api.external_path());
    let headers = [
        (header::CONTENT_TYPE, "application/yaml; charset=utf-8"),
        (header::CACHE_CONTROL, "no-cache, no-store, must-revalidate"),
    ];
    (headers, document(version, &base, &api.build_info.version)).into_response()
}

fn document(version: Version, base: &str, product: &str) -> String {
    let mut yaml = Yaml::default();
    yaml.line(
        0,
        match version {
            Version::V3_1 => "openapi: 3.1.0",
            Version::V3_2 => "openapi: 3.2.0",
        },
    );
    yaml.line(0, "info:");
    yaml.field(2, "title", "Prometheus API");
    yaml.field(2, "description", "Prometheus' HTTP API, as Vesta answers it.");
    yaml.field(2, "version", product);
    yaml.line(0, "servers:");
    yaml.field(2, "- url", base);
    yaml.line(0, "paths:");
    let is_known =
        |operation: &&Operation| version == Version::V3_2 || operation.answer != Answer::Events;
    let operations: Vec<&Operation> = OPERATIONS.iter().filter(is_known).collect();
    for operation in &operations {
        yaml.path(operation);
    }
    yaml.line(0, "components:");
    yaml.line(2, "schemas:");
    for line in SCHEMAS.lines().filter(|line| !line.starts_with('#')) {
        yaml.line(4, line);
    }
    for operation in &operations {
        yaml.bodies(operation);
    }
    yaml.line(0, "tags:");
    for (name, summary, description) in TAGS {
        yaml.field(2, "- name", name);
        if version == Version::V3_2 {
            yaml.field(4, "summary", summary);
        }
        yaml.field(4, "description", description);
    }
    yaml.0
}

/// A document under construction.
#[derive(Default)]
struct Yaml(String);

impl Yaml {
    fn line(&mut self, indent: usize, text: &str) {
        writeln!(self.0, "{:indent$}{text}", "").expect("writing to a string cannot fail");
    }

    /// A text as JSON writes it, which YAML reads.
    fn field(&mut self, indent: usize, key: &str, text: &str) {
        self.line(indent, &format!("{key}: {}", serde_json::Value::from(text)));
    }

    /// All that one path answers.
    fn path(&mut self, operation: &Operation) {
        self.line(2, &format!("{}:", operation.path));
        for (method, id) in operation.methods {
            self.line(4, &format!("{method}:"));
            self.line(6, &format!("tags: [{}]", operation.tag));
            self.field(6, "summary", operation.summary);
            self.line(6, &format!("operationId: {id}"));
            let has_form = *method == "post" && operation.form.is_some();
            match operation.form {
                Some(form) if has_form => self.form(form),
                _ => self.parameters(operation),
            }
            self.responses(operation);
        }
    }

    fn parameters(&mut self, operation: &Operation) {
        if operation.parameters.is_empty() {
            return;
        }
        self.line(6, "parameters:");
        for given in operation.parameters.iter().map(|given| parameter(given)) {
            let Given { name, place, schema, description, is_required, .. } = given;
            self.field(8, "- name", name);
            self.line(10, &format!("in: {place}"));
            self.field(10, "description", description);
            self.line(10, &format!("required: {is_required}"));
            if place == "query" {
                self.line(10, "explode: false");
            }
            self.line(10, &format!("schema: {schema}"));
        }
    }

    fn form(&mut self, name: &str) {
        self.line(6, "requestBody:");
        self.line(8, "required: true");
        self.line(8, "content:");
        self.line(10, "application/x-www-form-urlencoded:");
        self.line(12, &format!("schema: {}", reference(name)));
    }

    fn responses(&mut self, operation: &Operation) {
        let (code, content) = match operation.answer {
            Answer::Nothing => ("204", None),
            Answer::Done(name) | Answer::Data(name, _) => {
                ("200", Some(("application/json", "schema", reference(name))))
            }
            Answer::Lines => {
                let schema = "{type: string}".to_owned();
                ("200", Some(("application/x-ndjson", "schema", schema)))
            }
            Answer::Events => ("200", Some(("text/event-stream", "itemSchema", EVENT.to_owned()))),
        };
        self.line(6, "responses:");
        self.line(8, &format!("\"{code}\":"));
        self.field(10, "description", "It was done.");
        if let Some((kind, key, schema)) = content {
            self.line(10, "content:");
            self.line(12, &format!("{kind}:"));
            self.line(14, &format!("{key}: {schema}"));
        }
        self.line(8, "default:");
        self.field(10, "description", "It was not done, and why.");
        self.line(10, "content:");
        self.line(12, "application/json:");
        self.line(14, &format!("schema: {}", reference("Error")));
    }

    /// What is sent to and comes from one path.
    fn bodies(&mut self, operation: &Operation) {
        if let Some(form) = operation.form {
            self.line(4, &format!("{form}:"));
            self.line(6, "type: object");
            self.line(6, "properties:");
            let given: Vec<Given> = operation.parameters.iter().map(|it| parameter(it)).collect();
            for Given { name, in_form, .. } in &given {
                self.line(8, &format!("{}: {in_form}", serde_json::Value::from(*name)));
            }
            let required: Vec<String> = given
                .iter()
                .filter(|given| given.is_required)
                .map(|given| serde_json::Value::from(given.name).to_string())
                .collect();
            if !required.is_empty() {
                self.line(6, &format!("required: [{}]", required.join(", ")));
            }
            self.line(6, "additionalProperties: false");
        }
        let (name, data) = match operation.answer {
            Answer::Data(name, data) => (name, Some(data)),
            Answer::Done(name) => (name, None),
            _ => return,
        };
        self.line(4, &format!("{name}:"));
        self.line(6, "type: object");
        self.line(6, "properties:");
        self.line(8, "status: {type: string, enum: [success, error]}");
        if let Some(data) = data {
            self.line(8, &format!("data: {data}"));
        }
        self.line(8, "warnings: {type: array, items: {type: string}}");
        self.line(8, "infos: {type: array, items: {type: string}}");
        self.line(
            6,
            match data {
                Some(_) => "required: [status, data]",
                None => "required: [status]",
            },
        );
        self.line(6, "additionalProperties: false");
    }
}

const EVENT: &str = "{title: Server Sent Event Message, type: object, properties: {data: \
    {type: string, contentMediaType: application/json, contentSchema: \
    {$ref: \"#/components/schemas/Notification\"}}}, required: [data], \
    additionalProperties: false}";

fn reference(name: &str) -> String {
    format!("{{$ref: \"#/components/schemas/{name}\"}}")
}
