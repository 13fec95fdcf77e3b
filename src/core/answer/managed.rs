//! The headers of the upstream's request that only the middleware sets, as one list: the client's copies are removed,
//! values are set and conflicts of the configuration are found by its rows, and [`SetHeader`] is made by a row alone.

use std::cell::OnceCell;
use std::rc::Rc;

use crate::core::answer::field_value::Filling;
use crate::core::issuer_id::IssuerId;
use crate::core::request::RequestView;
use crate::core::request::header_name::{fold, is_alias, is_field_name};

/// The list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ManagedHeaders {
    rows: Vec<Managed>,
    /// Made with the first request, and not by instances that get none.
    names: OnceCell<Names>,
}

/// One header that only the middleware sets. The client's own copies are removed on every path, in every alias.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Managed {
    name: Rc<str>,
    from: Source,
    tokens: Tokens,
}

/// Where the value of a managed header comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// From claims of the token (`forwardHeaders`).
    Claim(Filling),
    /// All claims of the token (`forwardPayloadHeader`).
    Payload(PayloadFormat),
    /// What became of the request (`verdictHeader.request`).
    Verdict,
    /// From nowhere: the client certificate ends here (`proofs.certificateHeader`).
    Certificate,
}

/// `forwardPayloadFormat`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PayloadFormat {
    /// The payload of the token as it came, without padding.
    #[default]
    Base64url,
    /// JSON on one line, in ASCII.
    Json,
}

/// Whose tokens fill a managed header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tokens {
    /// Those of every issuer.
    All,
    /// Those of one issuer, which has rows of its own.
    Of(IssuerId),
    /// Those of all issuers but these, which have rows of their own.
    Except(Rc<[IssuerId]>),
}

/// Why a header cannot be managed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotManaged {
    /// Its name is not the name of a header.
    Name,
    /// It belongs to the connection, to HTTP framing or to routing.
    Reserved,
    /// Back ends take it for the header of a row that is filled for the same tokens.
    Same {
        /// Name of that header.
        name: Rc<str>,
        /// The option that it comes from.
        option: &'static str,
    },
}

/// A managed header with its value, to set in place of all that the request has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetHeader {
    name: Rc<str>,
    value: Vec<u8>,
}

/// Headers that belong to the connection, to HTTP framing or to routing; and all that begin with `Proxy-`.
const RESERVED: &[&str] = &[
    "Connection",
    "Content-Length",
    "Expect",
    "Host",
    "Keep-Alive",
    "TE",
    "Trailer",
    "Transfer-Encoding",
    "Upgrade",
];

/// Whether the header `name` belongs to the connection, to HTTP framing or to routing, so that nothing may set it.
pub fn is_reserved(name: &str) -> bool {
    let proxy = name.get(..6).is_some_and(|start| is_alias(start, "Proxy-"));
    proxy || RESERVED.iter().any(|own| is_alias(own, name))
}

impl ManagedHeaders {
    /// Adds a row.
    ///
    /// # Errors
    /// That the header cannot be managed.
    pub fn add(&mut self, name: &str, from: Source, tokens: Tokens) -> Result<(), NotManaged> {
        if !is_field_name(name) {
            return Err(NotManaged::Name);
        }
        if is_reserved(name) {
            return Err(NotManaged::Reserved);
        }
        let is_same = |row: &&Managed| is_alias(&row.name, name) && row.tokens.overlap(&tokens);
        if let Some(row) = self.rows.iter().find(is_same) {
            return Err(NotManaged::Same { name: Rc::clone(&row.name), option: row.from.option() });
        }
        self.names = OnceCell::new();
        self.rows.push(Managed { name: name.into(), from, tokens });
        Ok(())
    }

    /// Every row.
    pub fn rows(&self) -> &[Managed] {
        &self.rows
    }

    /// Whether an upstream takes the header `name` for one that only the middleware sets.
    pub fn contains(&self, name: &str) -> bool {
        self.names.get_or_init(|| Names::new(&self.rows)).contains(name)
    }

