//! Spans as OpenTelemetry's messages.

use std::time::Duration;

use proto::trace::{
    AnyValue, ExportTraceServiceRequest, InstrumentationScope, KeyValue, ResourceSpans, ScopeSpans,
    Span, Status, any_value,
};
use telemetry::trace::{Finished, Value};

/// By OpenTelemetry's numbers.
const ERROR: i32 = 2;

/// Who sends.
pub(crate) struct Resource {
    pub(super) service: &'static str,
    pub(super) version: &'static str,
    pub(super) scope: &'static str,
}

pub(super) fn request(resource: &Resource, spans: Vec<Finished>) -> ExportTraceServiceRequest {
    let text = |key, value: &str| attribute(key, Value::Text(value.to_owned()));
    let attributes = vec![
        text("service.name", resource.service),
        text("service.version", resource.version),
        text("telemetry.sdk.language", "rust"),
        text("telemetry.sdk.name", "vesta"),
    ];
    let scope =
        InstrumentationScope { name: "vesta".to_owned(), version: resource.scope.to_owned() };
    let spans = spans.into_iter().map(span).collect();
    ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            resource: Some(proto::trace::Resource { attributes }),
            scope_spans: vec![ScopeSpans { scope: Some(scope), spans }],
        }],
    }
}

fn span(span: Finished) -> Span {
    let parent = span.parent_id.map(|id| id.to_be_bytes().to_vec());
    let attributes = span.attributes.into_iter().map(|(key, value)| attribute(key, value));
    Span {
        trace_id: span.trace_id.to_be_bytes().to_vec(),
        span_id: span.span_id.to_be_bytes().to_vec(),
        parent_span_id: parent.unwrap_or_default(),
        name: span.name,
        kind: span.kind as i32,
        start_time_unix_nano: nanos(span.start),
        end_time_unix_nano: nanos(span.end),
        attributes: attributes.collect(),
        status: span.error.map(|message| Status { message, code: ERROR }),
    }
}

fn attribute(key: &str, value: Value) -> KeyValue {
    let value = match value {
        Value::Text(text) => any_value::Value::StringValue(text),
        Value::Number(number) => any_value::Value::IntValue(number),
    };
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value) }) }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
