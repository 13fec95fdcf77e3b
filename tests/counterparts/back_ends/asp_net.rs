//! ASP.NET, which runs nowhere here: what its documentation says of names, and that ours takes them for the same.
//!
//! - `NameValueCollection` of a query and `HttpCookieCollection` compare names without case, as `IQueryCollection` and
//!   `IRequestCookieCollection` of ASP.NET Core do; System.Web decodes `+`, `%61` and `%u0061` of a query, and no cookies.
//! - `HTTP_X_USER_SUB` of `ServerVariables` is the header with `_` for `-`, in upper case; in `Headers`, case does not count.

use traefik_jwt_auth::core::request::header_name;
use traefik_jwt_auth::core::request::{cookie, uri};

use super::spellings::{COOKIES, FORGED, QUERIES, Read, copies};

/// The name of the readers in the table.
const NAME: &str = "ASP.NET";

/// Text of a query as `HttpUtility.UrlDecode` gives it.
fn decoded(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let digits = |from: usize, to: usize| u32::from_str_radix(rest.get(from..to)?, 16).ok();
        let (length, code) = match first {
            '%' if rest.starts_with("%u") => (6, digits(2, 6)),
            '%' => (3, digits(1, 3)),
            '+' => (1, Some(u32::from(' '))),
            other => (other.len_utf8(), None),
        };
        let read = code.and_then(char::from_u32);
        let length = if read.is_none() { first.len_utf8() } else { length };
        out.push(read.unwrap_or(first));
        rest = rest.get(length..).unwrap_or_default();
    }
    out
}

/// The value of the pair `a_token` in `text`.
fn value(text: &str, separators: &[char], decode: impl Fn(&str) -> String) -> Option<String> {
    let mut pairs = text.split(separators).filter_map(|pair| pair.split_once('='));
    pairs.find(|(name, _)| decode(name).eq_ignore_ascii_case("a_token")).map(|(_, value)| decode(value))
}

/// What this model takes is what the table says, and nothing that any back end takes is another name to the plugin.
pub(crate) fn documented() {
    for (query, readers) in QUERIES {
        // Traefik has made `&` of `;`.
        let taken = value(query, &['&', ';'], decoded);
        assert_eq!(taken.as_deref() == Some(FORGED), readers.contains(&NAME), "{query}");
        let ours = uri::query_values(format!("/?{query}").as_bytes(), "a_token")
            .any(|value| value == Some(FORGED.into()));
        assert!(ours || readers.is_empty(), "{query}");
    }
    for (line, readers) in COOKIES {
        let taken = value(line, &[';'], |text| text.trim().to_owned());
        assert_eq!(taken.as_deref() == Some(FORGED), readers.contains(&NAME), "{line}");
        let ours = cookie::values(line.as_bytes(), "a_token").any(|value| value == FORGED.as_bytes());
        assert!(ours || readers.is_empty(), "{line}");
    }
    let variable = |name: &str| name.to_ascii_uppercase().replace('-', "_");
    for copy in copies() {
        for (name, _) in copy.lines.iter().filter(|(name, _)| name != "Connection") {
            let taken = variable(name) == variable("X-User-Sub");
            let ours = header_name::is_alias(name, "X-User-Sub");
            // What only the doubles of a copy are taken for is no other name either.
            assert_eq!(ours, !matches!(copy.read, Read::Nobody), "{name}");
            assert!(ours || !taken, "{name}");
        }
    }
}
