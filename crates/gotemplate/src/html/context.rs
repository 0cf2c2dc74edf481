/// A place in a document.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) enum Context {
    #[default]
    Text,
    Comment,
    /// Behind `<` or `</`.
    TagName,
    /// Between attributes.
    Tag,
    AttributeName,
    /// Behind a name, where `=` may follow.
    AfterName {
        kind: Attribute,
    },
    /// Behind `=`.
    BeforeValue {
        kind: Attribute,
    },
    Value {
        kind: Attribute,
        quote: Quote,
        /// Where the value begins in the output.
        start: usize,
    },
    /// Within an element that holds text only, up to its end tag.
    Raw {
        element: &'static str,
        /// The quote of the string literal that a script is in.
        in_string: Option<u8>,
    },
}

/// What the value of an attribute is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Attribute {
    Plain,
    Url,
    Css,
    Script,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quote {
    None,
    Single,
    Double,
}

/// Elements that hold text only.
const RAW: [&str; 4] = ["script", "style", "textarea", "title"];

/// Attributes whose value is an address, besides those whose name says so.
const URLS: [&str; 14] = [
    "action",
    "archive",
    "background",
    "cite",
    "classid",
    "codebase",
    "data",
    "formaction",
    "href",
    "icon",
    "longdesc",
    "manifest",
    "poster",
    "usemap",
];

/// Follows a document byte by byte, roughly as browsers do.
#[derive(Default)]
pub(super) struct Reader {
    pub(super) context: Context,
    /// The name of the tag that is open, in lower case; with a slash if it is an end tag.
    tag: String,
    /// The name of the attribute that is being read, in lower case.
    name: String,
    /// The bytes behind, as far as they matter: comments and end tags of raw elements.
    behind: Vec<u8>,
}

impl Reader {
    /// Reads `text`, which begins at `offset` of the output.
    pub(super) fn read(&mut self, text: &str, offset: usize) {
        for (idx, byte) in text.bytes().enumerate() {
            self.step(byte, offset + idx);
        }
    }

