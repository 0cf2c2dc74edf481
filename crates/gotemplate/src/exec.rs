//! A tree and data in, text out.

mod call;
mod eval;

use std::fmt::Display;

use crate::{
    Error, Limits, Templates, Value,
    ast::{Block, Branch, Node, Pipe},
    html::Escaper,
    quote::quote,
    templates::Template,
    value::Kind,
};

type Result<T> = std::result::Result<T, Error>;

/// Runs `template`, one of `templates`.
pub(crate) fn execute(templates: &Templates, template: &Template, data: &Value) -> Result<String> {
    let mut state = State {
        templates,
        template,
        limits: templates.limits,
        at: None,
        variables: vec![("$", data.clone())],
        depth: 0,
        steps: 0,
        bytes: 0,
        out: String::new(),
        escaper: templates.is_html.then(Escaper::default),
    };
    state.walk_block(data, &template.root)?;
    Ok(state.out)
}

struct State<'t> {
    templates: &'t Templates,
    template: &'t Template,
    limits: Limits,
    /// What is being evaluated: errors show it.
    at: Option<(usize, &'t dyn Display)>,
    /// In scope, the innermost last.
    variables: Vec<(&'t str, Value)>,
    depth: usize,
    steps: usize,
    /// Size of what functions made so far.
    bytes: usize,
    out: String,
    /// For HTML.
    escaper: Option<Escaper>,
}

/// How a node was left.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Flow {
    Next,
    Break,
    Continue,
}

impl<'t> State<'t> {
    fn at(&mut self, pos: usize, node: &'t dyn Display) {
        self.at = Some((pos, node));
    }

    fn error<T>(&self, message: impl Display) -> Result<T> {
        let Template { name, parse_name, text, .. } = self.template;
        let Some((pos, node)) = self.at else {
            return Err(Error::Execute(format!("template: {name}: {message}")));
        };
        let before = text.get(..pos).unwrap_or(text);
        let line = 1 + before.matches('\n').count();
        let column = pos - before.rfind('\n').map_or(0, |newline| newline + 1);
        let name = quote(name);
        Err(Error::Execute(format!(
            "template: {parse_name}:{line}:{column}: executing {name} at <{node}>: {message}"
        )))
    }

    /// One level deeper; every recursion of the engine passes here.
    fn enter(&mut self) -> Result<()> {
        if self.depth >= self.limits.depth {
            return self
                .error(format_args!("exceeded maximum template depth ({})", self.limits.depth));
        }
        self.depth += 1;
        Ok(())
    }

    fn leave(&mut self) {
        self.depth -= 1;
    }

    fn step(&mut self) -> Result<()> {
        self.steps += 1;
        if self.steps > self.limits.steps {
            return self.error(format_args!("exceeded {} steps", self.limits.steps));
        }
        Ok(())
    }

    /// Counts what a function made.
    fn spend(&mut self, value: &Value) -> Result<()> {
        self.bytes += match value {
            Value::String(text) | Value::Safe(_, text) => text.len(),
            Value::List(list) => list.items.len() * size_of::<Value>(),
            Value::Map(map) => map.entries.len() * size_of::<Value>(),
            _ => 0,
        };
        let too_deep = value.depth() > self.limits.depth;
        if too_deep || self.bytes.saturating_add(self.out.len()) > self.limits.output_bytes {
            return self.error(format_args!("exceeded {} bytes", self.limits.output_bytes));
        }
        Ok(())
    }

    fn print(&mut self, text: &str) -> Result<()> {
        self.out.push_str(text);
        if self.out.len() > self.limits.output_bytes {
            return self.error(format_args!("exceeded {} bytes", self.limits.output_bytes));
        }
        Ok(())
    }

    fn walk_block(&mut self, dot: &Value, block: &'t Block) -> Result<Flow> {
        self.enter()?;
        for node in &block.nodes {
            let flow = self.walk(dot, node)?;
            if flow != Flow::Next {
                self.leave();
                return Ok(flow);
            }
        }
        self.leave();
        Ok(Flow::Next)
    }

    fn walk(&mut self, dot: &Value, node: &'t Node) -> Result<Flow> {
        self.step()?;
        match node {
            Node::Text { text, .. } => match &mut self.escaper {
                Some(escaper) => {
                    let text = escaper.literal(text, &self.out);
                    self.print(&text)?;
                }
                None => self.print(text)?,
            },
            Node::Action { pos, pipe } => {
                self.at(*pos, node);
                let value = self.pipeline(dot, pipe)?;
                if pipe.variables.is_empty() {
                    self.at(*pos, node);
                    self.print_value(&value, node)?;
                }
            }
            Node::If(branch) => return self.walk_branch(dot, branch, false),
            Node::With(branch) => return self.walk_branch(dot, branch, true),
            Node::Range(branch) => {
                self.at(branch.pos, node);
                return self.walk_range(dot, branch);
            }
            Node::Template { pos, name, pipe } => {
                self.at(*pos, node);
                self.walk_template(dot, name, pipe.as_ref())?;
            }
            Node::Break { .. } => return Ok(Flow::Break),
            Node::Continue { .. } => return Ok(Flow::Continue),
        }
        Ok(Flow::Next)
    }

