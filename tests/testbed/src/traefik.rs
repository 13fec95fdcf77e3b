//! A real Traefik with the built plugin, in a directory of its own, until it is dropped.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, mpsc};

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
};
use serde_json::{Map, Value, json};

use crate::http::Request;
use crate::port::free_address;
use crate::wait::wait;

/// The artifact with an HTTPS client.
pub const FETCH: Plugin = Plugin { name: "jwt", file: "dist/plugin.wasm" };
/// The artifact without sockets.
pub const OFFLINE: Plugin = Plugin { name: "jwt-offline", file: "dist/plugin-offline.wasm" };

/// An artifact and its name in Traefik's configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plugin {
    /// Key under `experimental.localPlugins`, and in a middleware.
    pub name: &'static str,
    /// Path from the repository's root.
    pub file: &'static str,
}

/// A plugin in Go, which Traefik interprets.
#[derive(Clone, Debug)]
pub struct Interpreted {
    /// As [`Plugin::name`].
    pub name: &'static str,
    /// The module that its `go.mod` names.
    pub module: &'static str,
    /// Where its sources are, with what they depend on in `vendor`.
    pub sources: PathBuf,
}

/// What a Traefik is started with.
pub struct Setup {
    /// The binary; `TRAEFIK_BINARY` of the environment by default.
    pub binary: PathBuf,
    /// The plugins it loads.
    pub plugins: Vec<Plugin>,
    /// Those of others that it loads besides.
    pub interpreted: Vec<Interpreted>,
    /// `settings.mounts` of the plugins.
    pub mounts: Vec<String>,
    /// `settings.envs` of the plugins, with values for Traefik's own environment.
    pub envs: Vec<(String, String)>,
    /// `log.level`.
    pub log_level: &'static str,
    /// Further options of the entry point.
    pub entry_point: Value,
    /// Further options of the static configuration.
    pub more: Value,
    /// Whether the system lets it have datagram sockets of the family unix.
    pub unix_datagrams: bool,
}

impl Default for Setup {
    fn default() -> Self {
        let binary = std::env::var("TRAEFIK_BINARY").expect("TRAEFIK_BINARY: run through make");
        Self {
            binary: binary.into(),
            plugins: vec![FETCH, OFFLINE],
            interpreted: Vec::new(),
            mounts: Vec::new(),
            envs: Vec::new(),
            log_level: "INFO",
            entry_point: json!({}),
            more: json!({}),
            unix_datagrams: true,
        }
    }
}

/// A running Traefik.
pub struct Traefik {
    directory: PathBuf,
    process: Process,
    address: SocketAddr,
    reloads: AtomicUsize,
    writing: Mutex<()>,
}

/// The dynamic configuration: virtual hosts, each with a middleware of its own or none.
#[derive(Clone, Debug, Default)]
pub struct Routes {
    routers: Map<String, Value>,
    middlewares: Map<String, Value>,
    services: Map<String, Value>,
    transports: Map<String, Value>,
}

impl Routes {
    /// No routes yet; all of them lead to `upstream`, a URL.
    pub fn to(upstream: &str) -> Self {
        let mut routes = Self::default();
        let service = json!({"loadBalancer": {"servers": [{"url": upstream}]}});
        routes.services.insert("upstream".into(), service);
        routes
    }

    /// Requests with `Host: host` pass through `plugin` with this configuration.
    pub fn protect(&mut self, host: &str, plugin: Plugin, configuration: &Value) {
        self.protect_with(host, json!({"plugin": {plugin.name: configuration}}));
    }

    /// Requests with `Host: host` pass through this middleware, as Traefik's configuration writes one.
    pub fn protect_with(&mut self, host: &str, middleware: Value) {
        self.middlewares.insert(host.into(), middleware);
        self.insert(host, &[host]);
    }

    /// Every request that no host is for passes through `plugin` with this configuration.
    pub fn protect_all(&mut self, plugin: Plugin, configuration: &Value) {
        self.protect("all", plugin, configuration);
        self.routers["all"]["rule"] = json!("PathPrefix(`/`)");
    }

