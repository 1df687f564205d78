//! The table of facts about the learner ops.

use super::{LearnerOp, LearnerType};

/// The constants that a statement of an op carries, besides what it reads from memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LearnerConstants {
    /// None.
    None,
    /// The number to set.
    Value,
    /// Where in a vector, and the number to set there. A place is a fraction of the size, from 0
    /// up to 1, so that a statement makes sense for any number of features.
    IndexValue,
    /// The row and the column, as fractions, and the number to set there.
    IndicesValue,
    /// Mean and standard deviation of normal numbers.
    MeanDeviation,
    /// The ends of a range of uniform numbers.
    LowHigh,
}

impl LearnerConstants {
    /// What the constants stand for, in the order in which a statement holds them.
    pub fn names(self) -> &'static [&'static str] {
        match self {
            LearnerConstants::None => &[],
            LearnerConstants::Value => &["value"],
            LearnerConstants::IndexValue => &["index", "value"],
            LearnerConstants::IndicesValue => &["row", "column", "value"],
            LearnerConstants::MeanDeviation => &["mean", "standard deviation"],
            LearnerConstants::LowHigh => &["low", "high"],
        }
    }

    /// How many they are.
    pub fn count(self) -> usize {
        self.names().len()
    }
}

/// The facts about one learner op.
#[derive(Clone, Copy, Debug)]
pub struct LearnerOpInfo {
    /// The op.
    pub op: LearnerOp,
    /// Its name: the official one in lower case, without the ending.
    pub name: &'static str,
    /// The types of the arguments, none to two.
    pub inputs: &'static [LearnerType],
    /// The type of what it writes; only `no_op` writes nothing.
    pub output: Option<LearnerType>,
    /// The constants it carries. An op with constants reads no arguments.
    pub constants: LearnerConstants,
    /// What it computes: from `x`, or from `a` and `b`, with `i` counting rows and `j` columns.
    pub formula: &'static str,
    /// What happens where the formula is not defined, or leaves it open; empty where it does not.
    pub guard: &'static str,
    /// Where it comes from.
    pub source: &'static str,
}

