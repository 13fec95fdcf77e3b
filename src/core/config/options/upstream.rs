//! What the upstream gets.

use crate::core::answer::field_value::Lists;
use crate::core::answer::forward::MissingClaim;
use crate::core::answer::managed::PayloadFormat;
use crate::core::config::options::row::{inherited, rows, top, words};
use crate::core::config::options::syntax::RESPONSE_HEADER;
use crate::core::config::options::{Kind, Row, Table, Words};

words! {
    /// `forwardLists`.
    LISTS: Lists = { "json" => Lists::Json, "comma" => Lists::Comma };
    /// `missingClaim`.
    MISSING: MissingClaim = { "remove" => MissingClaim::Remove, "empty" => MissingClaim::Empty };
    /// `forwardPayloadFormat`.
    PAYLOAD_FORMATS: PayloadFormat = { "base64url" => PayloadFormat::Base64url, "json" => PayloadFormat::Json };
}

rows! {
    "What the upstream gets";

    /// Header and the claim that fills it, the first of several (`email|sub`), or a text with claims in braces.
    FORWARD_HEADERS = inherited("forwardHeaders", Kind::Map).or_empty().otherwise("`X-User-Sub: sub`");

    /// How a list becomes one value.
    FORWARD_LISTS = top("forwardLists", Kind::Word(LISTS.names, 0));

    /// What becomes of a header whose claim is missing.
    MISSING_CLAIM = top("missingClaim", Kind::Word(MISSING.names, 0));

    /// Header with all claims.
    PAYLOAD_HEADER = top("forwardPayloadHeader", Kind::Text).or_empty();

    /// How the claims stand in it: as they came in the token, or as JSON on one line.
    PAYLOAD_FORMAT = top("forwardPayloadFormat", Kind::Word(PAYLOAD_FORMATS.names, 0));

    /// Whether the token goes on to the upstream.
    FORWARD_AUTHORIZATION = top("forwardAuthorization", Kind::Flag(true));

    /// Headers with what became of the request: `allow`, `anonymous`, or the code of the refusal.
    VERDICT = top("verdictHeader", Kind::Object).or_empty();

    /// Header of the request.
    VERDICT_REQUEST = top("verdictHeader.request", Kind::Text).or_empty();

    /// Header of the response.
    VERDICT_RESPONSE = top("verdictHeader.response", Kind::Text).like(&RESPONSE_HEADER).or_empty();
}
