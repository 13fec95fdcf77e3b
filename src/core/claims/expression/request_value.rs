//! Values of the request inside arguments: `{method}`, `{host}`, `{host.0}`, `{path}`, `{path.0}`, `{header:Name}`.

use std::borrow::Cow;

use crate::core::claims::expression::lexer::Text;
use crate::core::request::header_name::{self, Single, is_field_name};
use crate::core::request::{RequestView, method, path};

/// Work of asking the host for a header.
const HEADER: usize = 200;
/// Of a byte of a path that is read.
const PATH_BYTE: usize = 3;

/// An argument: text, values of the request, or both in turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Template {
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Value(RequestValue),
}

/// What can be asked of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
enum RequestValue {
    Method,
    Host,
    Label(usize),
    Path,
    Segment(usize),
    Header(String),
}

impl Template {
    /// Parses an argument. A `{` starts a request value if a word and `}` follow; otherwise it is a literal character, so
    /// that JSON and the like need no escapes.
    ///
    /// # Errors
    /// What is wrong if the word is not a request value: a typing error must not become a comparison with its text.
    pub(super) fn parse(text: &Text<'_>) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut rest = &*text.value;
        while let Some(at) = rest.find('{') {
            let (before, from_brace) = rest.split_at(at);
            literal.push_str(before);
            let offset = text.value.len().saturating_sub(from_brace.len());
            match word(from_brace).filter(|_| !text.literal_braces.contains(&offset)) {
                Some(name) => {
                    let value = RequestValue::parse(name).ok_or_else(|| {
                        format!(
                            "{{{name}}} is not a value of the request; there are {{method}}, {{host}}, {{host.0}}, \
                             {{path}}, {{path.0}} and {{header:Name}}. Text is written with \\{{ between double quotes"
                        )
                    })?;
                    if !literal.is_empty() {
                        parts.push(Part::Text(std::mem::take(&mut literal)));
                    }
                    parts.push(Part::Value(value));
                    rest = from_brace.get(name.len().saturating_add(2)..).unwrap_or("");
                }
                None => {
                    literal.push('{');
                    rest = from_brace.get(1..).unwrap_or("");
                }
            }
        }
        literal.push_str(rest);
        if !literal.is_empty() || parts.is_empty() {
            parts.push(Part::Text(literal));
        }
        Ok(Self { parts })
    }

    /// Whether it is the same for every request.
    pub(super) fn is_text(&self) -> bool {
        self.parts.iter().all(|part| matches!(part, Part::Text(_)))
    }

    /// Whether it is one value of the request and nothing else.
    pub(super) fn is_one_value(&self) -> bool {
        matches!(self.parts.as_slice(), [Part::Value(_)])
    }

    /// The text that it is for every request, if it is.
    pub(super) fn fixed(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [Part::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// What reading the values costs, in units of `MAX_EXPRESSION_WORK`, but for the length of headers.
    pub(super) fn cost(&self, request: &dyn RequestView) -> usize {
        let cost = |part: &Part| match part {
            Part::Text(text) => text.len() / 8,
            Part::Value(
                RequestValue::Method | RequestValue::Host | RequestValue::Label(_) | RequestValue::Header(_),
            ) => HEADER,
            Part::Value(RequestValue::Path | RequestValue::Segment(_)) => {
                request.uri().len().saturating_mul(PATH_BYTE)
            }
        };
        self.parts.iter().map(cost).fold(0, usize::saturating_add)
    }

    /// The text for `request`; `None` if the request has no such value, or no unambiguous one.
    pub(super) fn text<'a>(&'a self, request: &'a dyn RequestView) -> Option<Cow<'a, str>> {
        if let [part] = self.parts.as_slice() {
            return part.text(request);
        }
        self.parts.iter().map(|part| part.text(request)).collect::<Option<String>>().map(Cow::Owned)
    }
}

/// The word of `{word}`.
fn word(from_brace: &str) -> Option<&str> {
    let (word, _) = from_brace.strip_prefix('{')?.split_once('}')?;
    let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | ':' | '_' | '-');
    (word.starts_with(|c: char| c.is_ascii_alphabetic()) && word.chars().all(is_word)).then_some(word)
}

impl Part {
    fn text<'a>(&'a self, request: &'a dyn RequestView) -> Option<Cow<'a, str>> {
        match self {
            Self::Text(text) => Some(Cow::Borrowed(text)),
            // Every text contains the empty one and starts with it: a client could meet a rule by leaving out.
            Self::Value(value) => value.of(request).filter(|text| !text.is_empty()),
        }
    }
}

impl RequestValue {
    fn parse(name: &str) -> Option<Self> {
        match name {
            "method" => Some(Self::Method),
            "host" => Some(Self::Host),
            "path" => Some(Self::Path),
            _ => match name.split_once([':', '.']) {
                Some(("header", header)) if name.starts_with("header:") => {
                    is_field_name(header).then(|| Self::Header(header.to_owned()))
                }
                Some(("path", at)) if name.starts_with("path.") => position(at).map(Self::Segment),
                Some(("host", at)) if name.starts_with("host.") => position(at).map(Self::Label),
                Some(_) | None => None,
            },
        }
    }

