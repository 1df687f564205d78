//! The facts about an op that are asked of every statement of every birth, in one small row.
//!
//! Invariant: the rows follow from the table of ops, so no fact is stated twice.

use super::table::TABLE;
use super::{LearnerConstants, LearnerOp, LearnerProgram, LearnerType};

/// What liveness, hashing and mutation ask of an op.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    pub(super) inputs: [Option<LearnerType>; 2],
    pub(super) output: Option<LearnerType>,
    /// Whether it writes a part of its target and leaves the rest.
    pub(super) updates: bool,
    /// Whether it draws random numbers.
    pub(super) draws: bool,
    /// How many constants it has.
    pub(super) constants: u8,
    /// Whether its arguments may change places, to the bit.
    pub(super) commutes: bool,
    /// For arguments and result all ones in the word of its type, of those of a set of addresses
    /// ([`Addresses`](super::live::Addresses)); nowhere where an op has none.
    pub(super) masks: [[u64; 3]; 3],
}

static SHAPES: [Shape; 65] = {
    let mut shapes = [Shape::of(LearnerOp::NoOp); 65];
    let mut index = 0;
    while index < shapes.len() {
        shapes[index] = Shape::of(TABLE[index].op);
        index += 1;
    }
    shapes
};

impl LearnerOp {
    pub(super) fn shape(self) -> &'static Shape {
        &SHAPES[self as usize]
    }
}

impl Shape {
    /// Whether an address that this op writes is one that is given: the label or the features.
    pub(super) fn is_given(&self, output: u8) -> bool {
        let writes = matches!(self.output, Some(LearnerType::Scalar | LearnerType::Vector));
        writes && output == LearnerProgram::GIVEN
    }

    const fn of(op: LearnerOp) -> Shape {
        use LearnerConstants as C;
        use LearnerOp as L;
        let info = &TABLE[op as usize];
        let inputs = match info.inputs {
            [] => [None, None],
            [one] => [Some(*one), None],
            [first, second, ..] => [Some(*first), Some(*second)],
        };
        let constants = match info.constants {
            C::None => 0,
            C::Value => 1,
            C::IndexValue | C::MeanDeviation | C::LowHigh => 2,
            C::IndicesValue => 3,
        };
        // Not the smaller and the larger of two: NaN and the sign of 0 depend on their order.
        let commutes = matches!(
            op,
            L::ScalarSum
                | L::ScalarProduct
                | L::VectorSum
                | L::VectorProduct
                | L::VectorInnerProduct
                | L::MatrixSum
                | L::MatrixProduct
        );
        Shape {
            inputs,
            output: info.output,
            updates: matches!(info.constants, C::IndexValue | C::IndicesValue),
            draws: matches!(info.constants, C::MeanDeviation | C::LowHigh),
            constants,
            commutes,
            masks: [mask(inputs[0]), mask(inputs[1]), mask(info.output)],
        }
    }
}

const fn mask(ty: Option<LearnerType>) -> [u64; 3] {
    match ty {
        Some(LearnerType::Scalar) => [u64::MAX, 0, 0],
        Some(LearnerType::Vector) => [0, u64::MAX, 0],
        Some(LearnerType::Matrix) => [0, 0, u64::MAX],
        None => [0; 3],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_those_of_the_table() {
        for op in LearnerOp::all() {
            let (shape, info) = (op.shape(), op.info());
            assert!(shape.inputs.into_iter().flatten().eq(info.inputs.iter().copied()));
            assert_eq!(shape.output, info.output);
            assert_eq!(usize::from(shape.constants), info.constants.count());
            assert!(!shape.commutes || info.inputs.len() == 2 && info.inputs[0] == info.inputs[1]);
        }
    }
}
