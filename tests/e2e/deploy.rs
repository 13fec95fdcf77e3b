//! The files in `examples/` for each way in which Traefik gets its configuration: as they are written, but for addresses. Docker
//! and Kubernetes are small stand-ins of their APIs, all else is real.

use std::fs;
use std::path::Path;
use std::process::Command;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use testbed::http::Request;
use testbed::port::free_address;
use testbed::stand_in::StandIn;
use testbed::traefik::{FETCH, OFFLINE, Plugin, Process, Setup, Traefik, install, root, temporary_directory};
use testbed::upstream::Upstream;
use testbed::wait::wait;

fn example(path: &str) -> String {
    fs::read_to_string(root().join("examples").join(path)).unwrap()
}

fn documents(path: &str) -> Vec<Value> {
    example(path).split("\n---\n").map(|document| yaml_serde::from_str(document).unwrap()).collect()
}

/// A Traefik with these arguments, and what every static configuration of the examples has.
fn traefik(name: &str, plugin: Plugin, arguments: &[String]) -> Traefik {
    let address = free_address();
    let directory = temporary_directory(name);
    fs::create_dir_all(directory.join("keys")).unwrap();
    install(&directory, &format!("github.com/traefik-jwt-auth/{}", plugin.name), plugin.file);
    let keys = directory.join("keys").display().to_string();
    let mut all = vec![
        "--global.checkNewVersion=false".to_owned(),
        "--providers.providersThrottleDuration=50ms".into(),
        "--log.level=INFO".into(),
        format!("--log.filePath={}", directory.join("log").display()),
    ];
    if !arguments.iter().any(|argument| argument.contains("localPlugins")) {
        all.push("--experimental.localPlugins.jwt.moduleName=github.com/traefik-jwt-auth/jwt".into());
        all.push("--experimental.localPlugins.jwt.settings.mounts=/keys:/keys".into());
    }
    all.extend(arguments.iter().filter(|argument| !argument.starts_with("--log.level")).cloned());
    all.retain(|argument| !argument.starts_with("--entryPoints.web.address"));
    all.push(format!("--entryPoints.web.address={address}"));
    let all: Vec<String> = all
        .iter()
        .map(|argument| argument.replace("mounts=/keys:/keys", &format!("mounts={keys}:{keys}")))
        .collect();
    Traefik::run_with(&Setup::default(), directory, &all, address)
}

/// The middleware has loaded, so its own tests have passed, and a request without token is refused with 401.
fn assert_protected(traefik: &Traefik, host: &str) {
    wait("the route is there", 25, || {
        let answer = Request::get(host, "/").try_send(traefik.address()).ok()?;
        (answer.status != 404).then_some(())
    });
    let answer = traefik.send(&Request::get(host, "/").header("X_User", "mallory"));
    assert_eq!(answer.status, 401, "{host}: {} {:?}", answer.text(), traefik.log());
    assert!(!traefik.log_with(0, &["traefik-jwt-auth: version"]).is_empty(), "{:?}", traefik.log());
}

/// What Compose makes of `${NAME:-default}` where the variable is not set.
fn interpolated(text: &str) -> String {
    let Some((before, rest)) = text.split_once("${") else { return text.to_owned() };
    let (variable, after) = rest.split_once('}').unwrap();
    let (_, default) = variable.split_once(":-").unwrap_or((variable, ""));
    format!("{before}{default}{}", interpolated(after))
}

/// `examples/compose`: the command and the labels, through Traefik's Docker provider.
pub(crate) fn compose() {
    let upstream = Upstream::start();
    let port = upstream.url().rsplit_once(':').unwrap().1.parse().unwrap();
    let file: Value = yaml_serde::from_str(&interpolated(&example("compose/compose.yaml"))).unwrap();
    let services = &file["services"];
    assert!(
        services["traefik"]["volumes"]
            .as_array()
            .unwrap()
            .contains(&json!("./plugins-local:/plugins-local:ro"))
    );
    let labels = services["orders"]["labels"].clone();
    let mut empty = labels.clone();
    empty["traefik.http.middlewares.orders-jwt.plugin.jwt.audience"] = json!("");
    let empty: Value = empty
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, value)| {
            (name.replace("orders", "empty"), json!(value.as_str().unwrap().replace("orders", "empty")))
        })
        .collect();
    let docker = StandIn::docker(vec![("orders".into(), labels, port), ("empty".into(), empty, port)]);
    let mut arguments: Vec<String> =
        yaml_serde::from_str(&services["traefik"]["command"].to_string()).unwrap();
    arguments.push(format!("--providers.docker.endpoint=tcp://{}", docker.address()));
    let traefik = traefik("compose", FETCH, &arguments);
    assert_protected(&traefik, "orders.localhost");
    // A variable that is not set must not switch the audience off.
    assert_eq!(traefik.send(&Request::get("empty.localhost", "/")).status, 404);
    assert!(!traefik.log_with(0, &["audience"]).is_empty());
}

