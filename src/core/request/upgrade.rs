//! `Upgrade` (RFC 9110 7.8): what a client would go on with on its connection.

/// Whether one of the protocols in `values` is another version of HTTP, or TLS with one in it. Behind a change to it come
/// further requests, of which no proxy on the way sees the headers (RFC 7540 3.2: h2c). What comes behind a WebSocket, SPDY
/// of `kubectl exec` or a raw stream belongs to the request that asked for it.
#[inline(never)]
pub fn leads_to_requests(values: &[Vec<u8>]) -> bool {
    let protocols = values.iter().flat_map(|value| value.split(|byte| *byte == b','));
    protocols.map(<[u8]>::trim_ascii).any(|protocol| {
        let begins =
            |name: &[u8]| protocol.get(..name.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(name));
        [&b"h2"[..], b"h3", b"http", b"tls", b"ssl"].into_iter().any(begins)
    })
}

#[cfg(test)]
mod tests {
    use super::leads_to_requests;

    #[test]
    fn other_versions_of_http_and_tls() {
        for (values, expected) in [
            (&["h2c"][..], true),
            (&["H2C"], true),
            (&["h2"], true),
            (&["h3"], true),
            (&["HTTP/2.0"], true),
            (&["http/1.1"], true),
            (&["HTTP/2.0;q=1"], true),
            (&["TLS/1.0, HTTP/1.1"], true),
            (&["SSL/3.0"], true),
            (&["websocket, h2c"], true),
            (&["websocket,\th2c"], true),
            (&["websocket", "h2c"], true),
            (&["websocket"], false),
            (&["WebSocket"], false),
            (&["SPDY/3.1"], false),
            (&["tcp"], false),
            (&["connect-udp"], false),
            (&["h"], false),
            (&[""], false),
            (&[], false),
        ] {
            let values: Vec<Vec<u8>> = values.iter().map(|value| value.as_bytes().to_vec()).collect();
            assert_eq!(leads_to_requests(&values), expected, "{values:?}");
        }
    }
}
