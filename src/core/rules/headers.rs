//! Headers that rules look at: one clear value each, exact or by its beginning.

use crate::core::request::RequestView;
use crate::core::request::header_name::{self, Single};
use crate::core::rules::{Fault, mcp};

/// A header that has to have one of some values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderCondition {
    /// Its name.
    pub name: String,
    /// The values, any of.
    pub values: Vec<ValuePattern>,
}

/// A value, or all with one beginning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ValuePattern {
    /// Exactly this value.
    Exact(String),
    /// Every value that begins with this.
    Begins(String),
}

impl HeaderCondition {
    /// Whether it is about what the Model Context Protocol repeats of a message.
    #[must_use]
    pub fn is_mcp(&self) -> bool {
        mcp::is_mirrored(&self.name)
    }

    fn holds(&self, value: &str) -> bool {
        self.values.iter().any(|pattern| pattern.matches(value))
    }
}

impl ValuePattern {
    /// Parses a value, or a beginning and `*`. `None` for a value that no header has, and for other uses of `*`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (value, begins) = text.strip_suffix('*').map_or((text, false), |start| (start, true));
        let is_value = !value.contains('*')
            && value.trim_start().len() == value.len()
            && (begins || (!value.is_empty() && value.trim_end().len() == value.len()))
            && !value.chars().any(char::is_control);
        is_value.then(|| if begins { Self::Begins(value.to_owned()) } else { Self::Exact(value.to_owned()) })
    }

    fn matches(&self, value: &str) -> bool {
        match self {
            Self::Exact(exact) => value == exact,
            Self::Begins(start) => value.starts_with(start.as_str()),
        }
    }

    /// Whether every value that `other` means is meant.
    pub(super) fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Exact(own), Self::Exact(other)) => own == other,
            (Self::Exact(_), Self::Begins(_)) => false,
            (Self::Begins(own), Self::Exact(other) | Self::Begins(other)) => other.starts_with(own.as_str()),
        }
    }
}

/// Reads the headers of one request, each once: the host is asked for them.
pub(super) struct Reader<'p, 'r> {
    request: &'r dyn RequestView,
    read: Vec<(&'p str, Single)>,
    is_mcp: bool,
}

impl<'p, 'r> Reader<'p, 'r> {
    pub(super) const fn new(request: &'r dyn RequestView) -> Self {
        Self { request, read: Vec::new(), is_mcp: false }
    }

    /// Whether the request meets every one of `conditions`.
    ///
    /// # Errors
    /// [`Fault`], also where a header is unclear.
    pub(super) fn meet(&mut self, conditions: &'p [HeaderCondition]) -> Result<bool, Fault<'p>> {
        for condition in conditions {
            let name = condition.name.as_str();
            let met = if condition.is_mcp() {
                if !self.is_mcp {
                    mcp::check_version(self.read(mcp::VERSION))?;
                    self.is_mcp = true;
                }
                let single = self.read(name).clone();
                match mcp::value(name, single, || self.read(mcp::METHOD).clone())? {
                    Some(value) => condition.holds(&value),
                    None => false,
                }
            } else {
                match self.read(name) {
                    Single::Text(value) => condition.holds(value),
                    Single::Absent => false,
                    Single::Unclear => return Err(Fault::Missing),
                }
            };
            if !met {
                return Ok(false);
            }
        }
        Ok(true)
    }

    pub(super) fn is_unclear(&mut self, name: &'p str) -> bool {
        *self.read(name) == Single::Unclear
    }

    fn read(&mut self, name: &'p str) -> &Single {
        let at = self.read.iter().position(|(known, _)| *known == name).unwrap_or_else(|| {
            self.read.push((name, header_name::single(self.request, name)));
            self.read.len().saturating_sub(1)
        });
        self.read.get(at).map_or(&Single::Unclear, |(_, single)| single)
    }
}

#[cfg(test)]
mod tests {
    use super::ValuePattern::{self, Begins, Exact};

    #[test]
    fn values_and_beginnings() {
        for (text, expected) in [
            ("tools/call", Some(Exact("tools/call".into()))),
            ("delete_*", Some(Begins("delete_".into()))),
            ("a b", Some(Exact("a b".into()))),
            ("a *", Some(Begins("a ".into()))),
            ("*", Some(Begins(String::new()))),
            ("", None),
            ("a ", None),
            (" a", None),
            ("*a", None),
            ("a**", None),
            ("a\nb", None),
        ] {
            assert_eq!(ValuePattern::parse(text), expected, "{text:?}");
        }
    }

    #[test]
    fn what_covers_what() {
        for (own, other, expected) in [
            ("a", "a", true),
            ("a", "b", false),
            ("a", "a*", false),
            ("a*", "a", true),
            ("a*", "ab*", true),
            ("ab*", "a*", false),
            ("*", "a", true),
        ] {
            let pattern = |text| ValuePattern::parse(text).unwrap();
            assert_eq!(pattern(own).covers(&pattern(other)), expected, "{own} {other}");
        }
    }
}
