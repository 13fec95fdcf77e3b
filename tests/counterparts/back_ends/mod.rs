//! What an identity header, a parameter and a cookie are at back ends that others wrote: no spelling of a client tells one
//! another user than that of the token, or hands it a token that nobody has verified. Each back end says what it has in the
//! variables in which an application looks, and without the plugin takes the copies that it is said to take.

mod spellings;
mod servers;
mod asp_net;

use serde_json::{Value, json};
use testbed::http::Request;
use testbed::keys;
use testbed::tokens::Token;
use testbed::traefik::{OFFLINE, Routes, Setup, Traefik};
use testbed::wait::unix_now;

use servers::Server;
use spellings::{COOKIES, Copy, FORGED, QUERIES, Read, Readers, copies, every_copy, with_each};

pub(crate) use asp_net::documented;

pub(crate) fn lighttpd() {
    walk(&[servers::lighttpd()]);
}

pub(crate) fn nginx() {
    let (nginx, fpm) = servers::nginx();
    walk(&[nginx]);
    drop(fpm);
}

pub(crate) fn apache() {
    walk(&[servers::apache()]);
}

pub(crate) fn gunicorn() {
    walk(&servers::gunicorns());
}

pub(crate) fn node() {
    walk(&[servers::node()]);
}

/// The option of Traefik that SECURITY.md names does what it says there: no such header comes to any router.
pub(crate) fn alias_strategy() {
    let lighttpd = servers::lighttpd();
    let mut routes = Routes::to(&lighttpd.doors[0].url);
    routes.open("open");
    let entry_point = json!({"http": {"aliasHeadersStrategy": "delete"}});
    let traefik = Traefik::start(&Setup { plugins: vec![OFFLINE], entry_point, ..Setup::default() });
    traefik.configure(&routes);
    for (_, name) in with_each(&["X", "User", "Sub"]) {
        let seen = traefik.send(&Request::get("open", "/").header(&name, FORGED)).json();
        let expected = (name == "X-User-Sub").then_some(FORGED);
        assert!(all_are(&seen["headers"], expected), "{name}: {seen}");
    }
}

/// A token of `sub` that the plugin accepts.
fn token(sub: &str) -> String {
    Token::new("EdDSA", json!({"iss": "https://idp.example/", "sub": sub, "exp": unix_now() + 600})).mint()
}

fn configuration(more: &Value) -> Value {
    let mut configuration = json!({"jwks": keys::public_set(), "issuer": "https://idp.example/"});
    for (name, value) in more.as_object().unwrap() {
        configuration[name] = value.clone();
    }
    configuration
}

