//! nginx with TLS in front of the key set: its handshakes, its entity tags, its compression and its errors.

use std::fs;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use testbed::certificate::Issued;
use testbed::http::Request;
use testbed::keys;
use testbed::port::free_address;
use testbed::tokens::Token;
use testbed::traefik::{FETCH, Process, Routes, Setup, Traefik, temporary_directory};
use testbed::upstream::Upstream;
use testbed::wait::{unix_now, wait};

use crate::need;

/// A `server` of nginx on a port of its own.
pub(crate) struct Server {
    name: &'static str,
    directives: &'static str,
    /// What its log says of the request for the keys: status, TLS, `Content-Encoding`; none where there is no handshake.
    seen: &'static str,
    /// The code at a client's request.
    expected: u16,
}

/// Where `provider` of [`SERVERS`] looks for one, in nginx's directory.
pub(crate) const SOCKET: &str = "provider.sock";

pub(crate) const SERVERS: &[Server] = &[
    Server { name: "tls12", directives: "ssl_protocols TLSv1.2;", seen: "200 TLSv1.2 -", expected: 200 },
    Server { name: "tls13", directives: "ssl_protocols TLSv1.3;", seen: "200 TLSv1.3 -", expected: 200 },
    Server {
        name: "tls12-rsa",
        directives: "ssl_protocols TLSv1.2; ssl_certificate rsa.pem; ssl_certificate_key rsa.key;",
        seen: "200 TLSv1.2 -",
        expected: 200,
    },
    Server {
        name: "tls13-rsa",
        directives: "ssl_protocols TLSv1.3; ssl_certificate rsa.pem; ssl_certificate_key rsa.key;",
        seen: "200 TLSv1.3 -",
        expected: 200,
    },
    // As old a server as OpenSSL still makes one; it does not come to a request.
    Server {
        name: "tls11",
        directives: "ssl_protocols TLSv1.1; ssl_ciphers ALL:@SECLEVEL=0;",
        seen: "",
        expected: 503,
    },
    Server { name: "close", directives: "keepalive_timeout 0;", seen: "200 TLSv1.3 -", expected: 200 },
    // Compressed whatever the client accepts: a file, and in chunks by a server behind.
    Server { name: "gzip-file", directives: "gzip_static always;", seen: "200 TLSv1.3 gzip", expected: 200 },
    Server {
        name: "gzip-chunked",
        directives: "location / { proxy_pass http://unix:inner.sock:; proxy_http_version 1.1; proxy_set_header Accept-Encoding gzip; }",
        seen: "200 TLSv1.3 gzip",
        expected: 200,
    },
    Server {
        name: "redirect",
        directives: "location = /jwks.json { return 301 /elsewhere/jwks.json; }",
        seen: "301 TLSv1.3 -",
        expected: 200,
    },
    Server {
        name: "credentials",
        directives: "if ($http_x_key != secret) { return 403; }",
        seen: "200 TLSv1.3 -",
        expected: 200,
    },
    Server {
        name: "forbidden",
        directives: "if ($http_x_key != other) { return 403; }",
        seen: "403 TLSv1.3 -",
        expected: 503,
    },
    // Nobody is behind it, unless a test puts a provider there.
    Server {
        name: "provider",
        directives: "location / {
            proxy_pass http://unix:provider.sock:;
            proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-Proto $scheme;
        }",
        seen: "502 TLSv1.3 -",
        expected: 503,
    },
    // Another name than the one in the request would not be answered at all.
    Server { name: "sni", directives: "server_name localhost;", seen: "200 TLSv1.3 -", expected: 200 },
];

/// A running nginx, until it is dropped.
pub(crate) struct Nginx {
    process: Process,
    directory: PathBuf,
    ports: Vec<u16>,
    ca_pem: String,
}

