//! Data that few instances read, put into their memory when they ask for it.
//!
//! The host copies the data of a module into the memory of every instance, and each page that it touches becomes resident.
//! [`on_demand`] takes some constants out of that copy: they become a passive segment, and the exported function [`LOAD`]
//! copies them to the addresses at which the module expects them. Before it is called there are zeros.

use std::ops::Range;

use wasm_encoder::reencode::{Error, Reencode, utils};
use wasm_encoder::{
    BlockType, CodeSection, ConstExpr, DataCountSection, DataSection, Function, Module, SectionId, ValType,
};
use wasmparser::{Data, DataKind, ExternalKind, Operator, Parser, Payload, TypeRef};

use crate::LIMIT;

/// Name of the exported function that gets the code.
pub const LOAD: &str = "load_roots";

/// The module with `parts` loaded by [`LOAD`]; `None` if it has no such function, or if the parts are not in one piece of its
/// data in which there is nothing else.
///
/// # Errors
/// If it is not a valid module.
pub fn on_demand(module: &[u8], parts: &[&[u8]]) -> Result<Option<Vec<u8>>, String> {
    let Some(found) = find(module, parts).map_err(|error| error.to_string())? else { return Ok(None) };
    let mut encoded = Module::new();
    let mut changes = Changes { found, function: 0, segment: 0 };
    changes.parse_core_module(&mut encoded, Parser::new(0), module).map_err(|error| error.to_string())?;
    let encoded = encoded.finish();
    crate::validate(&encoded)?;
    Ok(Some(encoded))
}

/// What is changed.
struct Found {
    /// The function, without those that are imported.
    load: u32,
    /// The segment with the parts.
    segment: u32,
    /// Address of the segment.
    address: i32,
    /// Where in the segment the parts are.
    parts: Range<usize>,
    /// How many segments there are, if the module does not say so itself.
    uncounted: Option<u32>,
}

fn find(module: &[u8], parts: &[&[u8]]) -> Result<Option<Found>, wasmparser::BinaryReaderError> {
    let (mut imported, mut load, mut place) = (0_u32, None, None);
    let (mut counted, mut segments) = (false, 0);
    for payload in Parser::new(0).parse_all(module) {
        match payload? {
            Payload::ImportSection(section) => {
                for import in section {
                    imported = imported.saturating_add(u32::from(matches!(import?.ty, TypeRef::Func(_))));
                }
            }
            Payload::ExportSection(section) => {
                for export in section {
                    let export = export?;
                    if export.name == LOAD && export.kind == ExternalKind::Func {
                        load = export.index.checked_sub(imported);
                    }
                }
            }
            Payload::DataCountSection { .. } => counted = true,
            Payload::DataSection(section) => {
                segments = section.count();
                for (number, data) in (0..).zip(section) {
                    let data = data?;
                    if let (Some(address), Some(range)) = (address(&data)?, piece(data.data, parts)) {
                        place = Some((number, address, range));
                    }
                }
            }
            _ => {}
        }
    }
    let uncounted = (!counted).then_some(segments);
    let found = load.zip(place);
    Ok(found.map(|(load, (segment, address, parts))| Found { load, segment, address, parts, uncounted }))
}

/// Where an active segment goes.
fn address(data: &Data<'_>) -> Result<Option<i32>, wasmparser::BinaryReaderError> {
    let DataKind::Active { memory_index: 0, offset_expr } = &data.kind else { return Ok(None) };
    let first = offset_expr.get_operators_reader().read()?;
    Ok(if let Operator::I32Const { value } = first { Some(value) } else { None })
}

/// Where `data` has all of `parts`, one behind the other, in any order.
fn piece(data: &[u8], parts: &[&[u8]]) -> Option<Range<usize>> {
    let length = parts.iter().map(|part| part.len()).fold(0, usize::saturating_add);
    if length == 0 || data.len() < length {
        return None;
    }
    let mut places = Vec::new();
    for part in parts.iter().filter(|part| !part.is_empty()) {
        let start = data.windows(part.len()).position(|window| window == *part)?;
        places.push(start..start.checked_add(part.len())?);
    }
    places.sort_by_key(|place| place.start);
    let mut places = places.into_iter();
    places.next().and_then(|first| {
        places.try_fold(first, |so_far, next| {
            (next.start <= so_far.end).then(|| so_far.start..so_far.end.max(next.end))
        })
    })
}