    /// The client's own copies of the headers, as they are spelled in `request`.
    #[must_use]
    pub fn copies(&self, request: &dyn RequestView) -> Vec<String> {
        request.header_names().filter(|name| self.contains(name)).map(str::to_owned).collect()
    }

    /// The header that says what became of a request, if there is one.
    pub fn verdict(&self, text: &str) -> Option<SetHeader> {
        let mut rows = self.rows.iter();
        rows.find(|row| matches!(row.from, Source::Verdict)).map(|row| row.with(text.as_bytes().to_vec()))
    }
}

impl Managed {
    /// The name of the header.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where its value comes from.
    pub const fn source(&self) -> &Source {
        &self.from
    }

    /// Whether tokens of `issuer` fill it.
    pub fn is_filled_by(&self, issuer: IssuerId) -> bool {
        match &self.tokens {
            Tokens::All => true,
            Tokens::Of(one) => *one == issuer,
            Tokens::Except(others) => !others.contains(&issuer),
        }
    }

    /// The header with this value.
    pub fn with(&self, value: Vec<u8>) -> SetHeader {
        SetHeader { name: Rc::clone(&self.name), value }
    }
}

impl Source {
    /// The option that it comes from.
    #[must_use]
    pub const fn option(&self) -> &'static str {
        match self {
            Self::Claim(_) => "forwardHeaders",
            Self::Payload(_) => "forwardPayloadHeader",
            Self::Verdict => "verdictHeader.request",
            Self::Certificate => "proofs.certificateHeader",
        }
    }
}

impl Tokens {
    /// Whether one token can be among both.
    fn overlap(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Of(one), Self::Of(other)) => one == other,
            (Self::Of(one), Self::Except(others)) | (Self::Except(others), Self::Of(one)) => {
                !others.contains(one)
            }
            (Self::All, _) | (_, Self::All) | (Self::Except(_), Self::Except(_)) => true,
        }
    }
}

impl SetHeader {
    /// The name of the header.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its value.
    pub fn value(&self) -> &[u8] {
        &self.value
    }

    /// Bytes held, for callers that bound what they keep. The name is shared with the row.
    pub const fn memory(&self) -> usize {
        size_of::<Self>().saturating_add(self.value.capacity())
    }
}

/// Names in an order to search in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Names {
    /// Bit set of their lengths; rules out most headers of a request without comparing names.
    lengths: u64,
    /// By their hashes.
    sorted: Vec<(u32, Rc<str>)>,
}

impl Names {
    fn new(rows: &[Managed]) -> Self {
        let mut all = Self::default();
        for name in rows.iter().map(|row| &row.name) {
            let hash = folded_hash(name);
            all.lengths |= length_bit(name);
            all.sorted.insert(all.first_with(hash), (hash, Rc::clone(name)));
        }
        all
    }

    /// A request may have as many headers as a client likes, so none of them is compared with each name.
    fn contains(&self, name: &str) -> bool {
        if self.lengths & length_bit(name) == 0 {
            return false;
        }
        let hash = folded_hash(name);
        let alike = self.sorted.iter().skip(self.first_with(hash)).take_while(|(known, _)| *known == hash);
        alike.map(|(_, known)| known).any(|known| is_alias(known, name))
    }

    fn first_with(&self, hash: u32) -> usize {
        self.sorted.partition_point(|(known, _)| *known < hash)
    }
}

/// Names of 63 bytes and more share the last bit.
fn length_bit(name: &str) -> u64 {
    1_u64.checked_shl(u32::try_from(name.len()).unwrap_or(u32::MAX)).unwrap_or(1 << 63)
}

