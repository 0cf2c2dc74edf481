//! Do the types fit? Upstream's questions in upstream's order.

use model::{METRIC_NAME, labels::quote};

use crate::{
    ast::{
        Aggregate, Binary, Call, Cardinality, Expr, Span,
        ValueType::{self, Scalar, Vector},
        VectorSelector,
    },
    error::Complaint,
};

/// Checks `expr`, which came from `text`, notes what is wrong, and says what it evaluates to.
/// Operators lose their vector matching where a side is no vector.
pub(crate) fn check(expr: &mut Expr, text: &[u8], complaints: &mut Vec<Complaint>) -> ValueType {
    Checker { text, complaints }.expr(expr)
}

/// Checks that a selector selects something in particular.
pub(crate) fn selector(selector: &VectorSelector, complaints: &mut Vec<Complaint>) {
    if selector.name.is_empty() {
        let is_particular = selector.matchers.iter().any(|matcher| !matcher.matches_empty());
        if !is_particular {
            let problem = "vector selector must contain at least one non-empty matcher";
            complaints.push(Complaint::new(selector.span, problem));
        }
        return;
    }
    // The last condition is the one for the name before the braces.
    let (_, in_braces) = selector.matchers.split_last().unzip();
    for again in in_braces.unwrap_or_default().iter().filter(|one| one.name == METRIC_NAME) {
        let (name, other) = (quote(&selector.name), quote(&again.value));
        let problem = format!("metric name must not be set twice: {name} or {other}");
        complaints.push(Complaint::new(selector.span, problem));
    }
}

fn span_of(binary: &Binary) -> Span {
    Span { start: binary.lhs.span().start, end: binary.rhs.span().end }
}

struct Checker<'a> {
    text: &'a [u8],
    complaints: &'a mut Vec<Complaint>,
}

