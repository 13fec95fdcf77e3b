//! What the built modules import (`cargo test --test imports`, after `make plugin`). In `plugin.wasm` all I/O has to go
//! through the one static buffer of `host/sockets/imports`, so nothing of `std` that opens, reads, writes or polls
//! may be linked in; a module without sockets must not import any, or Windows could not load it.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::BTreeSet;

use wasmparser::{Parser, Payload, TypeRef};

/// Of http-wasm; the host has more, none of which is needed (bodies would have to be buffered).
const HTTP: &[&str] = &[
    "enable_features",
    "get_config",
    "get_header_names",
    "get_header_values",
    "get_method",
    "get_source_addr",
    "get_uri",
    "log",
    "remove_header",
    "set_header_value",
    "set_status_code",
    "set_uri",
    "write_body",
];
/// Of WASI, in both. `fd_write` is what std keeps for the message of a failed allocation; printing is a lint.
const BOTH: &[&str] =
    &["clock_time_get", "environ_get", "environ_sizes_get", "fd_write", "proc_exit", "random_get"];
/// Of WASI and of the socket extension, by `sockets`. Absent on purpose: fd_read, fd_readdir, fd_seek, sock_accept,
/// sock_listen, sock_send_to.
const SOCKETS: &[&str] = &[
    "fd_close",
    "fd_fdstat_get",
    "fd_fdstat_set_flags",
    "fd_filestat_get",
    "fd_pread",
    "fd_prestat_dir_name",
    "fd_prestat_get",
    "fd_pwrite",
    "path_create_directory",
    "path_filestat_get",
    "path_open",
    "path_remove_directory",
    "path_rename",
    "path_unlink_file",
    "poll_oneoff",
    "sched_yield",
    "sock_bind",
    "sock_connect",
    "sock_getaddrinfo",
    "sock_getlocaladdr",
    "sock_getpeeraddr",
    "sock_getsockopt",
    "sock_open",
    "sock_recv",
    "sock_recv_from",
    "sock_send",
    "sock_setsockopt",
    "sock_shutdown",
];
/// Of WASI, by `std::fs` in the module without sockets.
const FILES: &[&str] = &[
    "clock_res_get",
    "fd_close",
    "fd_fdstat_get",
    "fd_fdstat_set_flags",
    "fd_filestat_get",
    "fd_prestat_dir_name",
    "fd_prestat_get",
    "fd_read",
    "fd_seek",
    "path_filestat_get",
    "path_open",
];

#[test]
fn the_module_with_sockets_imports_what_its_io_layer_has() {
    check("dist/plugin.wasm", &[BOTH, SOCKETS].concat());
}

#[test]
fn the_module_without_sockets_imports_plain_wasi() {
    check("dist/plugin-offline.wasm", &[BOTH, FILES].concat());
}

fn check(path: &str, wasi: &[&str]) {
    let path = format!("{}/{path}", env!("CARGO_MANIFEST_DIR"));
    let module =
        std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}; `make plugin` builds it"));
    let names = |module: &str, names: &[&str]| -> Vec<(String, String)> {
        names.iter().map(|name| (module.to_owned(), (*name).to_owned())).collect()
    };
    let allowed: BTreeSet<_> =
        names("http_handler", HTTP).into_iter().chain(names("wasi_snapshot_preview1", wasi)).collect();
    let imported = imports(&module);
    assert!(!imported.is_empty(), "{path} imports nothing");
    let foreign: Vec<_> = imported.difference(&allowed).collect();
    assert!(foreign.is_empty(), "{path} imports {foreign:?}");
    // What `tests/race` says in the log.
    let hook = b"race-test: ";
    assert!(!module.windows(hook.len()).any(|bytes| bytes == hook), "{path} is the racing guest");
}

/// Module and name of every import.
fn imports(module: &[u8]) -> BTreeSet<(String, String)> {
    let mut found = BTreeSet::new();
    for payload in Parser::new(0).parse_all(module) {
        let Payload::ImportSection(section) = payload.unwrap() else { continue };
        for import in section {
            let import = import.unwrap();
            assert!(matches!(import.ty, TypeRef::Func(_)), "{import:?} is not a function");
            found.insert((import.module.to_owned(), import.name.to_owned()));
        }
    }
    found
}