/// All copies at all back ends of these servers.
fn walk(servers: &[Server]) {
    let parameters = json!([{"query": "a_token"}, {"cookie": "a_token"}]);
    let header = json!([{"header": "X-Token"}]);
    let configurations = [
        ("required", json!({})),
        ("optional", json!({"mode": "optional"})),
        ("absent", json!({"forwardHeaders": {"X-User-Sub": "nickname"}})),
        ("token", json!({"tokenSources": header})),
        ("tokens", json!({"tokenSources": parameters})),
        ("stripped", json!({"tokenSources": header, "mode": "permissive", "forwardAuthorization": false})),
        ("strips", json!({"tokenSources": parameters, "mode": "permissive", "forwardAuthorization": false})),
    ];
    let doors = || servers.iter().flat_map(|server| &server.doors);
    // Where Traefik answers for the test bed.
    let mut routes = Routes::to(&servers[0].doors[0].url);
    for door in doors() {
        routes.open_to(&format!("open.{}", door.name), &door.url);
        for (name, more) in &configurations {
            let host = format!("{name}.{}", door.name);
            routes.protect(&host, OFFLINE, &configuration(more));
            routes.lead(&host, &door.url);
        }
    }
    let traefik = Traefik::start(&Setup { plugins: vec![OFFLINE], ..Setup::default() });
    traefik.configure(&routes);
    let mut wrong = Vec::new();
    for door in doors() {
        let mut bed = Bed { traefik: &traefik, door: door.name, takes: door.takes, wrong: Vec::new() };
        bed.identity();
        bed.token_headers();
        bed.queries();
        bed.cookies();
        wrong.append(&mut bed.wrong);
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// One back end behind Traefik.
struct Bed<'t> {
    traefik: &'t Traefik,
    door: &'t str,
    takes: &'static str,
    wrong: Vec<String>,
}

impl Bed<'_> {
    fn get(&self, host: &str, target: &str) -> Request {
        Request::get(&format!("{host}.{}", self.door), target)
    }

    /// What the back end says of a request.
    fn seen(&self, request: &Request) -> Value {
        let response = self.traefik.send(request);
        if response.status == 200 { response.json() } else { json!({"status": response.status}) }
    }

    fn check(&mut self, is_right: bool, what: &str, seen: &Value) {
        if !is_right {
            self.wrong.push(format!("{}: {what}: {seen}", self.door));
        }
    }

    /// The header of the plugin.
    fn identity(&mut self) {
        for copy in copies() {
            let open = self.seen(&copy.on(self.get("open", "/")));
            let arrives = holds_forged(&open["headers"]);
            let is_expected = match &copy.read {
                Read::Taking(characters) => {
                    arrives == characters.chars().all(|c| c == '-' || self.takes.contains(c))
                }
                Read::Nobody => !arrives,
                Read::Unasked => true,
            };
            self.check(is_expected, &format!("open, {:?}", copy.lines), &open["headers"]);
            self.own_alone(&copy, "required", true, Some("alice"));
        }
        for copy in every_copy() {
            self.own_alone(&copy, "required", true, Some("alice"));
            self.own_alone(&copy, "optional", true, Some("alice"));
            self.own_alone(&copy, "optional", false, None);
            // The token has nothing to fill it with.
            self.own_alone(&copy, "absent", true, None);
        }
    }

    /// What the back end has is the plugin's, or nothing.
    fn own_alone(&mut self, copy: &Copy, host: &str, has_token: bool, expected: Option<&str>) {
        let request = copy.on(self.get(host, "/"));
        let seen = self.seen(&if has_token { request.bearer(&token("alice")) } else { request });
        let is_gone = matches!(copy.read, Read::Nobody) || !holds_forged(&seen["all"]);
        let what = format!("{host}, token {has_token}, {:?}", copy.lines);
        self.check(is_gone && all_are(&seen["headers"], expected), &what, &seen);
    }

    /// The header that the token is in.
    fn token_headers(&mut self) {
        let alice = token("alice");
        let mut all = self.get("stripped", "/").header("X-Token", &alice);
        for (c, name) in with_each(&["X", "Token"]) {
            let open = self.seen(&self.get("open", "/").header(&name, FORGED));
            let is_taken = c == '-' || self.takes.contains(c);
            self.check(holds_forged(&open["tokens"]) == is_taken, &format!("open, {name}"), &open["tokens"]);
            let two = self.get("token", "/").header(&name, FORGED).header("X-Token", &alice);
            let refused = self.seen(&two);
            self.check(refused["status"] == 400, &format!("token, {name}"), &refused);
            // The one token of a request may be in any spelling; who does not take that has none.
            let one = self.seen(&self.get("token", "/").header(&name, &alice));
            let found = one["tokens"].to_string().contains(&alice);
            self.check(found == is_taken, &format!("token alone, {name}"), &one);
            all = all.header(&name, FORGED);
        }
        let left = self.seen(&all);
        self.check(all_are(&left["tokens"], None) && !holds_forged(&left["all"]), "stripped", &left);
    }

    fn queries(&mut self) {
        let alice = token("alice");
        for (query, readers) in QUERIES {
            let open = self.seen(&self.get("open", &format!("/?{query}")));
            self.check(are_readers(&open["query"], readers), &format!("open, {query}"), &open["query"]);
            let behind = format!("/?a_token={alice}&{query}");
            for target in [&behind, &format!("/?{query}&a_token={alice}")] {
                let refused = self.seen(&self.get("tokens", target));
                self.check(refused["status"] == 400, &format!("tokens, {query}"), &refused);
            }
            let left = self.seen(&self.get("strips", &behind));
            let is_gone = all_are(&left["query"], None) && !holds_forged(&left["all"]);
            self.check(is_gone, &format!("strips, {query}"), &left);
        }
    }

    fn cookies(&mut self) {
        let alice = token("alice");
        for (cookie, readers) in COOKIES {
            let open = self.seen(&self.get("open", "/").header("Cookie", cookie));
            self.check(are_readers(&open["cookies"], readers), &format!("open, {cookie}"), &open["cookies"]);
            for line in [format!("{cookie}; a_token={alice}"), format!("a_token={alice}; {cookie}")] {
                // The copy that is no token does not count, and does not go on.
                let kept = self.seen(&self.get("tokens", "/").header("Cookie", &line));
                let is_gone = !holds_forged(&kept["all"]);
                self.check(
                    is_gone && all_are(&kept["cookies"], Some(&alice)),
                    &format!("tokens, {line}"),
                    &kept,
                );
            }
            let line = format!("{cookie}; a_token={alice}");
            let left = self.seen(&self.get("strips", "/").header("Cookie", &line));
            let is_gone = all_are(&left["cookies"], None) && !holds_forged(&left["all"]);
            self.check(is_gone, &format!("strips, {line}"), &left);
        }
    }
}

fn holds_forged(value: &Value) -> bool {
    value.to_string().contains(FORGED)
}

/// Whether every variable has this value, or a list of it alone.
fn all_are(variables: &Value, expected: Option<&str>) -> bool {
    let expected = expected.map_or(Value::Null, Value::from);
    let is_it = |value: &Value| {
        *value == expected || value.as_array().is_some_and(|list| list.as_slice() == [expected.clone()])
    };
    variables.as_object().is_some_and(|all| !all.is_empty() && all.values().all(is_it))
}

/// Whether those of these variables have the forged value that are said to read it.
fn are_readers(variables: &Value, readers: Readers) -> bool {
    let is_said = |(name, value): (&String, &Value)| holds_forged(value) == readers.contains(&name.as_str());
    variables.as_object().is_some_and(|all| !all.is_empty() && all.iter().all(is_said))
}
