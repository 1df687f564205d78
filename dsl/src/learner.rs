//! Learners: whole learning algorithms in the language of AutoML-Zero (arXiv 2003.03384), and its
//! 65 ops as data with their meaning.
//!
//! Invariant: an op's number is the OP number of the paper and of the released program, and
//! [`LearnerOp::info`] is the one table of facts about it. The meaning is the released program's,
//! as it runs, not as its names suggest: divisions and logarithms are unprotected, and the step
//! function differs between scalars and the rest.
//!
//! These are not rows of [`Op`](crate::Op), whose values broadcast and whose divisions are guarded.
//! Here every op has fixed types, over a memory of scalars, vectors of n numbers and n x n
//! matrices, so that any op can be drawn without asking what is in memory.

mod apply;
mod canonical;
mod domain;
#[cfg(test)]
mod drawn;
mod encoding;
mod execute;
mod functions;
mod interpret;
mod live;
mod mutate;
mod program;
mod shape;
mod simplify;
mod table;
mod task;
mod text;
mod zoo;

pub use apply::Draw;
pub use domain::Learners;
pub use execute::{LearnerExecutor, LearnerTasks};
pub use interpret::LearnerInterpreter;
pub use mutate::{
    LearnerFunctionConfig, LearnerMemory, LearnerMutation, LearnerMutator, LearnerWeights,
};
pub use program::{LearnerError, LearnerFunction, LearnerProgram, LearnerStatement};
pub use table::{LearnerConstants, LearnerOpInfo};
pub use task::{LearnerDraws, LearnerExamples, LearnerLoss, LearnerTask, LearnerTraining, normal};
pub use zoo::LearnerZooEntry;

use std::fmt;

use table::TABLE;

/// The type of a place in a learner's memory. All numbers are float64.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LearnerType {
    /// One number.
    Scalar,
    /// n numbers, n being the number of features.
    Vector,
    /// n x n numbers, row by row.
    Matrix,
}

impl LearnerType {
    /// All types, none before a smaller one.
    pub const ALL: [LearnerType; 3] =
        [LearnerType::Scalar, LearnerType::Vector, LearnerType::Matrix];

    /// How many numbers a value holds where there are `n` features.
    pub fn size(self, n: usize) -> usize {
        match self {
            LearnerType::Scalar => 1,
            LearnerType::Vector => n,
            LearnerType::Matrix => n * n,
        }
    }
}

impl fmt::Display for LearnerType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            LearnerType::Scalar => "scalar",
            LearnerType::Vector => "vector",
            LearnerType::Matrix => "matrix",
        })
    }
}

/// What a statement of a learner computes; the discriminant is the paper's OP number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "each op's formula is its row in the table")]
#[repr(u8)]
pub enum LearnerOp {
    NoOp,
    ScalarSum,
    ScalarDiff,
    ScalarProduct,
    ScalarDivision,
    ScalarAbs,
    ScalarReciprocal,
    ScalarSin,
    ScalarCos,
    ScalarTan,
    ScalarArcsin,
    ScalarArccos,
    ScalarArctan,
    ScalarExp,
    ScalarLog,
    ScalarHeavyside,
    VectorHeavyside,
    MatrixHeavyside,
    ScalarVectorProduct,
    ScalarBroadcast,
    VectorReciprocal,
    VectorNorm,
    VectorAbs,
    VectorSum,
    VectorDiff,
    VectorProduct,
    VectorDivision,
    VectorInnerProduct,
    VectorOuterProduct,
    ScalarMatrixProduct,
    MatrixReciprocal,
    MatrixVectorProduct,
    VectorColumnBroadcast,
    VectorRowBroadcast,
    MatrixNorm,
    MatrixColumnNorm,
    MatrixRowNorm,
    MatrixTranspose,
    MatrixAbs,
    MatrixSum,
    MatrixDiff,
    MatrixProduct,
    MatrixDivision,
    MatrixMatrixProduct,
    ScalarMin,
    VectorMin,
    MatrixMin,
    ScalarMax,
    VectorMax,
    MatrixMax,
    VectorMean,
    MatrixMean,
    MatrixRowMean,
    MatrixRowStDev,
    VectorStDev,
    MatrixStDev,
    ScalarConstSet,
    VectorConstSet,
    MatrixConstSet,
    ScalarUniformSet,
    VectorUniformSet,
    MatrixUniformSet,
    ScalarGaussianSet,
    VectorGaussianSet,
    MatrixGaussianSet,
}

impl LearnerOp {
    /// The name of the whole set on the command line.
    pub const SET: &'static str = "automl_zero";

    /// Every op, in the order of its number.
    pub fn all() -> impl Iterator<Item = LearnerOp> {
        TABLE.iter().map(|info| info.op)
    }

    /// The row of facts about this op.
    pub fn info(self) -> &'static LearnerOpInfo {
        &TABLE[self as usize]
    }

    /// The paper's OP number.
    pub fn number(self) -> u8 {
        self as u8
    }

    /// The name in the released program's files, such as `SCALAR_SUM_OP`.
    pub fn official_name(self) -> String {
        let name = self.info().name.to_uppercase();
        if self == LearnerOp::NoOp { name } else { name + OFFICIAL_ENDING }
    }

    /// The op of this name, in either case, with or without the ending of the official name.
    pub fn from_name(name: &str) -> Option<LearnerOp> {
        let bare = name.strip_suffix(OFFICIAL_ENDING).unwrap_or(name);
        let known = |info: &&LearnerOpInfo| {
            // `NO_OP` is whole with what looks like the ending.
            let name = if info.op == LearnerOp::NoOp { name } else { bare };
            info.name.eq_ignore_ascii_case(name)
        };
        TABLE.iter().find(known).map(|info| info.op)
    }
}

/// What all official names but `NO_OP` have after the op's own.
const OFFICIAL_ENDING: &str = "_OP";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_in_either_case_and_with_the_official_ending() {
        for op in LearnerOp::all() {
            let name = op.info().name;
            for name in [name.to_owned(), name.to_uppercase(), op.official_name()] {
                assert_eq!(LearnerOp::from_name(&name), Some(op), "{name}");
            }
        }
        assert_eq!(LearnerOp::ScalarSum.official_name(), "SCALAR_SUM_OP");
        assert_eq!(LearnerOp::NoOp.official_name(), "NO_OP");
        assert_eq!(LearnerOp::from_name("NO"), None);
        assert_eq!(LearnerOp::from_name("scalar"), None);
    }

    #[test]
    fn numbers_are_those_of_the_paper() {
        let known = [
            ("no_op", 0),
            ("scalar_log", 14),
            ("scalar_heavyside", 15),
            ("scalar_vector_product", 18),
            ("vector_inner_product", 27),
            ("matrix_vector_product", 31),
            ("matrix_transpose", 37),
            ("matrix_matrix_product", 43),
            ("scalar_min", 44),
            ("matrix_max", 49),
            ("matrix_row_st_dev", 53),
            ("matrix_st_dev", 55),
            ("scalar_const_set", 56),
            ("scalar_uniform_set", 59),
            ("matrix_gaussian_set", 64),
        ];
        for (name, number) in known {
            assert_eq!(LearnerOp::from_name(name).map(LearnerOp::number), Some(number), "{name}");
        }
    }
}
