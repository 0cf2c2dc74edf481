//! What follows the labels: a value, perhaps a timestamp, perhaps an exemplar.

use model::Timestamp;

use super::{Exemplar, Origin, Parser, Series, Source, unexpected};
use crate::{
    Error, Result,
    lexer::{Dialect, Token},
    number::{self, NumberError},
};

impl<'a> Parser<'a> {
    /// Reads on from the end of the labels, which is where the lexer stands.
    pub(super) fn suffix(&mut self, source: Source<'a>, end: usize) -> Result<Series<'a>> {
        let only_value = self.lexer.take_only_value();
        let value = match only_value {
            Some(value) => value,
            None => {
                let token = self.lexer.next();
                self.value(token, "value after metric")?
            }
        };
        let mut series = Series {
            raw: self.lexer.slice(source.start, end),
            value,
            timestamp: None,
            start_timestamp: None,
            exemplar: None,
            kind: self.family.kind,
            unit: self.family.unit,
            origin: Origin::Text(source),
        };
        match self.dialect {
            _ if only_value.is_some() => {}
            Dialect::Text => series.timestamp = self.text_timestamp()?,
            Dialect::OpenMetrics => self.openmetrics_rest(&mut series)?,
        }
        Ok(series)
    }

    fn text_timestamp(&mut self) -> Result<Option<Timestamp>> {
        match self.lexer.next() {
            Token::Linebreak => Ok(None),
            Token::Timestamp => {
                let millis = number::parse_millis(self.lexer.token());
                let millis = millis.map_err(|reason| self.bad_number(reason))?;
                match self.lexer.next() {
                    Token::Linebreak => Ok(Some(Timestamp::from_millis(millis))),
                    token => Err(self.unexpected("next entry after timestamp", token)),
                }
            }
            token => Err(self.unexpected("timestamp or new record", token)),
        }
    }

    fn openmetrics_rest(&mut self, series: &mut Series<'a>) -> Result<()> {
        match self.lexer.next() {
            Token::Eof => return Err(Error::NoEof),
            Token::Linebreak => return Ok(()),
            Token::Comment => {}
            Token::Timestamp => {
                series.timestamp = Some(self.seconds("timestamp")?);
                match self.lexer.next() {
                    Token::Linebreak => return Ok(()),
                    Token::Comment => {}
                    token => return Err(self.unexpected("next entry after timestamp", token)),
                }
            }
            token => return Err(self.unexpected("timestamp or # symbol", token)),
        }
        series.exemplar = Some(Box::new(self.exemplar()?));
        Ok(())
    }

    fn exemplar(&mut self) -> Result<Exemplar<'a>> {
        let (dialect, body, line) = (self.dialect, self.body, self.line);
        let source = Source { dialect, body, line, start: self.lexer.at };
        source.read_exemplar(&mut self.lexer, None)?;
        let token = self.lexer.next();
        let value = self.value(token, "value after exemplar labels")?;
        let mut exemplar = Exemplar { value, timestamp: None, origin: Origin::Text(source) };
        match self.lexer.next() {
            Token::Eof => return Err(Error::NoEof),
            Token::Linebreak => {}
            Token::Timestamp => {
                exemplar.timestamp = Some(self.seconds("exemplar timestamp")?);
                let token = self.lexer.next();
                if token != Token::Linebreak {
                    return Err(self.unexpected("next entry after exemplar timestamp", token));
                }
            }
            token => return Err(self.unexpected("timestamp or new record", token)),
        }
        Ok(exemplar)
    }

    fn value(&self, token: Token, expected: &str) -> Result<f64> {
        if token != Token::Value {
            return Err(unexpected(&self.lexer, self.line, expected, token));
        }
        number::parse_float(self.number()).map_err(|reason| self.bad_number(reason))
    }

    /// A timestamp in seconds.
    fn seconds(&self, what: &'static str) -> Result<Timestamp> {
        let seconds =
            number::parse_float(self.number()).map_err(|reason| self.bad_number(reason))?;
        if !seconds.is_finite() {
            let mut value = String::new();
            number::write_float(seconds, &mut value);
            return Err(Error::Timestamp { what, value });
        }
        Ok(Timestamp::from_millis((seconds * 1000.0) as i64))
    }

    /// The token without the blank that belongs to it in OpenMetrics.
    fn number(&self) -> &'a [u8] {
        let token = self.lexer.token();
        token.strip_prefix(b" ").unwrap_or(token)
    }

    fn bad_number(&self, reason: NumberError) -> Error {
        Error::Number { reason, parsing: self.lexer.quoted(self.line, self.lexer.at) }
    }
}
