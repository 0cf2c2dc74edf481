//! The syntax tree of a query. Each node knows which bytes of the text it came from.

use model::Matcher;

/// Bytes `start..end` of the query text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Span {
    pub start: usize,
    pub end: usize,
}

/// What a query or a part of it evaluates to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ValueType {
    Scalar,
    Vector,
    Matrix,
    String,
}

impl ValueType {
    /// The name in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            ValueType::Scalar => "scalar",
            ValueType::Vector => "vector",
            ValueType::Matrix => "matrix",
            ValueType::String => "string",
        }
    }

    /// The name in the documentation and in errors.
    pub fn documented(self) -> &'static str {
        match self {
            ValueType::Vector => "instant vector",
            ValueType::Matrix => "range vector",
            other => other.as_str(),
        }
    }
}

/// A query, or a part of one.
#[derive(Debug, Clone, PartialEq)]
pub enum Expr {
    Aggregate(Box<Aggregate>),
    Binary(Box<Binary>),
    Call(Box<Call>),
    Matrix(Box<MatrixSelector>),
    Number(NumberLiteral),
    Paren(Box<Paren>),
    String(StringLiteral),
    Subquery(Box<Subquery>),
    Unary(Box<Unary>),
    Vector(Box<VectorSelector>),
    /// Arithmetic on durations; only within `[…]` and after `offset`.
    Duration(Box<DurationExpr>),
}

impl Expr {
    /// What the expression evaluates to.
    pub fn value_type(&self) -> ValueType {
        match self {
            Expr::Aggregate(_) | Expr::Vector(_) => ValueType::Vector,
            Expr::Matrix(_) | Expr::Subquery(_) => ValueType::Matrix,
            Expr::Number(_) | Expr::Duration(_) => ValueType::Scalar,
            Expr::String(_) => ValueType::String,
            Expr::Call(call) => call.function.returns,
            Expr::Paren(paren) => paren.expr.value_type(),
            Expr::Unary(unary) => unary.expr.value_type(),
            Expr::Binary(binary) => {
                let is_scalar = |side: &Expr| side.value_type() == ValueType::Scalar;
                match is_scalar(&binary.lhs) && is_scalar(&binary.rhs) {
                    true => ValueType::Scalar,
                    false => ValueType::Vector,
                }
            }
        }
    }

    /// The bytes of the query that the expression came from.
    pub fn span(&self) -> Span {
        Span { start: self.start(), end: self.end() }
    }

    fn start(&self) -> usize {
        let mut expr = self;
        loop {
            return match expr {
                Expr::Binary(binary) => {
                    expr = &binary.lhs;
                    continue;
                }
                Expr::Subquery(subquery) => {
                    expr = &subquery.expr;
                    continue;
                }
                Expr::Aggregate(aggregate) => aggregate.span.start,
                Expr::Call(call) => call.span.start,
                Expr::Matrix(matrix) => matrix.selector.span.start,
                Expr::Number(number) => number.span.start,
                Expr::Paren(paren) => paren.span.start,
                Expr::String(string) => string.span.start,
                Expr::Unary(unary) => unary.start,
                Expr::Vector(vector) => vector.span.start,
                Expr::Duration(duration) => duration.span.start,
            };
        }
    }

    fn end(&self) -> usize {
        let mut expr = self;
        loop {
            return match expr {
                Expr::Binary(binary) => {
                    expr = &binary.rhs;
                    continue;
                }
                Expr::Unary(unary) => {
                    expr = &unary.expr;
                    continue;
                }
                Expr::Aggregate(aggregate) => aggregate.span.end,
                Expr::Call(call) => call.span.end,
                Expr::Matrix(matrix) => matrix.end,
                Expr::Number(number) => number.span.end,
                Expr::Paren(paren) => paren.span.end,
                Expr::String(string) => string.span.end,
                Expr::Subquery(subquery) => subquery.end,
                Expr::Vector(vector) => vector.span.end,
                Expr::Duration(duration) => duration.span.end,
            };
        }
    }
}

