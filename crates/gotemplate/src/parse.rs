//! Tokens to trees.

mod expr;
mod number;

use std::sync::Arc;

use crate::{
    Error,
    ast::{Block, Branch, Node},
    lex::{Keyword, Lexer, Token, TokenKind},
    quote::{quote, unquote},
};

/// How deep parentheses and control structures may nest, together.
const DEPTH_MAX: usize = 200;

/// What one text defines: itself first or last, and each `define` and `block` in it.
pub(crate) type Trees = Vec<(String, Block)>;

/// Parses `text`; errors carry `name`.
pub(crate) fn parse(name: &str, text: &str, has_function: &dyn Fn(&str) -> bool) -> Result<Trees> {
    let lexer = Lexer::new(text, has_function("break"), has_function("continue"));
    let mut parser = Parser {
        name,
        lexer,
        has_function,
        pushed_back: Vec::new(),
        last_line: 1,
        action_line: None,
        scope: Scope::default(),
        depth: 0,
        trees: Vec::new(),
    };
    let root = parser.root()?;
    parser.add(name.to_owned(), root)?;
    Ok(parser.trees)
}

struct Parser<'a> {
    name: &'a str,
    lexer: Lexer<'a>,
    has_function: &'a dyn Fn(&str) -> bool,
    /// Tokens to be read again, the next one last.
    pushed_back: Vec<Token>,
    /// Line of the last token from the lexer: errors name it.
    last_line: usize,
    /// Where the action began that is being read.
    action_line: Option<usize>,
    scope: Scope,
    depth: usize,
    trees: Trees,
}

/// What is known within one template.
struct Scope {
    variables: Vec<String>,
    range_depth: usize,
}

impl Default for Scope {
    fn default() -> Scope {
        Scope { variables: vec!["$".to_owned()], range_depth: 0 }
    }
}

/// What a list of nodes ended with.
enum Ending {
    End,
    Else,
}

enum Item {
    Node(Node),
    Ending(Ending),
}

impl std::fmt::Display for Ending {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Ending::End => "{{end}}",
            Ending::Else => "{{else}}",
        })
    }
}

type Result<T> = std::result::Result<T, Error>;

