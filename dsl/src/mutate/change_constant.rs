//! Constant change: one hyperparameter is scaled or redrawn.
//!
//! Invariant: constants stay finite and within ±[`LIMIT`]. Scaling by 2^N(0,1) keeps the sign, as
//! in the Lion work (arXiv 2302.06675 §2.2); a zero, which no factor moves, is always redrawn.

use crate::{Operand, Program, Statement};
use rand::RngExt;
use rand_distr::{Distribution, StandardNormal};
use serde::{Deserialize, Serialize};

use super::{Mutator, Stream};

/// The largest magnitude of a constant, as in the released Lion search space.
const LIMIT: f64 = 1e10;

/// The value of a constant that an inserted statement brings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum NewConstant {
    /// Drawn from N(0,1).
    #[default]
    Normal,
    /// Always 1, as in the released Lion search space; only scaling moves it from there.
    One,
}

impl Mutator {
    /// The program with one constant changed, or `None` when it has none.
    pub(super) fn change_constant(
        &self,
        parent: &Program,
        rng: &mut Stream,
    ) -> Option<Vec<Statement>> {
        let is_constant = |operand: &&Operand| matches!(operand, Operand::Constant(_));
        let all = parent.statements().iter().flat_map(Statement::args);
        let count = all.filter(is_constant).count();
        if count == 0 {
            return None;
        }
        let index = rng.random_range(0..count);
        let mut statements = parent.statements().to_vec();
        let operands = statements.iter_mut().flat_map(Statement::args_mut);
        let mut constants = operands.filter_map(|operand| match operand {
            Operand::Constant(value) => Some(value),
            Operand::Variable(_) => None,
        });
        let value = constants.nth(index).expect("the index is below the count");
        *value = self.changed(*value, rng);
        Some(statements)
    }

    pub(super) fn changed(&self, value: f64, rng: &mut Stream) -> f64 {
        if value == 0.0 || rng.random_bool(self.fresh_constant) {
            return normal(rng);
        }
        (value * libm::exp2(normal(rng))).clamp(-LIMIT, LIMIT)
    }

    pub(super) fn draw_constant(&self, rng: &mut Stream) -> f64 {
        match self.new_constant {
            NewConstant::Normal => normal(rng),
            NewConstant::One => 1.0,
        }
    }
}

fn normal(rng: &mut Stream) -> f64 {
    StandardNormal.sample(rng)
}
