//! One source that holds all mutants of a file, each behind a switch. Only one is on in a run, so what a mutant writes
//! is the original but for its one change.

use std::collections::BTreeMap;
use std::ops::Range;

use proc_macro2::Span;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Arm, BinOp, Block, Expr, ExprBinary, ExprStruct, ExprUnary};

use crate::list::{Genre, Mutant};

/// A file with its mutants, and where each of them is written.
pub(crate) struct Woven {
    pub(crate) text: String,
    /// By number: the bytes of the mutant in `text`.
    pub(crate) places: Vec<(usize, Range<usize>)>,
    /// Whose place cannot hold a switch: constants, and what returns `impl`.
    pub(crate) left_out: Vec<usize>,
}

/// What is written where.
enum Change {
    /// Before the byte.
    Insert { number: usize, text: String },
    /// In the place of an expression: one of these, or what was there.
    Choose(Vec<(usize, String)>),
}

/// `mutants` are those of the file, by number.
pub(crate) fn weave(source: &str, mutants: &[(usize, &Mutant)]) -> Woven {
    let mut found = Places::default();
    found.visit_file(&syn::parse_file(source).unwrap());
    let lines = Lines::of(source);
    let mut changes: BTreeMap<Key, Change> = BTreeMap::new();
    let mut left_out = Vec::new();
    for &(number, mutant) in mutants {
        let (from, to) = (lines.byte(mutant.from), lines.byte(mutant.to));
        let replaced = |whole: &Range<usize>| {
            let (before, after) = (&source[whole.start..from], &source[to..whole.end]);
            format!("{before} {} {after}", mutant.replacement)
        };
        let on = format!("crate::mutant::on({number})");
        let change = match mutant.genre {
            // A function of one type that has no name cannot return two.
            Genre::Body if mutant.returns.contains("impl ") => None,
            Genre::Body => found.bodies.contains(&from).then(|| {
                let text = format!("if {on} {{ return {}; }} ", mutant.replacement);
                (from..from, Change::Insert { number, text })
            }),
            Genre::Arm => found.arms.get(&from).map(|&pattern| {
                let text = format!(" if !{on} ");
                (pattern..pattern, Change::Insert { number, text })
            }),
            Genre::Binary => found.operators.get(&from).map(|whole| chosen(whole, number, replaced(whole))),
            Genre::Unary => found.unary.get(&from).map(|whole| chosen(whole, number, replaced(whole))),
            Genre::Guard => {
                found.guards.get(&from).map(|whole| chosen(whole, number, mutant.replacement.clone()))
            }
            Genre::Field => found.fields.get(&from).map(|whole| chosen(whole, number, replaced(whole))),
        };
        let Some((range, change)) = change else {
            left_out.push(number);
            continue;
        };
        // Insertions at one byte are kept apart by their number, choices of one expression are joined.
        let is_choice = matches!(change, Change::Choose(_));
        let key = Key(range.start, is_choice, usize::MAX - range.end, if is_choice { 0 } else { number });
        match (changes.entry(key).or_insert(Change::Choose(Vec::new())), change) {
            (Change::Choose(known), Change::Choose(new)) => known.extend(new),
            (slot, insert) => *slot = insert,
        }
    }
    let mut woven = Woven { text: String::new(), places: Vec::new(), left_out };
    let changes: Vec<(Key, Change)> = changes.into_iter().collect();
    write(&mut woven, source, 0..source.len(), &changes);
    woven
}

/// The order of changes: by place, insertions first, outer expressions before inner ones.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Key(usize, bool, usize, usize);

impl Key {
    fn end(self) -> usize {
        usize::MAX - self.2
    }
}

fn chosen(whole: &Range<usize>, number: usize, text: String) -> (Range<usize>, Change) {
    (whole.clone(), Change::Choose(vec![(number, text)]))
}

fn write(woven: &mut Woven, source: &str, whole: Range<usize>, changes: &[(Key, Change)]) {
    let (mut at, mut next) = (whole.start, 0);
    while let Some((key, change)) = changes.get(next) {
        woven.text.push_str(&source[at..key.0]);
        at = key.0;
        next += 1;
        match change {
            Change::Insert { number, text } => place(woven, *number, text),
            Change::Choose(choices) => {
                woven.text.push('(');
                for (number, text) in choices {
                    woven.text.push_str(&format!("if crate::mutant::on({number}) {{ "));
                    place(woven, *number, text);
                    woven.text.push_str(" } else ");
                }
                let inner = changes[next..].iter().take_while(|(inner, _)| inner.0 < key.end()).count();
                woven.text.push_str("{ ");
                write(woven, source, at..key.end(), &changes[next..next + inner]);
                woven.text.push_str(" })");
                next += inner;
                at = key.end();
            }
        }
    }
    woven.text.push_str(&source[at..whole.end]);
}

