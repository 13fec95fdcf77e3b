//! What comes from servers and proxies, and what is sent to them.

use std::io::Read;

use flate2::bufread::GzDecoder;
use traefik_jwt_auth::core::url::Url;
use traefik_jwt_auth::core::url::proxy::Proxy;
use traefik_jwt_auth::documents::document::Document;
use traefik_jwt_auth::documents::fetch::{FetchError, Fetched};
use traefik_jwt_auth::host::fetch::http::{self, Answer, Progress, RequestParts, ResponseReader};
use traefik_jwt_auth::host::fetch::{gzip as ours, proxy};

use crate::cut::{choice, parts, text};
use crate::mark::mark;

const MAX_BODY: usize = 4_096;

/// An answer is the same in whatever pieces it comes, never longer than asked for, and its head is what `httparse` reads.
pub(super) fn response(input: &[u8]) {
    let (choice, bytes) = choice(input, 16);
    let conditional = choice % 2 == 1;
    let whole = read(bytes, usize::MAX, conditional);
    for step in [1, 2, choice + 3] {
        assert_eq!(read(bytes, step, conditional), whole, "in pieces of {step}");
    }
    match &whole {
        Ok(Answer::Final(Fetched::Document(Document { body, .. }))) => {
            mark("a document");
            assert!(body.len() <= MAX_BODY);
        }
        Ok(Answer::Final(Fetched::NotModified { .. })) => assert!(conditional),
        Ok(Answer::Redirect { .. }) => mark("a redirect"),
        Err(_) => mark("refused"),
    }
    if let Ok(answer) = whole {
        head(bytes, &answer);
    }
    let _ = proxy::read_reply(&mut ResponseReader::of_tunnel(), bytes);
}

fn read(bytes: &[u8], step: usize, conditional: bool) -> Result<Answer, FetchError> {
    let mut reader = ResponseReader::new(MAX_BODY, conditional);
    for piece in bytes.chunks(step) {
        if reader.push(piece)? == Progress::Complete {
            return reader.into_answer();
        }
    }
    reader.end_of_stream()?;
    reader.into_answer()
}

/// `httparse` accepts the head of every answer that is accepted here, and reads the same fields in it. By rule:
/// - interim answers come first;
/// - of repeated fields the last `ETag` counts, lists are joined;
/// - bytes that are not UTF-8 are replaced here.
fn head(mut bytes: &[u8], answer: &Answer) {
    loop {
        let mut fields = [httparse::EMPTY_HEADER; 2_048];
        let mut theirs = httparse::Response::new(&mut fields);
        let length = match theirs.parse(bytes) {
            Ok(httparse::Status::Complete(length)) => length,
            // A reason phrase has no meaning, so its bytes are not looked at here.
            Err(httparse::Error::Status) => return,
            other => panic!("{other:?} there"),
        };
        let status = theirs.code.expect("a status");
        if (100..=199).contains(&status) {
            bytes = &bytes[length..];
            continue;
        }
        mark("a head");
        let values = |name: &str| -> Vec<String> {
            let fields = theirs.headers.iter().filter(|field| field.name.eq_ignore_ascii_case(name));
            fields.map(|field| text(field.value.trim_ascii())).collect()
        };
        match answer {
            Answer::Final(Fetched::Document(document)) => {
                assert_eq!(status, 200);
                assert_eq!(document.cache_control, joined(&values("cache-control")));
                assert_eq!(document.etag.as_ref(), values("etag").last());
                let behind = &bytes[length..];
                let is_plain =
                    values("transfer-encoding").is_empty() && values("content-encoding").is_empty();
                if is_plain {
                    let length = values("content-length").first().map_or(behind.len(), |value| {
                        value.split(',').next().expect("one").trim().parse().expect("a length")
                    });
                    assert_eq!(document.body, &behind[..length]);
                }
            }
            Answer::Final(Fetched::NotModified { cache_control }) => {
                assert_eq!((status, cache_control), (304, &joined(&values("cache-control"))));
            }
            Answer::Redirect { location } => {
                assert!([301, 302, 303, 307, 308].contains(&status));
                assert!(values("location").iter().all(|value| value == location));
            }
        }
        return;
    }
}

/// Values of one list; empty ones in front say nothing.
fn joined(values: &[String]) -> String {
    values.iter().fold(String::new(), |list, value| {
        if list.is_empty() { value.clone() } else { format!("{list}, {value}") }
    })
}

/// Nothing of the configuration, of a document or of a proxy's URL becomes a line of its own.
pub(super) fn request(input: &[u8]) {
    let [url, proxy, name, value, etag, accept] = parts(input).map(text);
    let Some(url) = Url::parse(&url) else { return };
    let proxy = Proxy::parse(&proxy);
    let _ = proxy::is_exempt(&url.origin, &value);
    let lines = |bytes: &[u8]| {
        let text = text(bytes);
        let head = text.strip_suffix("\r\n\r\n").expect("a head");
        let is_line = |line: &str| !line.is_empty() && !line.contains(['\r', '\n', '\0']);
        assert!(head.split("\r\n").all(is_line), "{text:?}");
        head.split("\r\n").count()
    };
    if let Some(proxy) = &proxy {
        mark("a tunnel");
        lines(&proxy::connect(proxy, &url.origin, input.len() % 64));
    }
    let headers = [(name, value)];
    let wanted =
        |headers, etag| RequestParts { accept: &accept, headers, etag, proxy: proxy.as_ref(), padding: 7 };
    let (Ok(bare), Ok(whole)) =
        (http::request(&url, &wanted(&[], None)), http::request(&url, &wanted(&headers, Some(&etag))))
    else {
        mark("refused");
        return;
    };
    mark("a request");
    assert_eq!(lines(&bare) + 2, lines(&whole));
}

/// Inflated as `zlib-rs` does it, with the sum and the length behind it. By rule:
/// - one member, and nothing behind it;
/// - the sum of the head (FHCRC) is skipped here;
/// - flags that RFC 1952 reserves refuse here, there not all of them.
pub(super) fn gzip(input: &[u8]) {
    let mine = ours::decode(input, MAX_BODY);
    let mut reader = GzDecoder::new(input);
    let mut theirs = Vec::new();
    let ends = (&mut reader).take(MAX_BODY as u64 + 1).read_to_end(&mut theirs);
    let is_whole = ends.is_ok() && theirs.len() <= MAX_BODY && reader.into_inner().is_empty();
    let flags = input.get(3).copied().unwrap_or_default();
    match mine {
        Ok(content) => {
            mark("content");
            assert!(is_whole || flags & 2 != 0, "content here, {ends:?} there");
            assert!(content == theirs || flags & 2 != 0);
        }
        Err(FetchError::TooLarge) => {
            mark("too large");
            assert!(!is_whole);
        }
        Err(error) => {
            mark("refused");
            assert!(!is_whole || flags & 0xe0 != 0, "{error:?} here, {} bytes there", theirs.len());
        }
    }
}
