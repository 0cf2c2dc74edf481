//! The words and signs of the language, and how errors call them.

use model::labels::quote;

use crate::ast::{AggregateOp, BinaryOp, Span};

/// A word or sign, and where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) span: Span,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    End,
    /// The lexer holds the message.
    Error,
    Comment,
    Identifier,
    /// An identifier with a colon.
    MetricIdentifier,
    Number,
    Duration,
    String,
    /// `=`
    Assign,
    EqualRegex,
    NotEqualRegex,
    Comma,
    Colon,
    LeftParen,
    RightParen,
    LeftBrace,
    RightBrace,
    LeftBracket,
    RightBracket,
    At,
    Op(BinaryOp),
    Aggregate(AggregateOp),
    Keyword(Keyword),
    // What follows occurs in series descriptions only.
    Space,
    Blank,
    Times,
    OpenHistogram,
    CloseHistogram,
    Descriptor(Descriptor),
    ResetHint,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keyword {
    Anchored,
    Bool,
    By,
    End,
    Fill,
    FillLeft,
    FillRight,
    GroupLeft,
    GroupRight,
    Ignoring,
    MaxOf,
    MinOf,
    Offset,
    On,
    Range,
    Smoothed,
    Start,
    Step,
    Without,
}

/// The keys of a histogram in a series description.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Descriptor {
    Sum,
    Count,
    Schema,
    Offset,
    NegativeOffset,
    Buckets,
    NegativeBuckets,
    ZeroBucket,
    ZeroBucketWidth,
    CustomValues,
    CounterResetHint,
}

impl Descriptor {
    const ALL: [Descriptor; 11] = [
        Descriptor::Sum,
        Descriptor::Count,
        Descriptor::Schema,
        Descriptor::Offset,
        Descriptor::NegativeOffset,
        Descriptor::Buckets,
        Descriptor::NegativeBuckets,
        Descriptor::ZeroBucket,
        Descriptor::ZeroBucketWidth,
        Descriptor::CustomValues,
        Descriptor::CounterResetHint,
    ];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Descriptor::Sum => "sum",
            Descriptor::Count => "count",
            Descriptor::Schema => "schema",
            Descriptor::Offset => "offset",
            Descriptor::NegativeOffset => "n_offset",
            Descriptor::Buckets => "buckets",
            Descriptor::NegativeBuckets => "n_buckets",
            Descriptor::ZeroBucket => "z_bucket",
            Descriptor::ZeroBucketWidth => "z_bucket_w",
            Descriptor::CustomValues => "custom_values",
            Descriptor::CounterResetHint => "counter_reset_hint",
        }
    }

    /// The descriptor called `word`, in any case.
    pub(crate) fn find(word: &str) -> Option<Descriptor> {
        Descriptor::ALL.into_iter().find(|one| one.as_str().eq_ignore_ascii_case(word))
    }
}

/// What the word `text` is: a keyword in any case, or an identifier.
pub(crate) fn word_kind(text: &[u8]) -> Kind {
    use AggregateOp as A;
    use Keyword as K;
    const LENGTH_MAX: usize = 12;
    let mut buffer = [0; LENGTH_MAX];
    let Some(lower) = buffer.get_mut(..text.len()) else { return identifier_kind(text) };
    lower.copy_from_slice(text);
    lower.make_ascii_lowercase();
    match &*lower {
        b"and" => Kind::Op(BinaryOp::And),
        b"or" => Kind::Op(BinaryOp::Or),
        b"unless" => Kind::Op(BinaryOp::Unless),
        b"atan2" => Kind::Op(BinaryOp::Atan2),
        b"sum" => Kind::Aggregate(A::Sum),
        b"avg" => Kind::Aggregate(A::Avg),
        b"min" => Kind::Aggregate(A::Min),
        b"max" => Kind::Aggregate(A::Max),
        b"count" => Kind::Aggregate(A::Count),
        b"group" => Kind::Aggregate(A::Group),
        b"stddev" => Kind::Aggregate(A::Stddev),
        b"stdvar" => Kind::Aggregate(A::Stdvar),
        b"topk" => Kind::Aggregate(A::TopK),
        b"bottomk" => Kind::Aggregate(A::BottomK),
        b"count_values" => Kind::Aggregate(A::CountValues),
        b"quantile" => Kind::Aggregate(A::Quantile),
        b"limitk" => Kind::Aggregate(A::LimitK),
        b"limit_ratio" => Kind::Aggregate(A::LimitRatio),
        b"anchored" => Kind::Keyword(K::Anchored),
        b"bool" => Kind::Keyword(K::Bool),
        b"by" => Kind::Keyword(K::By),
        b"end" => Kind::Keyword(K::End),
        b"fill" => Kind::Keyword(K::Fill),
        b"fill_left" => Kind::Keyword(K::FillLeft),
        b"fill_right" => Kind::Keyword(K::FillRight),
        b"group_left" => Kind::Keyword(K::GroupLeft),
        b"group_right" => Kind::Keyword(K::GroupRight),
        b"ignoring" => Kind::Keyword(K::Ignoring),
        b"max_of" => Kind::Keyword(K::MaxOf),
        b"min_of" => Kind::Keyword(K::MinOf),
        b"offset" => Kind::Keyword(K::Offset),
        b"on" => Kind::Keyword(K::On),
        b"range" => Kind::Keyword(K::Range),
        b"smoothed" => Kind::Keyword(K::Smoothed),
        b"start" => Kind::Keyword(K::Start),
        b"step" => Kind::Keyword(K::Step),
        b"without" => Kind::Keyword(K::Without),
        b"inf" | b"nan" => Kind::Number,
        _ => identifier_kind(text),
    }
}

