//! Options that say which tokens are accepted, at the top level and in `trustedIssuers`.

use crate::core::claims::ClaimRules;
use crate::core::claims::binding::{BindingRules, BoundTokens};
use crate::core::claims::expression::Expression;
use crate::core::claims::registered::TokenType;
use crate::core::claims::scope::{Match, ScopeRules};
use crate::core::claims::tenant::IssuerTemplate;
use crate::core::claims::validity::{MaxAge, Since, TimeRules};
use crate::core::config::coerce::{Section, Shown, found};
use crate::core::config::error::{Errors, Problem};
use crate::core::config::schema;
use crate::core::json::{Kind, Value};
use crate::core::limits::{MAX_CLOCK_SKEW_SECONDS, MAX_TOKEN_AGE_SECONDS};
use crate::core::request::header_name::is_field_name;
use crate::core::text::quoted;
use crate::core::token::claims_set::ClaimPath;
use crate::core::unix_time::Seconds;

/// The rules of `section`; what it does not say is as in `defaults`.
#[inline(never)]
pub(super) fn claim_rules(section: &Section, defaults: &ClaimRules, errors: &mut Errors) -> ClaimRules {
    ClaimRules {
        audience: section.list("audience", errors).unwrap_or_else(|| defaults.audience.clone()),
        required: required_claims(section, errors).unwrap_or_else(|| defaults.required.clone()),
        token_type: token_type(section, errors).unwrap_or_else(|| defaults.token_type.clone()),
        time: TimeRules {
            clock_skew: skew(section, defaults.time.clock_skew, errors),
            // What is written holds at both ends.
            ahead: if section.has("clockSkewSeconds") {
                skew(section, defaults.time.ahead, &mut Errors::default())
            } else {
                defaults.time.ahead
            },
            max_lifetime: span(section, "maxLifetimeSeconds", defaults.time.max_lifetime, errors),
            max_age: max_age(section, defaults.time.max_age, errors),
        },
        scopes: if section.has("scopes") { scopes(section, errors) } else { defaults.scopes.clone() },
        binding: BindingRules {
            bound_tokens: section.choice(
                "boundTokens",
                defaults.binding.bound_tokens,
                &[("refuse", BoundTokens::Refuse), ("accept", BoundTokens::Accept)],
                errors,
            ),
            ..defaults.binding
        },
        expression: expression(section, errors).or_else(|| defaults.expression.clone()),
        templates: Vec::new(),
    }
}

/// Accepted values of `iss`: those that stand as they are, and those with `{tenant}` in them.
#[derive(Default)]
pub(super) struct IssuerNames {
    pub(super) exact: Vec<String>,
    pub(super) templates: Vec<IssuerTemplate>,
}

/// `issuer`, `tenants`, `tenantClaim`. Names are compared byte for byte, so nothing is trimmed.
#[inline(never)]
pub(super) fn issuer_names(section: &Section, errors: &mut Errors) -> IssuerNames {
    let names = match section.raw("issuer").map(|value| (value, value.kind())) {
        None => Vec::new(),
        Some((value, Kind::String)) if is_issuer(value) => {
            let names = split_issuers(value.as_str().unwrap_or_default());
            if let [one] = names.as_slice()
                && one.contains(',')
                && one.contains("://")
            {
                let expected =
                    "URLs alone between commas, or a list as JSON, such as [\"https://a.example/x,y\"]";
                errors.value(section.path("issuer"), quoted(one), expected);
            }
            names
        }
        Some((_, Kind::Array | Kind::String)) => section.list("issuer", errors).unwrap_or_default(),
        Some((other, Kind::Null | Kind::True | Kind::False | Kind::Number | Kind::Object)) => {
            let expected = "a string in quotes, or a list of strings";
            errors.value(section.path("issuer"), found(other, Shown::Plain), expected);
            Vec::new()
        }
    };
    let (templates, exact): (Vec<_>, Vec<_>) = names.into_iter().partition(|name| name.contains(['{', '}']));
    let tenants = section.list("tenants", errors).unwrap_or_default();
    let claim = claim_path(section, "tenantClaim", errors);
    if templates.is_empty() && (section.has("tenants") || section.has("tenantClaim")) {
        let option = if section.has("tenants") { "tenants" } else { "tenantClaim" };
        errors.conflict(section.path(option), "needs an issuer with {tenant} in it");
    }
    // Entra asks its clients to compare both (tid), so that is what happens where nothing is said.
    let claim = if tenants.is_empty() { claim.or_else(|| ClaimPath::parse("tid")) } else { claim };
    let mut parsed = Vec::with_capacity(templates.len());
    for text in templates {
        match IssuerTemplate::new(&text, tenants.clone(), claim.clone()) {
            Some(template) => parsed.push(template),
            None => {
                let expected = "an issuer, or one with a single {tenant} behind its beginning";
                errors.value(section.path("issuer"), quoted(&text), expected);
            }
        }
    }
    IssuerNames { exact, templates: parsed }
}

/// Whether a string is an issuer, and no list as JSON.
fn is_issuer(value: Value<'_>) -> bool {
    value.as_str().is_some_and(|text| !text.is_empty() && !text.trim_start().starts_with('['))
}

