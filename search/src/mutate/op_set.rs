//! The op set: which ops mutation may write into a program.
//!
//! Invariant: a resolved set keeps the order it was given in, holds no op twice and only ops that
//! some arguments fit; drawing by index is then drawing uniformly.

use evo_dsl::{Op, Type, nearest_name};
use serde::{Deserialize, Serialize};

use crate::SearchError;

/// The ops a search may write: a named set or a list of names as program text spells them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum OpSet {
    /// The 45 functions of the Lion search space, less the one that never fits a float program.
    #[default]
    Lion45,
    /// The ops with these names.
    List(Vec<String>),
}

impl OpSet {
    /// The ops of the set.
    ///
    /// # Errors
    /// A name that is no op, a name twice, an op no arguments fit, or an empty list.
    pub fn resolve(&self) -> Result<Vec<Op>, SearchError> {
        let names = match self {
            OpSet::Lion45 => return Ok(Op::all().filter(|&op| has_typing(op)).collect()),
            OpSet::List(names) => names,
        };
        let mut ops = Vec::with_capacity(names.len());
        for (index, name) in names.iter().enumerate() {
            let refuse =
                |message| Err(SearchError::config(&format!("mutation.ops[{index}]"), message));
            match Op::from_name(name) {
                None => return refuse(unknown(name)),
                Some(op) if ops.contains(&op) => {
                    return refuse(format!("`{name}` is listed twice"));
                }
                Some(op) if !has_typing(op) => {
                    return refuse(format!("`{name}` fits no arguments of a float program"));
                }
                Some(op) => ops.push(op),
            }
        }
        if ops.is_empty() {
            return Err(SearchError::config("mutation.ops", "at least one op is needed"));
        }
        Ok(ops)
    }
}

fn unknown(name: &str) -> String {
    match nearest_name(name, Op::all().map(|op| op.info().name)) {
        Some(nearest) => format!("there is no op `{name}`; did you mean `{nearest}`?"),
        None => format!("there is no op `{name}`"),
    }
}

/// Whether some arguments fit. A scalar broadcasts wherever anything does, so scalars decide.
fn has_typing(op: Op) -> bool {
    op.result_type(&[Type::Scalar; 3][..op.arity()]).is_some()
}
