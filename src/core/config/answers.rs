//! Options that say how refusals are answered.

use crate::core::answer::browser::Redirect;
use crate::core::answer::cors::Origins;
use crate::core::answer::forward::ForwardRules;
use crate::core::answer::resource_metadata::ResourceMetadata;
use crate::core::answer::{AnswerRules, BodyFormat, Details};
use crate::core::config::coerce::{Section, Shown};
use crate::core::config::error::Errors;
use crate::core::config::upstream::header_name;
use crate::core::config::{forward_auth, operators};
use crate::core::limits::{MAX_ERROR_BODY_BYTES, MAX_REALM_BYTES};
use crate::core::text::quoted;
use crate::core::token::source::TokenSources;

/// `answerAs`, `trustedPeers`, `errors`, `unavailableStatus`, `resourceMetadata`, `status`, `log`.
#[inline(never)]
pub(super) fn answer_rules(
    root: &Section,
    issuers: &[String],
    token: &TokenSources,
    forward: &ForwardRules,
    errors: &mut Errors,
) -> AnswerRules {
    let section = root.section("errors", errors);
    AnswerRules {
        answer_as: forward_auth::answer_as(root, forward, errors),
        format: format(&section, errors),
        challenge_scheme: token.challenge_scheme().to_owned(),
        realm: realm(&section, errors),
        details: if section.boolean("details", false, errors) { Details::Show } else { Details::Hide },
        code_header: header_name(&section, "codeHeader", errors),
        redirect: redirect(&section, "redirectUrl", token, errors),
        forbidden_redirect: redirect(&section, "forbiddenRedirectUrl", token, errors),
        cors: cors(&section, errors),
        unavailable_status: u16::try_from(root.integer("unavailableStatus", 503, 400..=599, errors))
            .unwrap_or(503),
        resource_metadata: resource_metadata(root, issuers, errors),
        status: operators::status_rules(root, errors),
        log: operators::log_rules(root, errors),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Word {
    Json,
    Problem,
    Text,
    Empty,
}

fn format(section: &Section, errors: &mut Errors) -> BodyFormat {
    let words =
        [("json", Word::Json), ("problem", Word::Problem), ("text", Word::Text), ("empty", Word::Empty)];
    let word = section.choice("format", Word::Json, &words, errors);
    let content_type = section.text("contentType", Shown::Plain, errors);
    if let Some(template) = section.text("body", Shown::Plain, errors) {
        if section.has("format") {
            errors.conflict(section.path("body"), "is a format of its own; leave errors.format out");
        }
        if template.len() > MAX_ERROR_BODY_BYTES {
            errors.value(
                section.path("body"),
                format!("{} bytes", template.len()),
                format!("at most {MAX_ERROR_BODY_BYTES} bytes"),
            );
        }
        let content_type = content_type.unwrap_or_else(|| "text/html; charset=utf-8".into());
        if content_type.chars().any(|c| c.is_control() || !c.is_ascii()) {
            errors.value(section.path("contentType"), quoted(&content_type), "a media type");
        }
        return BodyFormat::Custom { content_type, template };
    }
    if content_type.is_some() {
        errors.conflict(section.path("contentType"), "belongs to errors.body, which is not set");
    }
    match word {
        Word::Json => BodyFormat::Json,
        Word::Problem => BodyFormat::Problem,
        Word::Text => BodyFormat::Text,
        Word::Empty => BodyFormat::Empty,
    }
}

fn realm(section: &Section, errors: &mut Errors) -> String {
    let realm = section.text("realm", Shown::Plain, errors).unwrap_or_default();
    if !realm.chars().all(|c| matches!(c, ' '..='~')) || realm.len() > MAX_REALM_BYTES {
        errors.value(
            section.path("realm"),
            quoted(&realm),
            format!("at most {MAX_REALM_BYTES} printable ASCII characters"),
        );
        return String::new();
    }
    realm
}

fn redirect(section: &Section, key: &str, token: &TokenSources, errors: &mut Errors) -> Option<Redirect> {
    let template = section.text(key, Shown::Plain, errors)?;
    let before = template.split("{url}").next().unwrap_or_default();
    let authority_end =
        before.find("://").and_then(|at| before.get(at.saturating_add(3)..)?.find(['/', '?']));
    let absolute =
        (template.starts_with("https://") || template.starts_with("http://")) && authority_end.is_some();
    // The original URL may only be inside a query, where its encoding holds.
    let in_query = !template.contains("{url}") || before.contains('?');
    let text = template.bytes().all(|byte| matches!(byte, 0x21..=0x7e));
    if !(absolute && in_query && text) {
        errors.value(
            section.path(key),
            quoted(&template),
            "an absolute URL, https://host/path?parameter={url}, with {url} only in its query",
        );
        return None;
    }
    Some(Redirect { template, token_parameters: token.query_parameters().map(str::to_owned).collect() })
}

fn cors(section: &Section, errors: &mut Errors) -> Origins {
    let allowed = section.list("cors", errors).unwrap_or_default();
    for origin in &allowed {
        let serialized = origin.split_once("://").is_some_and(|(scheme, host)| {
            !scheme.is_empty()
                && !host.is_empty()
                && !host.contains(['/', '?', '#', '@', '*'])
                && origin.bytes().all(|byte| matches!(byte, 0x21..=0x7e) && !byte.is_ascii_uppercase())
        });
        if origin != "*" && !serialized {
            errors.value(section.path("cors"), quoted(origin), "origins such as https://app.example, or *");
        }
    }
    Origins { allowed }
}

fn resource_metadata(root: &Section, issuers: &[String], errors: &mut Errors) -> Option<ResourceMetadata> {
    let section = root.section("resourceMetadata", errors);
    let servers = section.list("authorizationServers", errors);
    let scopes = section.list("scopesSupported", errors).unwrap_or_default();
    let Some(resource) = section.text("resource", Shown::Plain, errors) else {
        if !section.is_empty() {
            errors.conflict(section.path("resource"), "is needed with the other options of resourceMetadata");
        }
        return None;
    };
    let servers = servers.unwrap_or_else(|| issuers.to_vec());
    if servers.is_empty() {
        errors.conflict(
            section.path("authorizationServers"),
            "is needed where there is no issuer to take its place",
        );
    }
    let metadata = ResourceMetadata::new(&resource, &servers, &scopes);
    if metadata.is_none() {
        errors.value(
            section.path("resource"),
            quoted(&resource),
            "an absolute URL without query and fragment",
        );
    }
    metadata
}