    /// Requests for `/NAME` at this entry point are answered by `plugin` with this configuration, whatever they are.
    pub fn answer(&mut self, name: &str, entry_point: &str, plugin: Plugin, configuration: &Value) {
        self.middlewares.insert(name.into(), json!({"plugin": {plugin.name: configuration}}));
        let router = json!({
            "rule": format!("Path(`/{name}`)"), "service": "noop@internal", "middlewares": [name],
            "entryPoints": [entry_point],
        });
        self.routers.insert(name.into(), router);
    }

    /// Requests with `Host: host` go to the upstream as they are.
    pub fn open(&mut self, host: &str) {
        self.insert(host, &[]);
    }

    /// Requests that `protect` or `open` has a rule for go to this URL instead.
    ///
    /// # Panics
    /// When there is no rule for `host`.
    pub fn lead(&mut self, host: &str, upstream: &str) {
        self.services.insert(host.into(), json!({"loadBalancer": {"servers": [{"url": upstream}]}}));
        self.routers[host]["service"] = json!(host);
    }

    /// Another host through the middleware of `middleware`: one more runtime, no other definition.
    pub fn share(&mut self, host: &str, middleware: &str) {
        self.insert(host, &[middleware]);
    }

    /// Requests with `Host: host` go to the server at `url` as they are.
    pub fn open_to(&mut self, host: &str, url: &str) {
        self.services.insert(host.into(), json!({"loadBalancer": {"servers": [{"url": url}]}}));
        self.insert(host, &[]);
        self.routers[host]["service"] = json!(host);
    }

    /// The same with these options of Traefik's own client (`serversTransports`).
    pub fn open_through(&mut self, host: &str, url: &str, transport: &Value) {
        self.open_to(host, url);
        self.transports.insert(host.into(), transport.clone());
        self.services[host]["loadBalancer"]["serversTransport"] = json!(host);
    }

    fn insert(&mut self, host: &str, middlewares: &[&str]) {
        let router = json!({
            "rule": format!("Host(`{host}`)"), "service": "upstream", "middlewares": middlewares
        });
        self.routers.insert(host.into(), router);
    }
}

impl Traefik {
    /// Starts one and waits until it answers.
    ///
    /// # Panics
    /// When it does not.
    pub fn start(setup: &Setup) -> Self {
        let directory = temporary_directory("traefik");
        let address = free_address();
        let mut local = Map::new();
        for plugin in &setup.plugins {
            let module = format!("example.org/{}", plugin.name);
            install(&directory, &module, plugin.file);
            let mut settings = Map::new();
            if !setup.mounts.is_empty() {
                settings.insert("mounts".into(), json!(setup.mounts));
            }
            if !setup.envs.is_empty() {
                let names: Vec<_> = setup.envs.iter().map(|(name, _)| name).collect();
                settings.insert("envs".into(), json!(names));
            }
            let mut plugin_entry = json!({"moduleName": module});
            if !settings.is_empty() {
                plugin_entry["settings"] = json!(settings);
            }
            local.insert(plugin.name.into(), plugin_entry);
        }
        for plugin in &setup.interpreted {
            let link = plugin_directory(&directory, plugin.module);
            fs::create_dir_all(link.parent().unwrap()).unwrap();
            std::os::unix::fs::symlink(&plugin.sources, link).unwrap();
            local.insert(plugin.name.into(), json!({"moduleName": plugin.module}));
        }
        let mut entry_point = setup.entry_point.clone();
        entry_point["address"] = json!(address.to_string());
        let mut configuration = json!({
            "entryPoints": {"web": entry_point},
            "ping": {"entryPoint": "web"},
            "providers": {
                "file": {"directory": directory.join("dynamic"), "watch": true},
                "providersThrottleDuration": "50ms",
            },
            "experimental": {"localPlugins": local},
            "log": {"level": setup.log_level, "format": "json", "filePath": directory.join("log")},
            "global": {"checkNewVersion": false, "sendAnonymousUsage": false},
        });
        for (name, value) in setup.more.as_object().into_iter().flatten() {
            match (value, configuration[name].as_object_mut()) {
                (Value::Object(members), Some(there)) => there.extend(members.clone()),
                _ => configuration[name] = value.clone(),
            }
        }
        fs::create_dir_all(directory.join("dynamic")).unwrap();
        fs::write(directory.join("static.yml"), configuration.to_string()).unwrap();
        // Traefik's file provider reads the directory and watches it at once. What it found at first may be in force after
        // what was written since, so nothing is written before its first reading is in force.
        let first = json!({"rule": "Host(`started`)", "entryPoints": ["web"], "service": "ping@internal"});
        let first = json!({"http": {"routers": {"started": first}}});
        fs::write(directory.join("dynamic/routes.yml"), first.to_string()).unwrap();
        let traefik = Self::run(setup, directory, "static.yml", address);
        wait("the first dynamic configuration is in force", 60, || traefik.is_open("started").then_some(()));
        traefik
    }

