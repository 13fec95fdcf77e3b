//! Small stand-ins for the two servers that Traefik takes configuration from and that cannot run in a test: Docker's API and
//! that of Kubernetes. They answer what Traefik's providers ask for, and nothing changes while they run.

use std::io::{BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::http::read_lines;
use crate::port;

/// What is answered.
enum Answer {
    /// This document, with 200.
    Json(Value),
    /// This status, and the document.
    Status(u16, Value),
    /// A stream of events in which none comes.
    Silence,
}

/// A server on a free port of 127.0.0.1. It ends with the process.
pub struct StandIn {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
}

impl StandIn {
    fn start(answer: impl Fn(&str, &str) -> Answer + Send + Sync + 'static) -> Self {
        let listener = port::listen_at("127.0.0.1:0");
        let address = listener.local_addr().unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (answer, log) = (Arc::new(answer), Arc::clone(&asked));
        std::thread::spawn(move || accept(&listener, &answer, &log));
        Self { address, asked }
    }

    /// Docker's Engine API with these running containers: a name, labels, and the port at which 127.0.0.1 answers for it.
    pub fn docker(containers: Vec<(String, Value, u16)>) -> Self {
        let containers: Vec<Value> = containers.iter().map(container).collect();
        Self::start(move |_, target| {
            let (path, _) = target.split_once('?').unwrap_or((target, ""));
            // /v1.47/containers/json
            let path = match path.strip_prefix("/v1.") {
                Some(rest) => rest.split_once('/').map_or("", |(_, rest)| rest),
                None => path.trim_start_matches('/'),
            };
            match path {
                "_ping" => Answer::Json(json!("OK")),
                "version" => {
                    Answer::Json(json!({"Version": "28.0.0", "ApiVersion": "1.47", "MinAPIVersion": "1.24"}))
                }
                "events" => Answer::Silence,
                // In a list the state is a word, in the answer about one of them an object.
                "containers/json" => Answer::Json(listed(&containers)),
                _ => {
                    let id = path.strip_prefix("containers/").and_then(|path| path.strip_suffix("/json"));
                    match containers.iter().find(|container| id.is_some_and(|id| container["Id"] == id)) {
                        Some(container) => Answer::Json(container.clone()),
                        None => Answer::Status(404, json!({"message": "no such object"})),
                    }
                }
            }
        })
    }

    /// A server that answers everything with this document.
    pub fn json(document: Value) -> Self {
        Self::start(move |_, _| Answer::Json(document.clone()))
    }

    /// The API of Kubernetes with these objects, each as `kubectl` would apply it.
    pub fn kubernetes(objects: Vec<Value>) -> Self {
        Self::start(move |method, target| {
            let (path, query) = target.split_once('?').unwrap_or((target, ""));
            if method != "GET" {
                // The status of an object that a provider writes.
                return Answer::Json(json!({}));
            }
            // Clients of 2026 ask for a list as a stream first, and take a refusal for an older server.
            if query.contains("sendInitialEvents=true") {
                return Answer::Status(
                    422,
                    json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "Invalid", "code": 422}),
                );
            }
            if query.contains("watch=") {
                return Answer::Silence;
            }
            let words: Vec<&str> = path.trim_matches('/').split('/').collect();
            // /api/v1/…, /apis/GROUP/VERSION/…, then perhaps namespaces/NAME/ before the resource and a name.
            let (version, rest) = match words.as_slice() {
                ["api", version, rest @ ..] => ((*version).to_owned(), rest),
                ["apis", group, version, rest @ ..] => (format!("{group}/{version}"), rest),
                _ => return Answer::Json(json!({"major": "1", "minor": "34", "gitVersion": "v1.34.0"})),
            };
            let (namespace, rest) = match rest {
                ["namespaces", namespace, rest @ ..] if !rest.is_empty() => (Some(*namespace), rest),
                rest => (None, rest),
            };
            let Some(resource) = rest.first() else { return resources(&version, &objects) };
            let is_meant = |object: &&Value| {
                object["apiVersion"] == version
                    && plural(object) == *resource
                    && namespace.is_none_or(|namespace| object["metadata"]["namespace"] == namespace)
            };
            match rest.get(1) {
                None => Answer::Json(json!({
                    "kind": list_kind(resource), "apiVersion": version, "metadata": {"resourceVersion": "1"},
                    "items": objects.iter().filter(is_meant).collect::<Vec<_>>(),
                })),
                Some(name) => {
                    match objects.iter().filter(is_meant).find(|object| object["metadata"]["name"] == *name) {
                        Some(object) => Answer::Json(object.clone()),
                        None => Answer::Status(
                            404,
                            json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound", "code": 404}),
                        ),
                    }
                }
            }
        })
    }

    /// `127.0.0.1:PORT`
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Methods and targets that were asked for.
    ///
    /// # Panics
    /// When a thread of the server has panicked.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

