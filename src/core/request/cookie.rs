//! The `Cookie` header (RFC 6265 4.2, 5.4), read as Go and browsers write it, and as older back ends do besides.

use crate::core::request::parameter_name::is_alias;

/// The values of the cookie `name` in one header line, in order, without the quotes of RFC 6265 4.1.1, whatever spelling
/// of the name they have.
pub fn values<'l>(line: &'l [u8], name: &'l str) -> impl Iterator<Item = &'l [u8]> + 'l {
    segments(line).flat_map(cookies).filter(move |(found, _)| is_alias(found, name)).map(|(_, value)| value)
}

/// The lines without the cookie `name` in every spelling, as one line: several lines are one with `; ` between them
/// (RFC 9113 8.2.3). The other cookies stay byte for byte, but not one in which an older back end finds another `name`.
/// `None` where none is left.
#[must_use]
pub fn without(lines: &[Vec<u8>], name: &str) -> Option<Vec<u8>> {
    retain(lines, name, |_| false)
}

/// As [`without`], but the cookie `name` stays where all values that anybody finds in it are `kept`.
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

/// Names and values in what is between two `;`: one cookie for most back ends. In its value, commas separate cookies for
/// those that follow RFC 2109 4.3.4 (servlets, Rack before 2.1), and blanks for Python's `SimpleCookie`.
fn cookies(segment: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let inner = segment.split(|byte| matches!(byte, b',' | b' ' | b'\t'));
    // The first part with `=` is the beginning of the cookie itself.
    let inner = inner.skip_while(|part| !part.contains(&b'=')).skip(1);
    split(segment).into_iter().chain(inner.filter_map(split))
}

fn split(pair: &[u8]) -> Option<(&[u8], &[u8])> {
    let equals = pair.iter().position(|byte| *byte == b'=')?;
    let (name, value) = pair.split_at(equals);
    let value = value.get(1..)?.trim_ascii();
    let unquoted = value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\""));
    Some((name, unquoted.unwrap_or(value)))
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