    /// Starts one in `directory` with a static configuration that is there, with an entry point at `address`.
    ///
    /// # Panics
    /// When it does not.
    pub fn run(setup: &Setup, directory: PathBuf, configuration: &str, address: SocketAddr) -> Self {
        Self::run_with(setup, directory, &[format!("--configFile={configuration}")], address)
    }

    /// Starts the example of this name with `plugin`, from its files as they stand, with an entry point at `address`.
    ///
    /// # Panics
    /// When the files are not there, and as [`Traefik::run`].
    #[must_use]
    pub fn run_example(setup: &Setup, plugin: Plugin, name: &str, address: SocketAddr) -> Self {
        let directory = temporary_directory(name);
        let folder = format!("examples/{name}");
        fs::create_dir_all(directory.join(&folder)).unwrap();
        for file in ["traefik.yml", "dynamic.yml"] {
            let file = format!("{folder}/{file}");
            fs::copy(root().join(&file), directory.join(&file)).unwrap();
        }
        install(&directory, "github.com/traefik-jwt-auth/jwt", plugin.file);
        Self::run(setup, directory, &format!("{folder}/traefik.yml"), address)
    }

    /// The same with arguments of its command line.
    ///
    /// # Panics
    /// When it does not answer.
    pub fn run_with(setup: &Setup, directory: PathBuf, arguments: &[String], address: SocketAddr) -> Self {
        let mut command = Command::new(&setup.binary);
        command
            .args(arguments)
            .current_dir(&directory)
            .envs(setup.envs.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(fs::File::create(directory.join("stdout")).unwrap())
            .stderr(fs::File::create(directory.join("stderr")).unwrap());
        let process = if setup.unix_datagrams {
            Process::start(command)
        } else {
            Process::start_confined(command, &no_unix_datagrams())
        };
        let traefik =
            Self { directory, process, address, reloads: AtomicUsize::new(0), writing: Mutex::new(()) };
        wait("Traefik answers", 30, || {
            assert!(traefik.process.is_alive(), "Traefik ended: {}", traefik.all_output());
            Request::get("ping", "/ping").try_send(address).ok().map(drop)
        });
        traefik
    }

    /// Replaces the dynamic configuration and waits until it is in force.
    ///
    /// # Panics
    /// When it is not within minutes, which another processor in emulation may need.
    pub fn configure(&self, routes: &Routes) {
        let _one_at_a_time = self.writing.lock();
        let marker = format!("reload-{}", self.reloads.fetch_add(1, Ordering::SeqCst));
        let mut routes = routes.clone();
        routes.open(&marker);
        let mut http = json!({"routers": routes.routers, "services": routes.services});
        if !routes.middlewares.is_empty() {
            http["middlewares"] = json!(routes.middlewares);
        }
        if !routes.transports.is_empty() {
            http["serversTransports"] = json!(routes.transports);
        }
        // Written beside and renamed: Traefik reads on every write that it sees.
        let part = self.directory.join("routes.part");
        fs::write(&part, json!({"http": http}).to_string()).unwrap();
        fs::rename(part, self.directory.join("dynamic/routes.yml")).unwrap();
        wait("the dynamic configuration is in force", 60, || self.is_open(&marker).then_some(()));
    }

    /// Whether the router for `host` is there, which lets everything pass.
    fn is_open(&self, host: &str) -> bool {
        assert!(self.process.is_alive(), "Traefik ended: {}", self.all_output());
        Request::get(host, "/").try_send(self.address).is_ok_and(|answer| answer.status == 200)
    }

    /// Sends a request to it.
    pub fn send(&self, request: &Request) -> crate::http::Response {
        request.send(self.address)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its own directory; a place for files to mount.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The lines of its log, each a JSON object.
    pub fn log(&self) -> Vec<String> {
        let text = fs::read(self.directory.join("log")).unwrap_or_default();
        String::from_utf8_lossy(&text).lines().map(str::to_owned).collect()
    }

    /// The log lines from `start` on that contain every one of `words`.
    pub fn log_with(&self, start: usize, words: &[&str]) -> Vec<String> {
        self.log()
            .into_iter()
            .skip(start)
            .filter(|line| words.iter().all(|word| line.contains(word)))
            .collect()
    }

    /// Open descriptors of the process.
    ///
    /// # Panics
    /// When the process has ended.
    pub fn descriptors(&self) -> usize {
        fs::read_dir(format!("/proc/{}/fd", self.process.id)).unwrap().count()
    }

    /// What those descriptors are, sorted: for the message of a failed test.
    ///
    /// # Panics
    /// When the process has ended.
    pub fn descriptor_names(&self) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(format!("/proc/{}/fd", self.process.id))
            .unwrap()
            .filter_map(|entry| Some(fs::read_link(entry.ok()?.path()).ok()?.to_string_lossy().into_owned()))
            .collect();
        names.sort();
        names
    }

    /// Resident memory of the process in KiB.
    ///
    /// # Panics
    /// When the process has ended.
    pub fn resident_kib(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id)).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    /// As [`Process::cpu_nanoseconds`].
    pub fn cpu_nanoseconds(&self) -> u64 {
        self.process.cpu_nanoseconds()
    }