fn container((name, labels, port): &(String, Value, u16)) -> Value {
    let address = json!({"IPAddress": "127.0.0.1", "NetworkID": "host", "EndpointID": "1"});
    let exposed = format!("{port}/tcp");
    json!({
        "Id": name, "Name": format!("/{name}"), "Names": [format!("/{name}")], "Image": name, "Labels": labels,
        "State": {"Status": "running", "Running": true},
        "Config": {"Labels": labels, "ExposedPorts": {exposed.clone(): {}}},
        "HostConfig": {"NetworkMode": "bridge"},
        "NetworkSettings": {"Networks": {"bridge": address}, "Ports": {exposed: []}},
    })
}

/// The kinds that Traefik's providers list, for lists of nothing.
const KINDS: &[&str] = &[
    "BackendTLSPolicy",
    "ConfigMap",
    "EndpointSlice",
    "GRPCRoute",
    "Gateway",
    "GatewayClass",
    "HTTPRoute",
    "Ingress",
    "IngressClass",
    "IngressRoute",
    "IngressRouteTCP",
    "IngressRouteUDP",
    "Middleware",
    "MiddlewareTCP",
    "Namespace",
    "Node",
    "ReferenceGrant",
    "Secret",
    "ServersTransport",
    "ServersTransportTCP",
    "Service",
    "TCPRoute",
    "TLSOption",
    "TLSRoute",
    "TLSStore",
    "TraefikService",
];

/// A typed client takes a list by its kind alone.
fn list_kind(resource: &str) -> String {
    let kind = KINDS.iter().find(|kind| plural(&json!({"kind": kind})) == resource);
    format!("{}List", kind.unwrap_or(&""))
}

fn listed(containers: &[Value]) -> Value {
    let with_word = |container: &Value| {
        let mut container = container.clone();
        container["State"] = json!("running");
        container["Ports"] = json!([]);
        container
    };
    containers.iter().map(with_word).collect()
}

/// The resource that objects of a kind are listed under.
fn plural(object: &Value) -> String {
    let kind = object["kind"].as_str().unwrap_or_default().to_ascii_lowercase();
    match kind.strip_suffix('y') {
        // Not "gateways".
        Some(stem) if kind.ends_with("cy") => format!("{stem}ies"),
        _ if kind.ends_with("ss") => format!("{kind}es"),
        _ => format!("{kind}s"),
    }
}

/// What discovery says of a group: what objects there are.
fn resources(version: &str, objects: &[Value]) -> Answer {
    let of_it = objects.iter().filter(|object| object["apiVersion"] == version);
    let resources: Vec<Value> = of_it
        .map(|object| json!({"name": plural(object), "kind": object["kind"], "namespaced": true, "verbs": ["get", "list", "watch"]}))
        .collect();
    Answer::Json(
        json!({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": version, "resources": resources}),
    )
}

fn accept(
    listener: &TcpListener,
    answer: &Arc<impl Fn(&str, &str) -> Answer + Send + Sync + 'static>,
    asked: &Arc<Mutex<Vec<String>>>,
) {
    for stream in listener.incoming() {
        let (Ok(stream), answer, asked) = (stream, Arc::clone(answer), Arc::clone(asked)) else { continue };
        std::thread::spawn(move || {
            // Clients close connections as they like.
            let _ = serve(stream, &*answer, &asked);
        });
    }
}

fn serve(
    stream: TcpStream,
    answer: &impl Fn(&str, &str) -> Answer,
    asked: &Mutex<Vec<String>>,
) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut stream = stream;
    let (first, _) = read_lines(&mut reader)?;
    let mut words = first.split(' ');
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    asked.lock().unwrap().push(format!("{method} {target}"));
    let (status, document) = match answer(method, target) {
        Answer::Json(document) => (200, document),
        Answer::Status(status, document) => (status, document),
        Answer::Silence => {
            stream.write_all(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n",
            )?;
            loop {
                std::thread::sleep(std::time::Duration::from_secs(3600));
            }
        }
    };
    let body = if method == "HEAD" { String::new() } else { document.to_string() };
    let length = body.len();
    write!(
        stream,
        "HTTP/1.1 {status} OK\r\nApi-Version: 1.47\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\
         Connection: close\r\n\r\n{body}"
    )
}
