//! Parser events into a tree: anchors, aliases, merge keys.

use std::{borrow::Cow, collections::HashMap};

use granit_parser::{Event, Marker, Parser, ScalarStyle, Span, Tag};

use super::{Meaning, Node, Scalar, SyntaxError, Value, resolve};

/// So many nodes may come out of aliases; a "billion laughs" stops here.
const ALIASED_NODES_MAX: usize = 100_000;

/// Parses the first document of `text`; `None` if there is none.
pub fn parse(text: &str) -> Result<Option<Node>, SyntaxError> {
    let options = granit_parser::options! { emit_comments: false };
    let mut composer = Composer {
        parser: Parser::new_from_str_with_options(text, options),
        anchors: HashMap::new(),
        aliased_nodes: 0,
    };
    loop {
        match composer.next()? {
            (Event::StreamEnd, _) => return Ok(None),
            (Event::DocumentStart(..), _) => {
                let (event, span) = composer.next()?;
                return Ok(match event {
                    Event::DocumentEnd => None,
                    event => Some(composer.node(event, span)?),
                });
            }
            _ => {}
        }
    }
}

struct Composer<'a> {
    parser: Parser<'a, granit_parser::StrInput<'a>>,
    anchors: HashMap<usize, Node>,
    aliased_nodes: usize,
}

impl<'a> Composer<'a> {
    fn next(&mut self) -> Result<(Event<'a>, Span), SyntaxError> {
        match self.parser.next() {
            Some(Ok(next)) => Ok(next),
            Some(Err(error)) => Err(failure(error.marker(), error.info())),
            None => Ok((Event::StreamEnd, Span::empty(Marker::new(0, 1, 0)))),
        }
    }

    fn node(&mut self, event: Event<'a>, span: Span) -> Result<Node, SyntaxError> {
        let at = span.start;
        let (value, anchor) = match event {
            Event::Scalar(text, style, anchor, tag) => (scalar(text, style, tag, &at)?, anchor),
            Event::SequenceStart(_, anchor, _) => (self.list()?, anchor),
            Event::MappingStart(_, anchor, _) => (self.map()?, anchor),
            Event::Alias(id) => return self.alias(id, &at),
            _ => return Err(failure(&at, "did not find expected node content".to_owned())),
        };
        let node = Node { line: at.line(), column: at.col() + 1, value };
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    fn alias(&mut self, id: usize, at: &Marker) -> Result<Node, SyntaxError> {
        let Some(node) = self.anchors.get(&id) else {
            return Err(failure(at, "anchor value contains itself".to_owned()));
        };
        self.aliased_nodes += count_nodes(node);
        if self.aliased_nodes > ALIASED_NODES_MAX {
            return Err(failure(at, "document contains excessive aliasing".to_owned()));
        }
        Ok(node.clone())
    }

    fn list(&mut self) -> Result<Value, SyntaxError> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(Value::List(items)),
                (event, span) => items.push(self.node(event, span)?),
            }
        }
    }

    fn map(&mut self) -> Result<Value, SyntaxError> {
        let mut pairs = Vec::new();
        let mut merges = Vec::new();
        loop {
            let (event, span) = self.next()?;
            if event == Event::MappingEnd {
                break;
            }
            let merge =
                matches!(&event, Event::Scalar(text, ScalarStyle::Plain, ..) if text == "<<");
            let key = self.node(event, span)?;
            let (event, span) = self.next()?;
            let value = self.node(event, span)?;
            if merge {
                merges.push(value);
            } else {
                pairs.push((key, value));
            }
        }
        for merged in merges {
            merge(&mut pairs, merged)?;
        }
        Ok(Value::Map(pairs))
    }
}

/// Adds the pairs of `merged`, a map or a list of maps, whose keys are not there yet.
fn merge(pairs: &mut Vec<(Node, Node)>, merged: Node) -> Result<(), SyntaxError> {
    let own = pairs.len();
    match merged.value {
        Value::Map(others) => {
            for (key, value) in others {
                if !pairs.iter().take(own).any(|(known, _)| known.value == key.value) {
                    pairs.push((key, value));
                }
            }
        }
        Value::List(maps) if maps.iter().all(|map| matches!(map.value, Value::Map(_))) => {
            for map in maps {
                merge(pairs, map)?;
            }
        }
        _ => {
            return Err(SyntaxError {
                line: merged.line,
                column: merged.column,
                message: "map merge requires map or sequence of maps as the value".to_owned(),
            });
        }
    }
    Ok(())
}

fn scalar(
    text: Cow<'_, str>,
    style: ScalarStyle,
    tag: Option<Cow<'_, Tag>>,
    at: &Marker,
) -> Result<Value, SyntaxError> {
    let tag = tag.as_deref().map(|tag| format!("{}{}", tag.handle(), tag.suffix()));
    let meaning = match tag.as_deref().and_then(|tag| tag.strip_prefix("tag:yaml.org,2002:")) {
        Some("binary") => resolve::binary(&text).map(Some),
        Some(tag) => resolve::tagged(tag, &text),
        None if style == ScalarStyle::Plain && tag.is_none() => Ok(resolve::plain(&text)),
        None => Ok(Some(Meaning::Text)),
    };
    match meaning.map_err(|message| failure(at, message))? {
        None => Ok(Value::Null),
        Some(meaning) => Ok(Value::Scalar(Scalar { text: text.into_owned(), meaning })),
    }
}

fn count_nodes(node: &Node) -> usize {
    match &node.value {
        Value::Null | Value::Scalar(_) => 1,
        Value::List(items) => 1 + items.iter().map(count_nodes).sum::<usize>(),
        Value::Map(pairs) => {
            1 + pairs
                .iter()
                .map(|(key, value)| count_nodes(key) + count_nodes(value))
                .sum::<usize>()
        }
    }
}

fn failure(at: &Marker, message: String) -> SyntaxError {
    SyntaxError { line: at.line(), column: at.col() + 1, message }
}