fn identifier_kind(text: &[u8]) -> Kind {
    match text.contains(&b':') {
        true => Kind::MetricIdentifier,
        false => Kind::Identifier,
    }
}

impl Kind {
    /// Whether it can name a metric without quotes.
    pub(crate) fn names_metric(self) -> bool {
        use Keyword::*;
        match self {
            Kind::Identifier | Kind::MetricIdentifier | Kind::Aggregate(_) => true,
            Kind::Op(op) => op.is_set(),
            Kind::Keyword(word) => !matches!(word, Bool | On | Ignoring | GroupLeft | GroupRight),
            _ => false,
        }
    }

    /// Whether it can be a label in `by (…)`, `on (…)` and the like without quotes.
    pub(crate) fn names_label(self) -> bool {
        match self {
            Kind::Identifier | Kind::Aggregate(_) => true,
            // An oversight of upstream's; quotes help.
            Kind::Keyword(word) => word != Keyword::Without,
            Kind::Op(op) => op.is_set() || op == BinaryOp::Atan2,
            _ => false,
        }
    }

    /// Whether a `(` after it makes it a function call.
    pub(crate) fn names_function(self) -> bool {
        use Keyword::*;
        match self {
            Kind::Identifier => true,
            Kind::Keyword(word) => matches!(word, Start | End | Step | Range | MinOf | MaxOf),
            _ => false,
        }
    }

    /// How errors call a token of this kind whose text is `text`.
    pub(crate) fn describe(self, text: &str) -> String {
        use Keyword::{End, MaxOf, MinOf, Range, Start, Step};
        match self {
            Kind::End => "end of input".to_owned(),
            Kind::Error => "error".to_owned(),
            Kind::Comment => format!("comment {}", shortened(text)),
            Kind::Identifier => format!("identifier {}", quote(text)),
            Kind::MetricIdentifier => format!("metric identifier {}", quote(text)),
            Kind::Number => format!("number {}", shortened(text)),
            Kind::Duration => format!("duration {}", shortened(text)),
            Kind::String => format!("string {}", shortened(text)),
            Kind::Op(_) | Kind::At => format!("<op:{text}>"),
            Kind::EqualRegex | Kind::NotEqualRegex => format!("<op:{text}>"),
            Kind::Aggregate(_) => format!("<aggr:{text}>"),
            Kind::Keyword(Start | End | Step | Range | MinOf | MaxOf) => shortened(text),
            Kind::Keyword(_) => format!("<{text}>"),
            // Upstream has no word for these and shows the number of the token.
            Kind::Descriptor(descriptor) => {
                let number = 57370 + descriptor as usize;
                format!("\"<Item {number}>\" {}", shortened(text))
            }
            _ => shortened(text),
        }
    }
}

/// Quoted, and cut off if it is long.
fn shortened(text: &str) -> String {
    match text.len() > 10 {
        true => format!("{}...", quote(&text.chars().take(10).collect::<String>())),
        false => quote(text),
    }
}
