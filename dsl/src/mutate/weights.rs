//! The kinds of mutation, and how often each is drawn.
//!
//! Invariant: a kind is one row of the table below, and its name, edit and weights are nowhere
//! else. A kind with weight 0 is never applied. The weights are relative and need not sum to
//! one; a kind that is impossible for a program leaves its share to the others.

use serde::{Deserialize, Serialize};

use evo_domain::SettingError;

use super::{Mutator, Stream};
use crate::{Program, Statement};

/// What an edit makes of a program's statements, with a second program where there is one; none
/// where it is impossible.
type Edit = fn(&Mutator, &Program, Option<&Program>, &mut Stream) -> Option<Vec<Statement>>;

/// Rows of a kind's field, its edit and its default weights, for optimizers and for expressions.
macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident: $edit:expr, $optimizers:literal, $expressions:literal;)+) => {
        /// The relative frequency of each kind of mutation, 0 or more.
        #[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct MutationWeights {
            $($(#[$doc])* pub $name: f64,)+
        }

        /// [`MutationWeights`] as they are written down for expressions, with their defaults.
        #[derive(Serialize, Deserialize)]
        #[serde(
            remote = "MutationWeights",
            default = "MutationWeights::of_expressions",
            deny_unknown_fields
        )]
        pub(crate) struct ExpressionWeights {
            $($name: f64,)+
        }

        impl Default for MutationWeights {
            fn default() -> MutationWeights {
                MutationWeights { $($name: $optimizers,)+ }
            }
        }

        impl MutationWeights {
            /// No kind at all, for others to be added.
            const NONE: MutationWeights = MutationWeights { $($name: 0.0,)+ };

            /// The defaults of expressions.
            pub(crate) fn of_expressions() -> MutationWeights {
                MutationWeights { $($name: $expressions,)+ }
            }

            /// The weights in the order of the table.
            pub(super) fn by_kind(&self) -> ByKind<f64> {
                [$(self.$name,)+]
            }
        }

        /// The names of the kinds, those of the fields of [`MutationWeights`].
        pub(crate) const NAMES: [&str; [$(stringify!($name)),+].len()] = [$(stringify!($name)),+];

        /// What each kind does.
        pub(super) const EDITS: ByKind<Edit> = [$($edit,)+];
    };
}

// Optimizers: insertion, deletion and modification equally likely as in the Lion work (arXiv
// 2302.06675 §2.2), modification split evenly between variables and constants; our additions are
// rarer, and duplication is left out. Expressions: constants are changed rarely, as a search that
// tunes them settles on an approximation before it has the form; fitting them is the evaluator's.
kinds! {
    /// Insert a statement with a drawn op, arguments and target.
    insert: |it, parent, _, rng| it.insert(parent, rng), 1.0, 1.0;
    /// Delete a statement.
    delete: |_, parent, _, rng| Mutator::delete(parent, rng), 1.0, 1.0;
    /// Exchange one variable argument for another variable.
    change_argument: |_, parent, _, rng| Mutator::change_argument(parent, rng), 0.5, 1.0;
    /// Scale or redraw one constant.
    change_constant: |it, parent, _, rng| it.change_constant(parent, rng), 0.5, 0.05;
    /// Exchange the op of a statement for another that takes the same arguments.
    change_op: |it, parent, _, rng| it.change_op(parent, rng), 0.25, 0.5;
    /// Exchange two adjacent statements whose order matters.
    swap: |_, parent, _, rng| Mutator::swap(parent, rng), 0.25, 0.25;
    /// Put a copy of a statement, changed in one place, in front of it. Default: 0, and 0.5 for
    /// expressions.
    duplicate: |it, parent, _, rng| it.duplicate(parent, rng), 0.0, 0.5;
    /// Compute one live value as the second parent computes one of its own. Default: 0.
    crossover: |it, parent, mate, rng| it.crossover(parent, mate?, rng), 0.0, 0.0;
}

/// The kind that takes a second parent: the last, so that without it all others are what they were.
pub(super) const CROSSOVER: usize = NAMES.len() - 1;

/// Something for each kind, in the order of the table.
pub(super) type ByKind<T> = [T; NAMES.len()];

impl MutationWeights {
    /// Constant change alone.
    pub(super) const CONSTANTS: MutationWeights =
        MutationWeights { change_constant: 1.0, ..MutationWeights::NONE };

    pub(crate) fn validate(&self) -> Result<(), SettingError> {
        for (name, weight) in NAMES.iter().zip(self.by_kind()) {
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
