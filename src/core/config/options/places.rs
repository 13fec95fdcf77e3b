//! Where the token is.

use crate::core::config::options::row::{rows, top, words};
use crate::core::config::options::syntax::{COOKIE, NAME, PARAMETER, SCHEME};
use crate::core::config::options::{Kind, Range, Row, Shared, Table, Words};
use crate::core::limits::MAX_TOKEN_BYTES;
use crate::core::token::source::Encoding;

const TOKEN_BYTES: Range = Range { least: 64, most: MAX_TOKEN_BYTES, default: 16_384, unit: "bytes" };

words! {
    /// `tokenSources[].encoding`.
    ENCODINGS: Encoding = { "plain" => Encoding::Plain, "base64url" => Encoding::Base64url };
}

rows! {
    "Where the token is";

    /// Places that are looked at, in this order; each entry names one place.
    TOKEN_SOURCES = top("tokenSources", Kind::Objects(Shared::Nothing)).otherwise("`Authorization` with `Bearer`");

    /// Name of a header.
    SOURCE_HEADER = top("tokenSources[].header", Kind::Text).like(&NAME);

    /// Scheme before the token in a header or cookie; `Bearer?` may be left out, an empty one takes the whole value.
    SOURCE_SCHEME = top("tokenSources[].scheme", Kind::Text).like(&SCHEME).or_empty()
        .otherwise("`Bearer` in `Authorization`, none elsewhere");

    /// The parts of a token in this header may have padding (`=`).
    SOURCE_PADDING = top("tokenSources[].padding", Kind::Flag(false));

    /// Name of a cookie.
    SOURCE_COOKIE = top("tokenSources[].cookie", Kind::Text).like(&COOKIE);

    /// Name of a query parameter.
    SOURCE_QUERY = top("tokenSources[].query", Kind::Text).like(&PARAMETER);

    /// Subprotocol before the token: `Sec-WebSocket-Protocol: NAME, TOKEN`.
    SOURCE_WS_PROTOCOL = top("tokenSources[].webSocketProtocol", Kind::Text).like(&NAME);

    /// Beginning of the one subprotocol that is the prefix and the token.
    SOURCE_WS_PREFIX = top("tokenSources[].webSocketPrefix", Kind::Text).like(&NAME);

    /// How the token behind `webSocketPrefix` is written.
    SOURCE_ENCODING = top("tokenSources[].encoding", Kind::Word(ENCODINGS.names, 0));

    /// Query parameter that is looked at after `Authorization`.
    TOKEN_KEY = top("tokenKey", Kind::Text).like(&PARAMETER).or_empty();

    /// Another name of `tokenKey`.
    TOKEN_QUERY_KEY = top("tokenQueryKey", Kind::Text).like(&PARAMETER).or_empty();

    /// Longer tokens are refused unread.
    MAX_TOKEN = top("maxTokenBytes", Kind::Whole(&TOKEN_BYTES));
}
