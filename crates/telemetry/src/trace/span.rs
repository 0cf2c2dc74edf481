use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use super::{CURRENT, Current, Tracer};

/// What kind of work a span is, by OpenTelemetry's numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Internal = 1,
    Server = 2,
    Client = 3,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    Text(String),
    Number(i64),
}

/// A span that is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finished {
    pub trace_id: u128,
    pub span_id: u64,
    pub parent_id: Option<u64>,
    pub name: String,
    pub kind: Kind,
    /// Since the Unix epoch.
    pub start: Duration,
    pub end: Duration,
    pub attributes: Vec<(&'static str, Value)>,
    /// Why it failed, if it did.
    pub error: Option<String>,
}

/// Work that is going on; it is over when this is dropped. Does nothing if it is not recorded.
#[must_use = "a span is over when it is dropped"]
#[derive(Debug)]
pub struct Span(Option<Box<Open>>);

#[derive(Debug)]
struct Open {
    tracer: Tracer,
    /// Complete but for the end.
    span: Finished,
}

impl Span {
    pub(super) fn none() -> Span {
        Span(None)
    }

    pub(super) fn open(
        tracer: Tracer,
        trace_id: u128,
        parent_id: Option<u64>,
        name: String,
        kind: Kind,
    ) -> Span {
        let (span_id, start) = (tracer.new_span_id(), tracer.now());
        let (attributes, error) = (Vec::new(), None);
        let span = Finished {
            trace_id,
            span_id,
            parent_id,
            name,
            kind,
            start,
            end: start,
            attributes,
            error,
        };
        Span(Some(Box::new(Open { tracer, span })))
    }

    pub fn is_recorded(&self) -> bool {
        self.0.is_some()
    }

    pub fn set_text(&mut self, key: &'static str, value: impl Into<String>) {
        if let Some(open) = &mut self.0 {
            open.span.attributes.push((key, Value::Text(value.into())));
        }
    }

    pub fn set_number(&mut self, key: &'static str, value: i64) {
        if let Some(open) = &mut self.0 {
            open.span.attributes.push((key, Value::Number(value)));
        }
    }

    pub fn fail(&mut self, error: impl Into<String>) {
        if let Some(open) = &mut self.0 {
            open.span.error = Some(error.into());
        }
    }

    /// The header `traceparent` for others who are asked within this span.
    pub fn to_header(&self) -> Option<String> {
        let span = &self.0.as_ref()?.span;
        Some(format!("00-{:032x}-{:016x}-01", span.trace_id, span.span_id))
    }

    /// Does `work`, whose spans are within this one.
    pub fn within<T>(&self, work: impl FnOnce() -> T) -> T {
        let _entered = Entered::new(self.current());
        work()
    }

    /// A future whose spans are within this one.
    pub fn around<F: Future>(&self, future: F) -> Traced<F> {
        Traced { current: self.current(), future: Box::pin(future) }
    }

    fn current(&self) -> Option<Current> {
        let Open { tracer, span } = &**self.0.as_ref()?;
        Some(Current { tracer: tracer.clone(), trace_id: span.trace_id, span_id: span.span_id })
    }
}

impl Drop for Span {
    fn drop(&mut self) {
        if let Some(open) = self.0.take() {
            let Open { tracer, mut span } = *open;
            span.end = tracer.now().max(span.start);
            tracer.keep(span);
        }
    }
}

/// See [`Span::around`].
pub struct Traced<F> {
    current: Option<Current>,
    future: Pin<Box<F>>,
}

impl<F: Future> Future for Traced<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let _entered = Entered::new(self.current.clone());
        self.future.as_mut().poll(cx)
    }
}

/// While it lives this thread works in a span; then in the one before again.
struct Entered(Option<Current>);

impl Entered {
    fn new(current: Option<Current>) -> Entered {
        Entered(CURRENT.replace(current))
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        CURRENT.replace(self.0.take());
    }
}
