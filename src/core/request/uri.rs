//! Query parameters of the request target (RFC 3986 3.4), as forms and browsers write them.

/// The values of the query parameter `name`, decoded (`application/x-www-form-urlencoded`), in order.
///
/// An item is `None` where its escapes are invalid. A parameter whose name does not decode is nobody's.
pub fn query_values<'u>(uri: &'u str, name: &'u str) -> impl Iterator<Item = Option<Vec<u8>>> + 'u {
    let (_, query) = uri.split_once('?').unwrap_or((uri, ""));
    query
        .split('&')
        .filter(move |pair| is_named(pair, name))
        .map(|pair| decode(pair.split_once('=').map_or("", |(_, value)| value)))
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
    decode(found).is_some_and(|found| found == name.as_bytes())
}

/// Decodes a name or value of `application/x-www-form-urlencoded`.
fn decode(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'%' => {
                let (high, low) = (hex(bytes.next()?)?, hex(bytes.next()?)?);
                (high << 4) | low
            }
            b'+' => b' ',
            byte => byte,
        });
    }
    Some(out)
}

fn hex(digit: u8) -> Option<u8> {
    u8::try_from(char::from(digit).to_digit(16)?).ok()
}

#[cfg(test)]
mod tests {
    use super::{query_values, without_query_parameter};

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
