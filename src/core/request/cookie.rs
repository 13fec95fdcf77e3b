//! The `Cookie` header (RFC 6265 4.2, 5.4), read as Go and browsers write it.

/// The values of the cookie `name` in one header line, in order, without the quotes of RFC 6265 4.1.1.
pub fn values<'l>(line: &'l [u8], name: &'l str) -> impl Iterator<Item = &'l [u8]> + 'l {
    line.split(|byte| *byte == b';').filter_map(move |pair| {
        let (found, value) = split(pair)?;
        (found == name.as_bytes()).then_some(value)
    })
}

/// The lines without the cookie `name`, as one line: several lines are one with `; ` between them
/// (RFC 9113 8.2.3). The other cookies stay byte for byte. `None` where none is left.
#[must_use]
pub fn without(lines: &[Vec<u8>], name: &str) -> Option<Vec<u8>> {
    let kept = |line: &Vec<u8>| {
        let is_kept = |pair: &&[u8]| split(pair).is_none_or(|(found, _)| found != name.as_bytes());
        let pairs: Vec<&[u8]> = line.split(|byte| *byte == b';').filter(is_kept).collect();
        pairs.join(&b';').trim_ascii().to_vec()
    };
    let lines: Vec<Vec<u8>> = lines.iter().map(kept).filter(|line| !line.is_empty()).collect();
    (!lines.is_empty()).then(|| lines.join(&b"; "[..]))
}

fn split(pair: &[u8]) -> Option<(&[u8], &[u8])> {
    let equals = pair.iter().position(|byte| *byte == b'=')?;
    let (name, value) = pair.split_at(equals);
    let value = value.get(1..)?.trim_ascii();
    let unquoted = value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\""));
    Some((name.trim_ascii(), unquoted.unwrap_or(value)))
}

#[cfg(test)]
mod tests {
    use super::{values, without};

    #[test]
    fn values_by_exact_name() {
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
            ("JWT=a; xjwt=b; x=jwt=c", &[]),
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
            (&["JWT=a"], Some("JWT=a")),
        ] {
            let lines: Vec<_> = lines.iter().map(|line| line.as_bytes().to_vec()).collect();
            assert_eq!(without(&lines, "jwt").as_deref(), expected.map(str::as_bytes), "{lines:?}");
        }
    }
}
