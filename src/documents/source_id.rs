//! Names of documents among instances and routers.

use sha2::{Digest, Sha256};

use crate::core::fetching::{ClientRules, RequestHeader, ServerRules, TextSource};

/// Names one document for all instances of a router and for all routers that fetch it in the same way: a digest of its
/// kind, its location, and everything else that affects the result of a GET.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SourceId(pub [u8; 16]);

impl SourceId {
    /// The digest of `parts`, in the given order.
    pub fn of(parts: &[&[u8]]) -> Self {
        let mut digest = Sha256::new();
        for part in parts {
            // The length comes first, so that no two lists hash the same bytes; it has one size on every machine.
            digest.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_le_bytes());
            digest.update(part);
        }
        let mut id = [0; 16];
        for (to, from) in id.iter_mut().zip(digest.finalize()) {
            *to = from;
        }
        Self(id)
    }

    /// Names the result of a GET with `client` from `place`, the kind and the location of the document. The name covers
    /// everything that the result depends on, including credentials and trust, so that a document is never obtained with
    /// another source's settings. Values from files count by their path.
    pub fn of_source(place: [&str; 2], client: &ClientRules) -> Self {
        let mut parts = parts(place, client);
        parts.push(client.proxy.as_ref().and_then(|proxy| proxy.user.clone()).unwrap_or_default());
        parts.push(client.server.identity.as_ref().map(|(_, key)| text(key)).unwrap_or_default());
        for header in &client.server.headers {
            parts.extend(named(header));
            parts.push(text(&header.value));
        }
        of_all(&parts)
    }

    /// As [`Self::of_source`], for a name that others may read: it covers nothing that would help to guess a secret. `None`
    /// if the configuration itself has values of headers: two routers that send different values must not share a file.
    pub fn public(place: [&str; 2], client: &ClientRules) -> Option<Self> {
        // Neither the password of a proxy nor the private key of a certificate changes the result.
        let mut parts = parts(place, client);
        for header in &client.server.headers {
            match &header.value {
                TextSource::Inline(_) => return None,
                TextSource::File(_) => {
                    parts.extend(named(header));
                    parts.push(text(&header.value));
                }
            }
        }
        Some(of_all(&parts))
    }
}

/// One part for each setting, so that different settings give different lists.
fn parts([kind, location]: [&str; 2], client: &ClientRules) -> Vec<Vec<u8>> {
    let ClientRules {
        ca,
        insecure_skip_verify,
        allow_http,
        proxy,
        no_proxy,
        server: ServerRules { headers, identity, server_name, withheld: _ },
        // These decide when an attempt ends, not what its result is.
        timeout: _,
        max_retries: _,
    } = client;
    vec![
        kind.into(),
        location.into(),
        ca.as_ref().map(text).unwrap_or_default(),
        insecure_skip_verify.to_string().into(),
        allow_http.to_string().into(),
        identity.as_ref().map(|(certificates, _)| text(certificates)).unwrap_or_default(),
        server_name.clone().unwrap_or_default().into(),
        proxy.as_ref().map(|proxy| proxy.url.to_string()).unwrap_or_default().into(),
        no_proxy.clone().into(),
        headers.len().to_string().into(),
    ]
}

fn named(header: &RequestHeader) -> [Vec<u8>; 2] {
    [header.name.clone().into(), header.scheme.clone().into()]
}

fn text(source: &TextSource) -> Vec<u8> {
    match source {
        TextSource::Inline(text) => format!("={text}").into(),
        TextSource::File(path) => format!("<{path}").into(),
    }
}

fn of_all(parts: &[Vec<u8>]) -> SourceId {
    SourceId::of(&parts.iter().map(Vec::as_slice).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::SourceId;

    #[test]
    fn a_source_is_named_by_all_of_its_parts() {
        let ids = [SourceId::of(&[b"ab", b"c"]), SourceId::of(&[b"a", b"bc"]), SourceId::of(&[b"abc"])];
        assert!(ids[0] != ids[1] && ids[1] != ids[2] && ids[0] != ids[2]);
    }
}