impl Nginx {
    pub(crate) fn start(servers: &[Server]) -> Self {
        let directory = temporary_directory("nginx");
        let (p256, rsa) = (Issued::p256("the CA of nginx"), Issued::of_key("the other CA of nginx", "rsa"));
        let file = |name: &str, text: &str| fs::write(directory.join(name), text).unwrap();
        file("p256.pem", &p256.certificate.pem());
        file("p256.key", &p256.key.serialize_pem());
        file("rsa.pem", &rsa.certificate.pem());
        file("rsa.key", &rsa.key.serialize_pem());
        fs::create_dir_all(directory.join("www/elsewhere")).unwrap();
        let ports: Vec<u16> = servers.iter().map(|_| free_address().port()).collect();
        file("nginx.conf", &configuration(servers, &ports));
        let mut command = Command::new(need::nginx().unwrap());
        command.args(["-e", "stderr", "-c", "nginx.conf", "-p"]).arg(&directory).current_dir(&directory);
        let ca_pem = format!("{}{}", p256.ca_pem, rsa.ca_pem);
        file("ca.pem", &ca_pem);
        let nginx = Self { process: Process::start(command), directory, ports, ca_pem };
        nginx.publish(&keys::public_set());
        wait("nginx listens", 10, || {
            assert!(nginx.process.is_alive(), "nginx ended");
            nginx.ports.iter().all(|port| TcpStream::connect(("127.0.0.1", *port)).is_ok()).then_some(())
        });
        nginx
    }

    /// The key set from now on, also compressed.
    fn publish(&self, set: &Value) {
        for folder in ["www/elsewhere", "www"] {
            let folder = self.directory.join(folder);
            fs::write(folder.join("part"), set.to_string()).unwrap();
            let compressed = Command::new("gzip").arg("-c").arg(folder.join("part")).output().unwrap().stdout;
            fs::write(folder.join("part.gz"), compressed).unwrap();
            for (part, file) in [("part.gz", "jwks.json.gz"), ("part", "jwks.json")] {
                fs::rename(folder.join(part), folder.join(file)).unwrap();
            }
        }
    }

    /// Requests at a server so far: `STATUS TLS ENCODING|PROTOCOL|IF-NONE-MATCH|ETAG`.
    pub(crate) fn seen(&self, server: usize) -> Vec<String> {
        let port = format!("{} ", self.ports[server]);
        let log = fs::read_to_string(self.directory.join("access.log")).unwrap_or_default();
        log.lines().filter_map(|line| line.strip_prefix(&port)).map(str::to_owned).collect()
    }

