//! Headers that rules look at: one clear value each, exact or by its beginning.

use crate::core::request::RequestView;
use crate::core::request::header_name::{self, Single};
use crate::core::rules::fault::Fault;
use crate::core::rules::mcp;

/// A header that has to have one of some values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderCondition {
    name: String,
    /// The values, any of.
    pub(super) values: Vec<ValuePattern>,
    is_mcp: bool,
    /// Its number among the headers that are looked at.
    number: usize,
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
    /// That the header `name` has one of `values`.
    #[must_use]
    pub fn new(name: String, values: Vec<ValuePattern>) -> Self {
        Self { is_mcp: mcp::is_mirrored(&name), name, values, number: 0 }
    }

    /// The name of the header.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it is about what the Model Context Protocol repeats of a message.
    #[must_use]
    pub const fn is_mcp(&self) -> bool {
        self.is_mcp
    }

    /// Gives the header its number in `headers`.
    pub(super) fn number(&mut self, headers: &mut Vec<String>) {
        self.number = headers.iter().position(|known| *known == self.name).unwrap_or_else(|| {
            headers.push(self.name.clone());
            headers.len().saturating_sub(1)
        });
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
pub(super) struct Reader<'r> {
    request: &'r dyn RequestView,
    /// By the numbers of headers.
    read: Vec<Option<Single>>,
    is_mcp: bool,
}

impl<'r> Reader<'r> {
    /// For `headers` different ones.
    pub(super) fn new(request: &'r dyn RequestView, headers: usize) -> Self {
        Self { request, read: vec![None; headers], is_mcp: false }
    }

    /// Whether the request meets every one of `conditions`.
    ///
    /// # Errors
    /// [`Fault`], also where a header is unclear.
    pub(super) fn meet<'p>(&mut self, conditions: &'p [HeaderCondition]) -> Result<bool, Fault<'p>> {
        for condition in conditions {
            let met = if condition.is_mcp { self.meets_mcp(condition)? } else { self.meets(condition)? };
            if !met {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn meets<'p>(&mut self, condition: &'p HeaderCondition) -> Result<bool, Fault<'p>> {
        match self.read(condition) {
            Some(Single::Text(value)) => Ok(condition.holds(value)),
            Some(Single::Absent) => Ok(false),
            Some(Single::Unclear) | None => Err(Fault::Missing),
        }
    }

    #[inline(never)]
    fn meets_mcp<'p>(&mut self, condition: &'p HeaderCondition) -> Result<bool, Fault<'p>> {
        let request = self.request;
        if !self.is_mcp {
            mcp::check_version(&header_name::single(request, mcp::VERSION))?;
            self.is_mcp = true;
        }
        let read = self.read(condition).unwrap_or(&Single::Unclear);
        let value = mcp::value(&condition.name, read, || header_name::single(request, mcp::METHOD))?;
        Ok(value.is_some_and(|value| condition.holds(&value)))
    }

    fn read(&mut self, condition: &HeaderCondition) -> Option<&Single> {
        let place = self.read.get_mut(condition.number)?;
        if place.is_none() {
            *place = Some(header_name::single(self.request, &condition.name));
        }
        place.as_ref()
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
