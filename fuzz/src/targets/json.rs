//! JSON against `serde_json` without names that occur twice, and the protected header on top of it.

use traefik_jwt_auth::core::json::{Document, JsonError, Kind, Value};
use traefik_jwt_auth::core::limits::{CONFIG_JSON, HEADER_JSON};
use traefik_jwt_auth::core::refusal::Refusal;
use traefik_jwt_auth::core::token::header::{self, Header};

use crate::mark::mark;
use crate::strict::Tree;

/// Both accept the same texts, and find the same in them. What `serde_json` refuses as too deep is deeper than ours may be.
pub(super) fn json(input: &[u8]) {
    let (ours, theirs) = (Document::parse(input.to_vec(), CONFIG_JSON), Tree::of(input));
    match (ours, theirs) {
        (Ok(document), Some(tree)) => {
            mark("accepted");
            same(document.root(), &tree);
            assert_eq!(Tree::of(document.root().compact().as_bytes()), Some(tree));
            assert!(document.source().as_bytes() == input && document.memory() >= input.len());
        }
        (Err(JsonError::TooComplex), Some(tree)) => {
            mark("too complex");
            assert!(tree.depth() > CONFIG_JSON.max_depth || tree.count() > CONFIG_JSON.max_nodes);
        }
        (Err(error), None) => {
            mark("refused");
            assert_eq!(error == JsonError::NotUtf8, std::str::from_utf8(input).is_err());
        }
        (ours, theirs) => panic!("{ours:?} here, {theirs:?} there"),
    }
}

fn same(ours: Value<'_>, theirs: &Tree) {
    match (ours.kind(), theirs) {
        (Kind::Null, Tree::Null) => {}
        (Kind::True | Kind::False, Tree::Bool(is_true)) => assert_eq!(ours.as_bool(), Some(*is_true)),
        (Kind::Number, Tree::Number(text)) => assert_eq!(ours.as_number(), Some(text.as_str())),
        (Kind::String, Tree::Text(text)) => assert_eq!(ours.as_str(), Some(text.as_str())),
        (Kind::Array, Tree::List(elements)) => {
            assert_eq!(ours.elements().count(), elements.len());
            ours.elements().zip(elements).for_each(|(ours, theirs)| same(ours, theirs));
        }
        (Kind::Object, Tree::Object(members)) => {
            assert_eq!(ours.members().count(), members.len());
            for ((name, value), (their_name, their_value)) in ours.members().zip(members) {
                assert_eq!(name, their_name);
                assert_eq!(ours.member(name).map(Value::index), Some(value.index()));
                same(value, their_value);
            }
        }
        (kind, _) => panic!("{kind:?} here, {theirs:?} there"),
    }
}

/// The header is what RFC 7515 4 and the rules of this project make of the same members.
pub(super) fn header(input: &[u8]) {
    let ours = header::parse(input.to_vec());
    mark(if ours.is_ok() { "accepted" } else { "refused" });
    assert_eq!(ours, defined(input));
}

/// What a header says, by definition.
pub(super) fn defined(text: &[u8]) -> Result<Header, Refusal> {
    let malformed = |problem| Err(Refusal::TokenMalformed { problem });
    let within = |tree: &Tree| tree.depth() <= HEADER_JSON.max_depth && tree.count() <= HEADER_JSON.max_nodes;
    let Some(tree) = Tree::of(text).filter(within) else {
        return malformed("the header is not acceptable JSON");
    };
    let Tree::Object(_) = tree else { return malformed("the header is not an object") };
    if tree.member("crit").is_some() {
        return Err(Refusal::CritNotSupported);
    }
    if tree.member("b64").is_some_and(|b64| *b64 != Tree::Bool(true)) {
        return malformed("b64 is not true");
    }
    if tree.member("enc").is_some() {
        return Err(Refusal::TokenEncrypted);
    }
    let text = |name: &str| match tree.member(name) {
        Some(value) => value.text().map(|text| Some(text.to_owned())).ok_or(()),
        None => Ok(None),
    };
    let no_text = malformed("a header parameter is not a string");
    let Ok(alg) = text("alg") else { return no_text };
    let Some(alg) = alg else { return malformed("the header has no alg") };
    let Ok(cty) = text("cty") else { return no_text };
    if cty.is_some_and(|cty| ["jwt", "application/jwt"].contains(&cty.to_lowercase().as_str())) {
        return malformed("nested tokens are not supported");
    }
    let (Ok(kid), Ok(x5t), Ok(typ)) = (text("kid"), text("x5t#S256"), text("typ")) else { return no_text };
    Ok(Header { alg, kid: kid.filter(|kid| !kid.is_empty()).or(x5t), typ })
}
