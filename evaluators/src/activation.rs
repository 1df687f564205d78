//! How good an expression is as an *activation*: networks trained with it between their layers.

mod config;
mod evaluator;
mod judges;
mod known;

pub use config::ActivationConfig;
pub use evaluator::ActivationEvaluator;
pub use judges::ActivationJudges;
pub use known::known_activations;

#[cfg(test)]
mod tests;