struct Changes {
    found: Found,
    function: u32,
    segment: u32,
}

impl Changes {
    /// The number of the passive segment: what is before the parts stays a segment of its own.
    const fn passive(&self) -> u32 {
        self.found.segment.saturating_add(if self.found.parts.start == 0 { 0 } else { 1 })
    }

    /// In pieces, as all that the host copies.
    fn load(&self) -> Result<Function, Error<String>> {
        let too_large = |_| Error::UserError("more data than there are addresses".into());
        let length = i32::try_from(self.found.parts.len()).map_err(too_large)?;
        let start = i32::try_from(self.found.parts.start).map_err(too_large)?;
        let (to, passive) = (self.found.address.wrapping_add(start), self.passive());
        let rest = length % LIMIT;
        let loops = length.saturating_sub(rest);
        let mut function = Function::new([(1, ValType::I32)]);
        let mut code = function.instructions();
        if loops > 0 {
            code.loop_(BlockType::Empty);
            code.local_get(0).i32_const(to).i32_add().local_get(0).i32_const(LIMIT).memory_init(0, passive);
            code.local_get(0).i32_const(LIMIT).i32_add().local_tee(0).i32_const(loops).i32_lt_u().br_if(0);
            code.end();
        }
        code.i32_const(to.wrapping_add(loops)).i32_const(loops).i32_const(rest).memory_init(0, passive);
        code.end();
        Ok(function)
    }
}

impl Reencode for Changes {
    type Error = String;

    fn parse_function_body(
        &mut self,
        code: &mut CodeSection,
        body: wasmparser::FunctionBody<'_>,
    ) -> Result<(), Error<String>> {
        let number = self.function;
        self.function = number.saturating_add(1);
        if number == self.found.load {
            code.function(&self.load()?);
            return Ok(());
        }
        utils::parse_function_body(self, code, body)
    }

    fn data_count(&mut self, count: u32) -> u32 {
        // As [`Self::parse_data`] writes them.
        count.saturating_add(1).saturating_add(u32::from(self.found.parts.start != 0))
    }

    /// An instruction may only name a passive segment if they are counted before the code.
    fn intersperse_section_hook(
        &mut self,
        module: &mut Module,
        _after: Option<SectionId>,
        before: Option<SectionId>,
    ) -> Result<(), Error<String>> {
        if let (Some(SectionId::Code), Some(segments)) = (before, self.found.uncounted) {
            module.section(&DataCountSection { count: self.data_count(segments) });
        }
        Ok(())
    }

    fn parse_data(&mut self, section: &mut DataSection, data: Data<'_>) -> Result<(), Error<String>> {
        let number = self.segment;
        self.segment = number.saturating_add(1);
        if number != self.found.segment {
            return utils::parse_data(self, section, data);
        }
        let (before, rest) = data.data.split_at(self.found.parts.start);
        let (parts, after) = rest.split_at(self.found.parts.len());
        if !before.is_empty() {
            section.active(0, &ConstExpr::i32_const(self.found.address), before.iter().copied());
        }
        section.passive(parts.iter().copied());
        let behind = i32::try_from(self.found.parts.end).map_err(|_| Error::UserError("too large".into()))?;
        let behind = ConstExpr::i32_const(self.found.address.wrapping_add(behind));
        section.active(0, &behind, after.iter().copied());
        Ok(())
    }
}

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, clippy::as_conversions, reason = "a test fails by panicking")]
mod tests {
    use wasm_encoder::{ExportKind, ExportSection, FunctionSection, MemorySection, MemoryType, TypeSection};
    use wasmi::{Engine, Linker, Store};

