//! The back ends: how each is started, and what it takes for a `-` in the name of a header.

use std::fs;
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;
use testbed::port::free_address;
use testbed::traefik::{Process, temporary_directory};
use testbed::wait::wait;

use super::spellings::SPECIAL;
use crate::need;

const PHP: &str = include_str!("../back_end.php");

/// A running server, until it is dropped.
pub(crate) struct Server {
    name: &'static str,
    process: Process,
    directory: PathBuf,
    pub(crate) doors: Vec<Door>,
}

/// A port of a server.
pub(crate) struct Door {
    pub(crate) name: &'static str,
    pub(crate) url: String,
    /// The characters of a header's name that the application behind it cannot tell from `-`.
    pub(crate) takes: &'static str,
}

impl Server {
    /// A server that `command` makes of its directory and of a port for each door.
    fn start(
        name: &'static str,
        doors: &[(&'static str, &'static str)],
        command: impl FnOnce(&Path, &[u16]) -> Command,
    ) -> Self {
        let directory = temporary_directory(name);
        let ports: Vec<u16> = doors.iter().map(|_| free_address().port()).collect();
        let mut command = command(&directory, &ports);
        command.current_dir(&directory);
        let doors = doors.iter().zip(&ports).map(|((name, takes), port)| Door {
            name,
            url: format!("http://127.0.0.1:{port}"),
            takes,
        });
        let server = Self { name, process: Process::start(command), doors: doors.collect(), directory };
        wait(name, 20, || {
            assert!(server.process.is_alive(), "{name} ended");
            ports.iter().all(|port| TcpStream::connect(("127.0.0.1", *port)).is_ok()).then_some(())
        });
        server
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.process.stop();
        if std::thread::panicking() {
            for file in ["stdout", "stderr", "error.log"] {
                let text = fs::read_to_string(self.directory.join(file)).unwrap_or_default();
                eprintln!("{} {file}:\n{text}", self.name);
            }
        }
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// The program `back_end.cgi`: PHP without the extensions that a system loads.
fn script(directory: &Path) {
    let program = directory.join("back_end.cgi");
    let text = format!(
        "#!/bin/sh\nREDIRECT_STATUS=200 SCRIPT_FILENAME={}/back_end.php exec {} -n\n",
        directory.display(),
        need::php().unwrap().display()
    );
    fs::write(directory.join("back_end.php"), PHP).unwrap();
    fs::write(&program, text).unwrap();
    fs::set_permissions(program, PermissionsExt::from_mode(0o755)).unwrap();
}

/// PHP for each request, with all that CGI makes a variable of (RFC 3875 4.1.18).
pub(crate) fn lighttpd() -> Server {
    Server::start("lighttpd", &[("lighttpd", SPECIAL)], |directory, ports| {
        script(directory);
        let configuration = format!(
            r#"
            server.document-root = "{directory}"
            server.bind = "127.0.0.1"
            server.port = {port}
            server.modules = ("mod_cgi")
            server.errorlog = "{directory}/error.log"
            # For names with a NUL, which other servers let through.
            server.http-parseopts = ("url-ctrls-reject" => "disable")
            index-file.names = ("back_end.cgi")
            cgi.assign = (".cgi" => "")
            "#,
            directory = directory.display(),
            port = ports[0],
        );
        fs::write(directory.join("lighttpd.conf"), configuration).unwrap();
        let mut command = Command::new(need::lighttpd().unwrap());
        command.args(["-D", "-f", "lighttpd.conf"]);
        command
    })
}

/// PHP-FPM, and nginx in front of it: as it is installed, and with both of its filters of names off.
pub(crate) fn nginx() -> (Server, Server) {
    let fpm = Server::start("php-fpm", &[], |directory, _| {
        fs::write(directory.join("back_end.php"), PHP).unwrap();
        let configuration = "[global]\nerror_log = error.log\ndaemonize = no\n\
                             [www]\nlisten = socket\nlisten.mode = 0666\nuser = root\nclear_env = no\n\
                             pm = static\npm.max_children = 1\n";
        let configuration = configuration
            .replace("= error.log", &format!("= {}", directory.join("error.log").display()))
            .replace("= socket", &format!("= {}", directory.join("socket").display()));
        fs::write(directory.join("fpm.conf"), configuration).unwrap();
        let mut command = Command::new(need::php_fpm().unwrap());
        command.args(["--allow-to-run-as-root", "--nodaemonize", "--fpm-config", "fpm.conf"]);
        command
    });
    wait("PHP-FPM listens", 10, || fpm.directory.join("socket").exists().then_some(()));
    let doors = [("nginx", "-"), ("nginx-without-filters", "-_.")];
    let nginx = Server::start("nginx", &doors, |directory, ports| {
        let location = format!(
            "location / {{ fastcgi_pass unix:{fpm}/socket; fastcgi_param SCRIPT_FILENAME {fpm}/back_end.php;
             fastcgi_param REQUEST_METHOD $request_method; fastcgi_param QUERY_STRING $query_string;
             fastcgi_param REQUEST_URI $request_uri; }}",
            fpm = fpm.directory.display()
        );
        let (filtered, all) = (ports[0], ports[1]);
        let configuration = format!(
            "daemon off; master_process off; pid pid; error_log stderr; events {{}}
            http {{
                client_body_temp_path temporary; proxy_temp_path temporary; fastcgi_temp_path temporary;
                uwsgi_temp_path temporary; scgi_temp_path temporary; access_log off;
                server {{ listen 127.0.0.1:{filtered}; {location} }}
                server {{ listen 127.0.0.1:{all}; ignore_invalid_headers off; underscores_in_headers on; {location} }}
            }}"
        );
        fs::write(directory.join("nginx.conf"), configuration).unwrap();
        let mut command = Command::new(need::nginx().unwrap());
        command.args(["-e", "stderr", "-c", "nginx.conf", "-p"]).arg(directory);
        command
    });
    (nginx, fpm)
}

