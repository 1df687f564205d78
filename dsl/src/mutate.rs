//! Mutation: one random edit that turns a program into a child that checks.
//!
//! Invariant: children are valid by construction. Each kind of edit draws among those the checker
//! would accept, so there is no loop that mutates until something checks; such a loop would bias
//! the draw towards edits that are easy to get right. A child is a function of the parent and the
//! stream.

mod change_argument;
mod change_constant;
mod change_op;
mod crossover;
mod delete;
mod duplicate;
mod insert;
mod op_choice;
mod swap;
mod typing;
mod weights;

use crate::{Op, Operand, Program, Statement};
use evo_hashes::StreamRng as Stream;
use rand::RngExt;
use serde::{Deserialize, Serialize};

pub use change_constant::NewConstant;
pub use op_choice::OpChoice;
pub use weights::MutationWeights;

use evo_domain::SettingError;
use typing::Typing;
use weights::{ByKind, CROSSOVER, EDITS};
pub(crate) use weights::{ExpressionWeights, NAMES};

/// How programs are mutated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MutationConfig {
    /// How often each kind of mutation is drawn.
    pub weights: MutationWeights,
    /// The ops that insertion, op change and duplication may write.
    pub ops: OpChoice,
    /// Insertion, duplication and crossover stop at this many statements.
    pub max_statements: usize,
    /// The probability that a changed constant is drawn anew from N(0,1) instead of scaled by
    /// 2^N(0,1).
    pub fresh_constant: f64,
    /// The value of a constant in an inserted statement.
    pub new_constant: NewConstant,
    /// How often a child that behaves like its parent is thrown away and made again, at most 1000;
    /// the last one stays, whatever it is. What behaves alike is for
    /// the search's deduplication to say; where that is `Off`, what has the same structure.
    pub neutral_retries: u32,
    /// Whether programs may come to be validated with other weights than they train: the start
    /// program is given a readout, which is its update at first, and mutation changes it like
    /// everything else.
    pub readout: bool,
}

impl Default for MutationConfig {
    fn default() -> MutationConfig {
        MutationConfig {
            weights: MutationWeights::default(),
            ops: OpChoice::default(),
            max_statements: 60,
            fresh_constant: 0.1,
            new_constant: NewConstant::default(),
            neutral_retries: 0,
            readout: false,
        }
    }
}

/// The most retries: a program whose children are all neutral would be bred from for ever.
const MOST_RETRIES: u32 = 1_000;

/// Makes children of programs.
#[derive(Clone, Debug)]
pub struct Mutator {
    weights: ByKind<f64>,
    ops: Vec<Op>,
    ops_by_arity: [Vec<Op>; 4],
    max_statements: usize,
    fresh_constant: f64,
    new_constant: NewConstant,
}

impl Mutator {
    /// A mutator with these settings.
    ///
    /// # Errors
    /// A weight that is negative or not finite, no weight above 0, an unusable op, a limit beyond
    /// [`Program::MAX_STATEMENTS`], more than 1000 retries or a probability outside [0, 1].
    pub fn new(config: &MutationConfig) -> Result<Mutator, SettingError> {
        Mutator::of_ops(config, config.ops.resolve()?)
    }

    /// A mutator of expressions with these settings.
    ///
    /// # Errors
    /// As [`Mutator::new`], and a list of ops of which one does not work point by point.
    pub fn of_expressions(config: &MutationConfig) -> Result<Mutator, SettingError> {
        Mutator::of_ops(config, config.ops.resolve_elementwise()?)
    }

    fn of_ops(config: &MutationConfig, ops: Vec<Op>) -> Result<Mutator, SettingError> {
        config.weights.validate()?;
        if config.max_statements > Program::MAX_STATEMENTS {
            let message = format!("a program holds at most {}", Program::MAX_STATEMENTS);
            return Err(SettingError::new("mutation.max_statements", message));
        }
        if config.neutral_retries > MOST_RETRIES {
            let message = format!("must be at most {MOST_RETRIES}");
            return Err(SettingError::new("mutation.neutral_retries", message));
        }
        if !(0.0..=1.0).contains(&config.fresh_constant) {
            let message = format!("{} is no probability", config.fresh_constant);
            return Err(SettingError::new("mutation.fresh_constant", message));
        }
        let of_arity = |arity| ops.iter().copied().filter(|op| op.arity() == arity).collect();
        Ok(Mutator {
            weights: config.weights.by_kind(),
            ops_by_arity: [0, 1, 2, 3].map(of_arity),
            ops,
            max_statements: config.max_statements,
            fresh_constant: config.fresh_constant,
            new_constant: config.new_constant,
        })
    }