    fn of<'a>(&'a self, request: &'a dyn RequestView) -> Option<Cow<'a, str>> {
        match self {
            Self::Method => method::unambiguous(request).map(Cow::Borrowed),
            Self::Host => host(request).map(Cow::Owned),
            Self::Label(at) => label(&host(request)?, *at).map(|label| Cow::Owned(label.to_owned())),
            Self::Path => path::unambiguous(request.uri()),
            Self::Segment(at) => match path::unambiguous(request.uri())? {
                Cow::Borrowed(path) => segment(path, *at).map(Cow::Borrowed),
                Cow::Owned(path) => segment(&path, *at).map(|segment| Cow::Owned(segment.to_owned())),
            },
            Self::Header(name) => single_header(request, name).map(Cow::Owned),
        }
    }
}

/// A position from 0, written in one way.
fn position(text: &str) -> Option<usize> {
    let plain = text == "0" || !text.starts_with(['0', '+']);
    plain.then(|| text.parse().ok()).flatten()
}

/// A label of a name, from the left. An address has none.
fn label(host: &str, at: usize) -> Option<&str> {
    let is_address = host.starts_with('[') || host.parse::<std::net::Ipv4Addr>().is_ok();
    host.split('.').nth(at).filter(|_| !is_address)
}

fn segment(path: &str, at: usize) -> Option<&str> {
    path.strip_prefix('/')?.split('/').nth(at)
}

fn single_header(request: &dyn RequestView, name: &str) -> Option<String> {
    match header_name::single(request, name) {
        Single::Text(value) => Some(value),
        Single::Absent | Single::Unclear => None,
    }
}

/// The host in lower case, without port and without a root dot: how routers compare it.
fn host(request: &dyn RequestView) -> Option<String> {
    let mut host = single_header(request, "host")?;
    let port = match host.rfind(']') {
        Some(end) => host.get(end..)?.find(':').and_then(|at| at.checked_add(end)),
        None => host.find(':'),
    };
    if let Some(port) = port {
        if !host.get(port.checked_add(1)?..)?.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        host.truncate(port);
    }
    if host.ends_with('.') {
        host.pop();
    }
    host.make_ascii_lowercase();
    let in_brackets = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let valid = match in_brackets {
        Some(address) => address.bytes().all(|byte| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.')),
        None => host.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_')),
    };
    valid.then_some(host)
}

#[cfg(test)]
mod tests {
    use super::Template;
    use crate::core::claims::expression::lexer::Text;
    use crate::core::request::RecordedRequest;

    fn text(template: &str, request: &RecordedRequest) -> Result<Option<String>, String> {
        let template = Template::parse(&Text { value: template.into(), literal_braces: vec![] })?;
        Ok(template.text(request).map(String::from))
    }

    #[test]
    fn values() {
        let request = RecordedRequest::new("GET", "/acme/a%20b/?q=/x")
            .header("Host", "API.Example.:8443")
            .header("X-Tenant", " acme ")
            .header("X-Two", "a")
            .header("X-Two", "a")
            .header("X-Empty", "")
            .header("X-Latin", vec![0xe9]);
        for (template, expected) in [
            ("{method}", Some("GET")),
            ("{host}", Some("api.example")),
            ("{host.0}", Some("api")),
            ("{host.1}", Some("example")),
            ("{host.2}", None),
            ("{path}", Some("/acme/a b/")),
            ("{path.0}", Some("acme")),
            ("{path.1}", Some("a b")),
            ("{path.2}", None),
            ("{path.3}", None),
            ("{header:x-tenant}", Some("acme")),
            ("{header:X-Two}", None),
            ("{header:X-Empty}", None),
            ("{header:X-Latin}", None),
            ("{header:X-Absent}", None),
            ("tenants/{path.0}/{method}.", Some("tenants/acme/GET.")),
            ("tenants/{path.9}", None),
            ("", Some("")),
            ("{", Some("{")),
            ("{}", Some("{}")),
            ("{\"a\": {}}", Some("{\"a\": {}}")),
            ("{{ x {2,3}", Some("{{ x {2,3}")),
            ("{{method}}", Some("{GET}")),
            ("{m\u{e9}thode}", Some("{m\u{e9}thode}")),
        ] {
            assert_eq!(text(template, &request), Ok(expected.map(str::to_owned)), "{template}");
        }
        for template in [
            "{user}",
            "{Method}",
            "{path.}",
            "{path.01}",
            "{path.-1}",
            "{path:0}",
            "{host.}",
            "{host.00}",
            "{host:0}",
            "{header}",
            "{header:}",
            "{header.x}",
            "{path.18446744073709551616}",
            "a {x} b",
            "{{hots}}",
        ] {
            assert!(text(template, &request).is_err(), "{template}");
        }
        let escaped = Text { value: "{path.0}{method}".into(), literal_braces: vec![0] };
        assert_eq!(Template::parse(&escaped).unwrap().text(&request).as_deref(), Some("{path.0}GET"));
    }

    #[test]
    fn what_reading_costs() {
        let request = RecordedRequest::new("GET", "/seventeen/bytes?");
        for (template, expected) in [
            ("", 0),
            ("0123456", 0),
            ("01234567", 1),
            ("0123456789abcdefghij", 2),
            ("{method}", 200),
            ("{host}", 200),
            ("{host.0}", 200),
            ("{header:X-A}", 200),
            ("{path}", 51),
            ("{path.7}", 51),
            ("01234567{path}{method}", 252),
        ] {
            let template = Template::parse(&Text { value: template.into(), literal_braces: vec![] }).unwrap();
            assert_eq!(template.cost(&request), expected, "{template:?}");
        }
    }

    #[test]
    fn hosts() {
        for (header, expected) in [
            ("a.example", Some("a.example")),
            ("A_b-1.example:80", Some("a_b-1.example")),
            ("a.example:", Some("a.example")),
            ("[2001:DB8::1]:443", Some("[2001:db8::1]")),
            ("[::1]", Some("[::1]")),
            ("192.0.2.1", Some("192.0.2.1")),
            ("a.example:80:80", None),
            ("a.example:http", None),
            ("a@b.example", None),
            ("a.example/x", None),
            ("[::1", None),
            ("::1", None),
            ("a b", None),
            ("", None),
        ] {
            let request = RecordedRequest::new("GET", "/").header("Host", header);
            assert_eq!(text("{host}", &request), Ok(expected.map(str::to_owned)), "{header}");
            let first =
                expected.filter(|host| host.ends_with("example")).and_then(|host| host.split('.').next());
            assert_eq!(text("{host.0}", &request), Ok(first.map(str::to_owned)), "{header}");
        }
    }
}