/// PHP as CGI for each request; Apache itself drops the names that CGI would make alike.
pub(crate) fn apache() -> Server {
    Server::start("apache", &[("apache", "-")], |directory, ports| {
        script(directory);
        let modules: String = ["mpm_event", "authz_core", "alias", "cgi"]
            .map(|name| format!("LoadModule {name}_module {}/mod_{name}.so\n", need::APACHE_MODULES))
            .concat();
        let configuration = format!(
            "{modules}ServerName localhost\nServerRoot {directory}\nDefaultRuntimeDir {directory}\nPidFile pid\n\
             ErrorLog error.log\nListen 127.0.0.1:{port}\nUser nobody\nGroup nogroup\n\
             ScriptAliasMatch ^/ {directory}/back_end.cgi\n<Directory {directory}>\nRequire all granted\n</Directory>\n",
            directory = directory.display(),
            port = ports[0],
        );
        fs::write(directory.join("apache.conf"), configuration).unwrap();
        // Started by root it is another user, who has to find its way.
        let above = std::env::temp_dir();
        let mode = fs::metadata(&above).unwrap().permissions().mode();
        if mode & 1 == 0 {
            fs::set_permissions(&above, PermissionsExt::from_mode(mode | 1)).unwrap();
        }
        let mut command = Command::new(need::apache().unwrap());
        // One process, so that its end is the end of Apache.
        command.arg("-X").arg("-f").arg(directory.join("apache.conf"));
        command
    })
}

/// gunicorn as it is, and as it was before version 22.
pub(crate) fn gunicorns() -> [Server; 2] {
    [("gunicorn", "-", "drop"), ("gunicorn-with-underscores", "-_", "dangerous")].map(
        |(name, takes, header_map)| {
            Server::start(name, &[(name, takes)], |_, ports| {
                let mut command = Command::new(need::python());
                command
                    .args(["-m", "gunicorn", "--no-control-socket", "--header-map", header_map, "--chdir"])
                    .arg(need::packages());
                command.args(["--bind", &format!("127.0.0.1:{}", ports[0]), "back_end:app"]);
                command
            })
        },
    )
}

/// Node's own server under Express.
pub(crate) fn node() -> Server {
    Server::start("node", &[("node", "-")], |_, ports| {
        let mut command = Command::new("node");
        command.arg(need::packages().join("back-end.mjs")).arg(json!({"port": ports[0]}).to_string());
        command
    })
}
