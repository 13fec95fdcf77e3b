//! Splits every large copy and fill of a WebAssembly module into pieces.
//!
//! wazero before 1.9.0, which is in every Traefik up to 3.7.15, keeps a value of the guest in a register that Go 1.24 and
//! later overwrite in copies of 2,048 bytes and more, depending on the processor. The guest then continues with a wrong
//! number, and Traefik ends or answers 500 (`docs/troubleshooting.md`). So no `memory.copy` or `memory.fill` of any
//! compiler may ever run with that many bytes: [`in_pieces`] replaces each of them with a call of a function that does the
//! same in pieces of [`LIMIT`] bytes, except those whose length is a small constant.
#![expect(clippy::wildcard_enum_match_arm, reason = "instructions are many")]

mod on_demand;
mod pieces;

use wasm_encoder::reencode::{Error, Reencode, utils};
use wasm_encoder::{
    CodeSection, FunctionSection, ImportSection, Instruction, Module, NameMap, NameSection, SectionId,
    TypeSection,
};
use wasmparser::{Operator, TypeRef, Validator, WasmFeatures};

pub use on_demand::{LOAD, on_demand};

/// Most bytes that one instruction copies or fills: half of the safe number.
pub const LIMIT: i32 = 1024;

/// Name in the module of the function that replaces `memory.copy`.
pub const COPY: &str = "memory_copy_in_pieces";
/// Name of the function that replaces `memory.fill`.
pub const FILL: &str = "memory_fill_in_pieces";

/// The module with every copy and fill of more than [`LIMIT`] bytes in pieces.
///
/// # Errors
/// If it is not a valid module of WebAssembly 2.0, which the host requires, or has another instruction that the host
/// executes in the same way. No compiler has emitted one so far.
pub fn in_pieces(module: &[u8]) -> Result<Vec<u8>, String> {
    validate(module)?;
    let mut encoded = Module::new();
    let mut pieces = Pieces::default();
    pieces
        .parse_core_module(&mut encoded, wasmparser::Parser::new(0), module)
        .map_err(|error| error.to_string())?;
    let encoded = encoded.finish();
    validate(&encoded)?;
    Ok(encoded)
}

fn validate(module: &[u8]) -> Result<(), String> {
    Validator::new_with_features(WasmFeatures::WASM2)
        .validate_all(module)
        .map(drop)
        .map_err(|error| error.to_string())
}

/// Copies a module and appends the two functions, so that no index changes.
#[derive(Default)]
struct Pieces {
    imported: u32,
    parameters: u32,
    copy: u32,
    fill: u32,
}

impl Reencode for Pieces {
    type Error = String;

    fn parse_type_section(
        &mut self,
        types: &mut TypeSection,
        section: wasmparser::TypeSectionReader<'_>,
    ) -> Result<(), Error<String>> {
        utils::parse_type_section(self, types, section)?;
        self.parameters = types.len();
        types.ty().function(pieces::PARAMETERS, []);
        Ok(())
    }

    fn parse_import(
        &mut self,
        imports: &mut ImportSection,
        import: wasmparser::Import<'_>,
    ) -> Result<(), Error<String>> {
        if matches!(import.ty, TypeRef::Func(_)) {
            self.imported = self.imported.saturating_add(1);
        }
        utils::parse_import(self, imports, import)
    }

    fn parse_function_section(
        &mut self,
        functions: &mut FunctionSection,
        section: wasmparser::FunctionSectionReader<'_>,
    ) -> Result<(), Error<String>> {
        utils::parse_function_section(self, functions, section)?;
        for function in [&mut self.copy, &mut self.fill] {
            *function = self.imported.saturating_add(functions.len());
            functions.function(self.parameters);
        }
        Ok(())
    }

    fn parse_code_section(
        &mut self,
        code: &mut CodeSection,
        section: wasmparser::CodeSectionReader<'_>,
    ) -> Result<(), Error<String>> {
        utils::parse_code_section(self, code, section)?;
        code.function(&pieces::copy()).function(&pieces::fill());
        Ok(())
    }

