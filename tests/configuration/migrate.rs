//! The files in `examples/migrate/` and the pages in `docs/migrate/`: what other middlewares have becomes something here
//! that loads, passes its own tests and says where every option went.

use serde_json::Value;

use crate::compiled;

const HUB: &str = include_str!("../../docs/migrate/traefik-hub.md");
const AGILEZEBRA: &str = include_str!("../../docs/migrate/agilezebra.md");
const JWT_PLUGIN: &str = include_str!("../../docs/migrate/traefik-jwt-plugin.md");

const EXAMPLES: [(&str, &str, &str); 3] = [
    ("traefik-hub", HUB, include_str!("../../examples/migrate/traefik-hub.yml")),
    ("agilezebra", AGILEZEBRA, include_str!("../../examples/migrate/agilezebra.yml")),
    ("traefik-jwt-plugin", JWT_PLUGIN, include_str!("../../examples/migrate/traefik-jwt-plugin.yml")),
];

#[test]
fn examples_load_and_prove_themselves() {
    for (name, page, file) in EXAMPLES {
        assert!(page.contains(&format!("(../../examples/migrate/{name}.yml)")), "{name}");
        let file: Value = yaml_serde::from_str(file).unwrap();
        let middlewares = file["http"]["middlewares"].as_object().unwrap();
        assert!(middlewares.len() > 2, "{name}");
        for (middleware, config) in middlewares {
            let config = &config["plugin"]["jwt"];
            compiled(config);
            let tests = config["tests"].as_array().unwrap();
            assert!(tests.iter().any(|test| test["expect"] == "allow"), "{name} {middleware}");
            assert!(tests.iter().any(|test| test["expect"] != "allow"), "{name} {middleware}");
            let fetches = !config["jwksUrl"].is_null() || !config["discovery"].is_null();
            let keeps = config["jwksCache"]["directory"].is_string();
            assert_eq!(fetches, keeps, "{name} {middleware}: what is fetched is kept");
        }
    }
}

#[test]
fn every_option_has_a_row() {
    let has_row = |page: &str, option: &str| {
        let name = format!("`{option}`");
        page.lines().any(|line| line.split('|').nth(1).is_some_and(|cell| cell.contains(&name)))
    };
    for (page, options) in [
        (
            AGILEZEBRA,
            "issuers secret secrets secretBase64Encoded skipPrefetch delayPrefetch refreshKeysInterval require headerMap \
             removeMissingHeaders cookieName headerName parameterName redirectUnauthorized redirectForbidden freshness \
             forwardToken optional unauthenticatedMethods insecureSkipVerify rootCAs validMethods",
        ),
        (
            JWT_PLUGIN,
            "OpaUrl OpaAllowField OpaBody OpaDebugMode OpaHeaders OpaResponseHeaders OpaHttpStatusField PayloadFields \
             Required Keys ForceRefreshKeys Alg Iss Aud JwtHeaders JwksHeaders JwtCookieKey JwtQueryKey JwtSources \
             JwksFetchTimeoutSecs",
        ),
        (
            HUB,
            "signingSecret signingSecretBase64Encoded publicKey jwksFile jwksUrl claims forwardHeaders \
             forwardAuthorization tokenQueryKey tokenKey usernameClaim stripAuthorizationHeader clientConfig",
        ),
    ] {
        let missing: Vec<&str> = options.split(' ').filter(|option| !has_row(page, option)).collect();
        assert!(missing.is_empty(), "{missing:?}");
    }
}
