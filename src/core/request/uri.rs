//! Query parameters of the request target (RFC 3986 3.4), as forms and browsers write them.
//!
//! `;` separates them as `&` does: Traefik itself makes `&` of it on the way to the upstream.

use crate::core::request::parameter_name::is_alias;

/// The path of the target `uri`, as it stands there.
pub fn path(uri: &[u8]) -> &[u8] {
    split(uri).0
}

/// The values of the query parameter `name`, decoded (`application/x-www-form-urlencoded`), in order, whatever spelling of
/// the name they have.
///
/// An item is `None` if its escapes are invalid.
pub fn query_values<'u>(uri: &'u [u8], name: &'u str) -> impl Iterator<Item = Option<Vec<u8>>> + 'u {
    let query = split(uri).1.unwrap_or_default();
    pairs(query).filter(move |pair| is_named(pair, name)).map(|pair| decode(value(pair)))
}

/// `uri` without the query parameter `name` in every spelling; all else stays byte for byte.
pub fn without_query_parameter(uri: &[u8], name: &str) -> Vec<u8> {
    without(uri, |pair| is_named(pair, name))
}

/// Parameters that carry a token wherever they are: OAuth 2.0 (RFC 6749, RFC 6750 2.3) and OpenID Connect name them so.
const TOKEN_PARAMETERS: [&str; 4] = ["access_token", "id_token", "id_token_hint", "refresh_token"];

/// `uri` without what is or may be a token: the query parameters `names`, those that have the names of tokens, and all
/// in which something looks like a JWT, also inside of another URL.
pub fn without_tokens(uri: &[u8], names: &[String]) -> Vec<u8> {
    without(uri, |pair| {
        let named = names.iter().map(String::as_str).chain(TOKEN_PARAMETERS);
        named.into_iter().any(|name| is_named(pair, name))
            || holds_jwt(pair)
            || decode(pair).is_some_and(|decoded| holds_jwt(&decoded))
    })
}

/// Whether three parts with dots between them are in `text`, of which the first holds the beginning of a JSON object in
/// base64url.
fn holds_jwt(text: &[u8]) -> bool {
    let in_token = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    text.split(|byte| !in_token(byte)).any(|run| {
        let mut parts = run.split(|byte| *byte == b'.');
        let begins = |part: &[u8]| part.windows(3).any(|start| start == b"eyJ");
        parts.any(begins) && parts.nth(1).is_some()
    })
}

/// `uri` without the pairs of its query that are `dropped`.
fn without(uri: &[u8], dropped: impl Fn(&[u8]) -> bool) -> Vec<u8> {
    let (path, Some(query)) = split(uri) else {
        return uri.to_vec();
    };
    let mut kept = path.to_vec();
    let mut separator = b'?';
    let mut rest = query;
    loop {
        let end = rest.iter().position(|byte| is_separator(*byte)).unwrap_or(rest.len());
        let (pair, behind) = rest.split_at(end);
        if !dropped(pair) {
            kept.push(separator);
            kept.extend_from_slice(pair);
            separator = b'&';
        }
        let Some((next, behind)) = behind.split_first() else {
            return kept;
        };
        // What is in front of the first one that stays is the `?`.
        if separator != b'?' {
            separator = *next;
        }
        rest = behind;
    }
}

/// Whether the host takes `uri` as a new target; at another one it ends the request with a panic. A middleware in front
/// may have made one (`replacePath: foo`).
pub fn is_target(uri: &[u8]) -> bool {
    (uri.starts_with(b"/") || uri == b"*") && !uri.iter().any(u8::is_ascii_control)
}

/// Path and query.
fn split(uri: &[u8]) -> (&[u8], Option<&[u8]>) {
    let end = uri.iter().position(|byte| *byte == b'?').unwrap_or(uri.len());
    let (path, query) = uri.split_at(end);
    (path, query.get(1..))
}

const fn is_separator(byte: u8) -> bool {
    matches!(byte, b'&' | b';')
}

fn pairs(query: &[u8]) -> impl Iterator<Item = &[u8]> {
    query.split(|byte| is_separator(*byte))
}

fn is_named(pair: &[u8], name: &str) -> bool {
    let end = pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len());
    is_alias(pair.get(..end).unwrap_or_default(), name)
}

fn value(pair: &[u8]) -> &[u8] {
    let equals = pair.iter().position(|byte| *byte == b'=');
    equals.and_then(|at| pair.get(at.checked_add(1)?..)).unwrap_or_default()
}

/// Decodes a value of `application/x-www-form-urlencoded`.
fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.iter();
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'%' => {
                let (high, low) = (hex(*bytes.next()?)?, hex(*bytes.next()?)?);
                (high << 4) | low
            }
            b'+' => b' ',
            byte => *byte,
        });
    }
    Some(out)
}