/// FNV-1a of a name as back ends compare it.
fn folded_hash(name: &str) -> u32 {
    name.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(fold(byte))).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::{ManagedHeaders, NotManaged, PayloadFormat, Source, Tokens};
    use crate::core::issuer_id::IssuerId;
    use crate::core::request::RecordedRequest;

    fn list(names: impl IntoIterator<Item = String>) -> ManagedHeaders {
        let mut list = ManagedHeaders::default();
        for name in names {
            list.add(&name, Source::Verdict, Tokens::All).unwrap();
        }
        list
    }

    #[test]
    fn every_one_of_many_managed_headers_is_found() {
        let list = list((0..300).map(|number| format!("X-Managed-{number}")));
        let names: Vec<String> = (0..400).map(|number| format!("x_managed.{number}")).collect();
        let request = names.iter().fold(RecordedRequest::new("GET", "/"), |r, name| r.header(name, "v"));
        assert_eq!(list.copies(&request), names[..300]);
    }

    #[test]
    fn a_managed_header_is_found_however_long_its_name_is() {
        for length in (1..130).chain([1000, 65_536]) {
            let name = "x".repeat(length);
            let list = list([name.clone()]);
            let request =
                RecordedRequest::new("GET", "/").header(&name, "a").header(&format!("{name}x"), "b");
            assert_eq!(list.copies(&request), [name], "{length}");
        }
    }

    #[test]
    fn a_row_that_is_added_later_is_found_as_well() {
        let mut list = list(["X-A".to_owned()]);
        assert!(!list.contains("X-B"));
        list.add("X-B", Source::Payload(PayloadFormat::Json), Tokens::All).unwrap();
        assert!(list.contains("x_b"));
    }

    #[test]
    fn headers_that_cannot_be_managed() {
        for (name, expected) in [
            ("X-User", Ok(())),
            ("X User", Err(NotManaged::Name)),
            ("", Err(NotManaged::Name)),
            ("Connection", Err(NotManaged::Reserved)),
            ("transfer~encoding", Err(NotManaged::Reserved)),
            ("Proxy_Authorization", Err(NotManaged::Reserved)),
            ("Proxy", Ok(())),
            (
                "x~verdict",
                Err(NotManaged::Same { name: "X-Verdict".into(), option: "verdictHeader.request" }),
            ),
        ] {
            let mut list = list(["X-Verdict".to_owned()]);
            assert_eq!(list.add(name, Source::Payload(PayloadFormat::Json), Tokens::All), expected, "{name}");
        }
    }

    #[test]
    fn two_rows_of_one_name_are_for_different_tokens() {
        let except = |ids: &[usize]| Tokens::Except(ids.iter().copied().map(IssuerId).collect());
        for (one, other, both) in [
            (Tokens::All, Tokens::All, true),
            (Tokens::All, Tokens::Of(IssuerId(1)), true),
            (except(&[1]), Tokens::All, true),
            (except(&[1]), except(&[2]), true),
            (except(&[1]), Tokens::Of(IssuerId(1)), false),
            (except(&[1]), Tokens::Of(IssuerId(2)), true),
            (Tokens::Of(IssuerId(1)), Tokens::Of(IssuerId(2)), false),
            (Tokens::Of(IssuerId(1)), Tokens::Of(IssuerId(1)), true),
        ] {
            for (one, other) in [(&one, &other), (&other, &one)] {
                let mut list = ManagedHeaders::default();
                list.add("X-A", Source::Payload(PayloadFormat::Json), one.clone()).unwrap();
                let added = list.add("x_a", Source::Payload(PayloadFormat::Json), other.clone());
                assert_eq!(added.is_err(), both, "{one:?} {other:?}");
                let filled =
                    |issuer| list.rows().iter().filter(|row| row.is_filled_by(IssuerId(issuer))).count();
                assert!((0..4).all(|issuer| filled(issuer) <= 1), "{one:?} {other:?}");
            }
        }
    }

    #[test]
    fn a_header_is_set_by_its_row() {
        let list = list(["X-Verdict".to_owned()]);
        let set = list.verdict("allow").unwrap();
        assert_eq!((set.name(), set.value()), ("X-Verdict", &b"allow"[..]));
        assert!(Rc::ptr_eq(&set.name, &list.rows()[0].name));
        assert_eq!(ManagedHeaders::default().verdict("allow"), None);
    }
}
