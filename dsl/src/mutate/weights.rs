//! How often each kind of mutation is drawn.
//!
//! Invariant: a kind with weight 0 is never applied. The weights are relative and need not sum to
//! one; a kind that is impossible for a program leaves its share to the others.

use serde::{Deserialize, Serialize};

use evo_domain::SettingError;

/// The relative frequency of each kind of mutation, 0 or more.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MutationWeights {
    /// Insert a statement with a drawn op, arguments and target.
    pub insert: f64,
    /// Delete a statement.
    pub delete: f64,
    /// Exchange one variable argument for another variable.
    pub change_argument: f64,
    /// Scale or redraw one constant.
    pub change_constant: f64,
    /// Exchange the op of a statement for another that takes the same arguments.
    pub change_op: f64,
    /// Exchange two adjacent statements whose order matters.
    pub swap: f64,
    /// Put a copy of a statement, changed in one place, in front of it. Default: 0.
    #[serde(default)]
    pub duplicate: f64,
}

/// Insertion, deletion and modification equally likely as in the Lion work (arXiv 2302.06675
/// §2.2), modification split evenly between variables and constants; our additions are rarer, and duplication is
/// left out.
impl Default for MutationWeights {
    fn default() -> MutationWeights {
        MutationWeights {
            insert: 1.0,
            delete: 1.0,
            change_argument: 0.5,
            change_constant: 0.5,
            change_op: 0.25,
            swap: 0.25,
            duplicate: 0.0,
        }
    }
}

/// A kind of mutation, in the order of the fields of [`MutationWeights`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Kind {
    Insert,
    Delete,
    ChangeArgument,
    ChangeConstant,
    ChangeOp,
    Swap,
    Duplicate,
}

/// Something for each kind, in the order of [`Kind::ALL`].
pub(crate) type ByKind<T> = [T; 7];

impl Kind {
    /// By the fields' names.
    pub(crate) const NAMES: ByKind<&'static str> = [
        "insert",
        "delete",
        "change_argument",
        "change_constant",
        "change_op",
        "swap",
        "duplicate",
    ];

    pub(crate) const ALL: ByKind<Kind> = [
        Kind::Insert,
        Kind::Delete,
        Kind::ChangeArgument,
        Kind::ChangeConstant,
        Kind::ChangeOp,
        Kind::Swap,
        Kind::Duplicate,
    ];
}

impl MutationWeights {
    /// Constant change alone.
    pub(super) const CONSTANTS: MutationWeights = MutationWeights {
        insert: 0.0,
        delete: 0.0,
        change_argument: 0.0,
        change_constant: 1.0,
        change_op: 0.0,
        swap: 0.0,
        duplicate: 0.0,
    };

    /// The weights in the order of [`Kind::ALL`].
    pub(crate) fn by_kind(&self) -> ByKind<f64> {
        let MutationWeights {
            insert,
            delete,
            change_argument,
            change_constant,
            change_op,
            swap,
            duplicate,
        } = *self;
        [insert, delete, change_argument, change_constant, change_op, swap, duplicate]
    }

    pub(crate) fn validate(&self) -> Result<(), SettingError> {
        for (name, weight) in Kind::NAMES.iter().zip(self.by_kind()) {
            if !(weight.is_finite() && weight >= 0.0) {
                let key = format!("mutation.weights.{name}");
                return Err(SettingError::new(&key, format!("{weight} is not 0 or more")));
            }
        }
        let sum: f64 = self.by_kind().iter().sum();
        if !(sum.is_finite() && sum > 0.0) {
            let message = "at least one weight must be above 0, and their sum finite";
            return Err(SettingError::new("mutation.weights", message));
        }
        Ok(())
    }
}
