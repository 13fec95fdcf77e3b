//! A built module in an interpreter, with a host that keeps count. What it counts is the same on every machine.

use std::collections::BTreeMap;

use wasmi::{
    Caller, Config, Engine, Error, Extern, Func, Instance, Linker, Memory, Module, Store, TypedFunc, Val,
};

const FUEL: u64 = 1 << 40;
/// A page of the machine, which becomes resident when it is touched.
const PAGE: usize = 4096;

/// The one directory that there is, and its mount.
pub(crate) const DIRECTORY: &str = "/mount/revoked";

/// What the host is asked for and told.
#[derive(Default)]
pub(crate) struct Host {
    configuration: String,
    /// What lies in the mailbox, which only a later instance of a runtime finds; without it there is no mailbox.
    record: Vec<u8>,
    uri: String,
    headers: Vec<(String, String)>,
    /// Calls by name.
    pub(crate) calls: BTreeMap<String, usize>,
    /// Headers set on the request.
    pub(crate) set: Vec<(String, String)>,
    /// Status of the answer; none where the request went on.
    pub(crate) status: Option<u16>,
    /// What was logged.
    pub(crate) log: Vec<String>,
}

/// A module, compiled.
pub(crate) struct Artifact {
    engine: Engine,
    module: Module,
}

/// One instance of it.
pub(crate) struct Guest {
    store: Store<Host>,
    instance: Instance,
    memory: Memory,
    handle_request: TypedFunc<(), i64>,
    /// Instructions of `_start`, roughly: the unit is the interpreter's.
    pub(crate) start_cost: u64,
}

impl Artifact {
    pub(crate) fn read(path: &str) -> Self {
        let path = format!("{}/{path}", env!("CARGO_MANIFEST_DIR"));
        let bytes =
            std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}; `make plugin` builds it"));
        let mut config = Config::default();
        config.consume_fuel(true).compilation_mode(wasmi::CompilationMode::Eager);
        let engine = Engine::new(&config);
        let module = Module::new(&engine, &bytes).unwrap();
        Self { engine, module }
    }

    pub(crate) fn start(&self, configuration: &str) -> Guest {
        self.start_beside(configuration, Vec::new())
    }

    /// An instance that finds what others know.
    pub(crate) fn start_beside(&self, configuration: &str, record: Vec<u8>) -> Guest {
        self.run(configuration, record).unwrap_or_else(|log| panic!("_start: {log:?}"))
    }

    /// What an instance logs that refuses its configuration.
    pub(crate) fn refusal(&self, configuration: &str) -> Vec<String> {
        self.run(configuration, Vec::new()).err().unwrap_or_default()
    }

    /// The log of one that ends.
    fn run(&self, configuration: &str, record: Vec<u8>) -> Result<Guest, Vec<String>> {
        let host = Host { configuration: configuration.to_owned(), record, ..Host::default() };
        let mut store = Store::new(&self.engine, host);
        store.set_fuel(FUEL).unwrap();
        let mut linker = Linker::new(&self.engine);
        for import in self.module.imports() {
            let name = import.name().to_owned();
            let function_type = import.ty().func().unwrap().clone();
            let serve = move |mut caller: Caller<'_, Host>, given: &[Val], results: &mut [Val]| {
                serve(&mut caller, &name, given, results)
            };
            let function = Func::new(&mut store, function_type, serve);
            linker.define(import.module(), import.name(), function).unwrap();
        }
        let instance: Instance = linker.instantiate_and_start(&mut store, &self.module).unwrap();
        let memory = instance.get_memory(&store, "memory").unwrap();
        let start = instance.get_typed_func::<(), ()>(&store, "_start").unwrap();
        let handle_request: TypedFunc<(), i64> = instance.get_typed_func(&store, "handle_request").unwrap();
        if let Err(error) = start.call(&mut store, ()) {
            let log = std::mem::take(&mut store.data_mut().log);
            // The host does not call it then; if one did, nothing must pass.
            assert_eq!(handle_request.call(&mut store, ()).unwrap(), 0, "{log:?}");
            assert_eq!(store.data().status, Some(500), "{log:?}");
            return Err(log.into_iter().chain([error.to_string()]).collect());
        }
        let start_cost = FUEL - store.get_fuel().unwrap();
        Ok(Guest { store, instance, memory, handle_request, start_cost })
    }
}

