//! How good an *expression* is: its error on data, tabulated or drawn from a formula.

mod config;
mod data;
mod equations;
mod evaluator;
mod fit;
mod held_out;
mod table;
mod tape;

pub use config::{EquationInput, ExpressionConfig, ExpressionData, ExpressionLoss, ExpressionTask};
pub use equations::Equation;
pub use evaluator::{ExpressionEvaluator, LEAST_ERROR};
pub use held_out::HeldOutPoints;