impl Parser<'_> {
    fn next(&mut self) -> Token {
        self.pushed_back.pop().unwrap_or_else(|| {
            let token = self.lexer.next_token();
            self.last_line = token.line;
            token
        })
    }

    fn next_non_space(&mut self) -> Token {
        loop {
            let token = self.next();
            if token.kind != TokenKind::Space {
                return token;
            }
        }
    }

    fn push_back(&mut self, token: Token) {
        self.pushed_back.push(token);
    }

    /// Kind of the next token, and where it is.
    fn peek(&mut self) -> (TokenKind, usize) {
        let token = self.next();
        let seen = (token.kind, token.pos);
        self.push_back(token);
        seen
    }

    /// The same after spaces, which it skips.
    fn peek_non_space(&mut self) -> (TokenKind, usize) {
        let token = self.next_non_space();
        let seen = (token.kind, token.pos);
        self.push_back(token);
        seen
    }

    fn error<T>(&self, message: impl std::fmt::Display) -> Result<T> {
        Err(Error::Parse(format!("template: {}:{}: {message}", self.name, self.last_line)))
    }

    fn unexpected<T>(&self, token: &Token, context: &str) -> Result<T> {
        if token.kind != TokenKind::Error {
            return self.error(format_args!("unexpected {token} in {context}"));
        }
        match self.action_line {
            Some(line) if line != token.line => {
                let action = if token.text.ends_with(" action") { "" } else { " in action" };
                self.error(format_args!("{token}{action} started at {}:{line}", self.name))
            }
            _ => self.error(token),
        }
    }

    fn expect(&mut self, kind: TokenKind, context: &str) -> Result<Token> {
        let token = self.next_non_space();
        if token.kind == kind { Ok(token) } else { self.unexpected(&token, context) }
    }

    /// Keeps a tree; of two with one name, one must be empty.
    fn add(&mut self, name: String, root: Block) -> Result<()> {
        match self.trees.iter_mut().find(|(old, _)| *old == name) {
            None => self.trees.push((name, root)),
            Some((_, old)) if is_empty(old) => *old = root,
            Some(_) if is_empty(&root) => {}
            Some(_) => {
                let name = quote(&name);
                return self
                    .error(format_args!("template: multiple definition of template {name}"));
            }
        }
        Ok(())
    }

    fn root(&mut self) -> Result<Block> {
        let mut root = Block { pos: self.peek().1, nodes: Vec::new() };
        loop {
            match self.peek().0 {
                TokenKind::Eof => return Ok(root),
                TokenKind::LeftDelim => {
                    let delim = self.next();
                    let token = self.next_non_space();
                    if token.kind == TokenKind::Keyword(Keyword::Define) {
                        self.definition()?;
                        continue;
                    }
                    self.push_back(token);
                    self.push_back(delim);
                }
                _ => {}
            }
            match self.text_or_action()? {
                Item::Node(node) => root.nodes.push(node),
                Item::Ending(ending) => return self.error(format_args!("unexpected {ending}")),
            }
        }
    }

    /// `{{define "name"}} … {{end}}`, of which `{{define` has been read.
    fn definition(&mut self) -> Result<()> {
        let context = "define clause";
        let token = self.next_non_space();
        let name = self.template_name(&token, context)?;
        self.expect(TokenKind::RightDelim, context)?;
        self.template_body(name, context)
    }

    fn template_body(&mut self, name: String, context: &str) -> Result<()> {
        let outer = std::mem::take(&mut self.scope);
        let (body, ending) = self.block()?;
        self.scope = outer;
        match ending {
            Ending::End => self.add(name, body),
            Ending::Else => self.error(format_args!("unexpected {ending} in {context}")),
        }
    }

    /// Nodes up to an `end` or `else`.
    fn block(&mut self) -> Result<(Block, Ending)> {
        self.enter()?;
        let mut block = Block { pos: self.peek_non_space().1, nodes: Vec::new() };
        while self.peek_non_space().0 != TokenKind::Eof {
            match self.text_or_action()? {
                Item::Node(node) => block.nodes.push(node),
                Item::Ending(ending) => {
                    self.depth -= 1;
                    return Ok((block, ending));
                }
            }
        }
        self.error("unexpected EOF")
    }

    fn enter(&mut self) -> Result<()> {
        if self.depth >= DEPTH_MAX {
            return self.error("max expression depth exceeded");
        }
        self.depth += 1;
        Ok(())
    }

    fn text_or_action(&mut self) -> Result<Item> {
        let token = self.next_non_space();
        match token.kind {
            TokenKind::Text => {
                Ok(Item::Node(Node::Text { pos: token.pos, text: Arc::from(token.text) }))
            }
            TokenKind::LeftDelim => {
                self.action_line = Some(token.line);
                let item = self.action()?;
                self.action_line = None;
                Ok(item)
            }
            _ => self.unexpected(&token, "input"),
        }
    }

    fn action(&mut self) -> Result<Item> {
        let token = self.next_non_space();
        let node = match token.kind {
            TokenKind::Keyword(Keyword::Block) => self.block_clause()?,
            TokenKind::Keyword(Keyword::Break) => {
                self.loop_control(token.pos, "{{break}}", |pos| Node::Break { pos })?
            }
            TokenKind::Keyword(Keyword::Continue) => {
                self.loop_control(token.pos, "{{continue}}", |pos| Node::Continue { pos })?
            }
            TokenKind::Keyword(Keyword::Else) => {
                let follows = self.peek_non_space().0;
                let chained = [Keyword::If, Keyword::With].map(TokenKind::Keyword);
                if !chained.contains(&follows) {
                    self.expect(TokenKind::RightDelim, "else")?;
                }
                return Ok(Item::Ending(Ending::Else));
            }
            TokenKind::Keyword(Keyword::End) => {
                self.expect(TokenKind::RightDelim, "end")?;
                return Ok(Item::Ending(Ending::End));
            }
            TokenKind::Keyword(Keyword::If) => Node::If(self.branch(Keyword::If)?),
            TokenKind::Keyword(Keyword::Range) => Node::Range(self.branch(Keyword::Range)?),
            TokenKind::Keyword(Keyword::With) => Node::With(self.branch(Keyword::With)?),
            TokenKind::Keyword(Keyword::Template) => self.template_clause()?,
            _ => {
                let pos = token.pos;
                self.push_back(token);
                Node::Action { pos, pipe: self.pipeline("command", TokenKind::RightDelim)? }
            }
        };
        Ok(Item::Node(node))
    }

    fn loop_control(&mut self, pos: usize, text: &str, node: fn(usize) -> Node) -> Result<Node> {
        let token = self.next_non_space();
        if token.kind != TokenKind::RightDelim {
            return self.unexpected(&token, text);
        }
        if self.scope.range_depth == 0 {
            return self.error(format_args!("{text} outside {{{{range}}}}"));
        }
        Ok(node(pos))
    }

    /// `if`, `range` or `with` after its keyword, up to its `end`.
    fn branch(&mut self, keyword: Keyword) -> Result<Branch> {
        let context = match keyword {
            Keyword::If => "if",
            Keyword::Range => "range",
            _ => "with",
        };
        let n_variables = self.scope.variables.len();
        let pipe = self.pipeline(context, TokenKind::RightDelim)?;
        let in_range = usize::from(keyword == Keyword::Range);
        self.scope.range_depth += in_range;
        let (body, ending) = self.block()?;
        self.scope.range_depth -= in_range;
        let otherwise = match ending {
            Ending::End => None,
            Ending::Else => Some(self.otherwise(keyword)?),
        };
        self.scope.variables.truncate(n_variables);
        Ok(Branch { pos: pipe.pos, pipe, body, otherwise })
    }

    /// What follows `else`: nodes up to `end`, or another `if` or `with` that shares the `end`.
    fn otherwise(&mut self, keyword: Keyword) -> Result<Block> {
        let (follows, pos) = self.peek();
        let chains = matches!(keyword, Keyword::If | Keyword::With);
        if chains && follows == TokenKind::Keyword(keyword) {
            self.next();
            self.enter()?;
            let branch = self.branch(keyword)?;
            self.depth -= 1;
            let node = if keyword == Keyword::If { Node::If(branch) } else { Node::With(branch) };
            return Ok(Block { pos, nodes: vec![node] });
        }
        let (block, ending) = self.block()?;
        match ending {
            Ending::End => Ok(block),
            Ending::Else => self.error(format_args!("expected end; found {ending}")),
        }
    }

    /// `{{block "name" pipeline}} … {{end}}`: a definition and its use.
    fn block_clause(&mut self) -> Result<Node> {
        let context = "block clause";
        let token = self.next_non_space();
        let name = self.template_name(&token, context)?;
        let pipe = self.pipeline(context, TokenKind::RightDelim)?;
        self.template_body(name.clone(), context)?;
        Ok(Node::Template { pos: token.pos, name, pipe: Some(pipe) })
    }

    fn template_clause(&mut self) -> Result<Node> {
        let context = "template clause";
        let token = self.next_non_space();
        let name = self.template_name(&token, context)?;
        let end = self.next_non_space();
        if end.kind == TokenKind::RightDelim {
            return Ok(Node::Template { pos: token.pos, name, pipe: None });
        }
        self.push_back(end);
        let pipe = self.pipeline(context, TokenKind::RightDelim)?;
        Ok(Node::Template { pos: token.pos, name, pipe: Some(pipe) })
    }

    fn template_name(&mut self, token: &Token, context: &str) -> Result<String> {
        match token.kind {
            TokenKind::String | TokenKind::RawString => self.unquote(&token.text),
            _ => self.unexpected(token, context),
        }
    }

    fn unquote(&self, literal: &str) -> Result<String> {
        match unquote(literal) {
            Some(text) => Ok(text),
            None => self.error("invalid syntax"),
        }
    }
}

/// Whether a tree prints nothing but space: such a definition gives way to another.
pub(crate) fn is_empty(block: &Block) -> bool {
    block.nodes.iter().all(|node| matches!(node, Node::Text { text, .. } if text.trim().is_empty()))
}
