//! `/format_query` and `/parse_query`, and the way from a parameter to selectors.

use std::sync::Arc;

use axum::extract::State;
use model::Matcher;
use promql_syntax::ast::Expr;

use super::{
    Api,
    params::Form,
    respond::{Error, Result, Success},
};

pub(super) async fn format_query(State(api): State<Arc<Api>>, form: Form) -> Result {
    let expr = parse(&api, &form).map_err(|reason| Error::bad_parameter("query", reason))?;
    let text = promql_syntax::format_query(&expr);
    Ok(Success::json(|json| json.string(&text)))
}

pub(super) async fn parse_query(State(api): State<Arc<Api>>, form: Form) -> Result {
    let expr = parse(&api, &form).map_err(|reason| Error::bad_parameter("query", reason))?;
    Ok(Success::json(|json| json.raw(&promql_syntax::to_json(&expr))))
}

/// The parameter `query`, in the language that the engine speaks.
pub(super) fn parse(api: &Api, form: &Form) -> Result<Expr, String> {
    promql_syntax::parse(form.first("query"), &api.engine.language())
        .map_err(|error| error.to_string())
}

/// The matchers of each selector of a query.
pub(super) fn selectors(expr: &Expr) -> Vec<Vec<Matcher>> {
    promql_syntax::extract_selectors(expr).into_iter().map(<[Matcher]>::to_vec).collect()
}

/// The matchers of a selector such as `up{job="a"}`, or upstream's complaint.
pub(super) fn parse_selector(text: &str) -> Result<Vec<Matcher>, String> {
    promql_syntax::parse_metric_selector(text).map_err(|error| error.to_string())
}