impl Guest {
    /// Handles a request with these headers and returns what it cost, in instructions.
    pub(crate) fn request(&mut self, headers: &[(&str, &str)]) -> u64 {
        self.request_for("/orders?id=1", headers)
    }

    /// The same for some target.
    pub(crate) fn request_for(&mut self, uri: &str, headers: &[(&str, &str)]) -> u64 {
        let host = self.store.data_mut();
        *host = Host {
            configuration: std::mem::take(&mut host.configuration),
            record: std::mem::take(&mut host.record),
            uri: uri.to_owned(),
            headers: headers.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect(),
            ..Host::default()
        };
        self.store.set_fuel(FUEL).unwrap();
        let next = self.handle_request.call(&mut self.store, ()).unwrap();
        assert_eq!(next == 1, self.host().status.is_none(), "{:?}", self.host().log);
        FUEL - self.store.get_fuel().unwrap()
    }

    /// Calls an exported function that has neither parameters nor results.
    pub(crate) fn call(&mut self, name: &str) {
        let function = self.instance.get_typed_func::<(), ()>(&self.store, name).unwrap();
        function.call(&mut self.store, ()).unwrap();
    }

    /// What the linear memory holds.
    pub(crate) fn bytes(&self) -> &[u8] {
        self.memory.data(&self.store)
    }

    pub(crate) fn host(&self) -> &Host {
        self.store.data()
    }

    /// Size of the linear memory, in KiB.
    pub(crate) fn memory_kib(&self) -> usize {
        self.memory.data_size(&self.store) / 1024
    }

    /// Pages of the linear memory with something in them: at least these are resident.
    pub(crate) fn touched_pages(&self) -> usize {
        self.memory.data(&self.store).chunks(PAGE).filter(|page| page.iter().any(|byte| *byte != 0)).count()
    }

    /// Where the last touched page but the very last ends, in KiB: the allocator marks that one.
    pub(crate) fn top_kib(&self) -> usize {
        let data = self.memory.data(&self.store);
        let last = data[..data.len() - PAGE].iter().rposition(|byte| *byte != 0).unwrap_or(0);
        last.div_ceil(1024)
    }

    /// Deepest use of a stack of `size` bytes so far. It lies at the beginning of the memory.
    pub(crate) fn stack_used(&self, size: usize) -> usize {
        let stack = &self.memory.data(&self.store)[..size];
        size - stack.iter().position(|byte| *byte != 0).unwrap_or(size)
    }
}

