//! The table of facts about the ops.

use super::{Op, ShapeRule};

/// The facts about one op.
#[derive(Clone, Copy, Debug)]
pub struct OpInfo {
    /// The op.
    pub op: Op,
    /// Its name in program text; for infix ops the symbol.
    pub name: &'static str,
    /// Other accepted spellings.
    pub aliases: &'static [&'static str],
    /// Number of arguments, 0 to 3.
    pub arity: usize,
    /// How the result's type follows from the arguments'.
    pub rule: ShapeRule,
    /// Whether the first two arguments can be exchanged without changing the result.
    pub commutative: bool,
    /// What it computes.
    pub formula: &'static str,
    /// What keeps it defined where the formula is not, or where it gives NaN; empty where it is
    /// defined on all numbers.
    pub guard: &'static str,
    /// Where it comes from.
    pub source: &'static str,
}

/// The function library of the Lion search space.
const LION: &str = "Lion, arXiv 2302.06675";

const fn row(
    op: Op,
    name: &'static str,
    arity: usize,
    rule: ShapeRule,
    formula: &'static str,
) -> OpInfo {
    let commutative = matches!(op, Op::Add | Op::Mul | Op::Max | Op::Min | Op::Dot | Op::CosineSim);
    OpInfo { op, name, aliases: &[], arity, rule, commutative, formula, guard: "", source: LION }
}

const fn elementwise(op: Op, name: &'static str, formula: &'static str) -> OpInfo {
    row(op, name, 1, ShapeRule::Join, formula)
}

impl OpInfo {
    const fn or(self, aliases: &'static [&'static str]) -> OpInfo {
        OpInfo { aliases, ..self }
    }

    const fn guard(self, guard: &'static str) -> OpInfo {
        OpInfo { guard, ..self }
    }

    const fn source(self, source: &'static str) -> OpInfo {
        OpInfo { source, ..self }
    }
}

