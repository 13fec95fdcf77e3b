//! Lists of what is revoked, by definition.

use traefik_jwt_auth::core::revocation::list::{ListKey, RevocationList};

use super::claims::parsed;
use crate::cut::parts;
use crate::mark::mark;
use crate::strict::Tree;

/// Claims, and a list.
pub(super) fn list(input: &[u8]) {
    let [json, list] = parts(input);
    let (ours, theirs) = (RevocationList::parse(list), entries(list));
    let (ours, theirs) = match (ours, theirs) {
        (Ok(ours), Some(theirs)) => (ours, theirs),
        (Err(_), None) => {
            mark("refused");
            return;
        }
        (ours, theirs) => panic!("{ours:?} here, {theirs:?} by definition"),
    };
    let names: std::collections::BTreeSet<_> =
        theirs.iter().map(|entry| (&entry.member, &entry.name)).collect();
    assert_eq!((ours.len(), ours.is_empty()), (names.len(), names.is_empty()));
    let Some(claims) = parsed(json) else { return };
    let tree = Tree::object(json).expect("both read it");
    let named = |member: &str| tree.member(member).and_then(|value| value.text().or_else(|| value.number()));
    let iat = claims.numeric_date("iat").ok().flatten().map(|iat| iat.as_millis());
    let is_about = |entry: &Entry| {
        let claims: &[&str] =
            if entry.member == "client_id" { &["client_id", "azp"] } else { &[entry.member.as_str()] };
        let is_named = claims.iter().any(|claim| named(claim) == Some(&entry.name));
        is_named && entry.before.is_none_or(|before| iat.is_none_or(|iat| iat <= before))
    };
    let revoked = theirs.iter().any(is_about);
    mark(if revoked { "revoked" } else { "not revoked" });
    assert_eq!(ours.check(&claims, &ListKey::all_of(&claims)).is_err(), revoked);
}

#[derive(Debug)]
struct Entry {
    member: String,
    name: String,
    before: Option<u64>,
}

/// One flat object a line; lines with nothing say nothing.
fn entries(list: &[u8]) -> Option<Vec<Entry>> {
    let lines = list.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty());
    lines.map(entry).collect()
}

fn entry(line: &[u8]) -> Option<Entry> {
    let Tree::Object(members) = Tree::object(line)? else { return None };
    if members.len() > 7 {
        return None;
    }
    let (mut name, mut before) = (None, None);
    for (member, value) in members {
        if member == "before" {
            before = Some(super::claims::millis(value.number()?)?);
        } else if ["jti", "sid", "sub", "client_id"].contains(&member.as_str()) && name.is_none() {
            name = Some((member, value.text().or_else(|| value.number())?.to_owned()));
        } else {
            return None;
        }
    }
    let (member, name) = name?;
    Some(Entry { member, name, before })
}
