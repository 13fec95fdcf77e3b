//! What the built modules import (`cargo test --test imports`, after `make plugin`). In `plugin.wasm` all I/O has to go
//! through the one static buffer of `host/fetch/sockets`, so nothing of `std` that opens, reads, writes or polls
//! may be linked in; a module without sockets must not import any, or Windows could not load it.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::collections::BTreeSet;

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
/// sock_listen, sock_recv_from, sock_send_to.
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
    let imported: BTreeSet<_> = imports(&module).into_iter().collect();
    let foreign: Vec<_> = imported.difference(&allowed).collect();
    assert!(foreign.is_empty(), "{path} imports {foreign:?}");
    // What `race.rs` says in the log.
    let hook = b"race-test: ";
    assert!(
        !module.windows(hook.len()).any(|bytes| bytes == hook),
        "{path} was built with the feature race-test"
    );
}

/// An active segment is in the memory of every instance; that the copy to its place works, every test over TLS shows.
#[test]
fn root_certificates_are_a_passive_segment() {
    let roots = include_bytes!(concat!(env!("OUT_DIR"), "/roots.bin"));
    let passive = segments(&std::fs::read("dist/plugin.wasm").unwrap(), 1);
    assert!(passive.iter().any(|segment| segment == roots));
    let some = &roots[1000..1100];
    for path in ["dist/plugin.wasm", "dist/plugin-offline.wasm"] {
        for segment in segments(&std::fs::read(path).unwrap(), 0) {
            assert!(!segment.windows(some.len()).any(|bytes| bytes == some), "{path}");
        }
    }
}

/// The data segments of this kind, 0 active and 1 passive (WebAssembly core specification, 5.5.14).
fn segments(module: &[u8], wanted: usize) -> Vec<Vec<u8>> {
    let mut data = Reader(section(module, 11));
    let mut found = Vec::new();
    for _ in 0..data.number() {
        let kind = data.number();
        if kind == 0 {
            // i32.const, its operand, end
            data.byte();
            data.number();
            data.byte();
        }
        let length = data.number();
        let bytes = data.take(length).to_vec();
        if kind == wanted {
            found.push(bytes);
        }
    }
    found
}

/// Module and name of every import (WebAssembly core specification, 5.5.5).
fn imports(module: &[u8]) -> Vec<(String, String)> {
    let mut section = Reader(section(module, 2));
    (0..section.number()).map(|_| section.import()).collect()
}

fn section(module: &[u8], wanted: u8) -> &[u8] {
    assert_eq!(module.get(..8), Some(&b"\0asm\x01\0\0\0"[..]));
    let mut reader = Reader(&module[8..]);
    while !reader.0.is_empty() {
        let id = reader.byte();
        let length = reader.number();
        let section = reader.take(length);
        if id == wanted {
            return section;
        }
    }
    panic!("no section {wanted}");
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(count);
        self.0 = rest;
        taken
    }

    fn byte(&mut self) -> u8 {
        self.take(1)[0]
    }

    /// Unsigned LEB128.
    fn number(&mut self) -> usize {
        let mut value = 0;
        for shift in (0..35).step_by(7) {
            let byte = self.byte();
            value |= usize::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                break;
            }
        }
        value
    }

    fn name(&mut self) -> String {
        let length = self.number();
        String::from_utf8(self.take(length).to_vec()).unwrap()
    }

    fn import(&mut self) -> (String, String) {
        let names = (self.name(), self.name());
        assert_eq!(self.byte(), 0, "{names:?} is not a function");
        self.number();
        names
    }
}
