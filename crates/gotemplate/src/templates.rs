use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use crate::{Error, Result, Value, ast::Block, builtins, exec, parse, value::Func};

/// Functions by the name that templates call.
pub type Functions = BTreeMap<&'static str, Func>;

/// A set of templates that can call each other. Cloning is cheap enough for one clone a use.
#[derive(Clone, Default)]
pub struct Templates {
    pub missing_key: MissingKey,
    pub limits: Limits,
    /// Whether actions print into an HTML document: values are escaped for their place in it.
    pub is_html: bool,
    functions: Arc<Functions>,
    templates: HashMap<String, Arc<Template>>,
}

/// What a key that a map doesn't have evaluates to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MissingKey {
    /// Nothing, printed as `<no value>`.
    #[default]
    Invalid,
    /// The zero value of the map's elements.
    Zero,
    Error,
}

/// What one execution may use before it fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How deep templates, control structures and parentheses may nest, together.
    pub depth: usize,
    /// Nodes executed.
    pub steps: usize,
    /// Bytes printed, and bytes of any text in between.
    pub output_bytes: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { depth: 400, steps: 10_000_000, output_bytes: 64 << 20 }
    }
}

/// One parsed template, and the text that its positions refer to.
pub(crate) struct Template {
    pub(crate) name: String,
    pub(crate) parse_name: String,
    pub(crate) text: Arc<str>,
    pub(crate) root: Block,
}

impl Templates {
    /// A set without templates. Functions hide builtins of the same name.
    pub fn new(functions: Functions) -> Templates {
        Templates { functions: Arc::new(functions), ..Templates::default() }
    }

    /// Adds functions for templates that are parsed from now on; the ones there already stay.
    pub fn add_functions(&mut self, functions: Functions) {
        let all = Arc::make_mut(&mut self.functions);
        for (name, function) in functions {
            all.entry(name).or_insert(function);
        }
    }

    /// Replaces a function, also for templates that are there.
    pub fn set_function(&mut self, name: &'static str, function: Func) {
        Arc::make_mut(&mut self.functions).insert(name, function);
    }

    /// Parses `text` as template `name`, with all that it defines.
    pub fn parse(&mut self, name: &str, text: &str) -> Result<()> {
        let has_function = |name: &str| self.function(name).is_some();
        let trees = parse::parse(name, text, &has_function)?;
        let text: Arc<str> = Arc::from(text);
        for (tree_name, root) in trees {
            // An empty text doesn't undefine what was there.
            if parse::is_empty(&root) && self.templates.contains_key(&tree_name) {
                continue;
            }
            let template = Template {
                name: tree_name.clone(),
                parse_name: name.to_owned(),
                text: text.clone(),
                root,
            };
            self.templates.insert(tree_name, Arc::new(template));
        }
        Ok(())
    }

    /// Runs template `name` with `data` as dot.
    pub fn execute(&self, name: &str, data: &Value) -> Result<String> {
        match self.templates.get(name) {
            Some(template) => exec::execute(self, template, data),
            None => {
                let quoted = crate::quote::quote(name);
                let message =
                    format!("template: no template {quoted} associated with template {quoted}");
                Err(Error::Execute(message))
            }
        }
    }

    /// Parses `text` as `name` beside the templates of this set and runs it.
    pub fn execute_text(&self, name: &str, text: &str, data: &Value) -> Result<String> {
        let mut templates = self.clone();
        templates.parse(name, text)?;
        templates.execute(name, data)
    }

    /// The names of all templates, sorted.
    pub fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.templates.keys().map(String::as_str).collect();
        names.sort_unstable();
        names
    }

    pub(crate) fn template(&self, name: &str) -> Option<&Template> {
        self.templates.get(name).map(|template| &**template)
    }

    /// The function, and whether it is a builtin.
    pub(crate) fn function(&self, name: &str) -> Option<(&Func, bool)> {
        match self.functions.get(name) {
            Some(function) => Some((function, false)),
            None => builtins::find(name).map(|function| (function, true)),
        }
    }
}
