//! The request target (RFC 9112 3.2.1, RFC 3986): a path that means the same to everyone, and query parameters.

use std::borrow::Cow;

/// The decoded path, where every server that may see the request reads the same segments from it.
///
/// `None` where readers differ, so that no rule is decided on one reading while the upstream follows another:
/// - an encoded `/`, `\`, `%`, `;` or control character, and a raw `\` (split, decoded again, or taken for `/`
///   by some);
/// - a `.` or `..` segment and an empty segment other than the last (folded by some);
/// - a `;` (path parameters, which some drop);
/// - an invalid escape, or bytes that are not UTF-8.
#[must_use]
pub fn plain_path(uri: &str) -> Option<Cow<'_, str>> {
    let path = uri.split_once('?').map_or(uri, |(path, _)| path);
    let segments = path.strip_prefix('/')?;
    let decoded = if path.contains('%') {
        // A raw `+` is a plus in a path; only in a query is it a space.
        Cow::Owned(String::from_utf8(percent_decode(path.as_bytes(), Plus::Plain)?).ok()?)
    } else {
        Cow::Borrowed(path)
    };
    let same_number_of_slashes = decoded.bytes().filter(|byte| *byte == b'/').count()
        == path.bytes().filter(|byte| *byte == b'/').count();
    let unclear = |c: char| matches!(c, '\\' | '%' | ';' | '#' | '?') || c.is_control();
    if !same_number_of_slashes || decoded.contains(unclear) {
        return None;
    }
    let inner_empty = segments.split('/').rev().skip(1).any(str::is_empty);
    let dots = decoded.split('/').any(|segment| matches!(segment, "." | ".."));
    (!inner_empty && !dots).then_some(decoded)
}

/// The values of the query parameter `name`, decoded (`application/x-www-form-urlencoded`), in order.
///
/// An item is `None` where its escapes are invalid. A parameter whose name does not decode is nobody's.
pub fn query_values<'u>(uri: &'u str, name: &'u str) -> impl Iterator<Item = Option<Vec<u8>>> + 'u {
    let (_, query) = uri.split_once('?').unwrap_or((uri, ""));
    query.split('&').filter(move |pair| is_named(pair, name)).map(|pair| {
        percent_decode(pair.split_once('=').map_or("", |(_, value)| value).as_bytes(), Plus::Space)
    })
}

/// `uri` without the query parameter `name`; all else stays byte for byte.
#[must_use]
pub fn without_query_parameter(uri: &str, name: &str) -> String {
    let Some((path, query)) = uri.split_once('?') else {
        return uri.to_owned();
    };
    let kept: Vec<&str> = query.split('&').filter(|pair| !is_named(pair, name)).collect();
    if kept.is_empty() { path.to_owned() } else { format!("{path}?{}", kept.join("&")) }
}

fn is_named(pair: &str, name: &str) -> bool {
    let found = pair.split_once('=').map_or(pair, |(found, _)| found);
    percent_decode(found.as_bytes(), Plus::Space).is_some_and(|found| found == name.as_bytes())
}

/// What `+` means.
#[derive(Clone, Copy)]
enum Plus {
    Plain,
    Space,
}

fn percent_decode(text: &[u8], plus: Plus) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.iter().copied();
    while let Some(byte) = bytes.next() {
        out.push(match (byte, plus) {
            (b'%', _) => {
                let (high, low) = (hex(bytes.next()?)?, hex(bytes.next()?)?);
                (high << 4) | low
            }
            (b'+', Plus::Space) => b' ',
            (byte, Plus::Plain | Plus::Space) => byte,
        });
    }
    Some(out)
}

fn hex(digit: u8) -> Option<u8> {
    u8::try_from(char::from(digit).to_digit(16)?).ok()
}

#[cfg(test)]
mod tests {
    use super::{plain_path, query_values, without_query_parameter};

    #[test]
    fn paths_that_everyone_reads_alike() {
        for (uri, expected) in [
            ("/", Some("/")),
            ("/acme/users?id=1", Some("/acme/users")),
            ("/acme/", Some("/acme/")),
            ("/a%20b/%C3%A9?x=%zz", Some("/a b/\u{e9}")),
            ("/%61cme", Some("/acme")),
            ("/a+b", Some("/a+b")),
            ("/a.b/..c/...", Some("/a.b/..c/...")),
            ("/?/../", Some("/")),
            ("", None),
            ("*", None),
            ("acme", None),
            ("http://host/acme", None),
            ("//acme", None),
            ("/acme//users", None),
            ("/acme//", None),
            ("/./acme", None),
            ("/acme/..", None),
            ("/acme/%2e%2E/evil", None),
            ("/acme/.%2e/evil", None),
            ("/acme%2Fusers", None),
            ("/acme%2fusers", None),
            ("/acme%5cusers", None),
            ("/acme\\users", None),
            ("/acme%252Fusers", None),
            ("/acme;v=1/users", None),
            ("/acme%3Bv=1/users", None),
            ("/acme%00", None),
            ("/acme%0a", None),
            ("/acme%23", None),
            ("/acme%3F", None),
            ("/acme%", None),
            ("/acme%4", None),
            ("/acme%zz", None),
            ("/acme%ff", None),
            ("/acme\u{7f}", None),
        ] {
            assert_eq!(plain_path(uri).as_deref(), expected, "{uri}");
        }
    }

    #[test]
    fn query_parameters_by_decoded_name() {
        for (uri, expected) in [
            ("/", &[][..]),
            ("/?", &[]),
            ("/?token=a", &[Some("a")]),
            ("/?x=1&token=a%2Eb+c&token=&token", &[Some("a.b c"), Some(""), Some("")]),
            ("/?%74oken=a", &[Some("a")]),
            ("/?token=a=b", &[Some("a=b")]),
            ("/?token=%", &[None]),
            ("/?Token=a&tok%zzen=b&xtoken=c&token;=d", &[]),
            ("/?x=1?token=a", &[]),
            ("/token=a", &[]),
        ] {
            let values: Vec<_> = query_values(uri, "token").collect();
            let expected: Vec<_> =
                expected.iter().map(|value| value.map(|v| v.as_bytes().to_vec())).collect();
            assert_eq!(values, expected, "{uri}");
        }
    }

    #[test]
    fn all_other_parameters_stay_byte_for_byte() {
        for (uri, expected) in [
            ("/p", "/p"),
            ("/p?token=a", "/p"),
            ("/p?token", "/p"),
            ("/p?a=%7E&token=x&b=+&&c", "/p?a=%7E&b=+&&c"),
            ("/p?%74oken=a&Token=b", "/p?Token=b"),
            ("/p?token=a&token=b&x", "/p?x"),
            ("/p?a=1?token=2", "/p?a=1?token=2"),
            ("/p?", "/p?"),
        ] {
            assert_eq!(without_query_parameter(uri, "token"), expected, "{uri}");
        }
    }
}
