//! Protected Resource Metadata (RFC 9728): the document, where it is, and the parameter that points to it.

use crate::core::answer::Served;
use crate::core::answer::verdict::Label;
use crate::core::request::{RequestView, uri};
use crate::core::text::{self, Quoted};
use crate::core::url::Url;

const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

/// `resourceMetadata`, compiled: the document is the same for every request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceMetadata {
    /// Path of the document on this route: the well-known path, then the path of the resource (RFC 9728 3.1).
    path: String,
    /// Absolute URL of the document.
    url: String,
    document: String,
}

/// Members of the document beside `resource`; those that are empty or false are left out (RFC 9728 3.2).
#[derive(Clone, Debug, Default)]
pub struct Members<'m> {
    /// `authorization_servers`.
    pub authorization_servers: &'m [String],
    /// `scopes_supported`.
    pub scopes: &'m [String],
    /// `resource_name`.
    pub name: &'m str,
    /// `authorization_details_types_supported`.
    pub authorization_details_types: &'m [String],
    /// What it says of proofs of possession.
    pub proofs: ProofMetadata,
}

/// What the document says of proofs of possession (RFC 9728 2).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProofMetadata {
    /// `dpop_signing_alg_values_supported`; empty for none.
    pub dpop_algorithms: Vec<&'static str>,
    /// `dpop_bound_access_tokens_required`.
    pub is_dpop_required: bool,
    /// `tls_client_certificate_bound_access_tokens`.
    pub has_mtls: bool,
}

impl ResourceMetadata {
    /// Compiles the document. `None` if `resource` is not an absolute http(s) URL, or has a query or fragment
    /// (RFC 9728 1.2).
    #[must_use]
    pub fn new(resource: &str, members: &Members<'_>) -> Option<Self> {
        let url = Url::parse(resource).filter(|_| !resource.contains(['?', '#']))?;
        // A resource that is only a host has no path to insert; its lone slash is dropped (RFC 9728 3.1).
        let path = format!("{WELL_KNOWN}{}", if url.path() == "/" { "" } else { url.path() });
        let list = |list: &[String]| if list.is_empty() { String::new() } else { text::list(list) };
        let names = |list: &[&str]| if list.is_empty() { String::new() } else { text::list(list) };
        let flag = |is_set: bool| if is_set { "true".to_owned() } else { String::new() };
        let name = if members.name.is_empty() { String::new() } else { Quoted(members.name).to_string() };
        let members = [
            ("resource", Quoted(resource).to_string()),
            ("resource_name", name),
            ("authorization_servers", list(members.authorization_servers)),
            ("scopes_supported", list(members.scopes)),
            ("bearer_methods_supported", text::list(&["header"])),
            ("authorization_details_types_supported", list(members.authorization_details_types)),
            ("dpop_signing_alg_values_supported", names(&members.proofs.dpop_algorithms)),
            ("dpop_bound_access_tokens_required", flag(members.proofs.is_dpop_required)),
            ("tls_client_certificate_bound_access_tokens", flag(members.proofs.has_mtls)),
        ];
        let written = members.iter().filter(|(_, value)| !value.is_empty());
        let members: Vec<String> = written.map(|(name, value)| format!("\"{name}\":{value}")).collect();
        let document = format!("{{{}}}", members.join(","));
        Some(Self { url: format!("{}{path}", url.origin), path, document })
    }

