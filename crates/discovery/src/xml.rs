//! XML as JSON: an element is a text, or a map of the elements in it; those of one name are a list.
//!
//! Answers of Amazon's older services and of XML-RPC are read so, and labels are made of them as of
//! any JSON. Attributes say nothing there.

use quick_xml::{Reader, escape::resolve_predefined_entity, events::Event};
use serde_json::{Map, Value};

/// No service nests deeper.
const DEPTH_MAX: usize = 64;

#[derive(Default)]
struct Element {
    name: String,
    text: String,
    inner: Map<String, Value>,
}

/// What is in the outermost element.
pub(crate) fn read(xml: &[u8]) -> Result<Value, String> {
    parse(xml).map_err(|error| format!("parse the answer: {error}"))
}

fn parse(xml: &[u8]) -> Result<Value, String> {
    let mut reader = Reader::from_reader(xml);
    let mut open = vec![Element::default()];
    loop {
        let event = reader.read_event().map_err(|error| error.to_string())?;
        let innermost = open.last_mut().ok_or("an element ends that never began")?;
        match event {
            Event::Start(start) => {
                let name = String::from_utf8_lossy(start.local_name().as_ref()).into_owned();
                if open.len() > DEPTH_MAX {
                    return Err("elements are nested too deeply".to_owned());
                }
                open.push(Element { name, ..Element::default() });
            }
            Event::Empty(empty) => {
                let name = String::from_utf8_lossy(empty.local_name().as_ref()).into_owned();
                innermost.add(name, Value::String(String::new()));
            }
            Event::End(_) => {
                let ended = open.pop().map(Element::into_parts);
                let (Some((name, value)), Some(outer)) = (ended, open.last_mut()) else {
                    return Err("an element ends that never began".to_owned());
                };
                outer.add(name, value);
            }
            Event::Text(text) => {
                innermost.text.push_str(&text.decode().map_err(|error| error.to_string())?);
            }
            Event::CData(text) => {
                innermost.text.push_str(&text.decode().map_err(|error| error.to_string())?);
            }
            Event::GeneralRef(reference) => {
                let name = reference.decode().map_err(|error| error.to_string())?;
                match reference.resolve_char_ref().map_err(|error| error.to_string())? {
                    Some(c) => innermost.text.push(c),
                    None => innermost.text.push_str(
                        resolve_predefined_entity(&name)
                            .ok_or_else(|| format!("unknown entity {name:?}"))?,
                    ),
                }
            }
            Event::Eof if open.len() == 1 => {
                let outermost = std::mem::take(&mut innermost_of(&mut open).inner);
                return Ok(outermost
                    .into_iter()
                    .next()
                    .map(|(_, value)| value)
                    .unwrap_or_default());
            }
            Event::Eof => return Err("it ends too early".to_owned()),
            Event::Decl(_) | Event::PI(_) | Event::DocType(_) | Event::Comment(_) => {}
        }
    }
}

fn innermost_of(open: &mut [Element]) -> &mut Element {
    open.last_mut().expect("there is always the document")
}

impl Element {
    fn add(&mut self, name: String, value: Value) {
        match self.inner.get_mut(&name) {
            None => {
                self.inner.insert(name, value);
            }
            Some(Value::Array(list)) => list.push(value),
            Some(first) => *first = Value::Array(vec![first.take(), value]),
        }
    }

    fn into_parts(self) -> (String, Value) {
        let Element { name, text, inner } = self;
        let value = if inner.is_empty() { Value::String(text) } else { Value::Object(inner) };
        (name, value)
    }
}
