//! A parsed JSON text (RFC 8259): it owns its text and a flat list of nodes that point into it, so that a claims set
//! can be kept without a second copy. Values are typed on demand.

use std::fmt;

/// A parsed JSON text.
#[derive(Clone)]
pub struct Document {
    /// The source, then the decoded form of every string that had escapes.
    pub(super) text: String,
    /// Length of the source.
    pub(super) written: usize,
    pub(super) nodes: Vec<Node>,
}

/// A part of a document's text, in bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    pub(super) start: u32,
    pub(super) end: u32,
}

impl Span {
    /// No bytes.
    pub(super) const EMPTY: Self = Self { start: 0, end: 0 };

    /// Bytes of it.
    pub(super) fn length(self) -> usize {
        usize::try_from(self.end.saturating_sub(self.start)).unwrap_or(usize::MAX)
    }
}

/// A value: where its text is, and the nodes that it contains, up to `next`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Node {
    pub(super) kind: Kind,
    /// The value as written.
    pub(super) raw: Span,
    /// A string's decoded content.
    pub(super) content: Span,
    /// The decoded member name, empty outside objects.
    pub(super) name: Span,
    /// Its last two bytes.
    pub(super) ending: u16,
    /// Index of the first node after this value and its content.
    pub(super) next: u32,
}

/// Type of a JSON value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `null`
    Null,
    /// `true`
    True,
    /// `false`
    False,
    /// A number, kept as text.
    Number,
    /// A string.
    String,
    /// An array.
    Array,
    /// An object.
    Object,
}

/// A value inside a [`Document`].
#[derive(Clone, Copy)]
pub struct Value<'d> {
    document: &'d Document,
    index: usize,
}

impl Document {
    /// The value at the top.
    pub const fn root(&self) -> Value<'_> {
        Value { document: self, index: 0 }
    }

    /// The text as it was parsed, with all of its white space.
    pub fn source(&self) -> &str {
        self.text.get(..self.written).unwrap_or_default()
    }

    /// The value of this [`Value::index`].
    pub const fn at(&self, index: usize) -> Value<'_> {
        Value { document: self, index }
    }

    /// Bytes held, for callers that limit their memory.
    pub fn memory(&self) -> usize {
        self.text.capacity().saturating_add(self.nodes.capacity().saturating_mul(size_of::<Node>()))
    }

    fn slice(&self, span: Span) -> &str {
        slice(&self.text, span)
    }
}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Document({} values)", self.nodes.len())
    }
}

pub(super) fn slice(text: &str, span: Span) -> &str {
    let start = usize::try_from(span.start).unwrap_or(usize::MAX);
    let end = usize::try_from(span.end).unwrap_or(usize::MAX);
    text.get(start..end).unwrap_or("")
}

impl<'d> Value<'d> {
    fn node(self) -> Option<&'d Node> {
        self.document.nodes.get(self.index)
    }

    /// Its position in the document.
    pub const fn index(self) -> usize {
        self.index
    }

    /// The type of the value.
    pub fn kind(self) -> Kind {
        self.node().map_or(Kind::Null, |node| node.kind)
    }

    /// The value exactly as written in the source.
    pub fn raw(self) -> &'d str {
        self.node().map_or("", |node| self.document.slice(node.raw))
    }

    /// The content of a string.
    pub fn as_str(self) -> Option<&'d str> {
        let node = self.node()?;
        (node.kind == Kind::String).then(|| self.document.slice(node.content))
    }

    /// The text of a number.
    pub fn as_number(self) -> Option<&'d str> {
        (self.kind() == Kind::Number).then(|| self.raw())
    }

    /// The value of a boolean.
    pub fn as_bool(self) -> Option<bool> {
        match self.kind() {
            Kind::True => Some(true),
            Kind::False => Some(false),
            Kind::Null | Kind::Number | Kind::String | Kind::Array | Kind::Object => None,
        }
    }

    /// The elements of an array; empty for every other type.
    pub fn elements(self) -> Children<'d> {
        self.children(Kind::Array)
    }

    /// The members of an object with their names; empty for every other type.
    pub fn members(self) -> impl Iterator<Item = (&'d str, Value<'d>)> {
        self.children(Kind::Object).map(|value| (value.name(), value))
    }

    /// The member `name` of an object.
    pub fn member(self, name: &str) -> Option<Self> {
        self.find_member(name).0
    }

    /// The member `name` of an object, and how many members the search looked at.
    pub fn find_member(self, name: &str) -> (Option<Self>, usize) {
        let (ending, length) = (ending(name), u32::try_from(name.len()).unwrap_or(u32::MAX));
        let mut children = self.children(Kind::Object);
        let mut looked_at = 1_usize;
        while let Some(node) = children.document.nodes.get(children.at).filter(|_| children.at < children.end)
        {
            // Length and ending first: they are at hand, and differ for nearly all names.
            if node.ending == ending
                && node.name.end.wrapping_sub(node.name.start) == length
                && self.document.slice(node.name) == name
            {
                return (Some(Value { document: self.document, index: children.at }), looked_at);
            }
            looked_at = looked_at.saturating_add(1);
            children.at = usize::try_from(node.next).unwrap_or(usize::MAX);
        }
        (None, looked_at)
    }

    /// The JSON text without white space between its tokens: one line, safe for a header.
    pub fn compact(self) -> String {
        let raw = self.raw();
        let mut out = String::with_capacity(raw.len());
        let (mut in_string, mut escaped) = (false, false);
        for c in raw.chars() {
            if in_string {
                in_string = escaped || c != '"';
                escaped = !escaped && c == '\\';
            } else if matches!(c, ' ' | '\t' | '\n' | '\r') {
                continue;
            } else {
                in_string = c == '"';
            }
            out.push(c);
        }
        out
    }

    fn name(self) -> &'d str {
        self.node().map_or("", |node| self.document.slice(node.name))
    }

    fn children(self, of: Kind) -> Children<'d> {
        let end = match self.node() {
            Some(node) if node.kind == of => usize::try_from(node.next).unwrap_or(0),
            Some(_) | None => 0,
        };
        Children { document: self.document, at: self.index.saturating_add(1), end }
    }
}

impl fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.raw())
    }
}

/// Direct children of an array or object, in source order.
pub struct Children<'d> {
    document: &'d Document,
    at: usize,
    end: usize,
}

impl<'d> Iterator for Children<'d> {
    type Item = Value<'d>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.at >= self.end {
            return None;
        }
        let value = Value { document: self.document, index: self.at };
        self.at = usize::try_from(value.node()?.next).ok()?;
        Some(value)
    }
}

/// The last two bytes of a name, to compare names without reading them.
pub(super) fn ending(name: &str) -> u16 {
    match name.as_bytes() {
        [.., before, last] => u16::from_le_bytes([*before, *last]),
        [only] => u16::from(*only),
        [] => 0,
    }
}
