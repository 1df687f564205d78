//! How expressions are mutated: the settings of any program, with defaults of their own.
//!
//! Invariant: a setting that is left out has the default of expressions, whichever others are
//! given. The settings are those of [`MutationConfig`], so that no list of them exists twice.

use serde::{Deserialize, Serialize};

use crate::mutate::ExpressionWeights;
use crate::{MutationConfig, MutationWeights, NewConstant, OpChoice};

/// How expressions are mutated. Named op sets lose the ops that do not work point by point; a list
/// must not have such an op.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ExpressionMutation(#[serde(with = "Settings")] pub MutationConfig);

impl Default for ExpressionMutation {
    fn default() -> ExpressionMutation {
        ExpressionMutation(defaults())
    }
}

fn defaults() -> MutationConfig {
    MutationConfig {
        ops: OpChoice::Symbolic,
        max_statements: 20,
        weights: MutationWeights::of_expressions(),
        ..MutationConfig::default()
    }
}

/// [`MutationConfig`] as it is written down, with the defaults of expressions.
#[derive(Serialize, Deserialize)]
#[serde(remote = "MutationConfig", default = "defaults", deny_unknown_fields)]
struct Settings {
    #[serde(with = "ExpressionWeights")]
    weights: MutationWeights,
    ops: OpChoice,
    max_statements: usize,
    fresh_constant: f64,
    new_constant: NewConstant,
    neutral_retries: u32,
    /// An expression has none.
    #[serde(skip)]
    readout: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_has_the_default_of_expressions() {
        let read = |text: &str| serde_json::from_str::<ExpressionMutation>(text);
        let shorter = read(r#"{"max_statements": 12}"#).expect("one setting is enough");
        assert_eq!(shorter.0, MutationConfig { max_statements: 12, ..defaults() });
        assert_eq!(shorter.0.ops, OpChoice::Symbolic);
        let text = serde_json::to_string(&shorter).expect("plain data");
        assert_eq!(read(&text).expect("what is written can be read"), shorter);
        assert!(read(r#"{"max_statement": 12}"#).is_err());
        let swaps = read(r#"{"weights": {"swap": 3.0}}"#).expect("one weight is enough");
        assert_eq!(
            swaps.0.weights,
            MutationWeights { swap: 3.0, ..MutationWeights::of_expressions() }
        );
    }
}
