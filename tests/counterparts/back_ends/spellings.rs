//! In how many ways a client can write a name that is not its own to write: one table for every back end.

use testbed::http::Request;

/// What a client writes that may not arrive.
pub(crate) const FORGED: &str = "mallory";

/// All that a name may have besides letters and digits (RFC 9110 5.6.2).
pub(crate) const SPECIAL: &str = "!#$%&'*+-.^_`|~";

/// The spellings of a name with words between which a character stands.
pub(crate) fn with_each(words: &'static [&'static str]) -> impl Iterator<Item = (char, String)> {
    SPECIAL.chars().map(|c| (c, words.join(&c.to_string())))
}

/// A way to send the header `X-User-Sub`.
pub(crate) struct Copy {
    /// Names and values.
    pub(crate) lines: Vec<(String, String)>,
    pub(crate) read: Read,
}

impl Copy {
    /// A request with it.
    pub(crate) fn on(&self, request: Request) -> Request {
        self.lines.iter().fold(request, |request, (name, value)| request.header(name, value))
    }
}

/// Which back ends take a copy for the header, where nothing stands in front of them.
pub(crate) enum Read {
    /// Those for which all of these characters are the same as `-`.
    Taking(String),
    /// None: it is another name, which may pass.
    Nobody,
    /// It is not asked: what Traefik does with `Connection` decides.
    Unasked,
}

/// Every copy.
pub(crate) fn copies() -> Vec<Copy> {
    let copy = |names: &[&str], read| Copy {
        lines: names.iter().map(|name| ((*name).to_owned(), FORGED.to_owned())).collect(),
        read,
    };
    let taking = |characters: &str| Read::Taking(characters.to_owned());
    let mut copies: Vec<Copy> = Vec::new();
    for (c, name) in with_each(&["X", "User", "Sub"]) {
        copies.push(copy(&[&name], taking(&c.to_string())));
        // The plugin's own header must not go with it, and the client's must not stay because of it.
        let mut named = copy(&[&name], Read::Unasked);
        named.lines.push(("Connection".to_owned(), format!("close, {name}")));
        copies.push(named);
    }
    for (names, characters) in [
        (&["X-User_Sub"][..], "-_"),
        (&["X_User-Sub"], "-_"),
        (&["X_User.Sub"], "_."),
        (&["x-user-sub"], "-"),
        (&["X-USER-SUB"], "-"),
        (&["x_uSER_sUB"], "_"),
        (&["X-User-Sub", "X-User-Sub"], "-"),
        (&["X-User-Sub", "x-user-sub"], "-"),
        (&["X_User_Sub", "X_User_Sub"], "_"),
        (&["X_User_Sub", "X.User.Sub"], "_"),
        (&["X-User-Sub", "X_User_Sub"], "-"),
    ] {
        copies.push(copy(names, taking(characters)));
    }
    for name in [
        "Proxy-X-User-Sub",
        "HTTP-X-User-Sub",
        "HTTP_X_USER_SUB",
        "Redirect-HTTP-X-User-Sub",
        "X-User-Sub-",
        "-X-User-Sub",
        "X--User-Sub",
        "X-User-Sub0",
        "XUserSub",
    ] {
        copies.push(copy(&[name], Read::Nobody));
    }
    copies
}

/// All copies at once, which are one for a mode that takes none away; and with each named in `Connection`.
pub(crate) fn every_copy() -> [Copy; 2] {
    let names: Vec<String> = with_each(&["X", "User", "Sub"]).map(|(_, name)| name).collect();
    let lines: Vec<_> = names.iter().map(|name| (name.clone(), FORGED.to_owned())).collect();
    let named = [("Connection".to_owned(), format!("close, {}", names.join(", ")))];
    let both = [&lines[..], &named[..]].concat();
    [Copy { lines, read: Read::Unasked }, Copy { lines: both, read: Read::Unasked }]
}

/// Who takes a spelling for the parameter or cookie `a_token`: variables of `back_end.php`, `back_end.py` and
/// `back-end.mjs`, and ASP.NET as its documentation says it.
pub(crate) type Readers = &'static [&'static str];

/// Those that take the name as it is for itself.
const PLAIN_QUERY: Readers =
    &["$_GET", "parse_qs", "request.args", "URLSearchParams", "querystring", "request.query", "ASP.NET"];
const PHP: Readers = &["$_GET"];
const LISTS: Readers = &["$_GET", "request.query"];
const PLAIN_COOKIE: Readers = &["$_COOKIE", "SimpleCookie", "request.cookies", "cookieParser", "ASP.NET"];

/// Queries.
pub(crate) const QUERIES: &[(&str, Readers)] = &[
    ("a_token=mallory", PLAIN_QUERY),
    ("%61_token=mallory", PLAIN_QUERY),
    // Traefik makes `&` of it.
    (";a_token=mallory", PLAIN_QUERY),
    ("+a_token=mallory", PHP),
    ("%20a_token=mallory", PHP),
    ("a_token[]=mallory", LISTS),
    ("a_token%5B0%5D=mallory", LISTS),
    ("a_token[x][y]=mallory", LISTS),
    ("a_token%00=mallory", PHP),
    ("a_token%00x=mallory", PHP),
    ("a.token=mallory", PHP),
    ("a+token=mallory", PHP),
    ("a[token=mallory", PHP),
    ("[a_token]=mallory", &["request.query"]),
    ("A_TOKEN=mallory", &["ASP.NET"]),
    ("%u0061_token=mallory", &["ASP.NET"]),
    // Other back ends do.
    ("a_token+=mallory", &[]),
];

/// Cookies.
pub(crate) const COOKIES: &[(&str, Readers)] = &[
    ("a_token=mallory", PLAIN_COOKIE),
    ("a.token=mallory", &["$_COOKIE"]),
    ("a token=mallory", &["$_COOKIE"]),
    ("a_token[]=mallory", &["$_COOKIE"]),
    ("a_token[x]=mallory", &["$_COOKIE"]),
    ("a[token=mallory", &["$_COOKIE"]),
    ("A_TOKEN=mallory", &["ASP.NET"]),
    ("x=1 a_token=mallory", &["SimpleCookie"]),
    ("x=1, a_token=mallory", &["SimpleCookie"]),
    // Other back ends do.
    ("%61_token=mallory", &[]),
];