/// `sum by (job) (x)`, `topk(3, x)`.
#[derive(Debug, Clone, PartialEq)]
pub struct Aggregate {
    pub op: AggregateOp,
    pub expr: Expr,
    /// `3` in `topk(3, x)`.
    pub param: Option<Expr>,
    pub grouping: Vec<String>,
    /// `without` if true, `by` (or neither) if false.
    pub without: bool,
    pub span: Span,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AggregateOp {
    Sum,
    Avg,
    Min,
    Max,
    Count,
    Group,
    Stddev,
    Stdvar,
    TopK,
    BottomK,
    CountValues,
    Quantile,
    LimitK,
    LimitRatio,
}

impl AggregateOp {
    pub fn as_str(self) -> &'static str {
        use AggregateOp::*;
        match self {
            Sum => "sum",
            Avg => "avg",
            Min => "min",
            Max => "max",
            Count => "count",
            Group => "group",
            Stddev => "stddev",
            Stdvar => "stdvar",
            TopK => "topk",
            BottomK => "bottomk",
            CountValues => "count_values",
            Quantile => "quantile",
            LimitK => "limitk",
            LimitRatio => "limit_ratio",
        }
    }

    /// The type of the parameter before the vector, if there is one.
    pub fn param_type(self) -> Option<ValueType> {
        use AggregateOp::*;
        match self {
            TopK | BottomK | Quantile | LimitK | LimitRatio => Some(ValueType::Scalar),
            CountValues => Some(ValueType::String),
            Sum | Avg | Min | Max | Count | Group | Stddev | Stdvar => None,
        }
    }

    /// Needs `promql-experimental-functions`.
    pub fn is_experimental(self) -> bool {
        matches!(self, AggregateOp::LimitK | AggregateOp::LimitRatio)
    }
}

/// `a + on (x) b`.
#[derive(Debug, Clone, PartialEq)]
pub struct Binary {
    pub op: BinaryOp,
    pub lhs: Expr,
    pub rhs: Expr,
    /// Present when both sides are vectors.
    pub matching: Option<VectorMatching>,
    /// The `bool` modifier of comparisons.
    pub return_bool: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BinaryOp {
    Add,
    Sub,
    Mul,
    Div,
    Mod,
    Pow,
    Atan2,
    Equal,
    NotEqual,
    Greater,
    Less,
    GreaterOrEqual,
    LessOrEqual,
    And,
    Or,
    Unless,
    /// `</`, native histograms only.
    TrimUpper,
    /// `>/`, native histograms only.
    TrimLower,
}

impl BinaryOp {
    pub fn as_str(self) -> &'static str {
        use BinaryOp::*;
        match self {
            Add => "+",
            Sub => "-",
            Mul => "*",
            Div => "/",
            Mod => "%",
            Pow => "^",
            Atan2 => "atan2",
            Equal => "==",
            NotEqual => "!=",
            Greater => ">",
            Less => "<",
            GreaterOrEqual => ">=",
            LessOrEqual => "<=",
            And => "and",
            Or => "or",
            Unless => "unless",
            TrimUpper => "</",
            TrimLower => ">/",
        }
    }

    pub fn is_comparison(self) -> bool {
        use BinaryOp::*;
        matches!(self, Equal | NotEqual | Greater | Less | GreaterOrEqual | LessOrEqual)
    }

    pub fn is_set(self) -> bool {
        matches!(self, BinaryOp::And | BinaryOp::Or | BinaryOp::Unless)
    }
}

