//! The `Cookie` header (RFC 6265 4.2, 5.4), read as Go and browsers write it, and as older back ends do besides.

use crate::core::request::parameter_name::is_alias;

/// The values of the cookie `name` in one header line, in order, without the quotes of RFC 6265 4.1.1, whatever spelling
/// of the name they have.
pub fn values<'l>(line: &'l [u8], name: &'l str) -> impl Iterator<Item = &'l [u8]> + 'l {
    let cookies = Cookies { line, inner: &[] };
    cookies.filter(move |(found, _)| is_alias(found, name)).map(|(_, value)| unquoted(value))
}

/// The lines without the cookie `name` in every spelling, as one line: several lines are one with `; ` between them
/// (RFC 9113 8.2.3). The other cookies stay byte for byte, but not one in which an older back end finds another `name`.
/// `None` if no cookie is left.
pub fn without(lines: &[Vec<u8>], name: &str) -> Option<Vec<u8>> {
    retain(lines, name, |_| false)
}

/// As [`without`], but the cookie `name` stays if all values that any back end finds in it are `kept`.
pub fn retain(lines: &[Vec<u8>], name: &str, kept: impl Fn(&[u8]) -> bool) -> Option<Vec<u8>> {
    let kept = |line: &Vec<u8>| {
        let is_kept = |segment: &&[u8]| values(segment, name).all(&kept);
        let kept: Vec<&[u8]> = segments(line).filter(is_kept).collect();
        kept.join(&b';').trim_ascii().to_vec()
    };
    let lines: Vec<Vec<u8>> = lines.iter().map(kept).filter(|line| !line.is_empty()).collect();
    (!lines.is_empty()).then(|| lines.join(&b"; "[..]))
}

fn segments(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(|byte| *byte == b';')
}

/// Names and values. What is between two `;` is one cookie for most back ends. In its value, commas separate cookies for
/// those that follow RFC 2109 4.3.4 (servlets, Rack before 2.1), and blanks for Python's `SimpleCookie`.
struct Cookies<'l> {
    line: &'l [u8],
    /// What is left of the value before.
    inner: &'l [u8],
}

impl<'l> Iterator for Cookies<'l> {
    type Item = (&'l [u8], &'l [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(found) = next_pair(&mut self.inner, is_inner_separator) {
            return Some(found);
        }
        let (name, value) = next_pair(&mut self.line, |byte| byte == b';')?;
        let first_end = value.iter().position(|byte| is_inner_separator(*byte)).unwrap_or(value.len());
        self.inner = value.get(first_end..).unwrap_or_default();
        Some((name, value))
    }
}

const fn is_inner_separator(byte: u8) -> bool {
    matches!(byte, b',' | b' ' | b'\t')
}

/// The next name and value of `rest`. By way of the `=`, since parts without it are nothing, and an attacker's cookies
/// may be separators only.
fn next_pair<'l>(rest: &mut &'l [u8], is_separator: impl Fn(u8) -> bool) -> Option<(&'l [u8], &'l [u8])> {
    let Some(equals) = rest.iter().position(|byte| *byte == b'=') else {
        *rest = &[];
        return None;
    };
    let (before, behind) = rest.split_at_checked(equals)?;
    let name = before.rsplit(|byte| is_separator(*byte)).next()?;
    let value = behind.get(1..)?;
    let end = value.iter().position(|byte| is_separator(*byte)).unwrap_or(value.len());
    let (value, behind) = value.split_at_checked(end)?;
    *rest = behind;
    Some((name, value))
}

fn unquoted(value: &[u8]) -> &[u8] {
    let value = value.trim_ascii();
    value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\"")).unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::{values, without};

    #[test]
    fn values_by_name() {
        for (line, expected) in [
            ("jwt=a", &["a"][..]),
            ("x=1; jwt=a; y=2", &["a"]),
            ("x=1;jwt=a;jwt=b", &["a", "b"]),
            ("jwt=\"a\"", &["a"]),
            ("jwt=\"", &["\""]),
            (" jwt = a ", &["a"]),
            ("jwt=a=b", &["a=b"]),
            ("jwt=", &[""]),
            ("jwt", &[]),
            ("xjwt=b; x=jwt=c", &[]),
            ("JWT=a; jwt[]=b; %6Awt=c", &["a", "b", "c"]),
            ("x=1, jwt=a; y=2 jwt=b", &["a", "b"]),
            ("x=\"1,jwt=a\"", &["a\""]),
            ("x=1,xjwt=a jwts=b,jwt", &[]),
            ("jwt=a, b", &["a, b"]),
            ("x=1;\u{a0}jwt=a;\u{2003}jwt\u{85}=b; xjwt=c", &["a", "b"]),
            ("", &[]),
        ] {
            let found: Vec<_> = values(line.as_bytes(), "jwt").collect();
            let expected: Vec<_> = expected.iter().map(|value| value.as_bytes()).collect();
            assert_eq!(found, expected, "{line}");
        }
    }

    #[test]
    fn other_cookies_stay() {
        for (lines, expected) in [
            (&["jwt=a"][..], None),
            (&["x=1; jwt=a; y=\"2 \""], Some("x=1; y=\"2 \"")),
            (&["jwt=a; x=1;  y=2"], Some("x=1;  y=2")),
            (&["x=1;jwt = a"], Some("x=1")),
            (&["x=1; jwt=a", "jwt=a", "y=2; flag"], Some("x=1; y=2; flag")),
            (&["JWT=a; jwts=b"], Some("jwts=b")),
            (&["x=1, jwt=a; y=2, z=3"], Some("y=2, z=3")),
        ] {
            let lines: Vec<_> = lines.iter().map(|line| line.as_bytes().to_vec()).collect();
            assert_eq!(without(&lines, "jwt").as_deref(), expected.map(str::as_bytes), "{lines:?}");
        }
    }
}