impl Checker<'_> {
    fn expr(&mut self, expr: &mut Expr) -> ValueType {
        match expr {
            Expr::Aggregate(aggregate) => self.aggregate(aggregate),
            Expr::Binary(binary) => return self.binary(binary),
            Expr::Call(call) => self.call(call),
            Expr::Matrix(matrix) => selector(&matrix.selector, self.complaints),
            Expr::Vector(vector) => selector(vector, self.complaints),
            Expr::Paren(paren) => return self.expr(&mut paren.expr),
            Expr::Subquery(subquery) => {
                let found = self.expr(&mut subquery.expr);
                if found != Vector {
                    let what = "subquery is only allowed on instant vector";
                    let found = found.as_str();
                    self.complain(expr.span(), format!("{what}, got {found} instead"));
                }
            }
            Expr::Unary(unary) => {
                let found = self.expr(&mut unary.expr);
                if !matches!(found, Scalar | Vector) {
                    let allowed = "expressions of type scalar or instant vector";
                    let found = quote(found.documented());
                    let problem =
                        format!("unary expression only allowed on {allowed}, got {found}");
                    self.complain(expr.span(), problem);
                }
                return found;
            }
            Expr::Number(_) | Expr::String(_) | Expr::Duration(_) => {}
        }
        expr.value_type()
    }

    fn aggregate(&mut self, aggregate: &mut Aggregate) {
        self.expect(&mut aggregate.expr, Vector, "aggregation expression");
        if let (Some(param), Some(wanted)) = (&mut aggregate.param, aggregate.op.param_type()) {
            self.expect(param, wanted, "aggregation parameter");
        }
    }

    fn expect(&mut self, expr: &mut Expr, wanted: ValueType, context: &str) {
        let found = self.expr(expr);
        if found != wanted {
            let (wanted, found) = (wanted.documented(), found.documented());
            self.complain(expr.span(), format!("expected type {wanted} in {context}, got {found}"));
        }
    }

    fn call(&mut self, call: &mut Call) {
        self.count_args(call);
        let Call { function, args, span } = call;
        if function.name == "info"
            && let Some(labels) = args.get(1)
        {
            self.info_labels(labels, *span);
        }
        for (at, arg) in args.iter_mut().enumerate() {
            let wanted = match function.args.get(at) {
                Some(wanted) => *wanted,
                None if function.variadic == 0 => break,
                None => function.args.last().copied().unwrap_or(Vector),
            };
            let is_label_selector = function.name == "info" && at == 1;
            let found = match arg {
                Expr::Vector(vector) if is_label_selector && vector.name.is_empty() => Vector,
                _ => self.expr(arg),
            };
            if found != wanted {
                let (wanted, found) = (wanted.documented(), found.documented());
                let name = quote(function.name);
                let problem =
                    format!("expected type {wanted} in call to function {name}, got {found}");
                self.complain(arg.span(), problem);
            }
        }
    }

    fn count_args(&mut self, call: &Call) {
        let (n_wanted, n_found) = (call.function.args.len(), call.args.len());
        let n_least = n_wanted.saturating_sub(1);
        let wanted = match usize::try_from(call.function.variadic) {
            Ok(0) if n_found != n_wanted => format!("{n_wanted}"),
            Ok(0) => return,
            _ if n_found < n_least => format!("at least {n_least}"),
            Ok(n_more) if n_found > n_least + n_more => format!("at most {}", n_least + n_more),
            _ => return,
        };
        let name = quote(call.function.name);
        let problem = format!("expected {wanted} argument(s) in call to {name}, got {n_found}");
        self.complain(call.span, problem);
    }

    /// The second argument of `info` looks like a selector and means labels.
    fn info_labels(&mut self, labels: &Expr, call: Span) {
        let found = labels.value_type();
        if found != Vector {
            let (wanted, found) = (Vector.documented(), found.documented());
            let problem =
                format!("expected type {wanted} in call to function \"info\", got {found}");
            self.complain(call, problem);
        }
        match labels {
            Expr::Vector(vector) if vector.name.is_empty() => {}
            Expr::Vector(_) => {
                let problem = "expected label selectors only, got vector selector instead";
                self.complain(labels.span(), problem);
            }
            _ => self.complain(labels.span(), "expected label selectors only"),
        }
    }

    fn binary(&mut self, binary: &mut Binary) -> ValueType {
        let lhs = self.expr(&mut binary.lhs);
        let rhs = self.expr(&mut binary.rhs);
        self.operator(binary, lhs, rhs);
        for (side, found) in [(&binary.lhs, lhs), (&binary.rhs, rhs)] {
            if !matches!(found, Scalar | Vector) {
                let problem = "binary expression must contain only scalar and instant vector types";
                self.complain(side.span(), problem);
            }
        }
        self.matching(binary, lhs, rhs);
        if lhs != Vector || rhs != Vector {
            binary.matching = None;
        }
        if binary.op.is_set() && (lhs == Scalar || rhs == Scalar) {
            let op = quote(binary.op.as_str());
            let problem = format!("set operator {op} not allowed in binary scalar expression");
            self.complain(span_of(binary), problem);
        }
        match (lhs, rhs) {
            (Scalar, Scalar) => Scalar,
            _ => Vector,
        }
    }

    /// Complaints about the operator and its modifiers, at their place.
    fn operator(&mut self, binary: &Binary, lhs: ValueType, rhs: ValueType) {
        let is_comparison = binary.op.is_comparison();
        if binary.return_bool && !is_comparison {
            let problem = "bool modifier can only be used on comparison operators";
            self.complain(self.operator_span(binary), problem);
        }
        if is_comparison && !binary.return_bool && lhs == Scalar && rhs == Scalar {
            let problem = "comparisons between scalars must use BOOL modifier";
            self.complain(self.operator_span(binary), problem);
        }
        let Some(matching) = binary.matching.as_ref().filter(|matching| matching.on) else {
            return;
        };
        for label in &matching.labels {
            for _ in matching.include.iter().filter(|included| *included == label) {
                let label = quote(label);
                let problem =
                    format!("label {label} must not occur in ON and GROUP clause at once");
                self.complain(self.operator_span(binary), problem);
            }
        }
    }

    fn matching(&mut self, binary: &Binary, lhs: ValueType, rhs: ValueType) {
        let Some(matching) = &binary.matching else { return };
        let fills = matching.fill_left.is_some() || matching.fill_right.is_some();
        if lhs != Vector || rhs != Vector {
            if !matching.labels.is_empty() {
                let problem = "vector matching only allowed between instant vectors";
                self.complain(span_of(binary), problem);
            }
            if fills {
                let problem = "filling in missing series only allowed between instant vectors";
                self.complain(span_of(binary), problem);
            }
            return;
        }
        if !binary.op.is_set() {
            return;
        }
        if matching.cardinality != Cardinality::ManyToMany {
            let op = quote(binary.op.as_str());
            self.complain(span_of(binary), format!("no grouping allowed for {op} operation"));
            self.complain(span_of(binary), "set operations must always be many-to-many");
        }
        if fills {
            self.complain(
                span_of(binary),
                "filling in missing series not allowed for set operators",
            );
        }
    }

    /// From the operator to its last modifier. Upstream leaves out the last byte of that.
    fn operator_span(&self, binary: &Binary) -> Span {
        let is_space = |at: usize| matches!(self.text.get(at), Some(b' ' | b'\t' | b'\n' | b'\r'));
        let mut span = Span { start: binary.lhs.span().end, end: binary.rhs.span().start };
        span.end = span.end.saturating_sub(1);
        while is_space(span.start) {
            span.start += 1;
        }
        while span.end > span.start && is_space(span.end) {
            span.end -= 1;
        }
        span
    }

    fn complain(&mut self, span: Span, message: impl Into<String>) {
        self.complaints.push(Complaint::new(span, message));
    }
}
