//! Reads JSON (RFC 8259) for tokens, key sets and configurations: no duplicate member names, bounded depth and
//! size, numbers kept as their text, strings borrowed if they have no escapes.

use std::collections::BinaryHeap;
use std::fmt;

use super::document::{Document, Kind, Node, Span, ending, slice};
use super::scan;

/// The limits of a document.
#[derive(Clone, Copy, Debug)]
pub struct JsonLimits {
    /// Nesting depth of arrays and objects.
    pub max_depth: usize,
    /// Values in the document, without names.
    pub max_nodes: usize,
}

/// Why a text is not an acceptable JSON document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JsonError {
    /// Not UTF-8 (RFC 8259 8.1).
    NotUtf8,
    /// Not the grammar of RFC 8259, or an unpaired surrogate escape.
    Syntax,
    /// Two members of one object have the same name (RFC 7515 4, RFC 7519 4).
    DuplicateMember,
    /// Deeper or larger than the limits allow.
    TooComplex,
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotUtf8 => "not UTF-8",
            Self::Syntax => "not JSON",
            Self::DuplicateMember => "a member name occurs twice",
            Self::TooComplex => "too deep or too many values",
        })
    }
}

/// Fewer nodes than in headers, payloads and key sets, which have a value per 15 to 40 bytes, and four more.
const BYTES_PER_NODE: usize = 25;
/// Members of an object whose names are compared pair by pair.
const FEW_MEMBERS: usize = 32;

impl Document {
    /// Parses the whole of `source`.
    ///
    /// # Errors
    /// See [`JsonError`].
    pub fn parse(source: Vec<u8>, limits: JsonLimits) -> Result<Self, JsonError> {
        let text = String::from_utf8(source).map_err(|_| JsonError::NotUtf8)?;
        // Node offsets are 32 bits; decoded strings at most double the text.
        if text.len() > (u32::MAX / 4).try_into().unwrap_or(usize::MAX) {
            return Err(JsonError::TooComplex);
        }
        let room = (text.len() / BYTES_PER_NODE).saturating_add(4).min(limits.max_nodes);
        let nodes = Vec::with_capacity(room);
        let mut parser = Parser { source: &text, at: 0, nodes, decoded: String::new(), limits };
        parser.skip_whitespace();
        parser.value(Span::EMPTY, limits.max_depth)?;
        parser.skip_whitespace();
        if parser.at != text.len() {
            return Err(JsonError::Syntax);
        }
        let Parser { nodes, decoded, .. } = parser;
        let mut text = text;
        let written = text.len();
        text.push_str(&decoded);
        Ok(Self { text, written, nodes })
    }
}

struct Parser<'s> {
    source: &'s str,
    at: usize,
    nodes: Vec<Node>,
    decoded: String,
    limits: JsonLimits,
}

impl<'s> Parser<'s> {
    fn peek(&self) -> Option<u8> {
        self.source.as_bytes().get(self.at).copied()
    }

    fn advance(&mut self) {
        self.at = self.at.saturating_add(1);
    }

    fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        if found {
            self.advance();
        }
        found
    }

    fn skip_whitespace(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.advance();
        }
    }

    fn span_from(&self, start: usize) -> Result<Span, JsonError> {
        span(start, self.at)
    }

    fn value(&mut self, name: Span, depth_left: usize) -> Result<(), JsonError> {
        if self.nodes.len() >= self.limits.max_nodes {
            return Err(JsonError::TooComplex);
        }
        let start = self.at;
        let index = self.nodes.len();
        let ending = ending(self.decoded_slice(name));
        let mut node =
            Node { kind: Kind::Null, raw: Span::EMPTY, content: Span::EMPTY, name, ending, next: 0 };
        self.nodes.push(node);
        match self.peek() {
            Some(b'{') => {
                node.kind = Kind::Object;
                self.object(depth_left.checked_sub(1).ok_or(JsonError::TooComplex)?)?;
            }
            Some(b'[') => {
                node.kind = Kind::Array;
                self.array(depth_left.checked_sub(1).ok_or(JsonError::TooComplex)?)?;
            }
            Some(b'"') => {
                node.kind = Kind::String;
                node.content = self.string()?;
            }
            Some(b't') => node.kind = self.literal("true", Kind::True)?,
            Some(b'f') => node.kind = self.literal("false", Kind::False)?,
            Some(b'n') => node.kind = self.literal("null", Kind::Null)?,
            Some(b'-' | b'0'..=b'9') => {
                node.kind = Kind::Number;
                self.number()?;
            }
            Some(_) | None => return Err(JsonError::Syntax),
        }
        node.raw = self.span_from(start)?;
        node.next = offset(self.nodes.len())?;
        if let Some(slot) = self.nodes.get_mut(index) {
            *slot = node;
        }
        if node.kind == Kind::Object {
            self.refuse_duplicates(index)?;
        }
        Ok(())
    }

    fn array(&mut self, depth_left: usize) -> Result<(), JsonError> {
        self.advance();
        self.skip_whitespace();
        if self.eat(b']') {
            return Ok(());
        }
        loop {
            self.value(Span::EMPTY, depth_left)?;
            if self.is_last(b']')? {
                return Ok(());
            }
        }
    }

    fn object(&mut self, depth_left: usize) -> Result<(), JsonError> {
        self.advance();
        self.skip_whitespace();
        if self.eat(b'}') {
            return Ok(());
        }
        loop {
            if self.peek() != Some(b'"') {
                return Err(JsonError::Syntax);
            }
            let name = self.string()?;
            self.skip_whitespace();
            if !self.eat(b':') {
                return Err(JsonError::Syntax);
            }
            self.skip_whitespace();
            self.value(name, depth_left)?;
            if self.is_last(b'}')? {
                return Ok(());
            }
        }
    }

    /// Reads what follows a value: `end`, or a comma and all up to the next one.
    fn is_last(&mut self, end: u8) -> Result<bool, JsonError> {
        self.skip_whitespace();
        if self.eat(b',') {
            self.skip_whitespace();
            return Ok(false);
        }
        if self.eat(end) { Ok(true) } else { Err(JsonError::Syntax) }
    }

    fn literal(&mut self, word: &str, kind: Kind) -> Result<Kind, JsonError> {
        let end = self.at.saturating_add(word.len());
        if self.source.as_bytes().get(self.at..end) != Some(word.as_bytes()) {
            return Err(JsonError::Syntax);
        }
        self.at = end;
        Ok(kind)
    }

    fn number(&mut self) -> Result<(), JsonError> {
        self.eat(b'-');
        if !self.eat(b'0') {
            self.digits()?;
        }
        if self.eat(b'.') {
            self.digits()?;
        }
        if self.eat(b'e') || self.eat(b'E') {
            if !self.eat(b'+') {
                self.eat(b'-');
            }
            self.digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) -> Result<(), JsonError> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.advance();
        }
        if self.at == start { Err(JsonError::Syntax) } else { Ok(()) }
    }

    /// The span of the content: in the source if it has no escapes, otherwise behind the source.
    fn string(&mut self) -> Result<Span, JsonError> {
        self.advance();
        let start = self.at;
        let plain = self.plain()?;
        match self.peek() {
            Some(b'"') => {
                let span = self.span_from(start)?;
                self.advance();
                Ok(span)
            }
            Some(b'\\') => self.escaped_string(plain),
            Some(_) | None => Err(JsonError::Syntax),
        }
    }

    fn escaped_string(&mut self, mut plain: &'s str) -> Result<Span, JsonError> {
        let begin = self.source.len().saturating_add(self.decoded.len());
        loop {
            self.decoded.push_str(plain);
            let byte = self.peek();
            self.advance();
            match byte {
                Some(b'"') => return span(begin, self.source.len().saturating_add(self.decoded.len())),
                Some(b'\\') => {
                    let c = self.escape()?;
                    self.decoded.push(c);
                    plain = self.plain()?;
                }
                Some(_) | None => return Err(JsonError::Syntax),
            }
        }
    }

    /// Up to the next byte that a string does not contain unescaped.
    fn plain(&mut self) -> Result<&'s str, JsonError> {
        let rest = self.source.as_bytes().get(self.at..).unwrap_or_default();
        let end = self.at.saturating_add(scan::special(rest).ok_or(JsonError::Syntax)?);
        let plain = self.source.get(self.at..end).unwrap_or_default();
        self.at = end;
        Ok(plain)
    }

    fn escape(&mut self) -> Result<char, JsonError> {
        let byte = self.peek().ok_or(JsonError::Syntax)?;
        self.advance();
        Ok(match byte {
            b'"' => '"',
            b'\\' => '\\',
            b'/' => '/',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.unicode_escape(),
            _ => return Err(JsonError::Syntax),
        })
    }

    fn unicode_escape(&mut self) -> Result<char, JsonError> {
        let first = self.hex4()?;
        if !(0xd800..0xdc00).contains(&first) {
            return char::from_u32(first).ok_or(JsonError::Syntax);
        }
        if !(self.eat(b'\\') && self.eat(b'u')) {
            return Err(JsonError::Syntax);
        }
        let second = self.hex4()?;
        if !(0xdc00..0xe000).contains(&second) {
            return Err(JsonError::Syntax);
        }
        let high = first.saturating_sub(0xd800);
        let low = second.saturating_sub(0xdc00);
        char::from_u32((high << 10 | low).saturating_add(0x1_0000)).ok_or(JsonError::Syntax)
    }

    fn hex4(&mut self) -> Result<u32, JsonError> {
        let end = self.at.saturating_add(4);
        let digits = self.source.get(self.at..end).ok_or(JsonError::Syntax)?;
        if !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(JsonError::Syntax);
        }
        self.at = end;
        u32::from_str_radix(digits, 16).map_err(|_| JsonError::Syntax)
    }

    /// Names of small objects are compared pair by pair, by length and ending. If two agree, and in large objects, they are
    /// sorted: a hostile object costs n log n.
    fn refuse_duplicates(&self, index: usize) -> Result<(), JsonError> {
        let mut marks = [0; FEW_MEMBERS];
        let mut count = 0_usize;
        for node in self.members(index) {
            // If the length loses bits, equal lengths stay equal.
            let mark = node.name.length() << 16 | usize::from(node.ending);
            let (before, rest) = marks.split_at_mut_checked(count).unwrap_or_default();
            let Some(slot) = rest.first_mut().filter(|_| !before.contains(&mark)) else {
                return self.refuse_duplicates_sorted(index);
            };
            *slot = mark;
            count = count.saturating_add(1);
        }
        Ok(())
    }

    /// Uses a heap: sorting slices would add 2 KB.
    #[cold]
    #[inline(never)]
    fn refuse_duplicates_sorted(&self, index: usize) -> Result<(), JsonError> {
        let mut names: BinaryHeap<&str> =
            self.members(index).map(|node| self.decoded_slice(node.name)).collect();
        while let Some(name) = names.pop() {
            if names.peek() == Some(&name) {
                return Err(JsonError::DuplicateMember);
            }
        }
        Ok(())
    }

    /// The members of the object at `index`, which has just ended: nothing comes behind it.
    fn members(&self, index: usize) -> impl Iterator<Item = &Node> {
        let mut at = index.saturating_add(1);
        std::iter::from_fn(move || {
            let node = self.nodes.get(at)?;
            at = usize::try_from(node.next).unwrap_or(usize::MAX);
            Some(node)
        })
    }

    fn decoded_slice(&self, span: Span) -> &str {
        let behind = usize::try_from(span.start).unwrap_or(usize::MAX).checked_sub(self.source.len());
        match behind {
            None => slice(self.source, span),
            Some(start) => {
                let end = usize::try_from(span.end).unwrap_or(usize::MAX).saturating_sub(self.source.len());
                self.decoded.get(start..end).unwrap_or("")
            }
        }
    }
}