/// How the series of two vectors find each other.
#[derive(Debug, Clone, PartialEq)]
pub struct VectorMatching {
    pub cardinality: Cardinality,
    /// The labels of `on` or `ignoring`.
    pub labels: Vec<String>,
    /// `on` if true, `ignoring` (or neither) if false.
    pub on: bool,
    /// The labels of `group_left` or `group_right`.
    pub include: Vec<String>,
    /// What stands in for a series that the left or right side lacks.
    pub fill_left: Option<f64>,
    pub fill_right: Option<f64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cardinality {
    OneToOne,
    /// `group_left`
    ManyToOne,
    /// `group_right`
    OneToMany,
    /// Set operators.
    ManyToMany,
}

impl Cardinality {
    pub fn as_str(self) -> &'static str {
        match self {
            Cardinality::OneToOne => "one-to-one",
            Cardinality::ManyToOne => "many-to-one",
            Cardinality::OneToMany => "one-to-many",
            Cardinality::ManyToMany => "many-to-many",
        }
    }
}

/// `rate(x[5m])`.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    pub function: &'static crate::functions::Function,
    pub args: Vec<Expr>,
    pub span: Span,
}

/// `x[5m]`.
#[derive(Debug, Clone, PartialEq)]
pub struct MatrixSelector {
    pub selector: VectorSelector,
    /// Zero while `range_expr` is not evaluated.
    pub range_ms: i64,
    pub range_expr: Option<DurationExpr>,
    /// Where the text of the whole selector ends.
    pub end: usize,
}

/// `x{job="a"} offset 5m @ start()`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct VectorSelector {
    /// The name before the braces; "" if there is none, also if one is quoted within them.
    pub name: String,
    /// All conditions, the one on `__name__` included.
    pub matchers: Vec<Matcher>,
    pub modifiers: TimeModifiers,
    /// Experimental range modifiers.
    pub anchored: bool,
    pub smoothed: bool,
    pub span: Span,
}

/// `offset` and `@`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TimeModifiers {
    /// As written; negative looks ahead.
    pub offset_ms: i64,
    pub offset_expr: Option<Box<DurationExpr>>,
    pub at: Option<At>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum At {
    /// Milliseconds since the epoch.
    Timestamp(i64),
    Start,
    End,
}

/// `expr[1h:5m]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Subquery {
    pub expr: Expr,
    pub range_ms: i64,
    pub range_expr: Option<DurationExpr>,
    /// Zero where the query gives none: the default evaluation interval.
    pub step_ms: i64,
    pub step_expr: Option<DurationExpr>,
    pub modifiers: TimeModifiers,
    pub end: usize,
}

#[derive(Debug, Clone, PartialEq)]
pub struct NumberLiteral {
    pub value: f64,
    /// Written as a duration, `5m`; the value is its seconds.
    pub is_duration: bool,
    pub span: Span,
}

#[derive(Debug, Clone, PartialEq)]
pub struct StringLiteral {
    pub value: String,
    /// The very bytes, where escapes like `\xff` made no UTF-8 and `value` has U+FFFD instead.
    pub bytes: Option<Box<[u8]>>,
    pub span: Span,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Paren {
    pub expr: Expr,
    pub span: Span,
}

/// `-x`, `+x`.
#[derive(Debug, Clone, PartialEq)]
pub struct Unary {
    pub negative: bool,
    pub expr: Expr,
    pub start: usize,
}

/// `5m * 2`, `step()`, `max_of(step(), 1m)`.
#[derive(Debug, Clone, PartialEq)]
pub struct DurationExpr {
    pub kind: DurationKind,
    /// Written in parentheses.
    pub wrapped: bool,
    pub span: Span,
}

#[derive(Debug, Clone, PartialEq)]
pub enum DurationKind {
    /// A number of seconds, or a duration.
    Literal(NumberLiteral),
    Step,
    Range,
    Negative(Box<DurationExpr>),
    Positive(Box<DurationExpr>),
    /// Add, Sub, Mul, Div, Mod, Pow.
    Arithmetic(BinaryOp, Box<DurationExpr>, Box<DurationExpr>),
    Min(Box<DurationExpr>, Box<DurationExpr>),
    Max(Box<DurationExpr>, Box<DurationExpr>),
}
