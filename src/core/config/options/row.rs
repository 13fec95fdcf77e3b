//! What a row says.

use std::ptr;

use crate::core::config::options::syntax::Syntax;

/// An option, or a section of options.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// Full path at the top level: `clientConfig.tls.ca`, `tokenSources[].cookie`.
    pub path: &'static str,
    /// Where it may stand.
    pub scope: Scope,
    /// Whether an entry of `rules` may have it as well.
    pub in_rules: bool,
    /// What its value is.
    pub kind: Kind,
    /// What its text, or each element of its list, has to be besides.
    pub syntax: Option<&'static Syntax>,
    /// What happens if it is written and empty.
    pub empty: Empty,
    /// One sentence for the reference. No instance of the plugin carries it.
    #[cfg(not(target_os = "wasi"))]
    pub about: &'static str,
    /// The default as text, if `kind` does not say it.
    #[cfg(not(target_os = "wasi"))]
    pub otherwise: &'static str,
}

/// Each row is a `static` of its own.
impl PartialEq for Row {
    fn eq(&self, other: &Self) -> bool {
        ptr::eq(self, other)
    }
}

impl Eq for Row {}

/// Where an option may stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// At the top level.
    Top,
    /// In an entry of `trustedIssuers` as well, which has its own.
    Own,
    /// In an entry of `trustedIssuers` as well. If it is left out there, that of the top level applies.
    Inherited,
}

/// What a value is. All of them may be written as texts.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// A text.
    Text,
    /// A text that is, or leads to, a secret: errors say its length only.
    Secret,
    /// `true` or `false`, with the default.
    Flag(bool),
    /// A whole number.
    Whole(&'static Range),
    /// One of these words, with the index of the default.
    Word(&'static [&'static str], usize),
    /// A list of texts.
    List,
    /// A list of texts, or `none` alone, which is the empty list.
    ListOrNone,
    /// The same of accepted issuers: a text is one, unless a URL follows every comma.
    Issuers,
    /// An object of texts by names that the user chooses.
    Map,
    /// The same of lists of texts.
    Lists,
    /// The same of secrets, and what is expected of it.
    Secrets(&'static str),
    /// A section.
    Object,
    /// A list of sections, which may have these options of the top level besides their own.
    Objects(Shared),
    /// A JWK Set as an object, or a text.
    KeySet,
    /// An object of any JSON.
    Json,
    /// An instant: RFC 3339, or seconds since 1970.
    Time,
}

/// Options of the top level that the elements of a list may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shared {
    /// None.
    Nothing,
    /// Those of issuers, by their scope.
    OfIssuers,
    /// Those of rules.
    OfRules,
}

/// Bounds of a whole number.
#[derive(Clone, Copy, Debug)]
pub struct Range {
    /// The least.
    pub least: u64,
    /// The most.
    pub most: u64,
    /// The default.
    pub default: u64,
    /// What is counted.
    pub unit: &'static str,
}

/// What happens if an option is written and empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Empty {
    /// It has the meaning of the default or one of its own. Nothing is opened by it.
    Allowed,
    /// It is refused, so that no rule is lost with a variable that is not set; with what to do instead, if that is more than
    /// to give it a value.
    Refused(&'static str),
}

/// The words of an option and what they mean.
#[derive(Debug)]
pub struct Words<T: 'static> {
    /// As they are written.
    pub names: &'static [&'static str],
    /// In the same order.
    pub values: &'static [T],
    /// The first of them.
    pub first: T,
}

/// An option of the top level alone.
pub(super) const fn top(path: &'static str, kind: Kind) -> Row {
    Row {
        path,
        scope: Scope::Top,
        in_rules: false,
        kind,
        syntax: None,
        empty: Empty::Refused(""),
        #[cfg(not(target_os = "wasi"))]
        about: "",
        #[cfg(not(target_os = "wasi"))]
        otherwise: "",
    }
}

/// An option that entries of `trustedIssuers` have for themselves.
pub(super) const fn own(path: &'static str, kind: Kind) -> Row {
    Row { scope: Scope::Own, ..top(path, kind) }
}

/// An option that entries of `trustedIssuers` take from the top level if they leave it out.
pub(super) const fn inherited(path: &'static str, kind: Kind) -> Row {
    Row { scope: Scope::Inherited, ..top(path, kind) }
}

impl Row {
    /// It may be empty: that opens nothing.
    pub(super) const fn or_empty(self) -> Self {
        Self { empty: Empty::Allowed, ..self }
    }

    /// Its text, or each element of its list, has to be like this.
    pub(super) const fn like(self, syntax: &'static Syntax) -> Self {
        Self { syntax: Some(syntax), ..self }
    }

    /// An entry of `rules` may have it as well.
    pub(super) const fn and_in_rules(self) -> Self {
        Self { in_rules: true, ..self }
    }

    /// What to do instead of leaving it empty.
    pub(super) const fn instead(self, instead: &'static str) -> Self {
        Self { empty: Empty::Refused(instead), ..self }
    }

    /// The default as text.
    #[cfg_attr(target_os = "wasi", expect(unused_variables, reason = "no instance needs the words"))]
    pub(super) const fn otherwise(self, otherwise: &'static str) -> Self {
        Self {
            #[cfg(not(target_os = "wasi"))]
            otherwise,
            ..self
        }
    }

    /// Whether the elements of this list of sections may have the option `row`.
    pub fn may_hold(&self, row: &Self) -> bool {
        let Kind::Objects(shared) = self.kind else { return false };
        self.owns(row)
            || match shared {
                Shared::Nothing => false,
                Shared::OfIssuers => row.scope != Scope::Top,
                Shared::OfRules => row.in_rules,
            }
    }

    /// Whether `row` is an option of the elements of this list alone.
    pub(in crate::core::config) fn owns(&self, row: &Self) -> bool {
        row.path.strip_prefix(self.path).is_some_and(|inner| inner.starts_with("[]."))
    }

    /// Whether it is a list of sections.
    pub const fn is_list_of_sections(&self) -> bool {
        matches!(self.kind, Kind::Objects(_))
    }

    /// Whether its value is not repeated in errors.
    pub const fn is_secret(&self) -> bool {
        matches!(self.kind, Kind::Secret | Kind::Secrets(_) | Kind::KeySet | Kind::Json | Kind::Object)
    }
}

/// Rows with their sentences: each becomes a `static` of its name, and all together the `TABLE` of the file.
macro_rules! rows {
    ($title:literal; $($(#[doc = $about:literal])+ $name:ident = $row:expr;)+) => {
        $(
            $(#[doc = $about])+
            pub static $name: Row = Row {
                #[cfg(not(target_os = "wasi"))]
                about: concat!($($about),+),
                ..$row
            };
        )+

        /// The options of this subject.
        pub static TABLE: Table = Table { title: $title, rows: &[$(&$name),+] };
    };
}

/// Words with their meanings.
macro_rules! words {
    ($(
        $(#[doc = $about:literal])+
        $name:ident: $meaning:ty = { $first:literal => $value:expr, $($word:literal => $other:expr),* $(,)? };
    )+) => {
        $(
            $(#[doc = $about])+
            pub const $name: Words<$meaning> =
                Words { names: &[$first, $($word),*], values: &[$value, $($other),*], first: $value };
        )+
    };
}

pub(super) use {rows, words};
