//! The values of the options that are written, as their rows say. Reading them cannot fail: the walk has refused what could.

use std::rc::Rc;

use crate::core::config::options::{Kind, Row, Words};
use crate::core::json::{Document, Value};
use crate::core::unix_time::{Seconds, UnixTime};

/// What is written: all of the top level, or of an element of a list of sections.
#[derive(Debug, Default)]
pub struct Values {
    /// Where the element is; empty for the top level.
    pub(super) place: String,
    pub(super) written: Vec<(&'static Row, Typed)>,
}

/// The value of an option that is written.
#[derive(Debug)]
pub(super) enum Typed {
    /// It has been refused.
    Refused,
    /// An empty text that is allowed. It counts as absent.
    Nothing,
    Text(String),
    Flag(bool),
    Whole(u64),
    /// The number of a word.
    Word(usize),
    List(Vec<String>),
    /// The valid elements of a list that has been refused.
    Part(Vec<String>),
    Map(Vec<(String, String)>),
    Lists(Vec<(String, Vec<String>)>),
    /// A section, whose options stand beside it.
    Section,
    Sections(Vec<Values>),
    /// An object of a document.
    Json(Rc<Document>, usize),
    Time(UnixTime),
}

impl Typed {
    const fn counts(&self) -> bool {
        !matches!(self, Self::Nothing)
    }
}

impl Values {
    /// Whether nothing is written.
    pub const fn is_empty(&self) -> bool {
        self.written.is_empty()
    }

    /// Where these values stand: empty for the top level, else `trustedIssuers[0]`.
    pub fn place(&self) -> &str {
        &self.place
    }

    /// Full path of an option, as errors have it.
    pub fn path(&self, row: &Row) -> String {
        join(&self.place, row.path.rsplit("[].").next().unwrap_or(row.path))
    }

    /// Whether the option is written, and not as an empty text that counts as absent.
    pub fn has(&self, row: &Row) -> bool {
        self.get(row).is_some_and(Typed::counts)
    }

    /// Whether the option is written, also as an empty text: for those of which that is a value.
    pub fn is_written(&self, row: &Row) -> bool {
        self.get(row).is_some()
    }

    /// Whether any option of a section is.
    pub fn has_in(&self, section: &Row) -> bool {
        let is_inner =
            |row: &Row| row.path.strip_prefix(section.path).is_some_and(|inner| inner.starts_with('.'));
        self.written.iter().any(|(row, typed)| is_inner(row) && typed.counts())
    }

    /// Whether the option is written and has been refused. Errors that follow from that are not reported.
    pub fn is_refused(&self, row: &Row) -> bool {
        matches!(self.get(row), Some(Typed::Refused | Typed::Part(_)))
    }

    /// Whether any of the options that are written has been refused.
    pub fn has_refused(&self) -> bool {
        self.written.iter().any(|(_, typed)| matches!(typed, Typed::Refused | Typed::Part(_)))
    }

    /// A text that is not empty.
    pub fn text(&self, row: &Row) -> Option<&str> {
        debug_assert!(matches!(row.kind, Kind::Text | Kind::Secret | Kind::KeySet), "{row:?}");
        if let Some(Typed::Text(text)) = self.get(row) { Some(text) } else { None }
    }

    /// Whether the flag is set.
    pub fn flag(&self, row: &Row) -> bool {
        self.flag_or(row, None)
    }

    /// The same, with what holds `above` if it is left out.
    pub fn flag_or(&self, row: &Row, above: Option<bool>) -> bool {
        debug_assert!(matches!(row.kind, Kind::Flag(_)), "{row:?}");
        if let Some(Typed::Flag(flag)) = self.get(row) {
            return *flag;
        }
        above.unwrap_or(matches!(row.kind, Kind::Flag(true)))
    }

    /// The number.
    pub fn int(&self, row: &Row) -> u64 {
        self.int_or(row, None)
    }

    /// The same, with what holds `above` if it is left out.
    pub fn int_or(&self, row: &Row, above: Option<u64>) -> u64 {
        debug_assert!(matches!(row.kind, Kind::Whole(_)), "{row:?}");
        if let Some(Typed::Whole(number)) = self.get(row) {
            return *number;
        }
        above.unwrap_or(if let Kind::Whole(range) = row.kind { range.default } else { 0 })
    }

    /// The number as a span of seconds.
    pub fn seconds(&self, row: &Row) -> Seconds {
        Seconds(self.int(row))
    }

    /// What the word means.
    pub fn word<T: Clone>(&self, row: &Row, words: &Words<T>) -> T {
        self.word_or(row, words, None)
    }

    /// The same, with what holds `above` if it is left out.
    pub fn word_or<T: Clone>(&self, row: &Row, words: &Words<T>, above: Option<T>) -> T {
        debug_assert!(matches!(row.kind, Kind::Word(names, _) if names == words.names), "{row:?}");
        let number = match (self.get(row), above, row.kind) {
            (Some(Typed::Word(number)), _, _) => *number,
            (_, Some(above), _) => return above,
            (_, None, Kind::Word(_, default)) => default,
            (_, None, _) => 0,
        };
        words.values.get(number).unwrap_or(&words.first).clone()
    }

    /// The elements, none for an empty text; `None` if the option is left out.
    pub fn list(&self, row: &Row) -> Option<&[String]> {
        debug_assert!(matches!(row.kind, Kind::List | Kind::ListOrNone | Kind::Issuers), "{row:?}");
        if let Some(Typed::List(list) | Typed::Part(list)) = self.get(row) { Some(list) } else { None }
    }

    /// Names and texts, none for an empty text; `None` if the option is left out.
    pub fn map(&self, row: &Row) -> Option<&[(String, String)]> {
        debug_assert!(matches!(row.kind, Kind::Map | Kind::Secrets(_)), "{row:?}");
        if let Some(Typed::Map(map)) = self.get(row) { Some(map) } else { None }
    }

    /// Names and lists, none for an empty text; `None` if the option is left out.
    pub fn lists(&self, row: &Row) -> Option<&[(String, Vec<String>)]> {
        debug_assert!(matches!(row.kind, Kind::Lists), "{row:?}");
        if let Some(Typed::Lists(lists)) = self.get(row) { Some(lists) } else { None }
    }

    /// The elements of a list of sections.
    pub fn sections(&self, row: &Row) -> &[Self] {
        debug_assert!(row.is_list_of_sections(), "{row:?}");
        if let Some(Typed::Sections(sections)) = self.get(row) { sections } else { &[] }
    }

    /// An object of any JSON.
    pub fn json(&self, row: &Row) -> Option<Value<'_>> {
        debug_assert!(matches!(row.kind, Kind::Json | Kind::KeySet), "{row:?}");
        if let Some(Typed::Json(document, at)) = self.get(row) { Some(document.at(*at)) } else { None }
    }

    /// An instant.
    pub fn time(&self, row: &Row) -> Option<UnixTime> {
        debug_assert!(matches!(row.kind, Kind::Time), "{row:?}");
        if let Some(Typed::Time(time)) = self.get(row) { Some(*time) } else { None }
    }

    fn get(&self, row: &Row) -> Option<&Typed> {
        self.written.iter().find(|(other, _)| *other == row).map(|(_, typed)| typed)
    }
}

/// A name in a section, as paths have it.
pub(super) fn join(section: &str, name: &str) -> String {
    if section.is_empty() { name.to_owned() } else { format!("{section}.{name}") }
}
