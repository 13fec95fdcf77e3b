//! Cookies, queries and paths, against readers of servers in Rust. What any of them finds has to be found here: a second token
//! must not pass beside the one that is verified.

use traefik_jwt_auth::core::request::path::{PathPattern, unambiguous};
use traefik_jwt_auth::core::request::{cookie as ours, uri};

use crate::cut::{parts, text};
use crate::mark::mark;

/// Two lines of cookies. What the `cookie` crate finds is found; what is taken out is gone, and the rest is as it was.
pub(super) fn cookie(input: &[u8]) {
    const NAME: &str = "session";
    let lines: [&[u8]; 2] = parts(input);
    for line in lines {
        let mine: Vec<&[u8]> = ours::values(line, NAME).collect();
        mark(if mine.is_empty() { "no value" } else { "a value" });
        // Go refuses control characters.
        let Ok(line) = std::str::from_utf8(line) else { continue };
        if line.bytes().any(|byte| byte.is_ascii_control() && byte != b'\t') {
            continue;
        }
        for theirs in ::cookie::Cookie::split_parse(line).flatten().filter(|cookie| cookie.name() == NAME) {
            let value = theirs.value_trimmed().as_bytes();
            // Which blanks around it are none of a value differs; no token has any.
            let is_it =
                |mine: &&[u8]| mine.windows(value.len().max(1)).any(|part| part == value) || value.is_empty();
            assert!(mine.iter().any(is_it), "{line:?}");
        }
    }
    let lines = lines.map(<[u8]>::to_vec);
    let Some(left) = ours::without(&lines, NAME) else { return };
    mark("others stay");
    assert_eq!(ours::values(&left, NAME).count(), 0, "{}", left.escape_ascii());
    let all = lines.join(&b';');
    let cookies = |line: &[u8]| -> Vec<Vec<u8>> {
        line.split(|byte| *byte == b';')
            .map(|cookie| cookie.trim_ascii().to_vec())
            .filter(|c| !c.is_empty())
            .collect()
    };
    let before = cookies(&all);
    let mut before = before.iter();
    assert!(
        cookies(&left).iter().all(|cookie| before.any(|other| other == cookie)),
        "{}",
        left.escape_ascii()
    );
    let kept = ours::retain(&lines, NAME, |_| true).unwrap_or_default();
    assert_eq!(cookies(&kept), cookies(&all));
}

/// A target. What `form_urlencoded` finds is found, in that order; what is taken out is gone, and the rest is as it was.
pub(super) fn query(input: &[u8]) {
    const NAME: &str = "token";
    let mine: Vec<Option<Vec<u8>>> = uri::query_values(input, NAME).collect();
    mark(if mine.is_empty() { "no value" } else { "a value" });
    let query = input.splitn(2, |byte| *byte == b'?').nth(1).unwrap_or_default();
    // Every separator that a back end knows.
    for separated in
        [query.to_vec(), query.iter().map(|byte| if *byte == b';' { b'&' } else { *byte }).collect()]
    {
        let mut found = mine.iter();
        for (name, value) in ::url::form_urlencoded::parse(&separated) {
            if name == NAME {
                let is_it = |mine: &Option<Vec<u8>>| {
                    // Escapes that are none are themselves there. A `;` ends a value here.
                    mine.as_ref().is_none_or(|mine| value.starts_with(&*String::from_utf8_lossy(mine)))
                };
                assert!(found.any(is_it), "{} {value}", input.escape_ascii());
            }
        }
    }
    let left = uri::without_query_parameter(input, NAME);
    assert_eq!(uri::query_values(&left, NAME).count(), 0, "{}", left.escape_ascii());
    if mine.is_empty() {
        assert_eq!(left, input);
    } else {
        mark("others stay");
    }
    assert_eq!(uri::path(&left), uri::path(input));
    let pieces = |target: &[u8]| -> Vec<Vec<u8>> {
        let query = target.splitn(2, |byte| *byte == b'?').nth(1).unwrap_or_default();
        query.split(|byte| matches!(byte, b'&' | b';')).map(<[u8]>::to_vec).collect()
    };
    let before = pieces(input);
    let mut before = before.iter();
    let kept = pieces(&left);
    assert!(kept == [Vec::<u8>::new()] || kept.iter().all(|pair| before.any(|other| other == pair)));
    let scrubbed = uri::without_tokens(input, &[NAME.to_owned()]);
    assert_eq!(uri::query_values(&scrubbed, NAME).count(), 0, "{}", scrubbed.escape_ascii());
    assert_eq!(uri::without_tokens(&scrubbed, &[NAME.to_owned()]), scrubbed);
    if uri::is_target(input) {
        assert!(uri::is_target(&left) && uri::is_target(&scrubbed));
    }
}

/// A target and a pattern. A path that can be read in one way is that of `percent-encoding` and of the `url` crate.
pub(super) fn path(input: &[u8]) {
    let [pattern, target] = parts(input);
    let pattern = text(pattern);
    let parsed = PathPattern::parse(&pattern);
    let Some(path) = unambiguous(target) else {
        mark("ambiguous");
        return;
    };
    mark("unambiguous");
    let raw = target.split(|byte| *byte == b'?').next().expect("one");
    let decoded = percent_encoding::percent_decode(raw).decode_utf8().expect("UTF-8");
    assert_eq!(path, decoded);
    assert!(
        !path.split('/').any(|segment| segment == "." || segment == "..")
            && !path.contains(['\\', ';', '\0'])
    );
    let url =
        ::url::Url::parse(&format!("http://a{}", std::str::from_utf8(raw).expect("UTF-8"))).expect("a URL");
    let theirs = percent_encoding::percent_decode_str(url.path()).decode_utf8().expect("UTF-8");
    assert_eq!(path, theirs);
    // Reading it again changes nothing.
    assert!(path.contains('%') || unambiguous(path.as_bytes()).as_deref() == Some(&*path), "{path}");
    let Some(parsed) = parsed else { return };
    let matches = matches(&pattern, &path);
    mark(if matches { "matches" } else { "does not match" });
    assert_eq!(parsed.matches(&path), matches, "{pattern} {path}");
    assert!(!matches || path.starts_with(parsed.fixed()), "{pattern} {path}");
}

/// By definition: segment by segment, and `/*` is whatever follows a slash.
fn matches(pattern: &str, path: &str) -> bool {
    let (pattern, below) = pattern.strip_suffix("/*").map_or((pattern, false), |pattern| (pattern, true));
    let (wanted, found): (Vec<&str>, Vec<&str>) = (pattern.split('/').collect(), path.split('/').collect());
    let is_open = |segment: &str| segment.starts_with('{');
    let fits =
        |(wanted, found): (&&str, &&str)| if is_open(wanted) { !found.is_empty() } else { wanted == found };
    let long_enough = if below { found.len() > wanted.len() } else { found.len() == wanted.len() };
    long_enough && wanted.iter().zip(&found).all(fits)
}