/// Every op, in the order of [`Op`].
#[rustfmt::skip]
pub(super) const TABLE: [OpInfo; 63] = [
    row(Op::Add, "+", 2, ShapeRule::Join, "a + b").or(&["add"]),
    row(Op::Sub, "-", 2, ShapeRule::Join, "a - b").or(&["subtract"]),
    row(Op::Mul, "*", 2, ShapeRule::Join, "a * b").or(&["multiply"]),
    row(Op::Div, "/", 2, ShapeRule::Join, "a / (b + 1e-8)").or(&["divide"]).guard("1e-8 added to the divisor"),
    row(Op::Max, "max", 2, ShapeRule::Join, "larger of a and b").or(&["maximum"]).guard("NaN if either is"),
    row(Op::Min, "min", 2, ShapeRule::Join, "smaller of a and b").or(&["minimum"]).guard("NaN if either is"),
    elementwise(Op::Abs, "abs", "|x|"),
    elementwise(Op::Negative, "negative", "-x").or(&["neg"]),
    elementwise(Op::Cos, "cos", "cos x"),
    elementwise(Op::Sin, "sin", "sin x"),
    elementwise(Op::Tan, "tan", "tan x"),
    elementwise(Op::Arcsin, "arcsin", "arcsin x").guard("NaN outside [-1, 1]"),
    elementwise(Op::Arccos, "arccos", "arccos x").guard("NaN outside [-1, 1]"),
    elementwise(Op::Arctan, "arctan", "arctan x"),
    elementwise(Op::Sinh, "sinh", "sinh x"),
    elementwise(Op::Cosh, "cosh", "cosh x"),
    elementwise(Op::Tanh, "tanh", "tanh x"),
    elementwise(Op::Arcsinh, "arcsinh", "arcsinh x"),
    elementwise(Op::Arccosh, "arccosh", "arccosh x").guard("NaN below 1"),
    elementwise(Op::Arctanh, "arctanh", "arctanh x").guard("NaN outside [-1, 1]"),
    elementwise(Op::Exp, "exp", "e^x"),
    elementwise(Op::Exp2, "exp2", "2^x"),
    elementwise(Op::Exp10, "exp10", "10^x"),
    elementwise(Op::Expm1, "expm1", "e^x - 1"),
    elementwise(Op::Log, "log", "ln |x|").guard("of the magnitude"),
    elementwise(Op::Log2, "log2", "log2 |x|").guard("of the magnitude"),
    elementwise(Op::Log10, "log10", "log10 |x|").guard("of the magnitude"),
    elementwise(Op::Log1p, "log1p", "ln |1 + x|").guard("of the magnitude"),
    elementwise(Op::Square, "square", "x * x"),
    elementwise(Op::Sqrt, "sqrt", "sqrt |x|").guard("of the magnitude"),
    elementwise(Op::Cube, "cube", "x * x * x"),
    elementwise(Op::Cbrt, "cbrt", "real cube root of x"),
    elementwise(Op::Reciprocal, "reciprocal", "1 / x").guard("none: infinite at 0"),
    elementwise(Op::Sign, "sign", "1 above zero, -1 below").guard("x itself at 0 and NaN"),
    row(Op::Invert, "invert", 1, ShapeRule::IntegersOnly, "bitwise not").guard("never valid on floats"),
    row(Op::Norm, "norm", 1, ShapeRule::ReduceLeaves, "2-norm of each tensor"),
    row(Op::GlobalNorm, "global_norm", 1, ShapeRule::ReduceAll, "2-norm over all tensors"),
    row(Op::Dot, "dot", 2, ShapeRule::ReduceAll, "sum of a * b over all tensors"),
    row(Op::CosineSim, "cosine_sim", 2, ShapeRule::ReduceAll, "dot(a, b) / (|a| |b|)").guard("0 at norm 0"),
    row(Op::Clip, "clip", 2, ShapeRule::KeepFirst, "x * min(1, c / global_norm(x))").or(&["clip_by_global_norm"]).guard("x itself at norm 0"),
    row(Op::Interp, "interp", 3, ShapeRule::Blend, "(1 - a) * x + a * y").or(&["interpolate"]),
    row(Op::Power, "power", 2, ShapeRule::Join, "a^b").or(&["pow"]).guard("NaN for a < 0 and fractional b"),
    row(Op::Pi, "get_pi", 0, ShapeRule::Constant, "3.14159..."),
    row(Op::E, "get_e", 0, ShapeRule::Constant, "2.71828..."),
    row(Op::Eps, "get_eps", 0, ShapeRule::Constant, "1e-8"),
    row(Op::BiasCorrect, "bias_correct", 2, ShapeRule::KeepFirst, "x / (1 - b^t), t the step").guard("none: infinite at b = 1")
        .source("Adam, arXiv 1412.6980, section 3"),
    row(Op::RowMean, "row_mean", 1, ShapeRule::ReduceRows, "mean of each row")
        .source("Adafactor, arXiv 1804.04235, section 3"),
    row(Op::ColumnMean, "column_mean", 1, ShapeRule::ReduceColumns, "mean of each column").or(&["col_mean"])
        .source("Adafactor, arXiv 1804.04235, section 3"),
    row(Op::Outer, "outer", 2, ShapeRule::Outer, "r_i * c_j, of rank one")
        .source("Adafactor, arXiv 1804.04235, section 3"),
    row(Op::Orthogonalize, "orthogonalize", 1, ShapeRule::Matrix, "5 Newton-Schulz steps to the nearest semi-orthogonal matrix")
        .guard("divides by at least 1e-7").source("Muon, Jordan et al. 2024"),
    row(Op::Where, "where", 3, ShapeRule::Join, "a if c > 0, else b").guard("b where c is NaN").source("numpy.where"),
    elementwise(Op::Heaviside, "heaviside", "1 above zero, else 0").guard("NaN stays").source("AutoML-Zero, arXiv 2003.03384, OP16"),
    row(Op::Clamp, "clamp", 3, ShapeRule::Join, "min(max(x, low), high)").or(&["clip_range"]).guard("NaN if any is").source("torch.clamp"),
    row(Op::Rows, "get_rows", 0, ShapeRule::LeafConstant, "rows of each tensor").source("Muon, Jordan et al. 2024"),
    row(Op::Columns, "get_columns", 0, ShapeRule::LeafConstant, "columns of each tensor").source("Muon, Jordan et al. 2024"),
    row(Op::Rms, "root_mean_square", 1, ShapeRule::ReduceLeaves, "root mean square of each tensor").source("Adafactor, arXiv 1804.04235, section 5"),
    row(Op::RmsNormalize, "rms_normalize", 1, ShapeRule::Keep, "x / root_mean_square(x)").guard("0 where that is 0").source("Celo2, arXiv 2602.19142"),
    row(Op::IsHidden, "is_hidden", 0, ShapeRule::LeafConstant, "1 for a matrix or kernel to hidden features, else 0")
        .source("Muon, Jordan et al. 2024"),
    row(Op::IsEmbedding, "is_embedding", 0, ShapeRule::LeafConstant, "1 for a table of tokens or positions, else 0")
        .source("Muon, Jordan et al. 2024"),
    row(Op::IsOutput, "is_output", 0, ShapeRule::LeafConstant, "1 for the matrix of the last layer, else 0")
        .source("Muon, Jordan et al. 2024"),
    row(Op::IsVector, "is_vector", 0, ShapeRule::LeafConstant, "1 for biases, gains and scalars, else 0")
        .source("Muon, Jordan et al. 2024"),
    row(Op::PolarExpress, "polar_express", 1, ShapeRule::Matrix, "5 steps of Polar Express to the nearest semi-orthogonal matrix")
        .guard("divides by at least 1e-7").source("Polar Express, arXiv 2505.16932, algorithm 1"),
    row(Op::PolarFactor, "polar_factor", 1, ShapeRule::Matrix, "10 steps of Polar Express, which end there but for roundings")
        .guard("divides by at least 1e-7").source("Polar Express, arXiv 2505.16932, algorithm 1"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_follows_the_enum_and_names_are_unique() {
        let mut names = Vec::new();
        for (index, info) in TABLE.iter().enumerate() {
            assert_eq!(info.op as usize, index, "{}", info.name);
            assert!(!info.formula.is_empty() && !info.source.is_empty(), "{}", info.name);
            names.push(info.name);
            names.extend(info.aliases);
        }
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
