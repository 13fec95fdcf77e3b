//! The functions that replace `memory.copy` and `memory.fill`.
//!
//! In both, the one instruction whose length is not a constant is reached in two ways: with a length of at most
//! [`LIMIT`], or from a loop that ends with at most [`LIMIT`] bytes left.

use wasm_encoder::{BlockType, Function, InstructionSink, ValType};

use crate::LIMIT;

/// Their parameters, as those of the instructions: destination, source or value, length.
pub(crate) const PARAMETERS: [ValType; 3] = [ValType::I32; 3];
const TO: u32 = 0;
const FROM: u32 = 1;
const VALUE: u32 = 1;
const LENGTH: u32 = 2;

/// `memory.copy`, which acts as if it read everything before it wrote anything: forwards, or backwards if the source
/// reaches into the destination from below.
pub(crate) fn copy() -> Function {
    let mut function = Function::new([]);
    let mut code = function.instructions();
    unless_small(&mut code, |code| {
        trap_unless_inside(code, |code| {
            // The larger of the two addresses.
            code.local_get(TO).local_get(FROM).local_get(TO).local_get(FROM).i32_gt_u().select();
        });
        // Unsigned: FROM <= TO < FROM + LENGTH.
        code.local_get(TO).local_get(FROM).i32_sub().local_get(LENGTH).i32_lt_u();
        code.if_(BlockType::Empty).loop_(BlockType::Empty);
        code.local_get(LENGTH).i32_const(LIMIT).i32_sub().local_set(LENGTH);
        code.local_get(TO).local_get(LENGTH).i32_add();
        code.local_get(FROM).local_get(LENGTH).i32_add();
        code.i32_const(LIMIT).memory_copy(0, 0);
        again_if_large(code);
        code.end().else_().loop_(BlockType::Empty);
        code.local_get(TO).local_get(FROM).i32_const(LIMIT).memory_copy(0, 0);
        for address in [TO, FROM] {
            code.local_get(address).i32_const(LIMIT).i32_add().local_set(address);
        }
        code.local_get(LENGTH).i32_const(LIMIT).i32_sub().local_set(LENGTH);
        again_if_large(code);
        code.end().end();
    });
    code.local_get(TO).local_get(FROM).local_get(LENGTH).memory_copy(0, 0);
    code.end();
    function
}

/// `memory.fill`.
pub(crate) fn fill() -> Function {
    let mut function = Function::new([]);
    let mut code = function.instructions();
    unless_small(&mut code, |code| {
        trap_unless_inside(code, |code| {
            code.local_get(TO);
        });
        code.loop_(BlockType::Empty);
        code.local_get(TO).local_get(VALUE).i32_const(LIMIT).memory_fill(0);
        code.local_get(TO).i32_const(LIMIT).i32_add().local_set(TO);
        code.local_get(LENGTH).i32_const(LIMIT).i32_sub().local_set(LENGTH);
        again_if_large(code);
        code.end();
    });
    code.local_get(TO).local_get(VALUE).local_get(LENGTH).memory_fill(0);
    code.end();
    function
}

type Code<'c> = InstructionSink<'c>;

/// Skips `body` if the length is at most [`LIMIT`].
fn unless_small(code: &mut Code<'_>, body: impl Fn(&mut Code<'_>)) {
    code.block(BlockType::Empty).local_get(LENGTH).i32_const(LIMIT).i32_le_u().br_if(0);
    body(code);
    code.end();
}

/// To the start of the loop if more than [`LIMIT`] bytes are left.
fn again_if_large(code: &mut Code<'_>) {
    code.local_get(LENGTH).i32_const(LIMIT).i32_gt_u().br_if(0);
}

/// Traps if a range of the length that starts at `address` ends outside of the memory: then the instructions trap as
/// well, and before they write anything. Computed in 64 bits, so the sum does not wrap.
fn trap_unless_inside(code: &mut Code<'_>, address: impl Fn(&mut Code<'_>)) {
    const PAGE_BITS: i64 = 16;
    address(code);
    code.i64_extend_i32_u().local_get(LENGTH).i64_extend_i32_u().i64_add();
    code.memory_size(0).i64_extend_i32_u().i64_const(PAGE_BITS).i64_shl();
    code.i64_gt_u().if_(BlockType::Empty).unreachable().end();
}
