//! What the query language allows here.

use super::Options;

/// What `--enable-feature` allows in queries and rules.
pub(super) fn syntax(options: &Options) -> promql_syntax::Options {
    let extended = options.has_feature("promql-extended-range-selectors");
    promql_syntax::Options {
        experimental_functions: options.has_feature("promql-experimental-functions"),
        extended_range_selectors: extended,
        fill_modifiers: options.has_feature("promql-binop-fill-modifiers"),
        ..promql_syntax::Options::default()
    }
}

pub(super) fn engine_options(options: &Options) -> promql::Options {
    promql::Options {
        lookback: options.query.lookback,
        timeout: options.query.timeout,
        samples_max: options.query.samples_max as u64,
        memory_max: options.query.memory_max,
        concurrency_max: options.query.concurrency_max,
        syntax: syntax(options),
        delayed_name_removal: options.has_feature("promql-delayed-name-removal"),
        use_start_timestamps: options.has_feature("use-start-timestamps"),
        type_and_unit_labels: options.has_feature("type-and-unit-labels"),
        per_step_stats: options.has_feature("promql-per-step-stats"),
        ..promql::Options::default()
    }
}

/// `expr` as the printer writes it, or why it is no query.
pub(super) fn print(expr: &str, syntax: &promql_syntax::Options) -> Result<String, String> {
    match promql_syntax::parse(expr, syntax) {
        Ok(expr) => Ok(expr.to_string()),
        Err(errors) => Err(errors.to_string()),
    }
}
