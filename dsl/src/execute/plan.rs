//! The bytecode of the executor.
//!
//! Invariant: within a stage the target register of an instruction is never one of its sources,
//! so kernels work on slices that do not overlap.

use std::ops::Range;

use crate::matrix::Schedule;
use crate::reduce::{bias_correction, clip_factor, cosine};
use crate::{Layout, Leaf, Op, Real, Type};

/// A register of one block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Register(pub u16);

/// Where a small value lies in the table of small values, and which of the types short of a tree
/// it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Slot {
    pub offset: usize,
    pub ty: Type,
}

impl Slot {
    /// Its places in the table.
    pub(super) fn range(self, layout: &Layout) -> Range<usize> {
        self.offset..self.offset + layout.count(self.ty)
    }

    /// The places in the table that belong to a leaf.
    pub(super) fn places(self, leaf: &Leaf, index: usize) -> Range<usize> {
        let places = leaf.places(self.ty, index);
        self.offset + places.start..self.offset + places.end
    }

    /// Its value for a leaf, for a slot that has one there.
    pub(super) fn at(self, small: &[f64], leaf: usize) -> f64 {
        small[self.offset + if self.ty == Type::PerLeaf { leaf } else { 0 }]
    }

    /// Whether it is the same number for all elements of a leaf.
    pub(super) fn is_even(self) -> bool {
        matches!(self.ty, Type::Scalar | Type::PerLeaf)
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
    /// An input of an expression.
    Input(usize),
}

/// What is done to the elements of a tree as they are read. A value that is read once, and is a
/// square, a root or a multiple of another, or the root of a multiple, costs no pass of its own
/// that way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Modifier<S> {
    Plain,
    /// `x * x`.
    Square,
    /// `sqrt |x|`.
    Root,
    /// `x * k`.
    Scale(S),
    /// `sqrt |x * k|`.
    RootOfScaled(S),
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
    /// `a` where `c` is above zero, else `b`.
    Choose {
        out: Register,
        c: Source,
        a: Source,
        b: Source,
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
    /// Adds the elements of a block to the sums of the leaf's rows or columns, as the slot's type
    /// says.
    Sum {
        slot: Slot,
        x: Source,
    },
}

/// What is computed on small values.
#[derive(Clone, Copy, Debug)]
pub(super) enum SmallOp {
    /// An elementwise op, `interp` and `where` included.
    Op(Op),
    /// The value repeated for everything the result's type tells apart.
    Spread,
    /// The sum of all numbers.
    Total,
    /// The sum of each leaf's numbers.
    LeafTotal,
    /// The mean of each leaf's numbers.
    LeafMean,
    /// The cosine from the sums of a·b, a·a and b·b.
    Cosine,
    /// The factor of `clip` from the square of the norm and the limit.
    ClipFactor,
    /// The factor of `bias_correct` from beta and the step.
    BiasCorrection,
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
    pub(super) fn run(&self, small: &mut [f64], layout: &Layout) {
        let [a, ..] = self.args;
        match (self.op, self.out.ty) {
            (SmallOp::Total, _) => {
                small[self.out.offset] = small[a.range(layout)].iter().sum();
            }
            (SmallOp::LeafTotal | SmallOp::LeafMean, _) => {
                for (index, leaf) in layout.leaves().iter().enumerate() {
                    let numbers = &small[a.places(leaf, index)];
                    let total: f64 = numbers.iter().sum();
                    let mean = matches!(self.op, SmallOp::LeafMean);
                    let value = if mean { total / numbers.len() as f64 } else { total };
                    small[self.out.offset + index] = value;
                }
            }
            (_, Type::Scalar) => {
                small[self.out.offset] = self.value(self.args.map(|arg| small[arg.offset]));
            }
            _ => {
                for (index, leaf) in layout.leaves().iter().enumerate() {
                    let places = self.args.map(|arg| arg.places(leaf, index));
                    for (element, out) in self.out.places(leaf, index).enumerate() {
                        // One of several where the argument has the result's type, else the one.
                        let read = |of: &Range<usize>| small[(of.start + element).min(of.end - 1)];
                        small[out] =
                            self.value([read(&places[0]), read(&places[1]), read(&places[2])]);
                    }
                }
            }
        }
    }

    fn value(&self, [a, b, c]: [f64; 3]) -> f64 {
        match self.op {
            SmallOp::Op(Op::Interp) => f64::interp(a, b, c),
            SmallOp::Op(Op::Where) => f64::choose(a, b, c),
            SmallOp::Op(op) if op.arity() == 1 => f64::unary(op, a),
            SmallOp::Op(op) => f64::binary(op, a, b),
            SmallOp::Cosine => cosine(a, b, c),
            SmallOp::ClipFactor => clip_factor(a, b),
            SmallOp::BiasCorrection => bias_correction(a, b),
            SmallOp::Spread | SmallOp::Total | SmallOp::LeafTotal | SmallOp::LeafMean => a,
        }
    }
}

/// A tree replaced by the nearest orthogonal matrices, into a spill.
#[derive(Clone, Copy, Debug)]
pub(super) struct Orthogonalization {
    pub out: usize,
    pub x: Source,
    pub schedule: Schedule,
}

/// One pass over the parameters.
#[derive(Clone, Debug, Default)]
pub(super) struct Stage {
    /// Run once before the pass.
    pub prologue: Vec<SmallInstruction>,
    /// Run once before the pass, on trees of earlier stages.
    pub orthogonalizations: Vec<Orthogonalization>,
    /// Run for every block.
    pub body: Vec<Instruction>,
    /// For every reduction, where the leaf sums go.
    pub sums: Vec<Slot>,
    /// The means of rows or columns that the pass sums up.
    pub means: Vec<Slot>,
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

/// A division by the way: dividing takes so long that all else is done beside it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Quotient {
    pub a: Elements,
    pub b: Elements,
    pub blends: Blends,
}

/// The states of a division that the instructions before it blend in place.
#[derive(Clone, Copy, Debug)]
pub(super) enum Blends {
    Neither,
    /// The one that is divided by.
    Below(Blend),
    /// The one that is divided, then the one that it is divided by.
    Both(Blend, Blend),
}

/// A state that is blended in place: what with, and by how much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Blend {
    pub state: usize,
    pub x: Elements,
    pub by: Slot,
}

impl Quotient {
    /// How many instructions it comes to.
    pub(super) fn instructions(&self) -> usize {
        match self.blends {
            Blends::Neither => 1,
            Blends::Below(_) => 2,
            Blends::Both(..) => 3,
        }
    }
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
    /// What the last instructions of all come to, if they end with a division whose result is the
    /// update and nothing else: whoever subtracts it may do their work as well, and leave them out.
    pub quotient: Option<Quotient>,
    /// The next value of each live state slot that changes.
    pub states: Vec<(usize, Arg)>,
}