/// A StringOrURI may hold a comma, so a text is one issuer, unless a URL follows every comma: that is what Traefik's
/// KV providers make of a list.
fn split_issuers(text: &str) -> Vec<String> {
    let parts = || text.split(',').map(str::trim);
    if parts().all(|part| part.contains("://")) {
        parts().map(str::to_owned).collect()
    } else {
        vec![text.to_owned()]
    }
}

/// `none`, or an empty list as JSON, asks for no claim at all. A list that is empty as it stands is no rule, and refused.
fn required_claims(section: &Section, errors: &mut Errors) -> Option<Vec<String>> {
    let claims = section.list(schema::REQUIRED_CLAIMS, errors)?;
    match claims.iter().position(|claim| claim == "none") {
        None => Some(claims),
        Some(_) if claims.len() == 1 => Some(Vec::new()),
        Some(at) => {
            let path = format!("{}[{at}]", section.path(schema::REQUIRED_CLAIMS));
            errors.conflict(path, "none stands alone; beside it are claims that are required");
            None
        }
    }
}

fn token_type(section: &Section, errors: &mut Errors) -> Option<TokenType> {
    let text = section.text("tokenType", Shown::Plain, errors)?;
    if text == "access" {
        return Some(TokenType::Access);
    }
    if !text.split('/').all(is_field_name) {
        errors.value(section.path("tokenType"), quoted(&text), "access, or a typ such as at+jwt");
    }
    Some(TokenType::Typ(text))
}

fn skew(section: &Section, default: Seconds, errors: &mut Errors) -> Seconds {
    section.seconds("clockSkewSeconds", default.0, 0..=MAX_CLOCK_SKEW_SECONDS, errors)
}

/// A span in seconds; 0 is none.
fn span(section: &Section, key: &str, default: Option<Seconds>, errors: &mut Errors) -> Option<Seconds> {
    let seconds = section.integer(key, default.map_or(0, |span| span.0), 0..=MAX_TOKEN_AGE_SECONDS, errors);
    (seconds != 0).then_some(Seconds(seconds))
}

fn max_age(section: &Section, default: Option<MaxAge>, errors: &mut Errors) -> Option<MaxAge> {
    let since = default.map(|max_age| max_age.since).unwrap_or_default();
    let claims = [("iat", Since::Issued), ("auth_time", Since::SignedIn)];
    let since = section.choice("maxAgeClaim", since, &claims, errors);
    let span = span(section, "maxAgeSeconds", default.map(|max_age| max_age.span), errors);
    let misnamed = errors.misnamed(&section.path(""), &["maxAgeSeconds"]);
    if span.is_none() && section.has("maxAgeClaim") && !misnamed {
        errors.conflict(section.path("maxAgeClaim"), "needs maxAgeSeconds");
    }
    span.map(|span| MaxAge { span, since })
}

fn scopes(section: &Section, errors: &mut Errors) -> Option<ScopeRules> {
    let told = errors.len();
    let scopes = section.section("scopes", errors);
    // What is empty or no object has been told.
    if scopes.is_empty() || errors.len() != told {
        return None;
    }
    let list = scopes.list("required", errors).unwrap_or_default();
    // A scope has no space in it, so "read write" is two.
    let required: Vec<String> =
        list.iter().flat_map(|text| text.split_ascii_whitespace()).map(str::to_owned).collect();
    // RFC 6749 3.3; the challenge repeats them between quotes.
    let is_scope = |scope: &String| {
        scope.bytes().all(|byte| matches!(byte, b'!'..=b'~') && !matches!(byte, b'"' | b'\\'))
    };
    let misnamed = required.is_empty() && errors.misnamed(&scopes.path(""), &["scopes.required"]);
    if (required.is_empty() || !required.iter().all(is_scope)) && !misnamed {
        errors.value(scopes.path("required"), quoted(&list.join(",")), "at least one scope (RFC 6749 3.3)");
    }
    Some(ScopeRules {
        required,
        matching: scopes.choice("match", Match::All, &[("all", Match::All), ("any", Match::Any)], errors),
        claim: claim_path(&scopes, "claim", errors),
    })
}

/// What is expected of a claim that is named like a URL.
pub(super) fn escaped(whole: &ClaimPath) -> String {
    format!("{whole}: without the backslash, a dot is a step into an object")
}

fn claim_path(section: &Section, key: &str, errors: &mut Errors) -> Option<ClaimPath> {
    let text = section.text(key, Shown::Plain, errors)?;
    let path = ClaimPath::parse(&text);
    match path.as_ref().map(ClaimPath::with_whole_host) {
        None => {
            errors.value(section.path(key), quoted(&text), "a claim, or a path such as realm_access.roles")
        }
        Some(Some(whole)) => errors.value(section.path(key), quoted(&text), escaped(&whole)),
        Some(None) => {}
    }
    path
}

fn expression(section: &Section, errors: &mut Errors) -> Option<Expression> {
    let text = section.text("claims", Shown::Plain, errors)?;
    match Expression::parse(text) {
        Ok(expression) => Some(expression),
        Err(error) => {
            errors.push(section.path("claims"), Problem::Expression { error });
            None
        }
    }
}
