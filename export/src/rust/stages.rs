//! Stages: which loop over the elements computes what.
//!
//! Invariant: a loop reads only what is known before it or computed in it for the same element, so
//! a reduction over a tree ends a loop and its result is known to the next. A program without
//! reductions is one loop. Weights and states are written by the last loop alone, when nothing
//! reads them any more.

use evo_dsl::{Op, Type};

use crate::listing::{Argument, Line, Listing};

/// Where every line of a listing is computed.
#[derive(Debug)]
pub(super) struct Stages {
    /// The loop that computes a tree; the loop before which anything smaller is computed.
    pub at: Vec<usize>,
    /// The loop in which a line reads whole trees to sum them up or to collect a matrix.
    pub read: Vec<Option<usize>>,
    /// Whether a tree is kept for loops after the one that computes it.
    pub kept: Vec<bool>,
    /// The last loop, which takes the outputs.
    pub last: usize,
}

impl Stages {
    pub(super) fn of(listing: &Listing) -> Stages {
        let count = listing.lines.len();
        let (mut at, mut read): (Vec<usize>, Vec<Option<usize>>) = (Vec::new(), Vec::new());
        for line in &listing.lines {
            let known = |argument: &Argument| match argument {
                Argument::Line(index) => at[*index],
                _ => 0,
            };
            let args = if line.op == Op::Clip { &line.args[..1] } else { &line.args[..] };
            let reads = args.iter().map(known).max().unwrap_or(0);
            let sums = sums_trees(listing, line);
            let all = line.args.iter().map(known).max().unwrap_or(0);
            at.push(all.max(if sums { reads + 1 } else { 0 }));
            read.push(sums.then_some(reads));
        }
        let last = at.iter().copied().max().unwrap_or(0);
        let mut stages = Stages { at, read, kept: vec![false; count], last };
        for index in (0..count).rev().filter(|index| is_computed_in_loop(&listing.lines[*index])) {
            stages.settle(listing, index);
        }
        stages
    }

    /// Moves a tree to the first loop that reads it, unless more trees would be kept for that, and
    /// says whether it is kept. What reads it has been settled before.
    fn settle(&mut self, listing: &Listing, index: usize) {
        let mut uses = Vec::new();
        for (reader, line) in listing.lines.iter().enumerate() {
            if line.args.contains(&Argument::Line(index)) {
                uses.extend(self.read[reader]);
                uses.extend(is_computed_in_loop(line).then_some(self.at[reader]));
            }
        }
        let outputs = listing.states.iter().map(|state| state.next).chain([listing.update]);
        uses.extend(outputs.filter(|next| *next == Argument::Line(index)).map(|_| self.last));
        let is_line = |argument: &&Argument| {
            matches!(argument, Argument::Line(_)) && listing.ty(**argument) == Type::Tree
        };
        let first = uses.iter().copied().min().unwrap_or(self.at[index]);
        if listing.lines[index].args.iter().filter(is_line).count() <= 1 {
            self.at[index] = self.at[index].max(first);
        }
        self.kept[index] = uses.iter().any(|used| *used > self.at[index]);
    }
}

/// Whether a line is computed element by element, in a loop.
pub(super) fn is_computed_in_loop(line: &Line) -> bool {
    line.ty == Type::Tree && line.op.newton_schulz().is_none()
}

/// Whether a line reads all elements of a tree before its result is known.
pub(super) fn sums_trees(listing: &Listing, line: &Line) -> bool {
    match line.op {
        op if op.newton_schulz().is_some() => true,
        Op::Norm | Op::RowMean | Op::ColumnMean | Op::GlobalNorm | Op::Dot | Op::CosineSim => {
            joined(listing, &line.args) == Type::Tree
        }
        Op::Clip => line.ty == Type::Tree,
        _ => false,
    }
}

/// The type that all arguments broadcast into.
pub(super) fn joined(listing: &Listing, args: &[Argument]) -> Type {
    args.iter().map(|arg| listing.ty(*arg)).reduce(Type::join).unwrap_or(Type::Scalar)
}