    /// The same mutator, changing constants and nothing else.
    ///
    /// # Errors
    /// The start program has none.
    pub(crate) fn tuner_of(&self, start: &Program) -> Result<Mutator, SettingError> {
        let constant = |operand: &Operand| matches!(operand, Operand::Constant(_));
        if !start.statements().iter().flat_map(Statement::args).any(constant) {
            return Err(SettingError::new("strategy", "the start program has no constant to tune"));
        }
        Ok(Mutator { weights: MutationWeights::CONSTANTS.by_kind(), ..self.clone() })
    }

    /// A child of `parent`; the parent itself when none of the weighted kinds is possible.
    ///
    /// A kind that proves impossible gets weight 0 and the draw is repeated, which gives the same
    /// distribution as finding out about all kinds first and costs a fraction.
    pub fn mutate(&self, parent: &Program, rng: &mut Stream) -> Program {
        self.mutate_by_kind(parent, None, rng).0
    }

    /// As [`Mutator::mutate`], with a second program that a crossover takes a value of; none is
    /// possible without. Of one signature the two need not be.
    pub fn cross(&self, parent: &Program, mate: &Program, rng: &mut Stream) -> Program {
        self.mutate_by_kind(parent, Some(mate), rng).0
    }

    /// The kinds of mutation by name; crossover, the last of them, where it has a weight.
    pub(crate) fn kinds(&self) -> &'static [&'static str] {
        &NAMES[..self.crossing().map_or(CROSSOVER, |crossover| crossover + 1)]
    }

    /// The kind that takes a second program, where it has a weight.
    pub(crate) fn crossing(&self) -> Option<usize> {
        (self.weights[CROSSOVER] > 0.0).then_some(CROSSOVER)
    }

    /// As [`Mutator::cross`], or [`Mutator::mutate`], with the kind of mutation as an index of
    /// [`NAMES`]; none when the child is the parent itself.
    pub(crate) fn mutate_by_kind(
        &self,
        parent: &Program,
        mate: Option<&Program>,
        rng: &mut Stream,
    ) -> (Program, Option<usize>) {
        let mut weights = self.weights;
        while let Some(kind) = draw_kind(&weights, rng) {
            if let Some(statements) = EDITS[kind](self, parent, mate, rng) {
                let child = parent
                    .with_statements(statements)
                    .expect("every edit keeps each read defined and of a fitting type");
                return (child, Some(kind));
            }
            weights[kind] = 0.0;
        }
        (parent.clone(), None)
    }

    /// The place of a statement, uniform among those that something is possible for, and the types
    /// in front of it.
    fn draw_statement(
        parent: &Program,
        possible: impl Fn(&Typing, &Statement) -> bool,
        rng: &mut Stream,
    ) -> Option<(usize, Typing)> {
        let mut typing = Typing::at_entry(parent);
        let mut places = Vec::with_capacity(parent.statements().len());
        for (position, statement) in parent.statements().iter().enumerate() {
            if possible(&typing, statement) {
                places.push(position);
            }
            typing.run(statement);
        }
        if places.is_empty() {
            return None;
        }
        let position = places[rng.random_range(0..places.len())];
        Some((position, Typing::before(parent, position)))
    }
}

/// An index drawn in proportion to its weight, or `None` when all weights are 0.
fn draw_kind(weights: &ByKind<f64>, rng: &mut Stream) -> Option<usize> {
    let sum: f64 = weights.iter().sum();
    if sum <= 0.0 {
        return None;
    }
    let mut left = rng.random::<f64>() * sum;
    for (index, &weight) in weights.iter().enumerate() {
        if left < weight {
            return Some(index);
        }
        left -= weight;
    }
    // Rounding can use up the last share: the last kind with a weight takes it.
    weights.iter().rposition(|&weight| weight > 0.0)
}