    fn print_value(&mut self, value: &Value, node: &Node) -> Result<()> {
        if let Some(escaper) = &mut self.escaper
            && !matches!(value, Value::Func(_))
        {
            let escaped = escaper.escape(value, &self.out);
            return self.print(&escaped);
        }
        match value {
            Value::Nil => self.print("<no value>"),
            Value::String(text) => self.print(text),
            Value::Func(_) => {
                self.error(format_args!("can't print {node} of type {}", value.type_name()))
            }
            value => self.print(&value.to_string()),
        }
    }

    /// `if`, or `with` if `moves_dot`.
    fn walk_branch(&mut self, dot: &Value, branch: &'t Branch, moves_dot: bool) -> Result<Flow> {
        let n_variables = self.variables.len();
        let value = self.pipeline(dot, &branch.pipe)?;
        let flow = if value.is_true() {
            self.walk_block(if moves_dot { &value } else { dot }, &branch.body)?
        } else if let Some(otherwise) = &branch.otherwise {
            self.walk_block(dot, otherwise)?
        } else {
            Flow::Next
        };
        self.variables.truncate(n_variables);
        Ok(flow)
    }

    fn walk_range(&mut self, dot: &Value, range: &'t Branch) -> Result<Flow> {
        let n_variables = self.variables.len();
        let value = self.pipeline(dot, &range.pipe)?;
        let mut ran = false;
        match value.kind() {
            Kind::List(list) => {
                for (idx, item) in list.items.iter().enumerate() {
                    ran = true;
                    if self.iteration(range, Value::Int(idx as i64), item.clone())? == Flow::Break {
                        break;
                    }
                }
            }
            Kind::Map(map) => {
                for (key, item) in map.entries.iter() {
                    ran = true;
                    let key = Value::String(key.clone());
                    if self.iteration(range, key, item.clone())? == Flow::Break {
                        break;
                    }
                }
            }
            Kind::Int(_) | Kind::Uint(_) if range.pipe.variables.len() > 1 => {
                return self.error(format_args!(
                    "can't use {value} to iterate over more than one variable"
                ));
            }
            Kind::Int(count) => {
                for number in 0..count {
                    ran = true;
                    if self.iteration(range, Value::Nil, Value::Int(number))? == Flow::Break {
                        break;
                    }
                }
            }
            Kind::Uint(count) => {
                for number in 0..count {
                    ran = true;
                    if self.iteration(range, Value::Nil, Value::Uint(number))? == Flow::Break {
                        break;
                    }
                }
            }
            Kind::Nil => {}
            _ => return self.error(format_args!("range can't iterate over {value}")),
        }
        let flow = match &range.otherwise {
            // A `break` here belongs to the range around this one.
            Some(otherwise) if !ran => self.walk_block(dot, otherwise)?,
            _ => Flow::Next,
        };
        self.variables.truncate(n_variables);
        Ok(flow)
    }

    /// Runs the body for one item, with the variables that the range declares.
    fn iteration(&mut self, range: &'t Branch, index: Value, item: Value) -> Result<Flow> {
        self.step()?;
        let variables = &range.pipe.variables;
        let n_variables = self.variables.len();
        let values = match variables.len() {
            0 => vec![],
            1 => vec![item.clone()],
            _ => vec![index, item.clone()],
        };
        for (position, (name, value)) in variables.iter().zip(values).enumerate() {
            if range.pipe.assigns {
                self.assign(name, value)?;
            } else {
                // The pipeline has declared them, last of all.
                let slot = n_variables - variables.len() + position;
                self.variables[slot].1 = value;
            }
        }
        let flow = self.walk_block(&item, &range.body)?;
        self.variables.truncate(n_variables);
        Ok(if flow == Flow::Break { Flow::Break } else { Flow::Next })
    }

    fn walk_template(&mut self, dot: &Value, name: &str, pipe: Option<&'t Pipe>) -> Result<()> {
        let Some(template) = self.templates.template(name) else {
            return self.error(format_args!("template {} not defined", quote(name)));
        };
        let dot = match pipe {
            Some(pipe) => self.pipeline(dot, pipe)?,
            None => Value::Nil,
        };
        let outer_variables = std::mem::replace(&mut self.variables, vec![("$", dot.clone())]);
        let outer_template = std::mem::replace(&mut self.template, template);
        self.walk_block(&dot, &template.root)?;
        self.template = outer_template;
        self.variables = outer_variables;
        Ok(())
    }

    fn assign(&mut self, name: &str, value: Value) -> Result<()> {
        match self.variables.iter_mut().rev().find(|(known, _)| *known == name) {
            Some((_, slot)) => {
                *slot = value;
                Ok(())
            }
            None => self.error(format_args!("undefined variable: {name}")),
        }
    }
}
