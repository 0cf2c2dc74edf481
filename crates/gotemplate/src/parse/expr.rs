//! Pipelines, commands and operands.

use std::sync::Arc;

use super::{Parser, Result, number::parse_number};
use crate::{
    ast::{Command, Expr, ExprKind, Pipe},
    lex::{Keyword, Token, TokenKind},
    quote::quote,
};

impl Parser<'_> {
    /// A pipeline up to and with `end`.
    pub(super) fn pipeline(&mut self, context: &str, end: TokenKind) -> Result<Pipe> {
        let pos = self.peek_non_space().1;
        let mut pipe = Pipe { pos, variables: Vec::new(), assigns: false, commands: Vec::new() };
        self.declarations(&mut pipe, context)?;
        loop {
            let token = self.next_non_space();
            match token.kind {
                kind if kind == end => {
                    self.check_pipeline(&pipe, context)?;
                    return Ok(pipe);
                }
                TokenKind::Bool
                | TokenKind::CharConstant
                | TokenKind::Complex
                | TokenKind::Dot
                | TokenKind::Field
                | TokenKind::Identifier
                | TokenKind::Number
                | TokenKind::Keyword(Keyword::Nil)
                | TokenKind::RawString
                | TokenKind::String
                | TokenKind::Variable
                | TokenKind::LeftParen => {
                    self.push_back(token);
                    let command = self.command()?;
                    pipe.commands.push(command);
                }
                _ => return self.unexpected(&token, context),
            }
        }
    }

    /// `$x :=`, `$x =` or, in a range, `$i, $x :=`, if there.
    fn declarations(&mut self, pipe: &mut Pipe, context: &str) -> Result<()> {
        loop {
            let variable = self.next_non_space();
            if variable.kind != TokenKind::Variable {
                self.push_back(variable);
                return Ok(());
            }
            let space = self.next();
            let (next, space) = match space.kind {
                TokenKind::Space => (self.next_non_space(), Some(space)),
                _ => (space, None),
            };
            match next.kind {
                TokenKind::Assign | TokenKind::Declare => {
                    pipe.assigns = next.kind == TokenKind::Assign;
                    self.declare(pipe, variable.text);
                    return Ok(());
                }
                TokenKind::Char if next.text == "," => {
                    self.declare(pipe, variable.text);
                    if context != "range" || pipe.variables.len() > 1 {
                        return self.error(format_args!("too many declarations in {context}"));
                    }
                    match self.peek_non_space().0 {
                        TokenKind::Variable | TokenKind::RightDelim | TokenKind::RightParen => {}
                        _ => return self.error("range can only initialize variables"),
                    }
                }
                _ => {
                    // The variable is an operand; the space tells it from what follows.
                    self.push_back(next);
                    space.into_iter().for_each(|space| self.push_back(space));
                    self.push_back(variable);
                    return Ok(());
                }
            }
        }
    }

    fn declare(&mut self, pipe: &mut Pipe, name: String) {
        pipe.variables.push(name.clone());
        self.scope.variables.push(name);
    }

    fn check_pipeline(&self, pipe: &Pipe, context: &str) -> Result<()> {
        if pipe.commands.is_empty() {
            return self.error(format_args!("missing value for {context}"));
        }
        let constant = |command: &Command| {
            let first = command.args.first().map(|arg| &arg.kind);
            matches!(
                first,
                Some(
                    ExprKind::Bool(_)
                        | ExprKind::Dot
                        | ExprKind::Nil
                        | ExprKind::Number(_)
                        | ExprKind::String { .. }
                )
            )
        };
        match pipe.commands.iter().skip(1).position(constant) {
            Some(idx) => {
                let stage = idx + 2;
                self.error(format_args!("non executable command in pipeline stage {stage}"))
            }
            None => Ok(()),
        }
    }

    /// A value or function with its arguments, up to a pipe or the end.
    fn command(&mut self) -> Result<Command> {
        let mut command = Command { pos: self.peek_non_space().1, args: Vec::new() };
        loop {
            self.peek_non_space();
            command.args.extend(self.operand()?);
            let token = self.next();
            match token.kind {
                TokenKind::Space => continue,
                TokenKind::RightDelim | TokenKind::RightParen => self.push_back(token),
                TokenKind::Pipe => {}
                _ => return self.unexpected(&token, "operand"),
            }
            break;
        }
        if command.args.is_empty() {
            return self.error("empty command");
        }
        Ok(command)
    }

    /// A term with the fields behind it.
    fn operand(&mut self) -> Result<Option<Expr>> {
        let Some(term) = self.term()? else { return Ok(None) };
        let (kind, pos) = self.peek();
        if kind != TokenKind::Field {
            return Ok(Some(term));
        }
        let mut names = Vec::new();
        while self.peek().0 == TokenKind::Field {
            names.push(field_name(&self.next()));
        }
        let kind = match term.kind {
            ExprKind::Field(first) => ExprKind::Field(concat(first, names)),
            ExprKind::Variable(first) => ExprKind::Variable(concat(first, names)),
            ExprKind::Bool(_)
            | ExprKind::String { .. }
            | ExprKind::Number(_)
            | ExprKind::Nil
            | ExprKind::Dot => {
                let term = quote(&term.to_string());
                return self.error(format_args!("unexpected . after term {term}"));
            }
            _ => ExprKind::Chain(Box::new(term), names),
        };
        Ok(Some(Expr { pos, kind }))
    }

    fn term(&mut self) -> Result<Option<Expr>> {
        let token = self.next_non_space();
        let pos = token.pos;
        let kind = match token.kind {
            TokenKind::Identifier => {
                if !(self.has_function)(&token.text) {
                    let name = quote(&token.text);
                    return self.error(format_args!("function {name} not defined"));
                }
                ExprKind::Identifier(token.text)
            }
            TokenKind::Dot => ExprKind::Dot,
            TokenKind::Keyword(Keyword::Nil) => ExprKind::Nil,
            TokenKind::Variable => {
                if !self.scope.variables.contains(&token.text) {
                    let name = quote(&token.text);
                    return self.error(format_args!("undefined variable {name}"));
                }
                ExprKind::Variable(vec![token.text])
            }
            TokenKind::Field => ExprKind::Field(vec![field_name(&token)]),
            TokenKind::Bool => ExprKind::Bool(token.text == "true"),
            TokenKind::CharConstant | TokenKind::Complex | TokenKind::Number => {
                match parse_number(&token.text) {
                    Ok(number) => ExprKind::Number(number),
                    Err(message) => return self.error(message),
                }
            }
            TokenKind::LeftParen => {
                self.enter()?;
                let pipe = self.pipeline("parenthesized pipeline", TokenKind::RightParen)?;
                self.depth -= 1;
                return Ok(Some(Expr { pos: pipe.pos, kind: ExprKind::Pipe(pipe) }));
            }
            TokenKind::String | TokenKind::RawString => {
                let text = Arc::from(self.unquote(&token.text)?);
                ExprKind::String { quoted: token.text, text }
            }
            _ => {
                self.push_back(token);
                return Ok(None);
            }
        };
        Ok(Some(Expr { pos, kind }))
    }
}

fn field_name(token: &Token) -> String {
    token.text.trim_start_matches('.').to_owned()
}

fn concat(mut first: Vec<String>, rest: Vec<String>) -> Vec<String> {
    first.extend(rest);
    first
}
