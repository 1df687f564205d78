//! The choice of ops: which ops mutation may write into a program.
//!
//! Invariant: a resolved set keeps the order it was given in, holds no op twice and only ops that
//! some arguments fit; drawing by index is then drawing uniformly.

use crate::{Op, OpSet, nearest_name};
use serde::{Deserialize, Serialize};

use evo_domain::SettingError;

/// The ops a search may write: a named set or a list of names as program text spells them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum OpChoice {
    /// The 45 functions of the Lion search space, less the one that never fits a float program.
    #[default]
    #[serde(alias = "lion45")]
    Lion45,
    /// Those and what today's optimizers need beyond them: bias correction, row and column means,
    /// rank-one and orthogonal matrices, conditions, ranges (`evo ops --set modern`).
    #[serde(alias = "modern")]
    Modern,
    /// Those and the root mean square of tensors: all of the language (`evo ops --set wide`).
    #[serde(alias = "wide")]
    Wide,
    /// What published equations are written in (`evo ops --set symbolic`): the default of
    /// expressions.
    #[serde(alias = "symbolic")]
    Symbolic,
    /// The ops of AutoML-Zero (`evo ops --set automl_zero`). They take a learner's scalars, vectors
    /// and matrices, and no optimizer can be written in them.
    #[serde(alias = "automl_zero")]
    AutomlZero,
    /// The ops with these names.
    List(Vec<String>),
}

impl OpChoice {
    /// The ops of the set.
    ///
    /// # Errors
    /// A name that is no op, a name twice, an op no arguments fit, an empty list, or a set that is
    /// not for optimizers.
    pub fn resolve(&self) -> Result<Vec<Op>, SettingError> {
        self.resolve_by(unusable)
    }

    /// The ops of the set that an expression may hold, those that work point by point.
    ///
    /// # Errors
    /// As [`OpChoice::resolve`], and a list with an op that does not; of the named sets such ops
    /// are left out.
    pub fn resolve_elementwise(&self) -> Result<Vec<Op>, SettingError> {
        self.resolve_by(|op| {
            let elementwise = op.is_elementwise();
            unusable(op).or((!elementwise).then_some("does not work point by point"))
        })
    }

    /// The ops of the set but those that `refused` gives a reason against.
    fn resolve_by(
        &self,
        refused: impl Fn(Op) -> Option<&'static str>,
    ) -> Result<Vec<Op>, SettingError> {
        let of_set = |set: OpSet| Ok(set.ops().filter(|op| refused(*op).is_none()).collect());
        let names = match self {
            OpChoice::Lion45 => return of_set(OpSet::Lion45),
            OpChoice::Modern => return of_set(OpSet::Modern),
            OpChoice::Wide => return of_set(OpSet::Wide),
            OpChoice::Symbolic => return of_set(OpSet::Symbolic),
            OpChoice::AutomlZero => {
                let message = "the ops of AutoML-Zero are a learner's; an optimizer is written in \
                               `Lion45`, `Modern`, `Wide` or a list, an expression in `Symbolic` or a list";
                return Err(SettingError::new("mutation.ops", message));
            }
            OpChoice::List(names) => names,
        };
        let mut ops = Vec::with_capacity(names.len());
        for (index, name) in names.iter().enumerate() {
            let refuse =
                |message| Err(SettingError::new(format!("mutation.ops[{index}]"), message));
            let Some(op) = Op::from_name(name) else { return refuse(unknown(name)) };
            if ops.contains(&op) {
                return refuse(format!("`{name}` is listed twice"));
            }
            if let Some(reason) = refused(op) {
                return refuse(format!("`{name}` {reason}"));
            }
            ops.push(op);
        }
        if ops.is_empty() {
            return Err(SettingError::new("mutation.ops", "at least one op is needed"));
        }
        Ok(ops)
    }
}

fn unusable(op: Op) -> Option<&'static str> {
    (!op.is_usable()).then_some("fits no arguments of a float program")
}

fn unknown(name: &str) -> String {
    match nearest_name(name, Op::all().map(|op| op.info().name)) {
        Some(nearest) => format!("there is no op `{name}`; did you mean `{nearest}`?"),
        None => format!("there is no op `{name}`"),
    }
}