    /// Threads that a receiving system call holds: each is a request that waits, for a fetch of another or its own. How
    /// many threads there are in all says less: Go starts one more whenever a busy machine makes any call late.
    ///
    /// # Panics
    /// When the process has ended, or the processor is another than amd64 or arm64.
    pub fn receiving_threads(&self) -> usize {
        // recvfrom and recvmsg.
        let receiving = match std::env::consts::ARCH {
            "x86_64" => ["45", "47"],
            "aarch64" => ["207", "212"],
            other => panic!("which calls receive on {other}"),
        };
        let tasks = fs::read_dir(format!("/proc/{}/task", self.process.id)).unwrap();
        tasks
            .filter(|task| {
                // A thread may end while we look.
                let call =
                    fs::read_to_string(task.as_ref().unwrap().path().join("syscall")).unwrap_or_default();
                call.split(' ').next().is_some_and(|number| receiving.contains(&number))
            })
            .count()
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.process.id
    }

    fn all_output(&self) -> String {
        ["log", "stdout", "stderr"]
            .map(|name| fs::read_to_string(self.directory.join(name)).unwrap_or_default())
            .join("\n")
    }
}

impl Drop for Traefik {
    fn drop(&mut self) {
        self.process.end();
        if std::thread::panicking() {
            let log = self.all_output();
            let tail: Vec<&str> = log.lines().rev().take(30).collect();
            for line in tail.iter().rev() {
                eprintln!("traefik: {line}");
            }
        }
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// A child that ends with us, however we end.
pub struct Process {
    id: u32,
    child: Mutex<Child>,
    _keeper: mpsc::Sender<()>,
}

impl Process {
    /// Starts it; its output goes to `stdout` and `stderr` in its working directory.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn start(command: Command) -> Self {
        Self::start_confined(command, &Vec::new())
    }

    /// As [`Self::start`], under this filter of system calls.
    ///
    /// # Panics
    /// When it cannot be started, or the kernel takes no filter.
    fn start_confined(command: Command, filter: &BpfProgram) -> Self {
        let (keeper, end) = mpsc::channel::<()>();
        let (started, child) = mpsc::channel();
        let filter = filter.clone();
        // The kernel ends the child when the thread that started it ends, so that one must outlive it.
        std::thread::spawn(move || {
            if !filter.is_empty() {
                seccompiler::apply_filter(&filter).expect("the kernel takes a filter");
            }
            let _ = started.send(with_us(command).spawn());
            let _ = end.recv();
        });
        let child = child.recv().unwrap().expect("the process starts");
        Self { id: child.id(), child: Mutex::new(child), _keeper: keeper }
    }

    /// Whether it still runs.
    ///
    /// # Panics
    /// When a thread panicked while it asked.
    pub fn is_alive(&self) -> bool {
        matches!(self.child.lock().unwrap().try_wait(), Ok(None))
    }

    /// CPU time that the threads of the process have used.
    ///
    /// # Panics
    /// When the process has ended.
    pub fn cpu_nanoseconds(&self) -> u64 {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.id)).unwrap();
        let time = |task: PathBuf| {
            // A thread may end while we look.
            let text = fs::read_to_string(task.join("schedstat")).unwrap_or_default();
            text.split(' ').next().and_then(|time| time.parse::<u64>().ok()).unwrap_or(0)
        };
        tasks.map(|task| time(task.unwrap().path())).sum()
    }

    /// Asks it to end, as one does that has processes of its own, and ends it if it does not.
    pub fn stop(&self) {
        let asked = Command::new("kill").arg(self.id.to_string()).status();
        let deadline = if asked.is_ok_and(|status| status.success()) { 50 } else { 0 };
        for _ in 0..deadline {
            if !self.is_alive() {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        self.end();
    }

    /// Ends it, and waits for that.
    pub fn end(&self) {
        let mut child = self.child.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let _ = child.kill();
        let _ = child.wait();
    }
}

/// `command` under `setpriv --pdeathsig`, where there is one: a killed test leaves no Traefik behind.
fn with_us(command: Command) -> Command {
    let found = Command::new("setpriv").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !found.is_ok_and(|status| status.success()) {
        return command;
    }
    let mut wrapped = Command::new("setpriv");
    wrapped.args(["--pdeathsig", "KILL", "--"]).arg(command.get_program()).args(command.get_args());
    wrapped.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let directory = command.get_current_dir().map(Path::to_owned);
    if let Some(directory) = directory {
        wrapped
            .stdin(Stdio::null())
            .stdout(fs::File::create(directory.join("stdout")).unwrap())
            .stderr(fs::File::create(directory.join("stderr")).unwrap())
            .current_dir(directory);
    }
    wrapped
}

/// As systemd's `RestrictAddressFamilies=` does it: no datagram socket of the family unix.
fn no_unix_datagrams() -> BpfProgram {
    let argument = |index, operator, value: i32| {
        let value = value.try_into().unwrap();
        SeccompCondition::new(index, SeccompCmpArgLen::Dword, operator, value).unwrap()
    };
    let rule = SeccompRule::new(vec![
        argument(0, SeccompCmpOp::Eq, libc::AF_UNIX),
        argument(1, SeccompCmpOp::MaskedEq(0xf), libc::SOCK_DGRAM),
    ])
    .unwrap();
    let refuse = SeccompAction::Errno(libc::EAFNOSUPPORT.try_into().unwrap());
    let architecture = std::env::consts::ARCH.try_into().unwrap();
    let rules = [(libc::SYS_socket, vec![rule])].into();
    SeccompFilter::new(rules, SeccompAction::Allow, refuse, architecture).unwrap().try_into().unwrap()
}

/// Lays out a plugin as Traefik reads it: `plugins-local/src/MODULE/{.traefik.yml,plugin.wasm}`.
///
/// # Panics
/// When `file`, relative to the repository's root, is not built.
pub fn install(directory: &Path, module: &str, file: &str) {
    let folder = plugin_directory(directory, module);
    fs::create_dir_all(&folder).unwrap();
    let file = root().join(file);
    fs::copy(&file, folder.join("plugin.wasm"))
        .unwrap_or_else(|error| panic!("{}: {error}; run make plugin", file.display()));
    fs::copy(root().join(".traefik.yml"), folder.join(".traefik.yml")).unwrap();
}

/// Where Traefik, started in `directory`, looks for a local plugin.
fn plugin_directory(directory: &Path, module: &str) -> PathBuf {
    directory.join("plugins-local/src").join(module)
}

/// The repository's root.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().to_owned()
}

/// A new directory under the system's temporary one; the caller removes it.
///
/// # Panics
/// When there is no room for one.
pub fn temporary_directory(name: &str) -> PathBuf {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let number = NUMBER.fetch_add(1, Ordering::SeqCst);
    let path = std::env::temp_dir().join(format!("jwt-{name}-{}-{number}", std::process::id()));
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).unwrap();
    path
}
