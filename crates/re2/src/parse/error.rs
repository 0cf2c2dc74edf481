/// Why a pattern is none; texts and the part that is shown are Go's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Error {
    #[error("invalid character class range: `{0}`")]
    CharRange(String),
    #[error("invalid escape sequence: `{0}`")]
    Escape(String),
    #[error("invalid named capture: `{0}`")]
    NamedCapture(String),
    #[error("invalid or unsupported Perl syntax: `{0}`")]
    PerlOperator(String),
    #[error("invalid nested repetition operator: `{0}`")]
    NestedRepetition(String),
    #[error("invalid repeat count: `{0}`")]
    RepeatCount(String),
    #[error("missing closing ]: `{0}`")]
    MissingBracket(String),
    #[error("missing closing ): `{0}`")]
    MissingParen(String),
    #[error("missing argument to repetition operator: `{0}`")]
    MissingArgument(String),
    #[error("trailing backslash at end of expression: ``")]
    TrailingBackslash,
    #[error("unexpected ): `{0}`")]
    UnexpectedParen(String),
    #[error("expression nests too deeply: `{0}`")]
    NestingDepth(String),
    #[error("expression too large: `{0}`")]
    TooLarge(String),
}