fn hex(digit: u8) -> Option<u8> {
    u8::try_from(char::from(digit).to_digit(16)?).ok()
}

#[cfg(test)]
mod tests {
    use super::{is_target, path, query_values, without_query_parameter, without_tokens};

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
            ("/?token=%u0061", &[None]),
            (
                "/?Token=a&+token=b&token[]=c&token%00=d&x=token",
                &[Some("a"), Some("b"), Some("c"), Some("d")],
            ),
            ("/?x;token=a;y;token=b", &[Some("a"), Some("b")]),
            ("/?tok%zzen=b&xtoken=c&token%3B=d", &[]),
            ("/?x=1?token=a", &[]),
            ("/token=a", &[]),
        ] {
            let values: Vec<_> = query_values(uri.as_bytes(), "token").collect();
            let expected: Vec<_> =
                expected.iter().map(|value| value.map(|v| v.as_bytes().to_vec())).collect();
            assert_eq!(values, expected, "{uri}");
        }
    }

    #[test]
    fn all_other_parameters_stay_byte_for_byte() {
        for (uri, expected) in [
            (&b"/p"[..], &b"/p"[..]),
            (b"/p?token=a", b"/p"),
            (b"/p?token", b"/p"),
            (b"/p?a=%7E&token=x&b=+&&c", b"/p?a=%7E&b=+&&c"),
            (b"/p?%74oken=a&tokens=b", b"/p?tokens=b"),
            (b"/p?Token=a&+token=b&token[]=c&[token]=d&token%00=e&x", b"/p?x"),
            (b"/p?token=a&token=b&x", b"/p?x"),
            (b"/p?a=1?token=2", b"/p?a=1?token=2"),
            (b"/p?", b"/p?"),
            (b"/p?&token=a", b"/p?"),
            (b"/p?a;b=%zz&&+;token=x;c&;", b"/p?a;b=%zz&&+;c&;"),
            (b"/p?token=x;c&d", b"/p?c&d"),
            (b"/p?a&token=x;c", b"/p?a;c"),
            (b"/\xff?\xff=%ff&token=a&\xc3", b"/\xff?\xff=%ff&\xc3"),
        ] {
            let left = without_query_parameter(uri, "token");
            assert_eq!(left, expected, "{} gave {}", uri.escape_ascii(), left.escape_ascii());
        }
    }

    #[test]
    fn targets() {
        for (uri, expected) in [
            ("/", true),
            ("/a?b", true),
            ("*", true),
            ("", false),
            ("foo?x", false),
            ("?x", false),
            ("/a\n", false),
        ] {
            assert_eq!(is_target(uri.as_bytes()), expected, "{uri}");
        }
    }

    #[test]
    fn what_looks_like_a_token_goes() {
        for (uri, expected) in [
            ("/p?a=1&access_token=x&ID.Token=y&%72efresh_token=z&id_token_hint[]=h&b", "/p?a=1&b"),
            ("/p?own=x&a=1", "/p?a=1"),
            ("/p?a=eyJhIjoxfQ.eyJiIjoyfQ.c&b=1", "/p?b=1"),
            ("/p?next=https%3A%2F%2Fx%2F%3Ft%3DeyJhIjoxfQ.e30.&b=1", "/p?b=1"),
            ("/p?a=%65yJhIjoxfQ.e30.c", "/p"),
            ("/p?eyJhIjoxfQ.e30.c", "/p"),
            ("/p?a=x.eyJhIjoxfQ.e30.c", "/p"),
            ("/p?a=abcd.efgh.ijkl&b=eyJ.a", "/p?a=abcd.efgh.ijkl&b=eyJ.a"),
            ("/p?a=e30.eyJhIjoxfQ", "/p?a=e30.eyJhIjoxfQ"),
            (
                "/p?a=eyJhIjoxfQ.e30&v=1.2.3&code=x&state=y&token_type=b",
                "/p?a=eyJhIjoxfQ.e30&v=1.2.3&code=x&state=y&token_type=b",
            ),
            ("/eyJhIjoxfQ.e30.c?a", "/eyJhIjoxfQ.e30.c?a"),
        ] {
            let left = without_tokens(uri.as_bytes(), &["own".to_owned()]);
            assert_eq!(String::from_utf8(left).unwrap(), expected, "{uri}");
        }
    }

    #[test]
    fn the_path_ends_at_the_first_question_mark() {
        for (uri, expected) in [("/a?b?c", "/a"), ("/a", "/a"), ("?", ""), ("", "")] {
            assert_eq!(path(uri.as_bytes()), expected.as_bytes(), "{uri}");
        }
    }
}
