//! What somebody who is refused can make an instance do, in instructions: they are the same on every machine, and a bound
//! on them is one on time within the factor by which kinds of code differ. `make bench BENCH=refusals` has the times.

use std::fmt::Write;

use serde_json::{Map, Value, json};
use testbed::keys::{self, key_of};
use testbed::tokens::{compact, forged};
use testbed::usual::{claims, configuration};
use traefik_jwt_auth::core::jwk::{JwkSet, Origin};
use traefik_jwt_auth::core::limits::MAX_SEARCHED_BYTES;

use crate::guest::{Artifact, Guest};
use crate::{ARTIFACTS, NOW, request};

/// The first forged RS256 token of an instance, which is 2.4 times garbage in a real Traefik.
const FORGED_RS256: u64 = 2_650_000;
/// So this is less than 20 times garbage.
const OF_A_DEFAULT_CONFIGURATION: u64 = 8 * FORGED_RS256;
/// About 6 ms where that token takes 0.16.
const OF_ANY_CONFIGURATION: u64 = 35 * FORGED_RS256;
/// About 1.5 ms.
const OF_AN_EXPRESSION: u64 = 9 * FORGED_RS256;
/// About 10 ms.
const OF_A_REQUEST: u64 = 65 * FORGED_RS256;
/// What Traefik takes of a request, in bytes.
const MAX_HEAD: usize = 1 << 20;

/// The header, or `?` for the query and `/` for the path, and what is repeated in it.
type Part = (&'static str, &'static str);

fn with(members: &[(&str, Value)]) -> Value {
    let mut configuration = configuration();
    for (name, value) in members {
        configuration[*name] = value.clone();
    }
    configuration
}

fn numbered(count: usize) -> impl Iterator<Item = Value> {
    (0..count).map(|number| claims(NOW.cast_signed(), number))
}

/// What each of `tokens` takes, all of which are refused with `status`.
fn costs(guest: &mut Guest, tokens: &[String], status: u16) -> Vec<u64> {
    let mut costs = Vec::new();
    for token in tokens {
        costs.push(request(guest, token));
        assert_eq!(guest.host().status, Some(status), "{:?}", guest.host().log);
    }
    costs
}

/// The first token finds a key that has never been used; the third one makes the table of a key that has one.
#[test]
fn a_forged_token_of_each_algorithm_is_bounded() {
    let artifact = Artifact::read(ARTIFACTS[0]);
    let mut garbage = artifact.start(&configuration().to_string());
    let garbage = costs(&mut garbage, &["a.b.c".to_owned(), "a.b.c".to_owned()], 401)[1];
    for alg in keys::ALGORITHMS.into_iter().chain(["Ed25519"]) {
        let kid = (!alg.starts_with("HS")).then(|| key_of(alg));
        let set = keys::jwk_set(&[key_of(alg)]).to_string();
        let mut guest = artifact.start(&with(&[("jwks", json!(set))]).to_string());
        let costs = costs(&mut guest, &forged(alg, kid, numbered(4)), 401);
        let units = JwkSet::parse(set.into_bytes(), Origin::Configured).unwrap().keys()[0].key().cost(1_000);
        println!("forged {alg}: {costs:?}, garbage {garbage}, {units} units");
        // The table of costs is that of the modules, to the dear side.
        let of_a_unit = costs[0].saturating_sub(garbage) / u64::from(units);
        assert!((10_000..24_000).contains(&of_a_unit) || units < 20, "{alg}: {of_a_unit}");
        for (number, cost) in costs.into_iter().enumerate() {
            let most = if alg == "RS256" { FORGED_RS256 } else { OF_A_DEFAULT_CONFIGURATION };
            // A key of ML-DSA-87 is expanded once in an instance.
            let most = if alg == "ML-DSA-87" && number == 0 { 9 * FORGED_RS256 } else { most };
            assert!(cost <= most, "{alg}, token {number}: {cost} of {most}");
        }
    }
}

