//! The data of a template, and how Go would name their types.

mod duration;
mod func;
mod kind;
mod month;
mod structure;
mod time;

use std::{collections::BTreeMap, sync::Arc};

pub use duration::format_duration;
pub use func::{Call, Func, Type};
pub(crate) use kind::Kind;
pub use structure::Struct;
pub use time::Time;

/// A value as a template sees it. Cloning is cheap.
#[derive(Clone, Default)]
pub enum Value {
    /// No value at all, and Go's nil.
    #[default]
    Nil,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Float(f64),
    /// Real and imaginary part; only constants such as `1i` make one.
    Complex(f64, f64),
    String(Arc<str>),
    /// Text that an HTML template must not escape.
    Safe(SafeKind, Arc<str>),
    List(List),
    Map(Map),
    Time(Time),
    /// Nanoseconds.
    Duration(i64),
    Object(Arc<dyn Object>),
    Func(Func),
}

/// In which place of an HTML document a text is safe as it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SafeKind {
    Html,
    Url,
}

/// A list, with the name of its Go type.
#[derive(Clone)]
pub struct List {
    pub type_name: &'static str,
    pub items: Arc<[Value]>,
    /// How deep lists and maps nest, this one included.
    depth: usize,
}

/// A map from strings, with the name of its Go type.
#[derive(Clone)]
pub struct Map {
    pub type_name: &'static str,
    pub entries: Arc<BTreeMap<Arc<str>, Value>>,
    /// What a missing key answers where missing keys are zero values.
    pub zero: Arc<Value>,
    /// How deep lists and maps nest, this one included.
    depth: usize,
}

/// Something with fields, methods or a name of its own.
pub trait Object: Send + Sync {
    /// The name of its Go type, such as `template.Alert`; errors show it.
    fn type_name(&self) -> &'static str;

    /// The field or method `name`.
    fn member(&self, name: &str) -> Option<Member>;

    /// What it is to `range`, `index`, `len` and to printing without [`Object::text`].
    fn shape(&self) -> Shape;

    /// What its `String` method prints, if it has one.
    fn text(&self) -> Option<String> {
        None
    }
}

/// What a name after a dot stands for.
pub enum Member {
    Field(Value),
    Method(Func),
}

/// The structure of an [`Object`] below its name.
pub enum Shape {
    /// Fields in order.
    Struct(Vec<(&'static str, Value)>),
    List(List),
    Map(Map),
    /// A named number, text or the like.
    Scalar(Value),
}

impl Value {
    pub fn string(text: impl Into<Arc<str>>) -> Value {
        Value::String(text.into())
    }

    /// A list of Go's type `[]interface {}`.
    pub fn list(items: impl IntoIterator<Item = Value>) -> Value {
        Value::List(List::new("[]interface {}", items))
    }

    /// A list of Go's type `[]string`.
    pub fn strings<T: Into<Arc<str>>>(items: impl IntoIterator<Item = T>) -> Value {
        Value::List(List::new("[]string", items.into_iter().map(Value::string)))
    }

    pub fn object(object: impl Object + 'static) -> Value {
        Value::Object(Arc::new(object))
    }

    /// The text of a string, of whatever named type.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::String(text) | Value::Safe(_, text) => Some(text),
            _ => None,
        }
    }

    /// The name of its Go type, as `%T` prints it.
    pub fn type_name(&self) -> &'static str {
        match self {
            Value::Nil => "<nil>",
            Value::Bool(_) => "bool",
            Value::Int(_) => "int",
            Value::Uint(_) => "uint64",
            Value::Float(_) => "float64",
            Value::Complex(..) => "complex128",
            Value::String(_) => "string",
            Value::Safe(SafeKind::Html, _) => "template.HTML",
            Value::Safe(SafeKind::Url, _) => "template.URL",
            Value::List(list) => list.type_name,
            Value::Map(map) => map.type_name,
            Value::Time(_) => "time.Time",
            Value::Duration(_) => "time.Duration",
            Value::Object(object) => object.type_name(),
            Value::Func(_) => "func",
        }
    }

    /// How deep lists and maps nest in it: dropping and printing recurse that far.
    pub(crate) fn depth(&self) -> usize {
        match self {
            Value::List(list) => list.depth,
            Value::Map(map) => map.depth,
            _ => 0,
        }
    }

    /// A field or method of it, maps' entries aside.
    pub(crate) fn member(&self, name: &str) -> Option<Member> {
        match self {
            Value::Time(time) => time::member(time, name),
            Value::Duration(nanos) => duration::member(*nanos, name),
            Value::Object(object) => object.member(name),
            _ => None,
        }
    }

    /// What its `String` method prints, if it has one.
    pub(crate) fn stringer(&self) -> Option<String> {
        match self {
            Value::Time(time) => Some(time.to_string()),
            Value::Duration(nanos) => Some(format_duration(*nanos)),
            Value::Object(object) => object.text(),
            _ => None,
        }
    }

    /// Go's truth: not zero and not empty; structs are true.
    pub fn is_true(&self) -> bool {
        match self.kind() {
            Kind::Nil => false,
            Kind::Bool(value) => value,
            Kind::Int(value) => value != 0,
            Kind::Uint(value) => value != 0,
            Kind::Float(value) => value != 0.0,
            Kind::Complex(real, imaginary) => real != 0.0 || imaginary != 0.0,
            Kind::String(text) => !text.is_empty(),
            Kind::List(list) => !list.items.is_empty(),
            Kind::Map(map) => !map.entries.is_empty(),
            Kind::Struct | Kind::Func => true,
        }
    }
}

impl List {
    pub fn new(type_name: &'static str, items: impl IntoIterator<Item = Value>) -> List {
        let items: Arc<[Value]> = items.into_iter().collect();
        let depth = 1 + items.iter().map(Value::depth).max().unwrap_or(0);
        List { type_name, items, depth }
    }
}

impl Map {
    /// A map of texts; a missing key is the empty text.
    pub fn of_strings<K: Into<Arc<str>>, V: Into<Arc<str>>>(
        type_name: &'static str,
        entries: impl IntoIterator<Item = (K, V)>,
    ) -> Map {
        let entries = entries.into_iter().map(|(k, v)| (k.into(), Value::string(v)));
        let zero = Value::string("");
        Map { type_name, entries: Arc::new(entries.collect()), zero: Arc::new(zero), depth: 1 }
    }

    /// A `map[string]interface {}`; a missing key is nil.
    pub fn of_any<K: Into<Arc<str>>>(entries: impl IntoIterator<Item = (K, Value)>) -> Map {
        let entries: BTreeMap<_, _> = entries.into_iter().map(|(k, v)| (k.into(), v)).collect();
        let depth = 1 + entries.values().map(Value::depth).max().unwrap_or(0);
        let type_name = "map[string]interface {}";
        Map { type_name, entries: Arc::new(entries), zero: Arc::new(Value::Nil), depth }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::string(text)
    }
}

impl From<String> for Value {
    fn from(text: String) -> Value {
        Value::string(text)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Value {
        Value::Bool(value)
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Value {
        Value::Int(value)
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Value {
        Value::Float(value)
    }
}

/// `%v` without `print`'s spaces; what an action prints.
impl std::fmt::Display for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&crate::format::sprint(std::slice::from_ref(self)))
    }
}

impl std::fmt::Debug for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}({self})", self.type_name())
    }
}
