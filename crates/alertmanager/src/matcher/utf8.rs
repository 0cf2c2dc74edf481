//! The parser that knows any UTF-8 name, bare or quoted.

use model::MatchKind;

use super::{
    Error, Matcher,
    lexer::{Kind, Lexer, Token},
};

/// Reads zero or more matchers, with or without braces around them.
pub(super) fn parse_matchers(input: &str) -> Result<Vec<Matcher>, Error> {
    Parser { lexer: Lexer::new(input), has_brace: false, matchers: Vec::new() }.parse()
}

/// Reads exactly one matcher.
pub(super) fn parse_matcher(input: &str) -> Result<Matcher, Error> {
    let mut matchers = parse_matchers(input)?;
    match (matchers.len(), matchers.pop()) {
        (1, Some(matcher)) => Ok(matcher),
        (0, _) => Err(Error("no matchers".to_owned())),
        (count, _) => Err(Error(format!("expected 1 matcher, found {count}"))),
    }
}

struct Parser<'a> {
    lexer: Lexer<'a>,
    has_brace: bool,
    matchers: Vec<Matcher>,
}

impl<'a> Parser<'a> {
    fn parse(mut self) -> Result<Vec<Matcher>, Error> {
        self.has_brace = self.peek_is(Kind::OpenBrace)?;
        if self.has_brace {
            self.lexer.next()?;
        }
        let has_matchers = self.lexer.peek()?.is_some_and(|token| token.kind != Kind::CloseBrace);
        if has_matchers {
            self.list()?;
        }
        self.close_brace()?;
        match self.lexer.next() {
            Ok(None) => Ok(self.matchers),
            Ok(Some(token)) => Err(Error(format!(
                "{}:{}: {}: expected end of input",
                token.column_start, token.column_end, token.text
            ))),
            Err(error) => Err(Error(format!("{error}: expected end of input"))),
        }
    }

    /// Matchers between commas, with at most one comma behind the last.
    fn list(&mut self) -> Result<(), Error> {
        loop {
            self.matcher()?;
            if self.lexer.peek().map_err(after("expected a comma or close brace"))?.is_none() {
                return Ok(());
            }
            let next = &[Kind::Comma, Kind::CloseBrace];
            if self.expect_peek(next, "expected a comma or close brace")?.kind == Kind::CloseBrace {
                return Ok(());
            }
            self.lexer.next()?;
            const AFTER_COMMA: &str = "expected a matcher or close brace after comma";
            if self.lexer.peek().map_err(after(AFTER_COMMA))?.is_none() {
                return Ok(());
            }
            let next = &[Kind::CloseBrace, Kind::Unquoted, Kind::Quoted];
            if self.expect_peek(next, AFTER_COMMA)?.kind == Kind::CloseBrace {
                return Ok(());
            }
        }
    }

    fn matcher(&mut self) -> Result<(), Error> {
        let name = self.expect(&[Kind::Quoted, Kind::Unquoted], "expected label name")?;
        let name = unquote(name)?;
        let operators = &[Kind::Equal, Kind::NotEqual, Kind::Regex, Kind::NotRegex];
        let operator =
            self.expect(operators, "expected an operator such as '=', '!=', '=~' or '!~'")?;
        let kind = match operator.kind {
            Kind::NotEqual => MatchKind::NotEqual,
            Kind::Regex => MatchKind::Regex,
            Kind::NotRegex => MatchKind::NotRegex,
            _ => MatchKind::Equal,
        };
        let value = self.expect(&[Kind::Unquoted, Kind::Quoted], "expected label value")?;
        let value = unquote(value)?;
        let matcher = Matcher::new(kind, name, value)
            .map_err(|error| Error(format!("failed to create matcher: {error}")))?;
        self.matchers.push(matcher);
        Ok(())
    }

    /// Takes the brace that belongs to the first one, or complains about one that doesn't.
    fn close_brace(&mut self) -> Result<(), Error> {
        let found = self.peek_is(Kind::CloseBrace);
        if !self.has_brace {
            if matches!(found, Ok(true)) {
                self.lexer.next()?;
                return Err(Error(format!("0:{}: }}: expected opening brace", self.lexer.column)));
            }
            return Ok(());
        }
        let reason = match (found, self.lexer.peek()) {
            (Ok(true), _) => return self.lexer.next().map(|_| ()),
            (Err(error), _) | (_, Err(error)) => error.to_string(),
            (Ok(false), Ok(Some(token))) => unexpected(token),
            (Ok(false), Ok(None)) => "end of input".to_owned(),
        };
        Err(Error(format!("0:{}: {reason}: expected close brace", self.lexer.column)))
    }

    fn peek_is(&self, kind: Kind) -> Result<bool, Error> {
        Ok(self.lexer.peek()?.is_some_and(|token| token.kind == kind))
    }

    fn expect(&mut self, kinds: &[Kind], otherwise: &str) -> Result<Token<'a>, Error> {
        let token = self.expect_peek(kinds, otherwise)?;
        self.lexer.next()?;
        Ok(token)
    }

    fn expect_peek(&self, kinds: &[Kind], otherwise: &str) -> Result<Token<'a>, Error> {
        match self.lexer.peek().map_err(after(otherwise))? {
            Some(token) if kinds.contains(&token.kind) => Ok(token),
            Some(token) => Err(Error(format!("{}: {otherwise}", unexpected(token)))),
            None => Err(Error(format!("end of input: {otherwise}"))),
        }
    }
}

fn after(what: &str) -> impl Fn(Error) -> Error {
    move |error| Error(format!("{error}: {what}"))
}

fn unexpected(token: Token<'_>) -> String {
    format!("{}:{}: unexpected {}", token.column_start, token.column_end, token.text)
}

fn unquote(token: Token<'_>) -> Result<String, Error> {
    if token.kind == Kind::Unquoted {
        return Ok(token.text.to_owned());
    }
    let bytes = gotemplate::quote::unquote_bytes(token.text);
    bytes.and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(|| {
        Error(format!("{}:{}: {}: invalid input", token.column_start, token.column_end, token.text))
    })
}