fn offset(at: usize) -> Result<u32, JsonError> {
    u32::try_from(at).map_err(|_| JsonError::TooComplex)
}

fn span(start: usize, end: usize) -> Result<Span, JsonError> {
    Ok(Span { start: offset(start)?, end: offset(end)? })
}

#[cfg(test)]
mod tests {
    use super::{JsonError, JsonLimits};
    use crate::core::json::{Document, Kind, Value};
    use proptest::prelude::*;

    const LIMITS: JsonLimits = JsonLimits { max_depth: 8, max_nodes: 64 };

    fn parse(text: &str) -> Result<Document, JsonError> {
        Document::parse(text.as_bytes().to_vec(), LIMITS)
    }

    #[test]
    fn values_are_typed_on_demand() {
        let document = parse(
            r#" {"a": "x\u00e9\ud83d\ude00\n", "b\u0062": [1, -2.50e+3, true, null], "o": {"k": {}}} "#,
        )
        .unwrap();
        let root = document.root();
        assert_eq!(root.member("a").and_then(Value::as_str), Some("x\u{e9}\u{1f600}\n"));
        let list: Vec<_> = root.member("bb").unwrap().elements().map(|v| (v.kind(), v.raw())).collect();
        assert_eq!(
            list,
            [(Kind::Number, "1"), (Kind::Number, "-2.50e+3"), (Kind::True, "true"), (Kind::Null, "null")]
        );
        assert_eq!(root.member("o").unwrap().member("k").unwrap().kind(), Kind::Object);
        assert_eq!(root.members().map(|(name, _)| name).collect::<Vec<_>>(), ["a", "bb", "o"]);
        assert!(root.member("k").is_none());
        let escapes = parse(r#"["\"\\\/\b\f\n\r\t"]"#).unwrap();
        let all = "\"\\/\u{8}\u{c}\n\r\t";
        assert_eq!(
            escapes.root().elements().next().and_then(|text| text.as_str().map(str::to_owned)),
            Some(all.into())
        );
        assert_eq!((root.elements().count(), root.member("bb").unwrap().members().count()), (0, 0));
        assert_eq!(root.member("a").unwrap().elements().count(), 0);
        // Of a text that may be a secret only its size, of a value what is written.
        assert_eq!(
            format!("{document:?} {:?}", root.member("bb").unwrap()),
            "Document(9 values) [1, -2.50e+3, true, null]"
        );
    }

    #[test]
    fn refusals() {
        let deep = "[".repeat(9) + &"]".repeat(9);
        let long = format!("[{}1]", "1,".repeat(64));
        let many = (0..40).map(|i| format!("\"m{i}\":0,")).collect::<String>();
        for (text, error) in [
            ("", JsonError::Syntax),
            ("{", JsonError::Syntax),
            ("{}x", JsonError::Syntax),
            ("[1,]", JsonError::Syntax),
            ("{\"a\":1,}", JsonError::Syntax),
            ("{a:1}", JsonError::Syntax),
            ("01", JsonError::Syntax),
            ("1.", JsonError::Syntax),
            ("-", JsonError::Syntax),
            ("+1", JsonError::Syntax),
            ("NaN", JsonError::Syntax),
            ("tru", JsonError::Syntax),
            ("\"\t\"", JsonError::Syntax),
            ("\"\\x\"", JsonError::Syntax),
            (r#""\ud800""#, JsonError::Syntax),
            (r#""\ud800\u0041""#, JsonError::Syntax),
            (r#""\udc00""#, JsonError::Syntax),
            (r#""\u+041""#, JsonError::Syntax),
            (r#"{"a":1,"a":1}"#, JsonError::DuplicateMember),
            (r#"{"a":1,"\u0061":1}"#, JsonError::DuplicateMember),
            (r#"[{"x":{"b":1,"b":2}}]"#, JsonError::DuplicateMember),
            (&format!("{{{many}\"m7\":1}}"), JsonError::DuplicateMember),
            (&deep, JsonError::TooComplex),
            (&long, JsonError::TooComplex),
        ] {
            assert_eq!(parse(text).err(), Some(error), "{text}");
        }
        assert_eq!(Document::parse(vec![b'"', 0xff, b'"'], LIMITS).err(), Some(JsonError::NotUtf8));
    }

    #[test]
    fn names_that_only_look_the_same() {
        let object = |names: &[String]| {
            let members: Vec<String> = names.iter().map(|name| format!("\"{name}\":0")).collect();
            let limits = JsonLimits { max_depth: 8, max_nodes: 10_000 };
            Document::parse(format!("{{{}}}", members.join(",")).into_bytes(), limits).err()
        };
        for count in [2, 31, 32, 33, 34, 1000] {
            for long in ["", "x".repeat(1 << 16).as_str()] {
                if count == 1000 && !long.is_empty() {
                    continue;
                }
                // The same length and ending, so that they are sorted; then another ending each.
                for ending in ["zz", ""] {
                    let mut names: Vec<String> =
                        (0..count).map(|i| format!("{long}{i:04}{ending}")).collect();
                    assert_eq!(object(&names), None, "{count} {ending}");
                    *names.last_mut().unwrap() = names[0].replace("0000", "000\\u0030");
                    assert_eq!(object(&names), Some(JsonError::DuplicateMember), "{count} {ending}");
                }
            }
        }
        for (names, twice) in [
            (vec!["", "a", "b", "\\u0000"], false),
            (vec!["", "a", ""], true),
            (vec!["a", "\\u0061"], true),
            (vec!["a", "\\u0000a", "aa"], false),
            (vec!["\u{e9}", "\\u00e9"], true),
        ] {
            let names: Vec<String> = names.into_iter().map(str::to_owned).collect();
            assert_eq!(object(&names), twice.then_some(JsonError::DuplicateMember), "{names:?}");
        }
    }

    #[test]
    fn compact_drops_only_white_space_between_parts() {
        let document = parse("{ \"a b\" : [ \"c \\\" d\" ,\n 1 ] }").unwrap();
        assert_eq!(document.root().compact(), "{\"a b\":[\"c \\\" d\",1]}");
    }

    fn arbitrary_json() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(Into::into),
            any::<i64>().prop_map(Into::into),
            "\\PC*".prop_map(Into::into),
            any::<String>().prop_map(Into::into),
        ];
        leaf.prop_recursive(4, 32, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Into::into),
                prop::collection::btree_map(any::<String>(), inner, 0..6)
                    .prop_map(|m| serde_json::Value::Object(m.into_iter().collect())),
            ]
        })
    }

    fn same(ours: Value<'_>, theirs: &serde_json::Value) -> bool {
        match theirs {
            serde_json::Value::Null => ours.kind() == Kind::Null,
            serde_json::Value::Bool(b) => ours.as_bool() == Some(*b),
            serde_json::Value::Number(n) => ours.as_number() == Some(n.to_string().as_str()),
            serde_json::Value::String(s) => ours.as_str() == Some(s),
            serde_json::Value::Array(list) => {
                ours.elements().count() == list.len() && ours.elements().zip(list).all(|(o, t)| same(o, t))
            }
            serde_json::Value::Object(map) => {
                ours.members().count() == map.len()
                    && map.iter().all(|(k, t)| ours.member(k).is_some_and(|o| same(o, t)))
            }
        }
    }

    proptest! {
        #[test]
        fn duplicates_as_a_set_finds_them(names in prop::collection::vec("[ab]{0,6}", 0..40)) {
            let members: Vec<String> = names.iter().map(|name| format!("\"{name}\" : {{\"a\":0}}")).collect();
            let different = names.iter().collect::<std::collections::BTreeSet<_>>().len() == names.len();
            let limits = JsonLimits { max_depth: 8, max_nodes: 100 };
            let parsed = Document::parse(format!("{{{}}}", members.join(",")).into_bytes(), limits);
            prop_assert_eq!(parsed.as_ref().err(), (!different).then_some(&JsonError::DuplicateMember));
            if let Ok(document) = parsed {
                let found = |name: &str| document.root().member(name).is_some();
                prop_assert!(names.iter().all(|name| found(name)) && !found("c") && !found("abababa"));
            }
        }

        #[test]
        fn reads_what_serde_json_writes(value in arbitrary_json()) {
            let limits = JsonLimits { max_depth: 16, max_nodes: 10_000 };
            let document = Document::parse(value.to_string().into_bytes(), limits).unwrap();
            prop_assert!(same(document.root(), &value));
            let pretty = serde_json::to_string_pretty(&value).unwrap();
            let document = Document::parse(pretty.into_bytes(), limits).unwrap();
            prop_assert_eq!(document.root().compact(), value.to_string());
        }

        #[test]
        fn agrees_with_serde_json_on_what_is_json(text in "[\\[\\]{}\",:0-9eE.+\\- tfnrulase\\\\u]{0,24}") {
            let ours = parse(&text);
            let theirs = serde_json::from_str::<serde_json::Value>(&text);
            match ours {
                // serde_json parses numbers to floats, and 1e999 is too large for one; here numbers are text.
                Ok(_) => prop_assert!(
                    theirs.as_ref().err().is_none_or(|error| error.to_string().starts_with("number out of range")),
                    "{text}: {theirs:?}"
                ),
                Err(JsonError::DuplicateMember | JsonError::TooComplex) => {}
                Err(JsonError::Syntax | JsonError::NotUtf8) => prop_assert!(theirs.is_err(), "{}", text),
            }
        }
    }
}
