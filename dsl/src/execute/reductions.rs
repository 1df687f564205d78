//! Compilation of what looks at more than one element: sums, norms, means, orthogonal matrices.
//!
//! Invariant: each ends its stage. A tree of stage `s` is summed up during the pass of stage `s`,
//! and its matrices are worked on between the two passes, so the result is there from stage `s + 1`
//! on.

use super::allocate::{Draft, Tree};
use super::compile::{Compiler, Lowered};
use super::plan::{SmallOp, Source};
use crate::matrix::Schedule;
use crate::{Op, Type};

impl Compiler<'_> {
    pub(super) fn norm(&mut self, x: Lowered) -> Lowered {
        let squares = match x.ty() {
            ty @ (Type::Scalar | Type::PerLeaf) => {
                return self.small_op(SmallOp::Op(Op::Abs), ty, &[x]);
            }
            Type::Tree => self.products(x, x),
            _ => {
                let squares = self.products(x, x);
                self.small_op(SmallOp::LeafTotal, Type::PerLeaf, &[squares])
            }
        };
        self.small_op(SmallOp::Op(Op::Sqrt), Type::PerLeaf, &[squares])
    }

    /// The mean within each row (`direction` per-row) or column.
    pub(super) fn mean(&mut self, x: Lowered, direction: Type) -> Lowered {
        match x {
            Lowered::Tree(tree) => {
                let stage = self.stage(x);
                self.reach(stage + 1);
                let slot = self.slot(direction);
                self.stages[stage].means.push(slot);
                self.stages[stage].by_leaf = true;
                self.drafts[stage].push(Draft::Sum { slot, x: tree });
                Lowered::Small { slot, stage: stage + 1, constant: false }
            }
            // It varies across the direction of the mean, once in each leaf.
            Lowered::Small { slot, .. } if !slot.is_even() && slot.ty != direction => {
                self.small_op(SmallOp::LeafMean, Type::PerLeaf, &[x])
            }
            constant => constant,
        }
    }

    pub(super) fn orthogonalize(&mut self, x: Lowered, schedule: Schedule) -> Lowered {
        let stage = self.stage(x);
        self.reach(stage + 1);
        let tree = self.tree(x, stage);
        self.reads(tree, stage + 1);
        let out = self.spills;
        self.spills += 1;
        self.orthogonal.push((stage + 1, tree, out, schedule));
        self.trees.push(Tree { stage: stage + 1, input: Some(Source::Spill(out)), spill: None });
        Lowered::Tree(self.trees.len() - 1)
    }

    /// Both values as their join's type.
    pub(super) fn joined(&mut self, a: Lowered, b: Lowered) -> (Lowered, Lowered) {
        let ty = a.ty().join(b.ty());
        if ty == Type::Tree {
            let stage = self.stage(a).max(self.stage(b));
            self.reach(stage);
            return (Lowered::Tree(self.tree(a, stage)), Lowered::Tree(self.tree(b, stage)));
        }
        let mut spread = |value: Lowered| match value.ty() {
            own if own == ty => value,
            // A smaller value counts once for each leaf, row or column.
            _ => self.small_op(SmallOp::Spread, ty, &[value]),
        };
        (spread(a), spread(b))
    }

    pub(super) fn dot(&mut self, a: Lowered, b: Lowered) -> Lowered {
        let products = self.products(a, b);
        self.small_op(SmallOp::Total, Type::Scalar, &[products])
    }

    /// The products of two values, summed within each leaf if they are trees.
    fn products(&mut self, a: Lowered, b: Lowered) -> Lowered {
        let ty = a.ty().join(b.ty());
        if ty != Type::Tree {
            return self.small_op(SmallOp::Op(Op::Mul), ty, &[a, b]);
        }
        let stage = self.stage(a).max(self.stage(b));
        self.reach(stage + 1);
        let (a, b) = (self.tree(a, stage), self.tree(b, stage));
        let slot = self.slot(Type::PerLeaf);
        let sum = self.stages[stage].sums.len();
        self.stages[stage].sums.push(slot);
        self.stages[stage].by_leaf = true;
        self.drafts[stage].push(Draft::Reduce { sum, a, b });
        Lowered::Small { slot, stage: stage + 1, constant: false }
    }
}
