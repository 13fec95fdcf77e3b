//! Places and requests of the tests of this folder.

use crate::core::request::RecordedRequest;
use crate::core::token::source::{Form, TokenPlace, TokenSources};

pub(super) fn header(name: &str, scheme: &str) -> TokenPlace {
    TokenPlace::Header { name: name.into(), form: scheme.into() }
}

pub(super) fn cookie(name: &str) -> TokenPlace {
    TokenPlace::Cookie { name: name.into(), form: Form::default() }
}

pub(super) fn every_place() -> TokenSources {
    TokenSources {
        places: vec![
            header("Authorization", "Bearer"),
            header("X-Token", ""),
            cookie("jwt"),
            cookie("jwt2"),
            TokenPlace::Query { name: "token".into() },
            TokenPlace::WebSocketProtocol { marker: "bearer".into() },
        ],
        max_bytes: 8,
    }
}

/// A request from its target and its header lines.
pub(super) fn request(uri: &str, lines: &[&str]) -> RecordedRequest {
    lines.iter().fold(RecordedRequest::new("GET", uri), |request, line| {
        let (name, value) = line.split_once(':').unwrap();
        request.header(name, value.strip_prefix(' ').unwrap_or(value))
    })
}
