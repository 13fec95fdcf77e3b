//! What clients get.

use crate::core::answer::BodyFormat;
use crate::core::config::options::row::{rows, top, words};
use crate::core::config::options::syntax::{MEDIA_TYPE, ORIGIN_OR_ALL, REDIRECT, RESPONSE_HEADER};
use crate::core::config::options::{Kind, Range, Row, Table, Words};

const UNAVAILABLE: Range = Range { least: 400, most: 599, default: 503, unit: "status" };

words! {
    /// `errors.format`.
    FORMATS: BodyFormat = {
        "json" => BodyFormat::Json,
        "problem" => BodyFormat::Problem,
        "text" => BodyFormat::Text,
        "empty" => BodyFormat::Empty,
    };
}

rows! {
    "Answers";

    /// How refusals are answered.
    ERRORS = top("errors", Kind::Object).or_empty();

    /// Format of the body; `problem` is RFC 9457. gRPC requests get gRPC errors in every format.
    ERRORS_FORMAT = top("errors.format", Kind::Word(FORMATS.names, 0));

    /// A body of your own, with `{status}`, `{title}`, `{code}` and `{description}`.
    ERRORS_BODY = top("errors.body", Kind::Text).or_empty();

    /// Media type of `errors.body`.
    ERRORS_CONTENT_TYPE = top("errors.contentType", Kind::Text).like(&MEDIA_TYPE).or_empty().otherwise("`text/html; charset=utf-8`");

    /// `realm` of the challenge.
    ERRORS_REALM = top("errors.realm", Kind::Text).or_empty();

    /// Say why, in body and challenge.
    ERRORS_DETAILS = top("errors.details", Kind::Flag(false));

    /// Response header with the code of the refusal.
    ERRORS_CODE_HEADER = top("errors.codeHeader", Kind::Text).like(&RESPONSE_HEADER).or_empty();

    /// Where browsers go for a 401, with `{url}` for the original URL in its query.
    ERRORS_REDIRECT = top("errors.redirectUrl", Kind::Text).like(&REDIRECT).or_empty();

    /// Where browsers go for a 403, in the same form.
    ERRORS_FORBIDDEN_REDIRECT = top("errors.forbiddenRedirectUrl", Kind::Text).like(&REDIRECT).or_empty();

    /// Origins whose pages may read refusals, or `*`.
    ERRORS_CORS = top("errors.cors", Kind::List).like(&ORIGIN_OR_ALL).or_empty();

    /// Status if keys cannot be had.
    UNAVAILABLE_STATUS = top("unavailableStatus", Kind::Whole(&UNAVAILABLE));

    /// The document of RFC 9728, which the challenge names.
    METADATA = top("resourceMetadata", Kind::Object).or_empty();

    /// Identifier of this API: an absolute URL.
    METADATA_RESOURCE = top("resourceMetadata.resource", Kind::Text).or_empty();

    /// Where tokens come from.
    METADATA_SERVERS = top("resourceMetadata.authorizationServers", Kind::List).or_empty().otherwise("the issuers");

    /// Scopes that clients may ask for.
    METADATA_SCOPES = top("resourceMetadata.scopesSupported", Kind::List).or_empty()
        .otherwise("all that may be demanded");

    /// Name of this API for people.
    METADATA_NAME = top("resourceMetadata.resourceName", Kind::Text);

    /// Values of `type` in `authorization_details` (RFC 9396).
    METADATA_DETAILS = top("resourceMetadata.authorizationDetailsTypesSupported", Kind::List);
}
