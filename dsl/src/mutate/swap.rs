//! Swap: two adjacent statements change places.
//!
//! Invariant: only pairs whose order matters are swapped, since any other swap leaves the dataflow
//! as it is and the child would be a certain duplicate; and only those the program checks after.

use crate::{Operand, Program, Statement};
use rand::RngExt;

use super::{Mutator, Stream, Typing};

impl Mutator {
    /// The program with two neighbours exchanged, or `None` when no pair can be.
    pub(super) fn swap(parent: &Program, rng: &mut Stream) -> Option<Vec<Statement>> {
        let mut typing = Typing::at_entry(parent);
        let mut swappable = Vec::with_capacity(parent.statements().len());
        for position in 1..parent.statements().len() {
            if is_swappable(parent, &typing, position - 1) {
                swappable.push(position - 1);
            }
            typing.run(&parent.statements()[position - 1]);
        }
        if swappable.is_empty() {
            return None;
        }
        let position = swappable[rng.random_range(0..swappable.len())];
        let mut statements = parent.statements().to_vec();
        statements.swap(position, position + 1);
        Some(statements)
    }
}

fn is_swappable(parent: &Program, typing: &Typing, position: usize) -> bool {
    let statements = parent.statements();
    let (first, second) = (&statements[position], &statements[position + 1]);
    if !order_matters(first, second) || first == second {
        return false;
    }
    let mut swapped = typing.clone();
    if !(swapped.try_run(second) && swapped.try_run(first)) {
        return false;
    }
    let mut kept = typing.clone();
    kept.run(first);
    kept.run(second);
    let same = |statement: &Statement| kept.get(statement.target) == swapped.get(statement.target);
    (same(first) && same(second)) || swapped.finishes(&statements[position + 2..], parent.outputs())
}

fn order_matters(first: &Statement, second: &Statement) -> bool {
    let reads = |reader: &Statement, writer: &Statement| {
        reader.args().contains(&Operand::Variable(writer.target))
    };
    first.target == second.target || reads(first, second) || reads(second, first)
}