    /// Absolute URL of the document, for `resource_metadata` of the challenge (RFC 9728 5.1).
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The document, if `request` asks for it. It is public: no token, any origin.
    pub fn serve(&self, request: &dyn RequestView) -> Option<Served> {
        if uri::path(request.uri()) != self.path.as_bytes() {
            return None;
        }
        let mut headers = vec![("Access-Control-Allow-Origin", "*".to_owned())];
        match request.method() {
            "GET" | "HEAD" => {
                headers.push(("Content-Type", "application/json".into()));
                headers.push(("Cache-Control", "public, max-age=3600".into()));
                let body =
                    if request.method() == "HEAD" { Vec::new() } else { self.document.clone().into_bytes() };
                Some(Served { status: 200, headers, body, label: Label::default() })
            }
            "OPTIONS" => {
                headers.push(("Access-Control-Allow-Methods", "GET, HEAD".into()));
                headers.push(("Access-Control-Allow-Headers", "*".into()));
                headers.push(("Access-Control-Max-Age", "3600".into()));
                Some(Served { status: 204, headers, body: Vec::new(), label: Label::default() })
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Members, ProofMetadata, ResourceMetadata};
    use crate::core::request::RecordedRequest;

    #[test]
    fn rfc_9728_3_1_the_path_of_the_resource_is_inserted() {
        for (resource, url) in [
            ("https://api.example", Some("https://api.example/.well-known/oauth-protected-resource")),
            ("https://api.example/", Some("https://api.example/.well-known/oauth-protected-resource")),
            ("https://api.example/mcp", Some("https://api.example/.well-known/oauth-protected-resource/mcp")),
            (
                "https://api.example:8443/a/b/",
                Some("https://api.example:8443/.well-known/oauth-protected-resource/a/b/"),
            ),
            ("https://api.example/a?b", None),
            ("https://api.example/a#b", None),
            ("https:///a", None),
            ("https://user@api.example/a", None),
            ("https://api.example:port/a", None),
            ("https://api.example/\u{e9}", None),
            ("urn:x", None),
        ] {
            assert_eq!(
                ResourceMetadata::new(resource, &Members::default()).as_ref().map(ResourceMetadata::url),
                url,
                "{resource}"
            );
        }
    }

    const fn members(servers: &[String]) -> Members<'_> {
        Members {
            authorization_servers: servers,
            scopes: &[],
            name: "",
            authorization_details_types: &[],
            proofs: ProofMetadata { dpop_algorithms: vec![], is_dpop_required: false, has_mtls: false },
        }
    }

    #[test]
    fn rfc_9728_2_every_member() {
        let texts = |text: &str| vec![text.to_owned()];
        let (servers, scopes, types) = (texts("https://a"), texts("read"), texts("payment"));
        let metadata = ResourceMetadata::new(
            "https://api.example",
            &Members {
                authorization_servers: &servers,
                scopes: &scopes,
                name: "The \"API\"",
                authorization_details_types: &types,
                proofs: ProofMetadata {
                    dpop_algorithms: vec!["ES256"],
                    is_dpop_required: true,
                    has_mtls: true,
                },
            },
        );
        assert_eq!(
            metadata.unwrap().document,
            concat!(
                r#"{"resource":"https://api.example","resource_name":"The \"API\"","#,
                r#""authorization_servers":["https://a"],"scopes_supported":["read"],"#,
                r#""bearer_methods_supported":["header"],"authorization_details_types_supported":["payment"],"#,
                r#""dpop_signing_alg_values_supported":["ES256"],"dpop_bound_access_tokens_required":true,"#,
                r#""tls_client_certificate_bound_access_tokens":true}"#
            )
        );
    }

    #[test]
    fn the_document_is_public_and_only_at_its_path() {
        let metadata =
            ResourceMetadata::new("https://api.example/mcp", &members(&["https://idp.example".into()]))
                .unwrap();
        let at = |method, uri| metadata.serve(&RecordedRequest::new(method, uri));
        let served = at("GET", "/.well-known/oauth-protected-resource/mcp?x=1").unwrap();
        assert_eq!(served.status, 200);
        assert_eq!(
            String::from_utf8(served.body).unwrap(),
            r#"{"resource":"https://api.example/mcp","authorization_servers":["https://idp.example"],"bearer_methods_supported":["header"]}"#
        );
        assert!(served.headers.contains(&("Access-Control-Allow-Origin", "*".into())));
        assert!(at("HEAD", "/.well-known/oauth-protected-resource/mcp").unwrap().body.is_empty());
        assert_eq!(at("OPTIONS", "/.well-known/oauth-protected-resource/mcp").unwrap().status, 204);
        assert_eq!(at("POST", "/.well-known/oauth-protected-resource/mcp"), None);
        assert_eq!(at("GET", "/.well-known/oauth-protected-resource"), None);
        assert_eq!(at("GET", "/.well-known/oauth-protected-resource/mcp/"), None);
        assert_eq!(at("GET", "/mcp"), None);
    }
}