/// The objects of an example, as the API server would give them out, with an endpoint for the service.
fn applied(path: &str, upstream: &Upstream) -> Vec<Value> {
    let port: u16 = upstream.url().rsplit_once(':').unwrap().1.parse().unwrap();
    let mut objects = documents(path);
    for (number, object) in objects.iter_mut().enumerate() {
        object["metadata"]["uid"] = json!(format!("uid-{number}"));
        object["metadata"]["resourceVersion"] = json!("1");
        object["metadata"]["generation"] = json!(1);
        if let Some(texts) = object["stringData"].as_object().cloned() {
            let data: Value = texts
                .iter()
                .map(|(name, text)| (name.clone(), json!(STANDARD.encode(text.as_str().unwrap()))))
                .collect();
            object["data"] = data;
            object.as_object_mut().unwrap().remove("stringData");
        }
    }
    objects.push(json!({
        "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
        "metadata": {"name": "orders-1", "namespace": "shop", "labels": {"kubernetes.io/service-name": "orders"}},
        "ports": [{"name": "http", "port": port, "protocol": "TCP"}],
        "endpoints": [{"addresses": ["127.0.0.1"], "conditions": {"ready": true, "serving": true}}],
    }));
    // What the chart of Traefik installs.
    objects.push(json!({
        "apiVersion": "networking.k8s.io/v1", "kind": "IngressClass", "metadata": {"name": "traefik", "uid": "class"},
        "spec": {"controller": "traefik.io/ingress-controller"},
    }));
    objects.push(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop", "uid": "ns"}}));
    objects
}

fn kubernetes(path: &str, providers: &[&str]) {
    let upstream = Upstream::start();
    let api = StandIn::kubernetes(applied(path, &upstream));
    let arguments: Vec<String> = providers
        .iter()
        .map(|provider| format!("--providers.{provider}.endpoint=http://{}", api.address()))
        .collect();
    let traefik = traefik("kubernetes", FETCH, &arguments);
    assert_protected(&traefik, "orders.example.com");
}

/// `examples/kubernetes/ingressroute.yml`, the secret included.
pub(crate) fn ingress_route() {
    kubernetes("kubernetes/ingressroute.yml", &["kubernetesCRD"]);
}

/// `examples/kubernetes/many-routers.yml`, with the arguments that its first lines have: two routes, one runtime.
pub(crate) fn many_routers() {
    const FILE: &str = "kubernetes/many-routers.yml";
    let upstream = Upstream::start();
    let auth = free_address().to_string();
    let mut objects = applied(FILE, &upstream);
    for object in &mut objects {
        if object["spec"]["forwardAuth"].is_object() {
            object["spec"]["forwardAuth"]["address"] = json!(format!("http://{auth}/api"));
        }
    }
    let api = StandIn::kubernetes(objects);
    let text = example(FILE);
    let arguments = text.lines().filter_map(|line| line.strip_prefix("#   - "));
    let arguments = arguments.map(|argument| argument.split(" #").next().unwrap());
    let mut arguments: Vec<String> = arguments
        .map(|argument| argument.replace("websecure", "web").replace("127.0.0.1:8031", &auth))
        .collect();
    assert_eq!(arguments.len(), 4);
    arguments.push(format!("--providers.kubernetesCRD.endpoint=http://{}", api.address()));
    let traefik = traefik("many-routers", FETCH, &arguments);
    for host in ["orders.example.com", "invoices.example.com"] {
        assert_protected(&traefik, host);
        let answer = traefik.send(&Request::get(host, "/"));
        assert_eq!(answer.text(), r#"{"error": "No token provided"}"#, "the answer of the plugin");
    }
    let runtimes = traefik.log_with(0, &["traefik-jwt-auth: version"]);
    assert!(runtimes.iter().all(|line| line.contains("shop-jwt-auth")), "{runtimes:?}");
}

/// `examples/kubernetes/ingress.yml`
pub(crate) fn ingress() {
    kubernetes("kubernetes/ingress.yml", &["kubernetesCRD", "kubernetesIngress"]);
}

/// `examples/redis`, with a real Redis where there is one.
pub(crate) fn redis() {
    let address = free_address();
    let mut command = Command::new("redis-server");
    command.args([
        "--port",
        &address.port().to_string(),
        "--bind",
        "127.0.0.1",
        "--save",
        "",
        "--daemonize",
        "no",
    ]);
    command.stdout(std::process::Stdio::null());
    let _redis = Process::start(command);
    wait("Redis answers", 20, || std::net::TcpStream::connect(address).ok());
    let upstream = Upstream::start();
    let loaded = Command::new("sh")
        .arg(root().join("examples/redis/load.sh"))
        .env("REDIS", address.to_string())
        .env("UPSTREAM", upstream.url())
        .status();
    assert!(loaded.unwrap().success());
    let traefik = traefik("redis", FETCH, &[format!("--providers.redis.endpoints={address}")]);
    assert_protected(&traefik, "orders.example.com");
}

/// `examples/http-provider`
pub(crate) fn http_provider() {
    let document = serde_json::from_str(&example("http-provider/configuration.json")).unwrap();
    let server = StandIn::json(document);
    let traefik =
        traefik("http-provider", FETCH, &[format!("--providers.http.endpoint=http://{}/", server.address())]);
    assert_protected(&traefik, "orders.example.com");
}

/// `examples/toml`
pub(crate) fn toml() {
    let file = root().join("examples/toml/dynamic.toml");
    let traefik = traefik("toml", FETCH, &[format!("--providers.file.filename={}", file.display())]);
    assert_protected(&traefik, "orders.example.com");
}

/// `examples/helm`: what Traefik's chart makes of each file's values that concern the plugin. The chart's templates
/// themselves need Helm.
pub(crate) fn helm() {
    let files = ["image-volume", "init-container", "config-map-archive", "config-map"];
    for (file, plugin) in files.into_iter().zip([FETCH, FETCH, FETCH, OFFLINE]) {
        let values: Value = yaml_serde::from_str(&example(&format!("helm/{file}.yml"))).unwrap();
        let local = &values["experimental"]["localPlugins"]["jwt"];
        let module = format!("github.com/traefik-jwt-auth/{}", plugin.name);
        assert_eq!(local["moduleName"], module, "{file}");
        let volumes = values["deployment"]["additionalVolumes"].as_array().unwrap();
        assert!(volumes.iter().any(|volume| volume["name"] == local["volumeName"]), "{file}");
        // Where the module's directory comes to be, seen from Traefik's working directory, /.
        let mounted = Path::new(local["mountPath"].as_str().unwrap());
        let expected = format!("/plugins-local/src/{module}");
        assert!(Path::new(&expected).starts_with(mounted), "{file}");
        let mut arguments = vec![format!("--experimental.localPlugins.jwt.moduleName={module}")];
        arguments.extend(
            values["additionalArguments"]
                .as_array()
                .unwrap()
                .iter()
                .map(|argument| argument.as_str().unwrap().to_owned()),
        );
        let config = match plugin.name {
            "jwt" => json!({"issuer": "https://idp.example.com/", "discovery": true, "audience": "orders"}),
            _ => {
                json!({"issuer": "https://idp.example.com/", "jwksFile": "/keys/jwks.json", "audience": "orders"})
            }
        };
        let dynamic = std::env::temp_dir().join(format!("helm-{}-{file}.yml", std::process::id()));
        let upstream = Upstream::start();
        let http = json!({
            "middlewares": {"jwt": {"plugin": {"jwt": config}}},
            "routers": {"orders": {"rule": "PathPrefix(`/`)", "middlewares": ["jwt"], "service": "orders"}},
            "services": {"orders": {"loadBalancer": {"servers": [{"url": upstream.url()}]}}},
        });
        fs::write(&dynamic, json!({"http": http}).to_string()).unwrap();
        arguments.push(format!("--providers.file.filename={}", dynamic.display()));
        let traefik = traefik(file, plugin, &arguments);
        assert_protected(&traefik, "localhost");
        fs::remove_file(dynamic).unwrap();
    }
}

/// What a ConfigMap holds, in bytes.
const CONFIG_MAP: u64 = 1_048_576;

/// `examples/helm/config-map-archive.yml`: the archive is small enough, and its command makes of it what Traefik reads.
pub(crate) fn helm_archive() {
    let values: Value = yaml_serde::from_str(&example("helm/config-map-archive.yml")).unwrap();
    let directory = temporary_directory("archive");
    let to = directory.join("plugins-local");
    fs::create_dir_all(&to).unwrap();
    let command: Vec<String> = values["deployment"]["initContainers"][0]["command"]
        .as_array()
        .unwrap()
        .iter()
        .map(|word| match word.as_str().unwrap().strip_prefix("/archive") {
            Some(archive) => format!("{}{archive}", root().join("dist/release").display()),
            None => word.as_str().unwrap().replace("/to", to.to_str().unwrap()),
        })
        .collect();
    let archive = command.iter().find(|word| word.ends_with(".tar.gz")).unwrap();
    assert!(fs::metadata(archive).unwrap().len() < CONFIG_MAP, "{archive}");
    assert!(Command::new(&command[0]).args(&command[1..]).status().unwrap().success(), "{command:?}");
    let file = |name: &str| fs::read(to.join("src/github.com/traefik-jwt-auth/jwt").join(name)).unwrap();
    assert_eq!(file("plugin.wasm"), fs::read(root().join("dist/plugin.wasm")).unwrap());
    assert_eq!(file(".traefik.yml"), fs::read(root().join(".traefik.yml")).unwrap());
    fs::remove_dir_all(directory).unwrap();
}

/// `examples/systemd/traefik.service`: systemd takes every line of it, where there is one. It is not started.
pub(crate) fn systemd() {
    let directory = temporary_directory("systemd");
    let unit = directory.join("traefik.service");
    fs::write(&unit, example("systemd/traefik.service").replace("/usr/local/bin/traefik", "/bin/true"))
        .unwrap();
    let Ok(verified) = Command::new("systemd-analyze").args(["verify", "--man=no"]).arg(&unit).output()
    else {
        println!("no systemd-analyze: the unit is not verified");
        return;
    };
    let said = String::from_utf8_lossy(&verified.stderr);
    // Of units of this machine, it complains as well.
    let about_ours: Vec<&str> = said.lines().filter(|line| line.contains("traefik.service")).collect();
    assert!(about_ours.is_empty() && verified.status.success(), "{said}");
    fs::remove_dir_all(directory).unwrap();
}

/// `examples/kubernetes/gateway.yml`: the port of the listener is that of the entry point.
pub(crate) fn gateway() {
    let upstream = Upstream::start();
    let address = free_address();
    let mut objects = applied("kubernetes/gateway.yml", &upstream);
    for object in &mut objects {
        // The API server fills in defaults.
        let kind = object["kind"].as_str().unwrap().to_owned();
        let spec = &mut object["spec"];
        match kind.as_str() {
            "Gateway" => {
                spec["listeners"][0]["port"] = json!(address.port());
                spec["listeners"][0]["allowedRoutes"] = json!({"namespaces": {"from": "Same"}});
            }
            "HTTPRoute" => {
                spec["parentRefs"][0]["group"] = json!("gateway.networking.k8s.io");
                spec["parentRefs"][0]["kind"] = json!("Gateway");
                spec["rules"][0]["matches"] = json!([{"path": {"type": "PathPrefix", "value": "/"}}]);
                spec["rules"][0]["backendRefs"][0]["group"] = json!("");
                spec["rules"][0]["backendRefs"][0]["kind"] = json!("Service");
                spec["rules"][0]["backendRefs"][0]["weight"] = json!(1);
            }
            _ => {}
        }
    }
    let api = StandIn::kubernetes(objects);
    let directory = temporary_directory("gateway");
    install(&directory, "github.com/traefik-jwt-auth/jwt", FETCH.file);
    let arguments = [
        "--global.checkNewVersion=false".to_owned(),
        "--log.level=INFO".into(),
        format!("--log.filePath={}", directory.join("log").display()),
        format!("--entryPoints.web.address={address}"),
        "--experimental.localPlugins.jwt.moduleName=github.com/traefik-jwt-auth/jwt".into(),
        format!("--providers.kubernetesCRD.endpoint=http://{}", api.address()),
        format!("--providers.kubernetesGateway.endpoint=http://{}", api.address()),
    ];
    let traefik = Traefik::run_with(&Setup::default(), directory, &arguments, address);
    assert_protected(&traefik, "orders.example.com");
}
