//! Tests inside the configuration.

use crate::core::config::options::row::{rows, top};
use crate::core::config::options::syntax::OUTCOME;
use crate::core::config::options::{Kind, Row, Shared, Table};

rows! {
    "Tests inside the configuration";

    /// Sample tokens and requests that run through the same rules at load; one with another outcome refuses the
    /// configuration.
    TESTS = top("tests", Kind::Objects(Shared::Nothing)).or_empty();

    /// Shown when the test fails.
    TEST_NAME = top("tests[].name", Kind::Text).or_empty();

    /// Claims of the token; `iss`, `iat` and `exp` are added if they are not written, `null` removes one.
    TEST_CLAIMS = top("tests[].claims", Kind::Json).or_empty().otherwise("no token");

    /// `typ` of the header of the token.
    TEST_TYP = top("tests[].typ", Kind::Text).or_empty();

    /// When the test takes place: RFC 3339, or seconds since 1970.
    TEST_NOW = top("tests[].now", Kind::Time).otherwise("`2026-01-01T00:00:00Z`");

    /// The request.
    TEST_REQUEST = top("tests[].request", Kind::Object).or_empty();

    /// Its method.
    TEST_METHOD = top("tests[].request.method", Kind::Text).or_empty().otherwise("`GET`");

    /// Its path, with the query.
    TEST_PATH = top("tests[].request.path", Kind::Text).or_empty().otherwise("`/`");

    /// Its headers.
    TEST_HEADERS = top("tests[].request.headers", Kind::Map).or_empty();

    /// `allow`, `deny`, or the code of a refusal such as `scope_insufficient`.
    TEST_EXPECT = top("tests[].expect", Kind::Text).like(&OUTCOME).or_empty();
}