    use super::*;

    /// A module whose memory has `segments` from 64 on, 4,000 bytes each, and an exported function that does nothing.
    fn module(name: &str, counted: bool, segments: &[&[u8]]) -> Vec<u8> {
        let mut types = TypeSection::new();
        types.ty().function([], []);
        let mut functions = FunctionSection::new();
        functions.function(0).function(0);
        let mut memories = MemorySection::new();
        memories.memory(MemoryType {
            minimum: 1,
            maximum: None,
            memory64: false,
            shared: false,
            page_size_log2: None,
        });
        let mut exports = ExportSection::new();
        exports.export(name, ExportKind::Func, 1).export("memory", ExportKind::Memory, 0);
        let mut bodies = CodeSection::new();
        for _ in 0..2 {
            let mut function = Function::new([]);
            function.instructions().end();
            bodies.function(&function);
        }
        let mut data = DataSection::new();
        for (number, segment) in (0..).zip(segments) {
            data.active(0, &ConstExpr::i32_const(64 + 4_000 * number), segment.iter().copied());
        }
        let mut module = Module::new();
        module.section(&types).section(&functions).section(&memories).section(&exports);
        if counted {
            module.section(&DataCountSection { count: data.len() });
        }
        module.section(&bodies).section(&data);
        module.finish()
    }

    /// The memory before and after the function has run twice.
    fn memories(module: &[u8]) -> [Vec<u8>; 2] {
        let engine = Engine::default();
        let module = wasmi::Module::new(&engine, module).unwrap();
        let mut store = Store::new(&engine, ());
        let instance = Linker::new(&engine).instantiate_and_start(&mut store, &module).unwrap();
        let memory = instance.get_memory(&store, "memory").unwrap();
        let before = memory.data(&store).to_vec();
        let load = instance.get_typed_func::<(), ()>(&store, LOAD).unwrap();
        for _ in 0..2 {
            load.call(&mut store, ()).unwrap();
        }
        [before, memory.data(&store).to_vec()]
    }

    fn pattern(length: usize, seed: u8) -> Vec<u8> {
        (0..length).map(|at| (at % 251) as u8 ^ seed | 1).collect()
    }

    #[test]
    fn what_is_loaded_is_what_was_there() {
        let (small, large) = (pattern(100, 8), pattern(2_500, 0));
        for (before, parts, after) in [
            (&b"before"[..], vec![&small[..], &large], &b"after"[..]),
            (b"before", vec![&large], b""),
            (b"", vec![&large, &small], b"after"),
            (b"", vec![&large[..LIMIT as usize]], b""),
            (b"", vec![&small], b""),
        ] {
            let data = [before, &parts.concat(), after].concat();
            let mut reversed = parts.clone();
            reversed.reverse();
            for counted in [true, false] {
                let module = module(LOAD, counted, &[b"first", &data, b"last"]);
                let [whole, _] = memories(&module);
                let [without, with] = memories(&on_demand(&module, &reversed).unwrap().unwrap());
                assert_eq!(with, whole);
                let mut expected = whole;
                expected[4_064 + before.len()..4_064 + data.len() - after.len()].fill(0);
                assert_eq!(without, expected);
            }
        }
    }

    #[test]
    fn what_stays_as_it_is() {
        let data = b"one-two";
        for (what, module, parts) in [
            ("no function", module("other", true, &[data]), [&b"one-"[..], b"two"]),
            ("something between", module(LOAD, true, &[data]), [b"one", b"two"]),
            ("a part that is not there", module(LOAD, true, &[data]), [b"one-", b"three"]),
            ("two segments", module(LOAD, true, &[b"one-", b"two"]), [b"one-", b"two"]),
            ("no parts", module(LOAD, true, &[data]), [b"", b""]),
        ] {
            assert_eq!(on_demand(&module, &parts), Ok(None), "{what}");
        }
        assert!(on_demand(b"\0asm\x01\0\0\0\x01", &[data]).is_err());
    }
}