#[test]
fn a_token_without_kid_is_bounded_whatever_keys_there_are() {
    let artifact = Artifact::read(ARTIFACTS[0]);
    for (kind, alg, count) in [
        ("secret", "HS256", 250),
        ("ed25519", "EdDSA", 250),
        ("p256", "ES256", 250),
        ("p384", "ES384", 100),
        ("p521", "ES512", 100),
        ("secp256k1", "ES256K", 100),
        ("rsa-2048", "RS256", 100),
        ("rsa-4096", "RS256", 100),
        ("rsa-8192", "PS512", 50),
        ("ml-dsa-44", "ML-DSA-44", 16),
        ("ml-dsa-65", "ML-DSA-65", 16),
        ("ml-dsa-87", "ML-DSA-87", 16),
    ] {
        let set = keys::strangers(kind, count);
        let mut configuration = with(&[("jwks", json!(set.to_string()))]);
        configuration["algorithms"] = json!([alg]);
        let mut guest = artifact.start(&configuration.to_string());
        let mut tokens = forged(alg, None, numbered(3));
        if let Some(bits) = kind.strip_prefix("rsa-") {
            let signature = keys::encode(&vec![0x5a; bits.parse::<usize>().unwrap() / 8]);
            for token in &mut tokens {
                let end = token.rfind('.').unwrap() + 1;
                token.replace_range(end.., &signature);
            }
        }
        let costs = costs(&mut guest, &tokens, 401);
        println!("no kid, {count} {kind}: {costs:?}");
        let untried = guest.host().log.iter().any(|line| line.contains(" untried_keys="));
        assert!(untried || kind == "secret" || kind == "ed25519", "{kind}: {:?}", guest.host().log);
        let most = costs.into_iter().max().unwrap_or(0);
        assert!(most <= OF_ANY_CONFIGURATION, "{kind}: {most} of {OF_ANY_CONFIGURATION}");
    }
}

