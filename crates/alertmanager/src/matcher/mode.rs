use super::{Error, Matcher, classic, utf8};

/// Which names labels may have and which parser reads matchers: `--enable-feature`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// Both parsers; where they differ the classic one has its way.
    #[default]
    Fallback,
    Utf8Strict,
    Classic,
}

impl Mode {
    pub fn is_label_name(self, name: &str) -> bool {
        match self {
            Mode::Classic => model::names::is_legacy_label_name(name),
            Mode::Fallback | Mode::Utf8Strict => !name.is_empty(),
        }
    }

    /// Reads zero or more matchers; `origin` says in the log where the text comes from.
    pub fn parse_matchers(self, input: &str, origin: &str) -> Result<Vec<Matcher>, Error> {
        match self {
            Mode::Classic => classic::parse_matchers(input),
            Mode::Utf8Strict => utf8::parse_matchers(input),
            Mode::Fallback => {
                let print = |matchers: &Vec<Matcher>| {
                    let parts: Vec<String> = matchers.iter().map(Matcher::to_string).collect();
                    parts.join(",")
                };
                let (new, classic) = (utf8::parse_matchers(input), classic::parse_matchers(input));
                choose(input, origin, new, classic, print)
            }
        }
    }

    /// Reads exactly one matcher.
    pub fn parse_matcher(self, input: &str, origin: &str) -> Result<Matcher, Error> {
        if self == Mode::Classic {
            return classic::parse_matcher(input);
        }
        if input.starts_with('{') || input.ends_with('}') {
            return Err(Error(format!("unexpected open or close brace: {input}")));
        }
        match self {
            Mode::Utf8Strict => utf8::parse_matcher(input),
            _ => {
                let (new, classic) = (utf8::parse_matcher(input), classic::parse_matcher(input));
                choose(input, origin, new, classic, Matcher::to_string)
            }
        }
    }
}

/// Settles what an input means that two parsers have read.
fn choose<T: PartialEq>(
    input: &str,
    origin: &str,
    new: Result<T, Error>,
    classic: Result<T, Error>,
    print: impl Fn(&T) -> String,
) -> Result<T, Error> {
    match (new, classic) {
        (Err(_), Err(error)) => Err(error),
        (Err(error), Ok(classic)) => {
            let suggestion = print(&classic);
            tracing::warn!(
                input,
                origin,
                err = %error,
                suggestion,
                "Matchers read with the classic parser; the UTF-8 parser that will follow rejects \
                 them. Write them as suggested, with regular expressions and values in quotes"
            );
            Ok(classic)
        }
        (Ok(new), Ok(classic)) if new != classic => {
            tracing::warn!(input, origin, "Matchers input has disagreement");
            Ok(classic)
        }
        (Ok(new), _) => Ok(new),
    }
}
