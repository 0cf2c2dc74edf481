//! What requests may carry, by the names that the table of operations uses.

/// A parameter, as one operation has it.
pub(super) struct Given {
    pub(super) name: &'static str,
    pub(super) place: &'static str,
    pub(super) schema: &'static str,
    /// Its shape in a form, where times are only text.
    pub(super) in_form: &'static str,
    pub(super) description: &'static str,
    pub(super) is_required: bool,
}

const TEXT: &str = "{type: string}";
const TEXTS: &str = "{type: array, items: {type: string}}";
const BOOL: &str = "{type: boolean}";
const INT: &str = "{type: integer, format: int64}";
const POSITIVE: &str = "{type: integer, format: int64, minimum: 1, default: 100}";
const TIME: &str = "{oneOf: [{type: string, format: date-time}, {type: number, format: unixtime}]}";
const DURATION: &str = "{oneOf: [{type: string, format: duration}, {type: number, format: float}]}";

/// What operations call it, its name, its shape, and what it is for.
type Row = (&'static str, &'static str, &'static str, &'static str);

#[rustfmt::skip]
const PARAMETERS: &[Row] = &[
    ("query", "query", TEXT, "The PromQL to answer."),
    ("time", "time", TIME, "The moment of the answer; now, unless given."),
    ("start", "start", TIME, "The earliest moment."),
    ("end", "end", TIME, "The latest moment."),
    ("step", "step", DURATION, "The time between two moments."),
    ("timeout", "timeout", DURATION, "The longest time for the answer, if it is shorter than the server's own."),
    ("lookback_delta", "lookback_delta", DURATION, "How far back a sample is looked for."),
    ("stats", "stats", TEXT, "`true` adds what the query cost, `all` also step by step."),
    ("limit", "limit", INT, "The most results; 0 is no limit."),
    ("match", "match[]", TEXTS, "Selectors; what one of them selects is taken."),
    ("name", "name", TEXT, "The label. A name that a path cannot hold is escaped, with `U__` in front."),
    ("label", "label", TEXT, "The label whose values are searched."),
    ("search", "search[]", TEXTS, "What to look for; one of them is enough."),
    ("fuzz_threshold", "fuzz_threshold", INT, "How like it must be, from 0 to 100."),
    ("fuzz_alg", "fuzz_alg", "{type: string, enum: [subsequence, jarowinkler]}", "What like means."),
    ("case_sensitive", "case_sensitive", BOOL, "Whether A is not a; it is not, unless told otherwise."),
    ("sort_by", "sort_by", "{type: string, enum: [alpha, score]}", "By name, or the best first."),
    ("sort_dir", "sort_dir", "{type: string, enum: [asc, dsc]}", "For names: forward or backward."),
    ("include_score", "include_score", BOOL, "Whether each result comes with how good it is."),
    ("include_metadata", "include_metadata", BOOL, "Whether each metric comes with what it means."),
    ("search_limit", "limit", POSITIVE, "The most results."),
    ("batch_size", "batch_size", POSITIVE, "How many results a line holds."),
    ("metric", "metric", TEXT, "The only metric to tell of."),
    ("limit_per_metric", "limit_per_metric", INT, "The most that is told of one metric."),
    ("match_target", "match_target", TEXT, "A selector; of the targets whose labels it selects."),
    ("scrapePool", "scrapePool", TEXT, "The name of a scrape pool."),
    ("state", "state", TEXT, "`active`, `dropped` or `any`."),
    ("labels", "labels", TEXT, "The labels of a discovered target, as JSON."),
    ("type", "type", TEXT, "`alert` or `record`."),
    ("rule_name", "rule_name[]", TEXTS, "Names of rules."),
    ("rule_group", "rule_group[]", TEXTS, "Names of groups."),
    ("file", "file[]", TEXTS, "Files with rules."),
    ("exclude_alerts", "exclude_alerts", TEXT, "`true` leaves out the alerts of each rule."),
    ("group_limit", "group_limit", INT, "The most groups in one answer."),
    ("group_next_token", "group_next_token", TEXT, "From the answer before: go on there."),
    ("metric_name_pattern", "metric_name_pattern", TEXT, "A regular expression for the names of the server's own metrics."),
    ("skip_head", "skip_head", TEXT, "`true` leaves out what is not in a block yet."),
];

/// The parameter that an operation calls `key`; with `!` at the end it must be there.
pub(super) fn parameter(key: &str) -> Given {
    let (key, is_required) = match key.strip_suffix('!') {
        Some(key) => (key, true),
        None => (key, false),
    };
    let row = PARAMETERS.iter().find(|row| row.0 == key);
    let (key, name, schema, description) = *row.expect("operations name what is in the table");
    let place = if key == "name" { "path" } else { "query" };
    let in_form = if [TIME, DURATION].contains(&schema) { TEXT } else { schema };
    Given { name, place, schema, in_form, description, is_required }
}