fn place(woven: &mut Woven, number: usize, text: &str) {
    let from = woven.text.len();
    woven.text.push_str(text);
    woven.places.push((number, from..woven.text.len()));
}

/// Where lines begin, to make bytes of lines and columns.
struct Lines<'a>(Vec<(usize, &'a str)>);

impl<'a> Lines<'a> {
    fn of(source: &'a str) -> Self {
        let mut at = 0;
        let line = |text: &'a str| {
            let from = at;
            at += text.len();
            (from, text)
        };
        Self(source.split_inclusive('\n').map(line).collect())
    }

    fn byte(&self, (line, column): (usize, usize)) -> usize {
        let (from, text) = self.0[line - 1];
        from + text.chars().take(column - 1).map(char::len_utf8).sum::<usize>()
    }
}

/// Places that can hold a switch, by the byte at which cargo-mutants has the mutant.
#[derive(Default)]
struct Places {
    bodies: Vec<usize>,
    /// Operators: the whole expression that is written anew.
    operators: BTreeMap<usize, Range<usize>>,
    unary: BTreeMap<usize, Range<usize>>,
    /// Arms: the end of the pattern.
    arms: BTreeMap<usize, usize>,
    guards: BTreeMap<usize, Range<usize>>,
    fields: BTreeMap<usize, Range<usize>>,
    /// The largest expression of operators only that the visited one is a part of: another operator may bind its
    /// neighbours otherwise.
    chain: Option<Range<usize>>,
}

fn bytes(span: Span) -> Range<usize> {
    span.byte_range()
}

impl Places {
    fn operand(&mut self, operand: &Expr, chain: Range<usize>) {
        self.chain = matches!(operand, Expr::Binary(_)).then_some(chain);
        self.visit_expr(operand);
        self.chain = None;
    }
}

/// Whether it is a part of a chain of `let`, whose names hold outside of it.
fn has_let(expression: &Expr) -> bool {
    match expression {
        Expr::Let(_) => true,
        Expr::Binary(ExprBinary { left, op: BinOp::And(_), right, .. }) => has_let(left) || has_let(right),
        _ => false,
    }
}

impl<'a> Visit<'a> for Places {
    fn visit_block(&mut self, block: &'a Block) {
        self.bodies.extend(block.stmts.first().map(|first| bytes(first.span()).start));
        visit::visit_block(self, block);
    }

    fn visit_expr_binary(&mut self, binary: &'a ExprBinary) {
        let outer = self.chain.take();
        let breaks = has_let(&binary.left) || has_let(&binary.right);
        let chain = outer.unwrap_or_else(|| bytes(binary.span()));
        if breaks {
            for operand in [&binary.left, &binary.right] {
                self.visit_expr(operand);
            }
            return;
        }
        self.operators.insert(bytes(binary.op.span()).start, chain.clone());
        for operand in [&binary.left, &binary.right] {
            self.operand(operand, chain.clone());
        }
    }

    fn visit_expr_unary(&mut self, unary: &'a ExprUnary) {
        self.unary.insert(bytes(unary.op.span()).start, bytes(unary.span()));
        visit::visit_expr_unary(self, unary);
    }

    fn visit_arm(&mut self, arm: &'a Arm) {
        match &arm.guard {
            Some((_, guard)) if has_let(guard) => {}
            Some((_, guard)) => {
                let guard = bytes(guard.span());
                self.guards.insert(guard.start, guard);
            }
            None => {
                self.arms.insert(bytes(arm.span()).start, bytes(arm.pat.span()).end);
            }
        }
        visit::visit_arm(self, arm);
    }

    fn visit_expr_struct(&mut self, built: &'a ExprStruct) {
        for field in &built.fields {
            self.fields.insert(bytes(field.span()).start, bytes(built.span()));
        }
        visit::visit_expr_struct(self, built);
    }

    // What is computed by the compiler asks no switch.
    fn visit_item_const(&mut self, _: &'a syn::ItemConst) {}
    fn visit_item_static(&mut self, _: &'a syn::ItemStatic) {}
    fn visit_impl_item_const(&mut self, _: &'a syn::ImplItemConst) {}
    fn visit_trait_item_const(&mut self, _: &'a syn::TraitItemConst) {}
    fn visit_variant(&mut self, _: &'a syn::Variant) {}
    fn visit_expr_const(&mut self, _: &'a syn::ExprConst) {}
    fn visit_expr_repeat(&mut self, repeat: &'a syn::ExprRepeat) {
        self.visit_expr(&repeat.expr);
    }
    fn visit_type(&mut self, _: &'a syn::Type) {}
    fn visit_generic_argument(&mut self, _: &'a syn::GenericArgument) {}
}
