//! The bytecode of the executor.
//!
//! Invariant: within a stage the target register of an instruction is never one of its sources,
//! so kernels work on slices that do not overlap.

use std::ops::Range;

use crate::reduce::{clip_factor, cosine};
use crate::{Op, Real};

/// A register of one block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Register(pub u16);

/// Where a small value (scalar or per-leaf) lies in the table of small values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Slot {
    pub offset: usize,
    pub per_leaf: bool,
}

impl Slot {
    /// Its places in the table.
    pub(super) fn range(self, leaves: usize) -> Range<usize> {
        self.offset..self.offset + if self.per_leaf { leaves } else { 1 }
    }

    /// Its value for a leaf.
    pub(super) fn at(self, small: &[f64], leaf: usize) -> f64 {
        small[self.offset + if self.per_leaf { leaf } else { 0 }]
    }
}

/// Where the elements of a tree come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    Register(Register),
    Weight,
    Gradient,
    State(usize),
    Spill(usize),
}

/// What is done to the elements of a tree as they are read. A value that is read once, and is a
/// square, a root or a multiple of another, costs no pass of its own that way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Modifier<S> {
    Plain,
    /// `x * x`.
    Square,
    /// `sqrt |x|`.
    Root,
    /// `x * k`.
    Scale(S),
}

/// The elements of a tree as an instruction reads them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Elements {
    pub source: Source,
    pub modifier: Modifier<Slot>,
}

/// An argument of an elementwise instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arg {
    Elements(Elements),
    Small(Slot),
}

/// One instruction on a block.
#[derive(Clone, Copy, Debug)]
pub(super) enum Instruction {
    Unary {
        op: Op,
        out: Register,
        x: Source,
    },
    Binary {
        op: Op,
        out: Register,
        a: Arg,
        b: Arg,
    },
    Interp {
        out: Register,
        x: Elements,
        y: Elements,
        a: Slot,
    },
    /// `interp` of `x` and a state's old value, which it replaces in place.
    InterpState {
        state: usize,
        x: Elements,
        a: Slot,
    },
    Fill {
        out: Register,
        value: Slot,
    },
    Copy {
        out: Register,
        x: Source,
    },
    /// Keeps a value for a later stage.
    Spill {
        spill: usize,
        x: Source,
    },
    /// Adds the products of a block to the leaf's sum.
    Reduce {
        sum: usize,
        a: Source,
        b: Source,
    },
}

/// What is computed on small values.
#[derive(Clone, Copy, Debug)]
pub(super) enum SmallOp {
    /// An elementwise op, `interp` included.
    Op(Op),
    /// A scalar repeated for every leaf.
    Spread,
    /// The sum over leaves.
    Total,
    /// The cosine from the sums of a·b, a·a and b·b.
    Cosine,
    /// The factor of `clip` from the square of the norm and the limit.
    ClipFactor,
}

/// One instruction on small values.
#[derive(Clone, Copy, Debug)]
pub(super) struct SmallInstruction {
    pub op: SmallOp,
    pub out: Slot,
    pub args: [Slot; 3],
}

impl SmallInstruction {
    /// Runs it on the table of small values.
    pub(super) fn run(&self, small: &mut [f64], leaves: usize) {
        let [a, b, c] = self.args;
        match self.op {
            SmallOp::Total => {
                small[self.out.offset] = small[a.range(leaves)].iter().sum();
            }
            SmallOp::Cosine => {
                small[self.out.offset] = cosine(a.at(small, 0), b.at(small, 0), c.at(small, 0));
            }
            SmallOp::ClipFactor => {
                small[self.out.offset] = clip_factor(a.at(small, 0), b.at(small, 0));
            }
            SmallOp::Spread | SmallOp::Op(_) => {
                for leaf in 0..self.out.range(leaves).len() {
                    let value =
                        self.element(a.at(small, leaf), b.at(small, leaf), c.at(small, leaf));
                    small[self.out.offset + leaf] = value;
                }
            }
        }
    }

    fn element(&self, a: f64, b: f64, c: f64) -> f64 {
        match self.op {
            SmallOp::Op(Op::Interp) => f64::interp(a, b, c),
            SmallOp::Op(op) if op.arity() == 1 => f64::unary(op, a),
            SmallOp::Op(op) => f64::binary(op, a, b),
            _ => a,
        }
    }
}

/// One pass over the parameters.
#[derive(Clone, Debug, Default)]
pub(super) struct Stage {
    /// Run once before the pass.
    pub prologue: Vec<SmallInstruction>,
    /// Run for every block.
    pub body: Vec<Instruction>,
    /// For every reduction, where the leaf sums go.
    pub sums: Vec<Slot>,
    /// Whether blocks must stay within a leaf.
    pub by_leaf: bool,
}

/// Weight decay folded into the update: it is `(x + w * weight) * scale`, 1 where a factor is
/// missing (a product with 1 keeps every bit).
#[derive(Clone, Copy, Debug)]
pub(super) struct Decay {
    pub weight: Option<Slot>,
    pub scale: Option<Slot>,
}

/// A compiled program.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub stages: Vec<Stage>,
    /// The small values at the start: constants in place, the rest zero.
    pub small: Vec<f64>,
    pub learning_rate: Slot,
    pub step: Slot,
    pub registers: usize,
    pub spills: usize,
    /// The update, or `x` of its decayed form.
    pub update: Arg,
    pub decay: Option<Decay>,
    /// The next value of each live state slot that changes.
    pub states: Vec<(usize, Arg)>,
}