    fn parse_function_body(
        &mut self,
        code: &mut CodeSection,
        body: wasmparser::FunctionBody<'_>,
    ) -> Result<(), Error<String>> {
        let mut function = self.new_function_with_parsed_locals(&body)?;
        let mut small = false;
        for operator in body.get_operators_reader()? {
            let operator = operator?;
            // The constant on top of the stack is the length.
            let small_before = small;
            small = matches!(operator, Operator::I32Const { value: 0..=LIMIT });
            let instruction = match operator {
                Operator::MemoryCopy { .. } if !small_before => Instruction::Call(self.copy),
                Operator::MemoryFill { .. } if !small_before => Instruction::Call(self.fill),
                Operator::MemoryInit { .. }
                | Operator::TableCopy { .. }
                | Operator::TableFill { .. }
                | Operator::TableInit { .. } => {
                    return Err(Error::UserError(format!("{operator:?} is not put in pieces")));
                }
                other => self.instruction(other)?,
            };
            function.instruction(&instruction);
        }
        code.function(&function);
        Ok(())
    }

    /// The names of a module that was not stripped are left out: a module has one section of names.
    fn parse_custom_section(
        &mut self,
        module: &mut Module,
        section: wasmparser::CustomSectionReader<'_>,
    ) -> Result<(), Error<String>> {
        if section.name() == "name" { Ok(()) } else { utils::parse_custom_section(self, module, section) }
    }

    fn intersperse_section_hook(
        &mut self,
        module: &mut Module,
        _after: Option<SectionId>,
        before: Option<SectionId>,
    ) -> Result<(), Error<String>> {
        if before.is_none() {
            let mut functions = NameMap::new();
            functions.append(self.copy, COPY);
            functions.append(self.fill, FILL);
            let mut names = NameSection::new();
            names.functions(&functions);
            module.section(&names);
        }
        Ok(())
    }
}

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "a test fails by panicking")]
mod tests {
    use std::ops::Range;

    use wasm_encoder::Instruction::{I32Const, I32Eqz, LocalGet, Nop, RefNull, TableCopy, TableFill};
    use wasm_encoder::{
        EntityType, ExportKind, ExportSection, Function, HeapType, MemorySection, MemoryType, RefType,
        TableSection, TableType, ValType,
    };
    use wasmi::{Caller, Engine, Extern, Linker, Memory, Store, TypedFunc};

    use super::*;

