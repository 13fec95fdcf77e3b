//! Lists of what is revoked, and directories with markers, by definition.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use traefik_jwt_auth::core::refusal::Refusal;
use traefik_jwt_auth::core::revocation::list::{ListKey, RevocationList};
use traefik_jwt_auth::core::revocation::marker::{self, Found, Marker, MarkerRules, Markers, Missing};
use traefik_jwt_auth::core::unix_time::UnixTime;

use super::claims::parsed;
use crate::cut::{choice, parts, text};
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
    let all: BTreeSet<_> = theirs.iter().map(|entry| (&entry.member, &entry.name)).collect();
    assert_eq!((ours.len(), ours.is_empty()), (all.len(), all.is_empty()));
    let Some(claims) = parsed(json) else { return };
    let tree = Tree::object(json).expect("both read it");
    let iat = iat(&tree);
    let is_about = |entry: &Entry| {
        names(&tree, &entry.member).contains(&entry.name.as_str())
            && entry.before.is_none_or(|before| iat.is_none_or(|iat| iat <= before))
    };
    let revoked = theirs.iter().any(is_about);
    mark(if revoked { "revoked" } else { "not revoked" });
    assert_eq!(ours.check(&claims, &ListKey::all_of(&claims)).is_err(), revoked);
}

/// By what claims name a token, its session, its user or its client.
fn names<'t>(claims: &'t Tree, member: &str) -> Vec<&'t str> {
    let members = if member == "client_id" { &["client_id", "azp"][..] } else { &[member] };
    let name =
        |member: &&str| claims.member(member).and_then(|value| value.text().or_else(|| value.number()));
    members.iter().filter_map(name).collect()
}

/// When a token says that it was issued, in milliseconds.
fn iat(claims: &Tree) -> Option<u64> {
    claims.member("iat").and_then(Tree::number).and_then(super::claims::millis)
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

const DIRECTORY: &str = "/revoked";

/// The files of a mount, and which of them were asked for.
struct Files {
    found: BTreeMap<String, Found>,
    asked: RefCell<Vec<String>>,
}

impl Markers for Files {
    fn find(&self, path: &str) -> Found {
        self.asked.borrow_mut().push(path.to_owned());
        self.found.get(path).copied().unwrap_or(Found::Nothing)
    }
}

/// Claims, and lines of a directory, a folder, a name, and milliseconds or `?` for what cannot be read, with blanks between.
pub(super) fn markers(input: &[u8]) {
    let (state, rest) = choice(input, 6);
    let [json, lines] = parts(rest);
    let Some(claims) = parsed(json) else { return };
    let tree = Tree::object(json).expect("both read it");
    let missing = if state % 2 == 0 { Missing::Refuse } else { Missing::Accept };
    let directory = [Found::At(UnixTime::from_millis(0)), Found::Nothing, Found::Unknown][state / 2];
    let mut files =
        Files { found: BTreeMap::from([(DIRECTORY.to_owned(), directory)]), asked: RefCell::default() };
    let (mut revoked, mut unknown) = (false, directory != Found::At(UnixTime::from_millis(0)));
    let lines = text(lines);
    let entries = lines.split('\n').filter_map(|line| {
        let (folder, rest) = line.split_once(' ')?;
        let (name, changed) = rest.rsplit_once(' ')?;
        let found =
            changed.parse().map_or(Found::Unknown, |changed| Found::At(UnixTime::from_millis(changed)));
        Some(((folder, name), found))
    });
    // Of two lines of a name the last one counts, as of two files.
    for ((folder, name), found) in entries.collect::<BTreeMap<_, _>>() {
        files
            .found
            .insert(format!("{DIRECTORY}/{folder}/{}", testbed::proofs::sha256(name.as_bytes())), found);
        let member = if folder == "client" { "client_id" } else { folder };
        if !["jti", "sid", "sub", "client_id"].contains(&member)
            || folder == "client_id"
            || !names(&tree, member).contains(&name)
        {
            continue;
        }
        match found {
            Found::At(changed)
                if ["jti", "sid"].contains(&folder)
                    || iat(&tree).is_none_or(|iat| iat <= changed.as_millis()) =>
            {
                revoked = true;
            }
            Found::At(_) | Found::Nothing => {}
            Found::Unknown => unknown = true,
        }
    }
    let rules = MarkerRules { directory: DIRECTORY.into(), missing };
    let own = Marker::all_of(&claims, DIRECTORY);
    let ours = marker::check(&claims, &rules, &own, &files);
    let is_there = directory == Found::At(UnixTime::from_millis(0));
    let is_open = missing == Missing::Accept;
    match &ours {
        Ok(()) => mark(if unknown { "accepted unseen" } else { "not revoked" }),
        Err(Refusal::TokenRevoked) => mark("revoked"),
        Err(refusal) => {
            mark("unavailable");
            assert_eq!(refusal, &Refusal::RevocationUnavailable);
            assert!(unknown && !is_open);
        }
    }
    assert_eq!(ours.is_err(), (is_there && revoked) || (unknown && !is_open), "{ours:?}");
    // Whatever claims say, nothing else is looked for.
    for path in files.asked.borrow().iter().filter(|path| *path != DIRECTORY) {
        let rest = path.strip_prefix("/revoked/").and_then(|rest| rest.split_once('/'));
        let is_name = |name: &str| {
            name.len() == 43 && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        };
        assert!(
            rest.is_some_and(
                |(folder, name)| ["jti", "sid", "sub", "client"].contains(&folder) && is_name(name)
            ),
            "{path:?}"
        );
    }
}