    pub(crate) fn url(&self, server: usize) -> String {
        format!("https://localhost:{}", self.ports[server])
    }

    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Both CAs.
    pub(crate) fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    fn configuration(&self, server: usize) -> Value {
        json!({
            "jwksUrl": format!("{}/jwks.json", self.url(server)),
            "issuer": "https://idp.example/",
            "clientConfig": {"tls": {"ca": self.ca_pem}, "headers": {"X-Key": "secret"}, "maxRetries": 0},
            "jwksCache": {"cooldownSeconds": 1},
        })
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        self.process.end();
        if std::thread::panicking() {
            for file in ["stderr", "access.log"] {
                let text = fs::read_to_string(self.directory.join(file)).unwrap_or_default();
                eprintln!("nginx {file}:\n{text}");
            }
        }
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// The number of the server in [`SERVERS`] with this name.
pub(crate) fn server_named(name: &str) -> usize {
    SERVERS.iter().position(|server| server.name == name).unwrap()
}

/// One process, so that its end is the end of nginx.
fn configuration(servers: &[Server], ports: &[u16]) -> String {
    let mut text = String::from(
        "daemon off; master_process off; pid pid; error_log stderr info; events {}
        http {
            log_format seen '$server_port $status $ssl_protocol $sent_http_content_encoding|$server_protocol|'
                '$http_if_none_match|$sent_http_etag';
            client_body_temp_path temporary; proxy_temp_path temporary; fastcgi_temp_path temporary;
            uwsgi_temp_path temporary; scgi_temp_path temporary;
            types { application/json json; }
            root www;
            ssl_certificate p256.pem; ssl_certificate_key p256.key; ssl_protocols TLSv1.2 TLSv1.3;
            access_log off;
            server {
                listen unix:inner.sock;
                gzip on; gzip_types application/json; gzip_min_length 1; gzip_proxied any;
            }
        ",
    );
    for (server, port) in servers.iter().zip(ports) {
        if server.directives.contains("server_name") {
            text.push_str(&format!(
                "server {{ listen 127.0.0.1:{port} ssl default_server; ssl_reject_handshake on; }}\n"
            ));
        }
        // http2 where it is offered is not what the plugin speaks.
        text.push_str(&format!(
            "server {{ listen 127.0.0.1:{port} ssl http2; access_log access.log seen; {} }}\n",
            server.directives
        ));
    }
    text.push('}');
    text
}

fn token(alg: &str) -> String {
    Token::new(alg, json!({"iss": "https://idp.example/", "exp": unix_now() + 600})).mint()
}

/// One route for each way of serving a key set.
pub(crate) fn forms() {
    let nginx = Nginx::start(SERVERS);
    let upstream = Upstream::start();
    let mut routes = Routes::to(&upstream.url());
    for (number, server) in SERVERS.iter().enumerate() {
        routes.protect(server.name, FETCH, &nginx.configuration(number));
    }
    let mut stranger = nginx.configuration(0);
    stranger["clientConfig"]["tls"]["ca"] = json!(Issued::p256("a CA that did not sign").ca_pem);
    routes.protect("stranger", FETCH, &stranger);
    let traefik = Traefik::start(&Setup { plugins: vec![FETCH], ..Setup::default() });
    traefik.configure(&routes);
    let status = |host: &str| traefik.send(&Request::get(host, "/").bearer(&token("EdDSA"))).status;
    assert_eq!(status("stranger"), 503);
    assert!(nginx.seen(0).is_empty(), "a request without a trusted certificate: {:?}", nginx.seen(0));
    for (number, server) in SERVERS.iter().enumerate() {
        assert_eq!(status(server.name), server.expected, "{}", server.name);
        let seen = nginx.seen(number);
        let first = seen.first().map_or("", |line| line.split('|').next().unwrap_or_default());
        assert_eq!(first, server.seen, "{}: {seen:?}", server.name);
        assert!(seen.iter().all(|line| line.contains("|HTTP/1.1|")), "{}: {seen:?}", server.name);
    }
}

/// A set that did not change is not sent again, one that did is taken over; with strong tags and with the weak ones of
/// compressed answers.
pub(crate) fn conditional() {
    let nginx = Nginx::start(SERVERS);
    let upstream = Upstream::start();
    let mut routes = Routes::to(&upstream.url());
    let chosen = ["tls12", "tls13", "gzip-file", "gzip-chunked"];
    for name in chosen {
        let mut configuration = nginx.configuration(server_named(name));
        configuration["jwksCache"] = json!({"cooldownSeconds": 1, "ttlSeconds": 1});
        routes.protect(name, FETCH, &configuration);
    }
    let traefik = Traefik::start(&Setup { plugins: vec![FETCH], ..Setup::default() });
    traefik.configure(&routes);
    let status = |host: &str, alg: &str| traefik.send(&Request::get(host, "/").bearer(&token(alg))).status;
    for name in chosen {
        wait(&format!("{name}: not modified"), 15, || {
            assert_eq!(status(name, "EdDSA"), 200, "{name}");
            nginx.seen(server_named(name)).iter().any(|line| line.starts_with("304 ")).then_some(())
        });
        let seen = nginx.seen(server_named(name));
        let first: Vec<&str> = seen[0].split('|').collect();
        let second = seen.iter().find(|line| line.starts_with("304 ")).unwrap();
        assert_eq!((first[2], second.split('|').nth(2)), ("-", Some(first[3])), "{name}: {seen:?}");
        assert_eq!(first[3].starts_with("W/"), name == "gzip-chunked", "{name}: {seen:?}");
        assert_eq!(status(name, "EdDSA"), 200, "{name}");
    }
    nginx.publish(&keys::jwk_set(&["rsa"]));
    for name in chosen {
        wait(&format!("{name}: modified"), 15, || (status(name, "EdDSA") == 401).then_some(()));
        assert_eq!(status(name, "RS256"), 200, "{name}");
    }
}