    /// A module with one page of memory and one exported function, which has the parameters of the instructions.
    /// What it imports are the stand-ins of [`Watched`].
    fn module(code: &[Instruction<'_>]) -> Vec<u8> {
        let mut types = TypeSection::new();
        types.ty().function([ValType::I32; 3], []);
        let mut imports = ImportSection::new();
        imports.import("host", "copy", EntityType::Function(0)).import(
            "host",
            "fill",
            EntityType::Function(0),
        );
        let mut functions = FunctionSection::new();
        functions.function(0);
        let mut tables = TableSection::new();
        tables.table(TableType {
            element_type: RefType::FUNCREF,
            table64: false,
            minimum: 1,
            maximum: None,
            shared: false,
        });
        let mut memories = MemorySection::new();
        memories.memory(MemoryType {
            minimum: 1,
            maximum: None,
            memory64: false,
            shared: false,
            page_size_log2: None,
        });
        let mut exports = ExportSection::new();
        exports.export("run", ExportKind::Func, 2).export("memory", ExportKind::Memory, 0);
        let mut function = Function::new([]);
        for instruction in code {
            function.instruction(instruction);
        }
        function.instruction(&Instruction::End);
        let mut bodies = CodeSection::new();
        bodies.function(&function);
        let mut module = Module::new();
        module.section(&types).section(&imports).section(&functions).section(&tables);
        module.section(&memories).section(&exports).section(&bodies);
        module.finish()
    }

    /// Calls functions of the host in place of the instructions; these record each length.
    struct Watched;

    impl Reencode for Watched {
        type Error = String;

        fn instruction<'a>(
            &mut self,
            operator: Operator<'a>,
        ) -> Result<Instruction<'a>, wasm_encoder::reencode::Error<String>> {
            match operator {
                Operator::MemoryCopy { .. } => Ok(Instruction::Call(0)),
                Operator::MemoryFill { .. } => Ok(Instruction::Call(1)),
                other => utils::instruction(self, other),
            }
        }
    }

    fn watched(module: &[u8]) -> Vec<u8> {
        let mut encoded = Module::new();
        Watched.parse_core_module(&mut encoded, wasmparser::Parser::new(0), module).unwrap();
        encoded.finish()
    }

    struct Guest {
        store: Store<()>,
        memory: Memory,
        run: TypedFunc<(u32, u32, u32), ()>,
    }

    impl Guest {
        fn start(module: &[u8]) -> Self {
            let engine = Engine::default();
            let module = wasmi::Module::new(&engine, module).unwrap();
            let mut store = Store::new(&engine, ());
            let mut linker = Linker::new(&engine);
            let stand_ins: [(&str, Model); 2] = [("copy", copy), ("fill", fill)];
            for (name, model) in stand_ins {
                let stand_in = move |mut caller: Caller<'_, ()>, to, second, length| {
                    assert!(length <= LIMIT.unsigned_abs(), "{length} bytes at once");
                    let Some(Extern::Memory(memory)) = caller.get_export("memory") else {
                        panic!("no memory")
                    };
                    let inside = model(memory.data_mut(&mut caller), to, second, length);
                    if inside { Ok(()) } else { Err(wasmi::Error::new("outside of the memory")) }
                };
                linker.func_wrap("host", name, stand_in).unwrap();
            }
            let instance = linker.instantiate_and_start(&mut store, &module).unwrap();
            let memory = instance.get_memory(&store, "memory").unwrap();
            let run = instance.get_typed_func(&store, "run").unwrap();
            for (byte, value) in memory.data_mut(&mut store).iter_mut().zip((0..251).cycle()) {
                *byte = value;
            }
            Self { store, memory, run }
        }

        /// Whether it ended without a trap.
        fn run(&mut self, to: u32, second: u32, length: u32) -> bool {
            self.run.call(&mut self.store, (to, second, length)).is_ok()
        }

        fn memory(&self) -> &[u8] {
            self.memory.data(&self.store)
        }
    }

    const COPY_IT: Instruction<'_> = Instruction::MemoryCopy { src_mem: 0, dst_mem: 0 };
    const FILL_IT: Instruction<'_> = Instruction::MemoryFill(0);

    /// The effect of an instruction on a memory; `false` if it traps.
    type Model = fn(&mut [u8], u32, u32, u32) -> bool;

    fn copy(memory: &mut [u8], to: u32, from: u32, length: u32) -> bool {
        let (Some(to), Some(from)) = (range(memory, to, length), range(memory, from, length)) else {
            return false;
        };
        memory.copy_within(from, to.start);
        true
    }

    fn fill(memory: &mut [u8], to: u32, value: u32, length: u32) -> bool {
        let Some(to) = range(memory, to, length) else { return false };
        memory[to].fill(value.to_le_bytes()[0]);
        true
    }

    fn range(memory: &[u8], start: u32, length: u32) -> Option<Range<usize>> {
        let end = usize::try_from(u64::from(start) + u64::from(length)).ok()?;
        (end <= memory.len()).then_some(start.try_into().unwrap()..end)
    }

    /// Numbers that are the same in every run.
    fn random(state: &mut u32, below: u32) -> u32 {
        *state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (*state >> 8) % below
    }

    /// Runs the function, unchanged and watched, with all operands, and compares the memories after each.
    fn compare(instruction: Instruction<'_>, model: Model, operands: impl Iterator<Item = [u32; 3]>) {
        let changed = in_pieces(&module(&[LocalGet(0), LocalGet(1), LocalGet(2), instruction])).unwrap();
        let mut guests = [Guest::start(&changed), Guest::start(&watched(&changed))];
        let mut expected = guests[0].memory().to_vec();
        let (mut done, mut trapped) = (0, 0);
        for [to, second, length] in operands {
            let inside = model(&mut expected, to, second, length);
            for guest in &mut guests {
                assert_eq!(guest.run(to, second, length), inside, "{to} {second} {length}");
                assert!(guest.memory() == expected, "{to} {second} {length}");
            }
            *(if inside { &mut done } else { &mut trapped }) += 1;
        }
        assert!(done > 1_000 && trapped > 10, "{done} {trapped}");
    }

    /// Values at and around the sizes of a piece, a page, the memory and a number.
    const EDGES: [u32; 13] =
        [0, 1, 1_023, 1_024, 1_025, 2_048, 4_096, 64_000, 65_535, 65_536, 65_537, u32::MAX - 1_024, u32::MAX];

    fn edges() -> impl Iterator<Item = [u32; 3]> {
        EDGES.into_iter().flat_map(|to| {
            EDGES
                .into_iter()
                .flat_map(move |second| EDGES.into_iter().map(move |length| [to, second, length]))
        })
    }

    /// Mostly overlapping, of up to eight pieces, some of them past the end of the memory.
    fn moves() -> impl Iterator<Item = [u32; 3]> {
        let mut state = 7;
        (0..30_000).map(move |_| {
            let to = random(&mut state, 65_600);
            let from = (to + random(&mut state, 6_000)).saturating_sub(3_000);
            [to, from, random(&mut state, 8 * 1_024)]
        })
    }

    #[test]
    fn a_copy_in_pieces_is_a_copy() {
        compare(COPY_IT, copy, edges().chain(moves()));
    }

    #[test]
    fn a_fill_in_pieces_is_a_fill() {
        compare(FILL_IT, fill, edges().chain(moves()));
    }

    #[test]
    fn only_small_constants_stay() {
        for (what, length, stays) in [
            ("no bytes", [Nop, I32Const(0)], true),
            ("as many as a piece", [Nop, I32Const(1_024)], true),
            ("one more", [Nop, I32Const(1_025)], false),
            ("4 GiB", [Nop, I32Const(-1)], false),
            ("a variable", [Nop, LocalGet(2)], false),
            ("a constant and something else", [I32Const(8), I32Eqz], false),
        ] {
            for instruction in [COPY_IT, FILL_IT] {
                let [before, length] = length.clone();
                let code = [LocalGet(0), LocalGet(1), before, length, instruction];
                let changed = in_pieces(&module(&code)).unwrap();
                assert_eq!(first_function(&changed).iter().any(is_bulk), stays, "{what}");
            }
        }
    }

    fn first_function(module: &[u8]) -> Vec<Operator<'_>> {
        let payloads = wasmparser::Parser::new(0).parse_all(module);
        let mut bodies = payloads.filter_map(|payload| match payload.unwrap() {
            wasmparser::Payload::CodeSectionEntry(body) => Some(body),
            _ => None,
        });
        bodies.next().unwrap().get_operators_reader().unwrap().into_iter().map(Result::unwrap).collect()
    }

    fn is_bulk(operator: &Operator<'_>) -> bool {
        matches!(operator, Operator::MemoryCopy { .. } | Operator::MemoryFill { .. })
    }

    #[test]
    fn what_it_cannot_put_in_pieces_is_refused() {
        let zeros = [I32Const(0), I32Const(0), I32Const(0)];
        let table_copy = module(&[&zeros[..], &[TableCopy { src_table: 0, dst_table: 0 }]].concat());
        let table_fill = module(&[I32Const(0), RefNull(HeapType::FUNC), I32Const(0), TableFill(0)]);
        for (module, reason) in [
            (table_copy, "TableCopy"),
            (table_fill, "TableFill"),
            (module(&zeros), "values remaining on stack"),
            (b"\0asm\x01\0\0\0\x01".to_vec(), "unexpected end"),
            (Vec::new(), "unexpected end"),
        ] {
            let refusal = in_pieces(&module).unwrap_err();
            assert!(refusal.contains(reason), "{refusal}");
        }
    }
}