impl LearnerOpInfo {
    /// What the columns of [`LearnerOpInfo::row`] hold.
    pub const COLUMNS: [&'static str; 7] =
        ["number", "name", "arguments", "result", "formula", "guard", "source"];

    /// The facts as text, for a listing. Constants stand in brackets among the arguments.
    pub fn row(&self) -> [String; 7] {
        let types = self.inputs.iter().map(|ty| ty.to_string());
        let constants = self.constants.names().iter().map(|name| format!("[{name}]"));
        let arguments: Vec<String> = types.chain(constants).collect();
        [
            self.op.number().to_string(),
            self.name.to_owned(),
            arguments.join(", "),
            self.output.map_or_else(String::new, |ty| ty.to_string()),
            self.formula.to_owned(),
            self.guard.to_owned(),
            self.source.to_owned(),
        ]
    }
}

const S: LearnerType = LearnerType::Scalar;
const V: LearnerType = LearnerType::Vector;
const M: LearnerType = LearnerType::Matrix;

const fn row(
    op: LearnerOp,
    name: &'static str,
    inputs: &'static [LearnerType],
    output: LearnerType,
    formula: &'static str,
) -> LearnerOpInfo {
    let (output, constants) = (Some(output), LearnerConstants::None);
    let source = "AutoML-Zero, arXiv 2003.03384";
    LearnerOpInfo { op, name, inputs, output, constants, formula, guard: "", source }
}

const fn set(
    op: LearnerOp,
    name: &'static str,
    constants: LearnerConstants,
    output: LearnerType,
    formula: &'static str,
) -> LearnerOpInfo {
    LearnerOpInfo { constants, ..row(op, name, &[], output, formula) }
}

impl LearnerOpInfo {
    const fn guard(self, guard: &'static str) -> LearnerOpInfo {
        LearnerOpInfo { guard, ..self }
    }
}

const DIVISION: &str = "none: infinite or NaN at 0";
const OUTSIDE: &str = "NaN outside [-1, 1]";
const STEP: &str = "0 at NaN";
const FIRST: &str = "the first where either is NaN";
const SECOND: &str = "the second where either is NaN";
const DEVIATION: &str = "none: NaN where rounding leaves less than 0";
const PLACE: &str = "the others stay; the last for an index of 1 or more";
const RANGE: &str = "low where high is not above it";

/// Every op, in the order of [`LearnerOp`].
#[rustfmt::skip]
pub(super) const TABLE: [LearnerOpInfo; 65] = {
    use LearnerOp as L;
    use LearnerConstants as C;
    [
        LearnerOpInfo { output: None, ..row(L::NoOp, "no_op", &[], S, "nothing") },
        row(L::ScalarSum, "scalar_sum", &[S, S], S, "a + b"),
        row(L::ScalarDiff, "scalar_diff", &[S, S], S, "a - b"),
        row(L::ScalarProduct, "scalar_product", &[S, S], S, "a * b"),
        row(L::ScalarDivision, "scalar_division", &[S, S], S, "a / b").guard(DIVISION),
        row(L::ScalarAbs, "scalar_abs", &[S], S, "|x|"),
        row(L::ScalarReciprocal, "scalar_reciprocal", &[S], S, "1 / x").guard("none: infinite at 0"),
        row(L::ScalarSin, "scalar_sin", &[S], S, "sin x"),
        row(L::ScalarCos, "scalar_cos", &[S], S, "cos x"),
        row(L::ScalarTan, "scalar_tan", &[S], S, "tan x"),
        row(L::ScalarArcsin, "scalar_arcsin", &[S], S, "arcsin x").guard(OUTSIDE),
        row(L::ScalarArccos, "scalar_arccos", &[S], S, "arccos x").guard(OUTSIDE),
        row(L::ScalarArctan, "scalar_arctan", &[S], S, "arctan x"),
        row(L::ScalarExp, "scalar_exp", &[S], S, "e^x"),
        row(L::ScalarLog, "scalar_log", &[S], S, "ln x").guard("none: infinite at 0, NaN below"),
        row(L::ScalarHeavyside, "scalar_heavyside", &[S], S, "1 if x >= 0, else 0").guard(STEP),
        row(L::VectorHeavyside, "vector_heavyside", &[V], V, "1 if x_i > 0, else 0").guard(STEP),
        row(L::MatrixHeavyside, "matrix_heavyside", &[M], M, "1 if x_ij > 0, else 0").guard(STEP),
        row(L::ScalarVectorProduct, "scalar_vector_product", &[S, V], V, "a * b_i"),
        row(L::ScalarBroadcast, "scalar_broadcast", &[S], V, "x everywhere"),
        row(L::VectorReciprocal, "vector_reciprocal", &[V], V, "1 / x_i").guard("none: infinite at 0"),
        row(L::VectorNorm, "vector_norm", &[V], S, "sqrt of the sum of x_i^2"),
        row(L::VectorAbs, "vector_abs", &[V], V, "|x_i|"),
        row(L::VectorSum, "vector_sum", &[V, V], V, "a_i + b_i"),
        row(L::VectorDiff, "vector_diff", &[V, V], V, "a_i - b_i"),
        row(L::VectorProduct, "vector_product", &[V, V], V, "a_i * b_i"),
        row(L::VectorDivision, "vector_division", &[V, V], V, "a_i / b_i").guard(DIVISION),
        row(L::VectorInnerProduct, "vector_inner_product", &[V, V], S, "sum of a_i * b_i"),
        row(L::VectorOuterProduct, "vector_outer_product", &[V, V], M, "a_i * b_j"),
        row(L::ScalarMatrixProduct, "scalar_matrix_product", &[S, M], M, "a * b_ij"),
        row(L::MatrixReciprocal, "matrix_reciprocal", &[M], M, "1 / x_ij").guard("none: infinite at 0"),
        row(L::MatrixVectorProduct, "matrix_vector_product", &[M, V], V, "sum over j of a_ij * b_j"),
        row(L::VectorColumnBroadcast, "vector_column_broadcast", &[V], M, "x_i: every column is x"),
        row(L::VectorRowBroadcast, "vector_row_broadcast", &[V], M, "x_j: every row is x"),
        row(L::MatrixNorm, "matrix_norm", &[M], S, "sqrt of the sum of x_ij^2"),
        row(L::MatrixColumnNorm, "matrix_column_norm", &[M], V, "sqrt of the sum of x_ij^2 over i"),
        row(L::MatrixRowNorm, "matrix_row_norm", &[M], V, "sqrt of the sum of x_ij^2 over j"),
        row(L::MatrixTranspose, "matrix_transpose", &[M], M, "x_ji"),
        row(L::MatrixAbs, "matrix_abs", &[M], M, "|x_ij|"),
        row(L::MatrixSum, "matrix_sum", &[M, M], M, "a_ij + b_ij"),
        row(L::MatrixDiff, "matrix_diff", &[M, M], M, "a_ij - b_ij"),
        row(L::MatrixProduct, "matrix_product", &[M, M], M, "a_ij * b_ij"),
        row(L::MatrixDivision, "matrix_division", &[M, M], M, "a_ij / b_ij").guard(DIVISION),
        row(L::MatrixMatrixProduct, "matrix_matrix_product", &[M, M], M, "sum over k of a_ik * b_kj"),
        row(L::ScalarMin, "scalar_min", &[S, S], S, "smaller of a and b").guard(FIRST),
        row(L::VectorMin, "vector_min", &[V, V], V, "smaller of a_i and b_i").guard(FIRST),
        row(L::MatrixMin, "matrix_min", &[M, M], M, "smaller of a_ij and b_ij").guard(SECOND),
        row(L::ScalarMax, "scalar_max", &[S, S], S, "larger of a and b").guard(FIRST),
        row(L::VectorMax, "vector_max", &[V, V], V, "larger of a_i and b_i").guard(FIRST),
        row(L::MatrixMax, "matrix_max", &[M, M], M, "larger of a_ij and b_ij").guard(SECOND),
        row(L::VectorMean, "vector_mean", &[V], S, "mean of the x_i"),
        row(L::MatrixMean, "matrix_mean", &[M], S, "mean of the x_ij"),
        row(L::MatrixRowMean, "matrix_row_mean", &[M], V, "mean of the x_ij over j"),
        row(L::MatrixRowStDev, "matrix_row_st_dev", &[M], V, "sqrt(mean of x^2 - (mean of x)^2), x_ij over j").guard(DEVIATION),
        row(L::VectorStDev, "vector_st_dev", &[V], S, "sqrt(mean of x^2 - (mean of x)^2)").guard(DEVIATION),
        row(L::MatrixStDev, "matrix_st_dev", &[M], S, "sqrt(mean of x^2 - (mean of x)^2)").guard(DEVIATION),
        set(L::ScalarConstSet, "scalar_const_set", C::Value, S, "value"),
        set(L::VectorConstSet, "vector_const_set", C::IndexValue, V, "value at i = floor(index * n)").guard(PLACE),
        set(L::MatrixConstSet, "matrix_const_set", C::IndicesValue, M, "value at i = floor(row * n), j = floor(column * n)").guard(PLACE),
        set(L::ScalarUniformSet, "scalar_uniform_set", C::LowHigh, S, "uniform between low and high").guard(RANGE),
        set(L::VectorUniformSet, "vector_uniform_set", C::LowHigh, V, "uniform between low and high, each").guard(RANGE),
        set(L::MatrixUniformSet, "matrix_uniform_set", C::LowHigh, M, "uniform between low and high, each").guard(RANGE),
        set(L::ScalarGaussianSet, "scalar_gaussian_set", C::MeanDeviation, S, "normal"),
        set(L::VectorGaussianSet, "vector_gaussian_set", C::MeanDeviation, V, "normal, each"),
        set(L::MatrixGaussianSet, "matrix_gaussian_set", C::MeanDeviation, M, "normal, each"),
    ]
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_follows_the_enum_and_names_are_unique() {
        let mut names = Vec::new();
        for (index, info) in TABLE.iter().enumerate() {
            assert_eq!(info.op as usize, index, "{}", info.name);
            assert!(!info.formula.is_empty() && !info.source.is_empty(), "{}", info.name);
            // The name of the variant is the name in another case.
            assert_eq!(format!("{:?}", info.op).to_lowercase(), info.name.replace('_', ""));
            names.push(info.name);
        }
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), 65);
    }

    #[test]
    fn only_no_op_writes_nothing_and_constants_stand_instead_of_arguments() {
        for info in &TABLE {
            assert_eq!(info.output.is_none(), info.op == LearnerOp::NoOp);
            let reads = !info.inputs.is_empty();
            let carries = info.constants.count() > 0;
            assert_eq!(reads ^ carries, info.op != LearnerOp::NoOp, "{}", info.name);
            assert!(info.inputs.len() <= 2);
        }
    }

    #[test]
    fn a_row_shows_types_and_constants() {
        let row = LearnerOp::ScalarVectorProduct.info().row();
        assert_eq!(row[..4], ["18", "scalar_vector_product", "scalar, vector", "vector"]);
        let row = LearnerOp::MatrixConstSet.info().row();
        assert_eq!(row[..4], ["58", "matrix_const_set", "[row], [column], [value]", "matrix"]);
        assert_eq!(LearnerOp::NoOp.info().row()[2..4], ["", ""]);
        assert_eq!(row.len(), LearnerOpInfo::COLUMNS.len());
    }
}