    /// Whether a `<` with `rest` behind it, up to the next one, begins neither tag nor comment.
    pub(super) fn is_lone(&self, rest: &str) -> bool {
        let starts_with = |word: &str| {
            rest.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word))
        };
        match self.context {
            Context::Text => {
                let name = rest.strip_prefix('/').unwrap_or(rest);
                let is_tag = name.starts_with(|first: char| first.is_ascii_alphabetic());
                !is_tag && !starts_with("!--") && !starts_with("!doctype")
            }
            Context::Raw { element: element @ ("textarea" | "title"), .. } => {
                !starts_with(&format!("/{element}"))
            }
            _ => false,
        }
    }

    /// A value comes next, at `offset` of the output.
    pub(super) fn begin_value(&mut self, offset: usize) {
        if let Context::BeforeValue { kind } = self.context {
            self.context = Context::Value { kind, quote: Quote::None, start: offset };
        }
    }

    /// Takes note of a value that was printed.
    pub(super) fn skip(&mut self, value: &str) {
        self.behind.clear();
        match &self.context {
            Context::TagName => self.tag.push_str(&value.to_ascii_lowercase()),
            Context::AttributeName => self.name.push_str(&value.to_ascii_lowercase()),
            _ => {}
        }
    }

    fn step(&mut self, byte: u8, at: usize) {
        match &mut self.context {
            Context::Text => self.in_text(byte),
            Context::Comment => {
                self.remember(byte);
                if self.behind.ends_with(b"-->") {
                    self.context = Context::Text;
                }
            }
            Context::TagName => self.in_tag_name(byte),
            Context::Tag => self.in_tag(byte),
            Context::AttributeName => self.in_attribute_name(byte),
            Context::AfterName { kind } => {
                let kind = *kind;
                match byte {
                    b'=' => self.context = Context::BeforeValue { kind },
                    byte if byte.is_ascii_whitespace() => {}
                    byte => self.in_tag(byte),
                }
            }
            Context::BeforeValue { kind } => {
                let kind = *kind;
                let start = at + 1;
                match byte {
                    b'"' => {
                        self.context = Context::Value { kind, quote: Quote::Double, start };
                    }
                    b'\'' => {
                        self.context = Context::Value { kind, quote: Quote::Single, start };
                    }
                    b'>' => self.end_tag(),
                    byte if byte.is_ascii_whitespace() => {}
                    _ => {
                        self.context = Context::Value { kind, quote: Quote::None, start: at };
                    }
                }
            }
            Context::Value { quote, .. } => match (*quote, byte) {
                (Quote::Double, b'"') | (Quote::Single, b'\'') => self.context = Context::Tag,
                (Quote::None, b'>') => self.end_tag(),
                (Quote::None, byte) if byte.is_ascii_whitespace() => self.context = Context::Tag,
                _ => {}
            },
            Context::Raw { element, in_string } => {
                let element = *element;
                if element == "script" {
                    *in_string = string_after(*in_string, byte, self.behind.last().copied());
                }
                self.remember(byte);
                let length = element.len();
                let tail = self.behind.len().checked_sub(length + 2);
                let closes = tail.and_then(|tail| self.behind.get(tail..)).is_some_and(|end| {
                    end.starts_with(b"</") && end[2..].eq_ignore_ascii_case(element.as_bytes())
                });
                if closes {
                    self.tag = format!("/{element}");
                    self.context = Context::TagName;
                }
            }
        }
    }

    fn in_text(&mut self, byte: u8) {
        self.remember(byte);
        if self.behind.ends_with(b"<!--") {
            self.context = Context::Comment;
        } else if let [.., b'<', first] = self.behind.as_slice()
            && (first.is_ascii_alphabetic() || *first == b'/')
        {
            self.tag = char::from(first.to_ascii_lowercase()).to_string();
            self.context = Context::TagName;
        }
    }

    fn in_tag_name(&mut self, byte: u8) {
        match byte {
            b'>' => self.end_tag(),
            byte if byte.is_ascii_whitespace() => self.context = Context::Tag,
            byte => self.tag.push(char::from(byte.to_ascii_lowercase())),
        }
    }

    fn in_tag(&mut self, byte: u8) {
        match byte {
            b'>' => self.end_tag(),
            b'/' => self.context = Context::Tag,
            byte if byte.is_ascii_whitespace() => self.context = Context::Tag,
            byte => {
                self.name = char::from(byte.to_ascii_lowercase()).to_string();
                self.context = Context::AttributeName;
            }
        }
    }

    fn in_attribute_name(&mut self, byte: u8) {
        match byte {
            b'=' => self.context = Context::BeforeValue { kind: kind_of(&self.name) },
            b'>' => self.end_tag(),
            byte if byte.is_ascii_whitespace() => {
                self.context = Context::AfterName { kind: kind_of(&self.name) };
            }
            byte => self.name.push(char::from(byte.to_ascii_lowercase())),
        }
    }

    fn end_tag(&mut self) {
        self.behind.clear();
        self.context = match RAW.into_iter().find(|raw| *raw == self.tag) {
            Some(element) => Context::Raw { element, in_string: None },
            None => Context::Text,
        };
    }

    fn remember(&mut self, byte: u8) {
        const BEHIND_MAX: usize = 16;
        if self.behind.len() == BEHIND_MAX {
            self.behind.remove(0);
        }
        self.behind.push(byte);
    }
}

fn kind_of(name: &str) -> Attribute {
    let name = name.strip_prefix("data-").unwrap_or(name);
    // What stands before a colon is a namespace; that of namespaces themselves holds addresses.
    let (space, name) = name.split_once(':').unwrap_or(("", name));
    if space == "xmlns" || name == "xmlns" {
        Attribute::Url
    } else if name.starts_with("on") {
        Attribute::Script
    } else if name == "style" {
        Attribute::Css
    } else if URLS.contains(&name) || ["src", "uri", "url"].iter().any(|it| name.contains(it)) {
        Attribute::Url
    } else {
        Attribute::Plain
    }
}

/// Whether a script is in a string literal behind `byte`.
fn string_after(in_string: Option<u8>, byte: u8, before: Option<u8>) -> Option<u8> {
    match in_string {
        Some(quote) if byte == quote && before != Some(b'\\') => None,
        Some(quote) => Some(quote),
        None if matches!(byte, b'"' | b'\'' | b'`') => Some(byte),
        None => None,
    }
}
