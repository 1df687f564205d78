//! Op sets: which ops a search may write, by name.
//!
//! Invariant: a set holds usable ops only, each once, in the order of the table.

use super::Op;

/// A named set of ops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpSet {
    /// The 45 functions of the Lion search space (arXiv 2302.06675).
    Lion45,
    /// Those and what today's optimizers need: bias correction, row and column means, rank-one and
    /// orthogonal matrices, conditions, ranges.
    Modern,
    /// Those and the root mean square of tensors, the roles of tensors and better orthogonal
    /// matrices: all of the language.
    Wide,
    /// What published equations are written in: arithmetic, square and root, exponential and
    /// logarithm, sine and cosine.
    Symbolic,
}

impl OpSet {
    /// Every set, those of optimizers first.
    pub const ALL: [OpSet; 4] = [OpSet::Lion45, OpSet::Modern, OpSet::Wide, OpSet::Symbolic];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            OpSet::Lion45 => "lion45",
            OpSet::Modern => "modern",
            OpSet::Wide => "wide",
            OpSet::Symbolic => "symbolic",
        }
    }

    /// The set of this name; case does not matter.
    pub fn from_name(name: &str) -> Option<OpSet> {
        OpSet::ALL.into_iter().find(|set| set.name().eq_ignore_ascii_case(name))
    }

    /// The ops of the set, in the order of the table; `invert`, which no float program can use, is
    /// among the 45.
    pub fn ops(self) -> impl Iterator<Item = Op> {
        Op::all().filter(move |op| match self {
            OpSet::Lion45 => *op <= Op::Eps,
            // As it was when runs with it were recorded.
            OpSet::Modern => *op <= Op::Columns,
            OpSet::Wide => true,
            OpSet::Symbolic => SYMBOLIC.contains(op),
        })
    }
}

/// The usual functions of symbolic regression, few of them: every one more thins out the draws of
/// all the others.
const SYMBOLIC: [Op; 10] =
    [Op::Add, Op::Sub, Op::Mul, Op::Div, Op::Sin, Op::Cos, Op::Exp, Op::Log, Op::Square, Op::Sqrt];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lion_set_has_its_45_functions_and_the_wide_one_all() {
        assert_eq!(OpSet::Lion45.ops().count(), 45);
        assert!(OpSet::Lion45.ops().all(|op| OpSet::Modern.ops().any(|other| other == op)));
        assert_eq!(OpSet::Modern.ops().count(), 55);
        assert_eq!(OpSet::Wide.ops().count(), Op::all().count());
        assert_eq!(OpSet::Symbolic.ops().filter(|op| op.is_elementwise()).count(), 10);
        assert_eq!(OpSet::from_name("MODERN"), Some(OpSet::Modern));
    }
}