/// A claim that makes each function of the language work hard, and the request beside it.
#[test]
fn an_expression_is_bounded_whatever_it_says() {
    let artifact = Artifact::read(ARTIFACTS[0]);
    let terms = |count: usize, term: &str| {
        let terms: Vec<String> = (0..count).map(|number| term.replace('#', &number.to_string())).collect();
        terms.join(" || ")
    };
    let values = |count: usize| {
        (0..count).fold(String::new(), |mut values, number| {
            let _ = write!(values, ", `x{number}`");
            values
        })
    };
    let pairs = json!("x,".repeat(5_000));
    let words = json!("x,".repeat(500));
    let list: Vec<String> = (0..1_200).map(|number| number.to_string()).collect();
    let objects = json!((0..300).map(|n| json!({ "a": n, "b": n })).collect::<Vec<_>>());
    let class = "[a-z0-9A-Z_.,;:!?-]*";
    let mut over = Vec::new();
    for (name, expression, value) in [
        ("nothing", "Equals(`azp`, `y`)".to_owned(), pairs.clone()),
        ("Contains", terms(250, "Contains(`c`, `y#`)"), pairs.clone()),
        ("Contains, nearly", terms(250, "Contains(`c`, `x,x,x,x,x,x,x,y#`)"), pairs.clone()),
        ("SplitContains", terms(250, "SplitContains(`c`, `,`, `y#`)"), pairs.clone()),
        (
            "SplitContains, many pieces",
            terms(250, "SplitContains(`c`, `x`, `y#`)"),
            json!("x".repeat(10_000)),
        ),
        ("Equals", terms(250, "Equals(`c`, `y#`)"), pairs.clone()),
        ("OneOf", format!("OneOf(`c`{})", values(1_500)), pairs.clone()),
        ("OneOf of a list", format!("OneOf(`c`{})", values(1_500)), json!(list)),
        ("Contains of a list", terms(250, "Contains(`c`, `y#`)"), json!(list)),
        ("absent claims", terms(250, "Equals(`absent#`, `y`)"), json!(list)),
        ("paths", terms(250, "Equals(`c.299.b`, `y#`)"), objects),
        ("numbers", terms(250, "Greater(`c`, `9e9999#`)"), json!("DIGITS")),
        ("a repeated pattern", terms(60, "Matches(`c`, `(x|,){1,60}y#`)"), words.clone()),
        (
            "a wide pattern",
            terms(20, &format!("Matches(`c`, `({class}{class}{class}{class}){{1,3}}y#`)")),
            words,
        ),
        ("paths of the request", terms(250, "Equals(`c`, `{path}-#`)"), pairs.clone()),
        ("headers of the request", terms(250, "Equals(`c`, `{header:user-agent}-#`)"), pairs),
    ] {
        let mut guest = artifact.start(&with(&[("claims", json!(expression))]).to_string());
        let mut claims = claims(NOW.cast_signed(), 0);
        claims["c"] = value;
        // A number that no double holds.
        let payload = claims.to_string().replace("\"DIGITS\"", &"7".repeat(9_000));
        let token = compact("EdDSA", "ed25519", r#"{"alg":"EdDSA","kid":"ed25519"}"#, &payload);
        let cost = costs(&mut guest, &[token.clone(), token], 403)[1];
        println!("expression, {name}: {cost}");
        if cost > OF_AN_EXPRESSION {
            over.push((name, cost));
        }
    }
    assert!(over.is_empty(), "over {OF_AN_EXPRESSION}: {over:?}");
}

/// Twice as much of what a client sends costs about twice as much, and never four times.
#[test]
fn no_input_costs_more_than_its_length() {
    let artifact = Artifact::read(ARTIFACTS[0]);
    let configuration = with(&[("maxTokenBytes", json!(131_072)), ("forwardAuthorization", json!(false))]);
    let of_payload = |payload: &str| {
        format!("{}.{}.AA", keys::encode(br#"{"alg":"EdDSA","kid":"x"}"#), keys::encode(payload.as_bytes()))
    };
    let members = |count: usize, member: &dyn Fn(usize) -> String| {
        (0..count).map(member).collect::<Vec<String>>().join(",")
    };
    let inputs: [(&str, &dyn Fn(usize) -> String); 6] = [
        ("letters", &|count| "a".repeat(count * 16)),
        ("dots", &|count| ".".repeat(count * 16)),
        ("members", &|count| of_payload(&format!("{{{}}}", members(count, &|n| format!("\"m{n}\":1"))))),
        ("alike members", &|count| {
            of_payload(&format!("{{{}}}", members(count, &|n| format!("\"{n:06}xxxxxxxx\":1"))))
        }),
        ("escapes", &|count| of_payload(&format!("{{\"a\":\"{}\"}}", "\\u0041".repeat(count)))),
        ("small objects", &|count| {
            of_payload(&format!("{{\"a\":[{}]}}", members(count / 2, &|_| "{\"b\":1}".into())))
        }),
    ];
    for (name, input) in inputs {
        let mut guest = artifact.start(&configuration.to_string());
        let mut cost = |count: usize| request(&mut guest, &input(count));
        cost(1_000);
        let (small, large) = (cost(1_000), cost(2_000));
        assert_linear(name, small, large);
    }
}

/// The same of everything else in a request, with 50 managed headers and with up to 8 cookies or query parameters that may
/// hold a token; and the largest head that Traefik takes is bounded.
#[test]
fn no_request_costs_more_than_its_length() {
    let artifact = Artifact::read(ARTIFACTS[0]);
    let managed: Map<String, Value> =
        (0..50).map(|number| (format!("X-Managed-{number:05x}"), json!("sub"))).collect();
    let places = |kind: &str, count: usize| -> Vec<Value> {
        (0..count).map(|number| json!({kind: format!("c{number}")})).collect()
    };
    let usual = with(&[("forwardHeaders", json!(managed))]);
    let of = |member: &str, value: Value| {
        let mut configuration = usual.clone();
        configuration[member] = value;
        configuration.to_string()
    };
    let (one_cookie, cookies) =
        (of("tokenSources", json!(places("cookie", 1))), of("tokenSources", json!(places("cookie", 8))));
    let (one_query, queries) =
        (of("tokenSources", json!(places("query", 1))), of("tokenSources", json!(places("query", 8))));
    let headers =
        of("tokenSources", json!([{"header": "X-Token"}, {"header": "Authorization", "scheme": "Bearer"}]));
    let mut permissive: Value = serde_json::from_str(&cookies).unwrap();
    permissive["mode"] = json!("permissive");
    permissive["forwardAuthorization"] = json!(false);
    let permissive = permissive.to_string();
    let paths = of("bypassPaths", json!(["/a", "/public/*"]));
    let open = of("bypassPaths", json!(["/"]));
    let line = |name: &'static str, part: &'static str| -> Part { (name, part) };
    let mut over = Vec::new();
    for (name, configuration, (header, part)) in [
        ("headers", &headers, line("", "X-Strange-%%%%%")),
        ("headers like managed ones", &headers, line("", "X-Managed-%%%%%")),
        ("Connection", &open, line("Connection", "X-Managed-0003x, ")),
        ("Connection, empty", &open, line("Connection", ",")),
        ("Connection, managed", &open, line("Connection", "x-managed-00030,")),
        ("schemes", &headers, line("Authorization", "Beare ")),
        ("cookies", &one_cookie, line("Cookie", "session=abc; ")),
        ("cookies, pieces", &one_cookie, line("Cookie", ";")),
        ("cookies, pieces, 8", &cookies, line("Cookie", ";")),
        ("cookies, equals", &one_cookie, line("Cookie", "=;")),
        ("cookies, commas", &one_cookie, line("Cookie", "=,")),
        ("cookies, names", &one_cookie, line("Cookie", "c=;")),
        ("cookies, names, 8", &cookies, line("Cookie", "c=;")),
        ("cookies, empty", &one_cookie, line("Cookie", "c0=;")),
        ("cookies, alike", &one_cookie, line("Cookie", "c0=a;")),
        ("cookies, long names", &cookies, line("Cookie", "%63+")),
        ("cookies, long names, lists", &cookies, line("Cookie", "+=+,")),
        ("cookies, pieces, permissive", &permissive, line("Cookie", "c0;")),
        ("cookies, permissive", &permissive, line("Cookie", "c=;")),
        ("cookies, alike, permissive", &permissive, line("Cookie", "c0=a;")),
        ("query, empty", &one_query, line("?", "&")),
        ("query, empty, 8", &queries, line("?", "&")),
        ("query, names", &one_query, line("?", "c&")),
        ("query, alike", &one_query, line("?", "c0=a&")),
        ("query, escapes", &one_query, line("?", "%63%30=%61&")),
        ("query, one name", &queries, line("?", "+")),
        ("path", &paths, line("/", "a/")),
        ("path, letters", &paths, line("/", "abcdefgh")),
        ("path, escapes", &paths, line("/", "%C3%BC")),
    ] {
        let mut guest = artifact.start(configuration);
        let mut cost = |bytes: usize| {
            let text = part.repeat(bytes / part.len());
            let lines: Vec<(String, String)> = match header {
                "" => (0..bytes / part.len())
                    .map(|number| (part.replace("%%%%%", &format!("{number:05x}")), "v".to_owned()))
                    .collect(),
                "?" | "/" => vec![],
                name => vec![(name.to_owned(), text.clone())],
            };
            let lines: Vec<(&str, &str)> = lines.iter().map(|(name, value)| (&**name, &**value)).collect();
            let uri = match header {
                "?" => format!("/?{text}"),
                "/" => format!("/{text}"),
                _ => "/".to_owned(),
            };
            guest.request_for(&uri, &lines)
        };
        cost(1_000);
        let (small, large) = (cost(4_000), cost(8_000));
        // What is too long to be searched costs less than what just is not.
        let most = cost(MAX_HEAD).max(cost(MAX_SEARCHED_BYTES - 2)).max(cost(MAX_SEARCHED_BYTES / 8 - 2));
        println!("{name}: {small}, twice as much {large}, most {most}");
        if most > OF_A_REQUEST {
            over.push((name, most));
        }
        assert_linear(name, small, large);
    }
    assert!(over.is_empty(), "over {OF_A_REQUEST}: {over:?}");
}

fn assert_linear(name: &str, small: u64, large: u64) {
    assert!(large <= small * 5 / 2, "{name}: {small}, twice as much {large}");
}