fn serve(caller: &mut Caller<'_, Host>, name: &str, given: &[Val], results: &mut [Val]) -> Result<(), Error> {
    *caller.data_mut().calls.entry(name.to_owned()).or_default() += 1;
    let Some(Extern::Memory(memory)) = caller.get_export("memory") else { panic!("no memory") };
    let (bytes, host) = memory.data_and_store_mut(caller);
    let number = |index: usize| given.get(index).and_then(Val::i32).unwrap() as usize;
    let text = |bytes: &[u8], at: usize, length: usize| {
        String::from_utf8(bytes[number(at)..][..number(length)].to_vec()).unwrap()
    };
    let mut write = |at: usize, answer: &[u8]| {
        if answer.len() <= number(at + 1) {
            bytes[number(at)..][..answer.len()].copy_from_slice(answer);
        }
        answer.len()
    };
    let mut list = |at: usize, parts: Vec<&str>| {
        let joined: String = parts.iter().map(|part| format!("{part}\0")).collect();
        ((parts.len() as i64) << 32) | write(at, joined.as_bytes()) as i64
    };
    let result = match name {
        "get_config" => Val::I32(write(0, host.configuration.as_bytes()) as i32),
        "get_method" => Val::I32(write(0, b"GET") as i32),
        "get_uri" => Val::I32(write(0, host.uri.as_bytes()) as i32),
        "get_header_names" => Val::I64(list(1, host.headers.iter().map(|(name, _)| name.as_str()).collect())),
        "get_header_values" => {
            let wanted = text(bytes, 1, 2);
            let is_wanted = |header: &&(String, String)| header.0.eq_ignore_ascii_case(&wanted);
            let values = host.headers.iter().filter(is_wanted).map(|(_, value)| value.as_str()).collect();
            let joined: Vec<&str> = values;
            let all: String = joined.iter().map(|part| format!("{part}\0")).collect();
            if all.len() <= number(4) {
                bytes[number(3)..][..all.len()].copy_from_slice(all.as_bytes());
            }
            Val::I64(((joined.len() as i64) << 32) | all.len() as i64)
        }
        "set_header_value" => {
            let header = (text(bytes, 1, 2), text(bytes, 3, 4));
            if number(0) == 0 {
                host.set.push(header);
            }
            return Ok(());
        }
        "log" => {
            host.log.push(text(bytes, 1, 2));
            return Ok(());
        }
        "set_status_code" => {
            host.status = u16::try_from(number(0)).ok();
            return Ok(());
        }
        "remove_header" | "set_uri" | "write_body" => return Ok(()),
        // A fixed instant, in nanoseconds.
        "clock_time_get" => {
            bytes[number(2)..][..8].copy_from_slice(&(crate::NOW * 1_000_000_000).to_le_bytes());
            Val::I32(0)
        }
        // What an instance finds that is not the first one.
        "enable_features" => Val::I32(-1),
        // No variables: two counts, which the guest does not set before it asks.
        "environ_sizes_get" => {
            for at in 0..2 {
                bytes[number(at)..][..4].fill(0);
            }
            Val::I32(0)
        }
        "environ_get" => Val::I32(0),
        "random_get" => Val::I32(0),
        "proc_exit" => return Err(Error::new(format!("exit {}", number(0)))),
        "fd_fdstat_get" if number(0) == 0 && !host.record.is_empty() => {
            bytes[number(1)] = 5;
            Val::I32(0)
        }
        "fd_prestat_get" if number(0) == 3 => {
            bytes[number(1)..][..8].copy_from_slice(&(("/mount".len() as u64) << 32).to_le_bytes());
            Val::I32(0)
        }
        "fd_prestat_dir_name" if number(0) == 3 => {
            bytes[number(1)..][..number(2)].copy_from_slice(b"/mount");
            Val::I32(0)
        }
        "path_filestat_get" if number(0) == 3 => {
            let is_there = format!("/mount/{}", text(bytes, 2, 3)) == DIRECTORY;
            bytes[number(4)..][..64].fill(0);
            bytes[number(4) + 16] = 3;
            Val::I32(if is_there { 0 } else { 44 })
        }
        // Connected to itself: both names are alike, and that of the sender.
        "sock_getlocaladdr" | "sock_getpeeraddr" if number(0) == 0 => Val::I32(0),
        "sock_getsockopt" if number(0) == 0 => {
            bytes[number(3)..][..4].copy_from_slice(&200_000_u32.to_le_bytes());
            Val::I32(0)
        }
        "sock_recv_from" if number(0) == 0 => {
            let pointer: [u8; 4] = bytes[number(1)..][..4].try_into().unwrap();
            let length = u32::try_from(host.record.len()).unwrap();
            bytes[u32::from_le_bytes(pointer) as usize..][..host.record.len()].copy_from_slice(&host.record);
            bytes[number(6)..][..4].copy_from_slice(&length.to_le_bytes());
            Val::I32(0)
        }
        // All other descriptors and sockets: EBADF.
        _ => Val::I32(8),
    };
    results[0] = result;
    Ok(())
}
