//! What a server's certificate may be: the same chains for the plugin and for Traefik's own client, which is Go's.

use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use testbed::http::Request;
use testbed::jwks_server::JwksServer;
use testbed::keys;
use testbed::port::{free_address, listen_at};
use testbed::traefik::{FETCH, Process, Routes, Setup, Traefik, temporary_directory};
use testbed::upstream::Upstream;
use testbed::wait::wait;

use crate::certificate_rules;
use crate::proxy::token;

/// Kinds of keys, and how openssl makes one.
const KEYS: [(&str, &[&str]); 11] = [
    ("rsa2048", &["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"]),
    ("p256", &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"]),
    ("rsa3072", &["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:3072"]),
    ("p521", &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-521"]),
    ("ed25519", &["-algorithm", "ED25519"]),
    ("p384", &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"]),
    ("rsa4096", &["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:4096"]),
    // From here on for single cases.
    ("rsa1024", &["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024"]),
    ("rsapss", &["-algorithm", "RSA-PSS", "-pkeyopt", "rsa_keygen_bits:2048"]),
    ("secp256k1", &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:secp256k1"]),
    ("other", &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"]),
];
const IN_MATRIX: usize = 7;
const HASHES: [&str; 3] = ["sha256", "sha384", "sha512"];
const VERSIONS: [&str; 2] = ["-tls1_2", "-tls1_3"];

pub(crate) const AUTHORITY: &str = "basicConstraints=critical,CA:TRUE";
const NO_AUTHORITY: &str = "basicConstraints=CA:FALSE";
const PAST: &str = "20200101000000Z";
const FUTURE: &str = "20490101000000Z";
pub(crate) const ENDED: &str = "20210203040506Z";
pub(crate) const NOT_BEGUN: &str = "20480203040506Z";

/// Who takes a chain.
pub(crate) enum Taken {
    /// The plugin and Go's client.
    Both,
    /// None of them; the log of the plugin says why.
    Nobody(&'static str),
    /// The plugin alone, for this reason.
    PluginAlone(&'static str),
    /// Go's client alone: the reason, and what the log of the plugin says.
    GoAlone(&'static str, &'static str),
}
use Taken::{Both, GoAlone, Nobody, PluginAlone};

struct Case {
    name: String,
    /// What is trusted.
    root: String,
    address: SocketAddr,
    server_name: String,
    taken: Taken,
    /// The same with `insecureSkipVerify`.
    unverified: Taken,
    _server: Option<Process>,
}

/// A certificate to be.
#[derive(Clone, Copy)]
pub(crate) struct Wanted<'a> {
    pub(crate) subject: &'a str,
    pub(crate) key: &'a str,
    /// Certificate and key; none signs itself.
    pub(crate) issuer: Option<(&'a str, &'a str)>,
    pub(crate) hash: &'a str,
    pub(crate) extensions: &'a str,
    pub(crate) from: &'a str,
    pub(crate) until: &'a str,
}

pub(crate) const LEAF: Wanted<'_> = Wanted {
    subject: "idp.test",
    key: "p256",
    issuer: Some(("root", "p384")),
    hash: "sha256",
    extensions: "subjectAltName=DNS:idp.test",
    from: PAST,
    until: FUTURE,
};
pub(crate) const ROOT: Wanted<'_> =
    Wanted { subject: "root", key: "p384", issuer: None, extensions: AUTHORITY, ..LEAF };
pub(crate) const MIDDLE: Wanted<'_> =
    Wanted { subject: "middle", key: "other", extensions: AUTHORITY, ..LEAF };

pub(crate) struct Workshop {
    directory: PathBuf,
    cases: Vec<Case>,
}

fn openssl(directory: &Path, arguments: &[&str]) {
    let output = Command::new("openssl").args(arguments).current_dir(directory).output();
    let output = output.unwrap_or_else(|error| panic!("openssl: {error}"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "openssl {arguments:?}: {said}");
}

impl Workshop {
    fn new() -> Self {
        let directory = temporary_directory("certificates");
        let configuration = "[ca]\ndefault_ca=d\n[d]\ndatabase=index\nnew_certs_dir=.\npolicy=p\n\
                             unique_subject=no\nrand_serial=yes\n[p]\ncommonName=supplied\n";
        fs::write(directory.join("cnf"), configuration).unwrap();
        fs::write(directory.join("index"), "").unwrap();
        let body = keys::public_set().to_string();
        let length = body.len();
        let head = "HTTP/1.0 200 OK\r\nContent-Type: application/json\r\nContent-Length:";
        fs::write(directory.join("jwks.json"), format!("{head} {length}\r\n\r\n{body}")).unwrap();
        let making: Vec<_> = KEYS
            .iter()
            .map(|(name, how)| {
                let mut command = Command::new("openssl");
                command.args(["genpkey", "-out", &format!("{name}.key")]).args(*how);
                command.current_dir(&directory).stderr(Stdio::null());
                command.spawn().unwrap_or_else(|error| panic!("openssl: {error}"))
            })
            .collect();
        for mut key in making {
            assert!(key.wait().unwrap().success());
        }
        Self { directory, cases: Vec::new() }
    }

    /// Makes the certificate, in the file `name`.
    pub(crate) fn issue(&self, name: &str, wanted: &Wanted<'_>) {
        let file = |name: &str, what: &str| format!("{name}.{what}");
        let (key, request, extensions) = (file(wanted.key, "key"), file(name, "csr"), file(name, "ext"));
        fs::write(self.directory.join(&extensions), wanted.extensions).unwrap();
        let subject = format!("/CN={}", wanted.subject);
        openssl(&self.directory, &["req", "-new", "-key", &key, "-subj", &subject, "-out", &request]);
        let mut arguments = vec!["ca", "-batch", "-config", "cnf", "-notext"];
        arguments.extend(["-in", &request, "-out", name, "-md", wanted.hash, "-extfile", &extensions]);
        arguments.extend(["-startdate", wanted.from, "-enddate", wanted.until]);
        let issuer_key = wanted.issuer.map(|(_, key)| file(key, "key"));
        match (wanted.issuer, &issuer_key) {
            (Some((certificate, _)), Some(key)) => {
                arguments.extend(["-cert", certificate, "-keyfile", key]);
            }
            _ => arguments.extend(["-selfsign", "-keyfile", &key]),
        }
        openssl(&self.directory, &arguments);
    }

    /// A server with the certificate `leaf`, further options, and what becomes of it if `root` is trusted.
    pub(crate) fn serve(
        &mut self,
        name: &str,
        root: &str,
        (leaf, key): (&str, &str),
        options: &[&str],
        taken: Taken,
    ) {
        let address = free_address();
        let mut command = Command::new("openssl");
        command
            .args(["s_server", "-quiet", "-HTTP", "-cipher", "DEFAULT@SECLEVEL=0"])
            .args(["-accept", &address.to_string(), "-cert", leaf, "-key", &format!("{key}.key")])
            .args(options)
            .current_dir(&self.directory);
        self.add(name, root, address, Some(Process::start(command)), taken);
    }

    fn add(&mut self, name: &str, root: &str, address: SocketAddr, server: Option<Process>, taken: Taken) {
        self.cases.push(Case {
            name: name.to_owned(),
            root: root.to_owned(),
            address,
            server_name: "idp.test".into(),
            taken,
            unverified: Both,
            _server: server,
        });
    }

    /// What becomes of the last case if certificates are not verified; without it, both take it.
    pub(crate) fn unverified(&mut self, taken: Taken) {
        self.cases.last_mut().unwrap().unverified = taken;
    }

    /// The certificates of `names` in one file.
    pub(crate) fn join(&self, file: &str, names: &[&str]) {
        let texts = names.iter().map(|name| fs::read(self.directory.join(name)).unwrap());
        fs::write(self.directory.join(file), texts.collect::<Vec<_>>().concat()).unwrap();
    }

    /// The name that both ask for and expect, of the last case.
    pub(crate) fn asked_for(&mut self, name: &str) {
        self.cases.last_mut().unwrap().server_name = name.to_owned();
    }

    /// A certificate and a server with it, for the usual root.
    pub(crate) fn leaf(&mut self, name: &str, wanted: &Wanted<'_>, taken: Taken) {
        self.issue(name, wanted);
        self.serve(name, "root", (name, wanted.key), &[], taken);
    }
}

/// Every root, hash and version, each with and without a certificate in between; leaves take turns.
fn algorithms(workshop: &mut Workshop) {
    let kinds: Vec<&str> = KEYS[..IN_MATRIX].iter().map(|(name, _)| *name).collect();
    let mut number = 0;
    for root in &kinds {
        // Ed25519 has its own.
        let hashes = if *root == "ed25519" { &HASHES[..1] } else { &HASHES };
        for hash in hashes {
            let (leaf, middle) = (kinds[number % kinds.len()], kinds[(number + 3) % kinds.len()]);
            let name = format!("{root}-{hash}");
            let (by_root, by_middle) = (format!("{name}-root"), format!("{name}-middle"));
            let (direct, below) = (format!("{name}-direct"), format!("{name}-below"));
            workshop.issue(&by_root, &Wanted { key: root, hash, subject: &name, ..ROOT });
            let of_root = Wanted { hash, issuer: Some((&by_root, root)), key: leaf, ..LEAF };
            workshop.issue(&direct, &of_root);
            let authority = Wanted { subject: &by_middle, key: middle, extensions: AUTHORITY, ..of_root };
            workshop.issue(&by_middle, &authority);
            workshop.issue(&below, &Wanted { issuer: Some((&by_middle, middle)), ..of_root });
            for (turn, version) in VERSIONS.into_iter().enumerate() {
                let name = format!("{name}-{leaf}{version}");
                let taken = || match (leaf, version) {
                    ("p521", "-tls1_2") => GoAlone(
                        "servers want the curve among the groups, and P-521 is none here: that would take a private key",
                        "alert 40 (HandshakeFailure)",
                    ),
                    _ => Both,
                };
                if (number + turn) % 2 == 1 {
                    let options = [version, "-cert_chain", &by_middle];
                    workshop.serve(&format!("{name}-between"), &by_root, (&below, leaf), &options, taken());
                } else {
                    workshop.serve(&name, &by_root, (&direct, leaf), &[version], taken());
                }
                workshop.unverified(taken());
            }
            number += 1;
        }
    }
}

/// Certificates that are trusted themselves.
fn self_signed(workshop: &mut Workshop) {
    let own = Wanted { issuer: None, ..LEAF };
    let extensions = format!("{}\n{AUTHORITY}", LEAF.extensions);
    let authority = Wanted { extensions: &extensions, ..own };
    workshop.issue("self", &authority);
    for version in VERSIONS {
        let name = format!("self-signed-authority{version}");
        workshop.serve(&name, "self", ("self", "p256"), &[version], Both);
    }
    workshop.issue("self-leaf", &own);
    workshop.serve("self-signed", "self-leaf", ("self-leaf", "p256"), &[], Both);
    workshop.issue("self-p521", &Wanted { key: "p521", hash: "sha512", ..authority });
    workshop.serve("self-signed-p521", "self-p521", ("self-p521", "p521"), &[], Both);
    let reason = "is not for other.test (clientConfig.tls.serverName) but for idp.test";
    workshop.serve("self-signed-other-name", "self", ("self", "p256"), &[], Nobody(reason));
    workshop.asked_for("other.test");
    for (name, wanted, reason) in [
        ("self-signed-expired", Wanted { until: ENDED, ..authority }, "has expired, on 2021-02-03T04:05:06Z"),
        (
            "self-signed-early",
            Wanted { from: NOT_BEGUN, ..authority },
            "is not valid before 2048-02-03T04:05:06Z",
        ),
    ] {
        workshop.issue(name, &wanted);
        workshop.serve(name, name, (name, "p256"), &[], Nobody(reason));
    }
    let not_itself = "is self-signed or an authority's (CA:TRUE), and not itself in clientConfig.tls.ca";
    workshop.serve("self-signed-unknown", "root", ("self", "p256"), &[], Nobody(not_itself));
    workshop.issue("self-again", &authority);
    workshop.serve("self-signed-renewed", "self-again", ("self", "p256"), &[], Nobody(not_itself));
    workshop.issue("pinned", &LEAF);
    workshop.serve("issued-and-trusted-itself", "pinned", ("pinned", "p256"), &[], Both);
}

/// A certificate that is trusted itself and is no authority's certifies no others, nor does one that does not say.
fn below_leaves(workshop: &mut Workshop) {
    let unknown = "is signed by no authority that is trusted here (clientConfig.tls.ca)";
    for (name, extensions) in [("no", NO_AUTHORITY), ("unsaid", "subjectAltName=DNS:root.test")] {
        let (above, below) = (format!("{name}-authority"), format!("below-{name}-authority"));
        workshop.issue(&above, &Wanted { extensions, ..ROOT });
        workshop.issue(&below, &Wanted { issuer: Some((&above, "p384")), ..LEAF });
        workshop.serve(&below, &above, (&below, "p256"), &[], Nobody(unknown));
    }
    workshop.issue("pinned-expired", &Wanted { until: ENDED, ..LEAF });
    let expired = Nobody("has expired, on 2021-02-03T04:05:06Z");
    workshop.serve("expired-and-trusted-itself", "pinned-expired", ("pinned-expired", "p256"), &[], expired);
}

/// What is wrong with a certificate, or odd.
fn leaves(workshop: &mut Workshop) {
    let with = |extensions| Wanted { extensions, ..LEAF };
    for (name, wanted, taken) in [
        ("good", LEAF, Both),
        ("expired", Wanted { until: ENDED, ..LEAF }, Nobody("has expired, on 2021-02-03T04:05:06Z")),
        ("early", Wanted { from: NOT_BEGUN, ..LEAF }, Nobody("is not valid before 2048-02-03T04:05:06Z")),
        (
            "other-name",
            with("subjectAltName=DNS:a.test,DNS:b.test,DNS:c.test,DNS:d.test"),
            Nobody(
                "is not for idp.test (clientConfig.tls.serverName) but for a.test, b.test, c.test, 1 more",
            ),
        ),
        (
            "common-name-alone",
            with(NO_AUTHORITY),
            Nobody("is not for idp.test (clientConfig.tls.serverName) and has no DNS names (subjectAltName)"),
        ),
        (
            "wildcard-of-the-top",
            with("subjectAltName=DNS:*.test"),
            GoAlone(
                "a wildcard stands for names of an organisation, which have two labels",
                "and has no DNS names",
            ),
        ),
        (
            "for-clients",
            with("subjectAltName=DNS:idp.test\nextendedKeyUsage=clientAuth"),
            Nobody("is not for servers (its extended key usage)"),
        ),
        (
            "critical",
            with("subjectAltName=DNS:idp.test\n1.2.3.4=critical,DER:0500"),
            Nobody("a certificate has a critical extension that is not understood"),
        ),
        ("version-1", with(""), Nobody("is not X.509 version 3")),
        (
            "rsa-1024",
            Wanted { key: "rsa1024", ..LEAF },
            GoAlone("1024 bits are too few for any key here", "or an RSA key of fewer than 2048 bits?"),
        ),
    ] {
        workshop.leaf(name, &wanted, taken);
        // A signature of the handshake is verified always, by a key that is read from the certificate.
        match name {
            "critical" => workshop.unverified(GoAlone("it is not read further", "critical extension")),
            "version-1" => workshop.unverified(GoAlone("it is not read further", "is not X.509 version 3")),
            "rsa-1024" => workshop.unverified(GoAlone("no such key verifies", "a signature is wrong")),
            _ => {}
        }
    }
    workshop.leaf("underscore", &with("subjectAltName=DNS:idp_1.test"), Both);
    workshop.asked_for("idp_1.test");
    workshop.leaf("wildcard", &with("subjectAltName=DNS:*.idp.test"), Both);
    workshop.asked_for("a.idp.test");
    workshop.serve("trailing-dot", "root", ("good", "p256"), &[], Both);
    workshop.asked_for("idp.test.");
}

/// What is wrong above a certificate.
fn authorities(workshop: &mut Workshop) {
    let unknown = "is signed by no authority that is trusted here (clientConfig.tls.ca)";
    workshop.serve("unknown-authority", "self", ("good", "p256"), &[], Nobody(unknown));
    workshop.issue("rsa-root", &Wanted { key: "rsa2048", ..ROOT });
    workshop.issue("sha-1", &Wanted { hash: "sha1", issuer: Some(("rsa-root", "rsa2048")), ..LEAF });
    let reason = "signed with SHA-1 and RSA, which is not supported";
    workshop.serve("sha-1", "rsa-root", ("sha-1", "p256"), &[], Nobody(reason));
    workshop.issue("old-root", &Wanted { until: ENDED, ..ROOT });
    let reason = PluginAlone("what is trusted is the key of a root, whose dates nobody certifies");
    workshop.serve("expired-root", "old-root", ("good", "p256"), &[], reason);
    let not_allowed = "may not certify this name (name constraints)";
    for (name, constraint, taken) in [
        ("permitted", "permitted;DNS:test", Both),
        ("not-permitted", "permitted;DNS:other.test", Nobody(not_allowed)),
        ("excluded", "excluded;DNS:idp.test", Nobody(not_allowed)),
    ] {
        let extensions = format!("{AUTHORITY}\nnameConstraints=critical,{constraint}");
        let middle = format!("{name}-middle");
        workshop.issue(&middle, &Wanted { extensions: &extensions, ..MIDDLE });
        workshop.issue(name, &Wanted { issuer: Some((&middle, "other")), ..LEAF });
        workshop.serve(name, "root", (name, "p256"), &["-cert_chain", &middle], taken);
    }
    let below = ("permitted", "p256");
    workshop.serve("without-what-is-between", "root", below, &[], Nobody(unknown));
    workshop.issue("no-authority", &Wanted { extensions: NO_AUTHORITY, ..MIDDLE });
    let reason = "a certificate above the server's is that of no authority (CA:FALSE)";
    workshop.serve("below-none", "root", below, &["-cert_chain", "no-authority"], Nobody(reason));
    let short = format!("{AUTHORITY},pathlen:0");
    workshop.issue("short", &Wanted { subject: "short", key: "rsa2048", extensions: &short, ..LEAF });
    workshop.issue("long", &Wanted { issuer: Some(("short", "rsa2048")), ..MIDDLE });
    workshop.join("both", &["long", "short"]);
    let reason = "there are more authorities than one of them allows (path length)";
    workshop.serve("path-too-long", "root", below, &["-cert_chain", "both"], Nobody(reason));
    let curve = "signed by a key of a curve other than P-256, P-384 and P-521, which is not supported";
    for (key, reason) in [
        ("secp256k1", curve),
        ("rsapss", "signed with RSASSA-PSS with these parameters, which is not supported"),
    ] {
        let (root, leaf) = (format!("{key}-root"), format!("{key}-leaf"));
        workshop.issue(&root, &Wanted { key, ..ROOT });
        workshop.issue(&leaf, &Wanted { issuer: Some((&root, key)), ..LEAF });
        workshop.serve(key, &root, (&leaf, "p256"), &[], Nobody(reason));
    }
}

/// A certificate of another, whose key the server does not have.
fn anothers(workshop: &mut Workshop) -> JwksServer {
    let server = JwksServer::https_without_key(keys::public_set().to_string());
    fs::write(workshop.directory.join("anothers-root"), server.ca_pem()).unwrap();
    let reason = "a signature is wrong";
    workshop.add("of-another", "anothers-root", server.address(), None, Nobody(reason));
    workshop.asked_for("localhost");
    workshop.unverified(Nobody(reason));
    server
}

/// Servers that want something else.
fn servers(workshop: &mut Workshop) {
    let reason = "the server asks for a client certificate (clientConfig.tls.cert)";
    for version in VERSIONS {
        let name = format!("client-certificate{version}");
        workshop.serve(&name, "root", ("good", "p256"), &[version, "-Verify", "1"], Nobody(reason));
        workshop.unverified(Nobody(reason));
    }
    let reason = "it wants another version than TLS 1.2 and 1.3";
    workshop.serve("tls-1.1", "root", ("good", "p256"), &["-tls1_1"], Nobody(reason));
    workshop.unverified(Nobody(reason));
    let hanging_up = listen_at("127.0.0.1:0");
    let reason = "closed during the handshake; does the server speak TLS on this port?";
    workshop.add("closes", "root", hanging_up.local_addr().unwrap(), None, Nobody(reason));
    workshop.unverified(Nobody(reason));
    std::thread::spawn(move || {
        for mut stream in hanging_up.incoming().flatten() {
            // What the client says is read, so that the end is none by reset.
            let _ = std::io::Read::read(&mut stream, &mut [0; 4096]);
        }
    });
}

/// Both clients get each chain, the plugin for a key set and Traefik of a back end: with its root, and with
/// `insecureSkipVerify`.
pub(crate) fn certificates() {
    let mut workshop = Workshop::new();
    workshop.issue("root", &ROOT);
    algorithms(&mut workshop);
    self_signed(&mut workshop);
    below_leaves(&mut workshop);
    leaves(&mut workshop);
    authorities(&mut workshop);
    certificate_rules::rows(&mut workshop);
    servers(&mut workshop);
    let _anothers = anothers(&mut workshop);
    for case in &workshop.cases {
        wait(&case.name, 20, || TcpStream::connect(case.address).ok());
    }
    let upstream = Upstream::start();
    let traefik = Traefik::start(&Setup { plugins: vec![FETCH], ..Setup::default() });
    let mut routes = Routes::to(&upstream.url());
    let through_go = |name: &str| format!("go-{name}");
    let unverified = |name: &str| format!("unverified-{name}");
    for Case { name, root, address, server_name, .. } in &workshop.cases {
        let ca = fs::read_to_string(workshop.directory.join(root)).unwrap();
        for (name, of_plugin, of_go) in [
            (name.clone(), json!({"ca": &ca}), json!({"rootCAs": [ca]})),
            (unverified(name), json!({"insecureSkipVerify": true}), json!({"insecureSkipVerify": true})),
        ] {
            let with_name = |mut settings: Value| {
                settings["serverName"] = json!(server_name);
                settings
            };
            let configuration = json!({
                "jwksUrl": format!("https://{address}/jwks.json"), "issuer": "https://idp.example/",
                "clientConfig": {"tls": with_name(of_plugin), "maxRetries": 0},
            });
            routes.protect(&name, FETCH, &configuration);
            routes.open_through(&through_go(&name), &format!("https://{address}"), &with_name(of_go));
        }
    }
    traefik.configure(&routes);
    let mut wrong = Vec::new();
    let verdicts = workshop
        .cases
        .iter()
        .flat_map(|case| [(case.name.clone(), &case.taken), (unverified(&case.name), &case.unverified)]);
    for (name, taken) in verdicts {
        let start = traefik.log().len();
        let plugin = traefik.send(&Request::get(&name, "/").bearer(&token())).status;
        let go = traefik.send(&Request::get(&through_go(&name), "/jwks.json")).status;
        let lines = traefik.log_with(start, &["TLS: "]);
        let said = |reason: &str| lines.iter().any(|line| line.contains(reason));
        let (as_expected, why) = match taken {
            Both => (plugin == 200 && go == 200, ""),
            Nobody(reason) => (plugin == 503 && go >= 500 && said(reason), *reason),
            PluginAlone(why) => (plugin == 200 && go >= 500, *why),
            GoAlone(why, reason) => (plugin == 503 && go == 200 && said(reason), *why),
        };
        if !as_expected {
            wrong.push(format!("{name}: plugin {plugin}, Go {go}, expected {why:?}, {lines:?}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), workshop.cases.len(), wrong.join("\n"));
    fs::remove_dir_all(&workshop.directory).unwrap();
}
