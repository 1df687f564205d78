//! Updates of a cohort: what moves the weights of all lanes at once.

use candle_core::{Result, Tensor, Var};

/// Moves the weights of all lanes by their programs.
pub(crate) trait LaneUpdate {
    /// Subtracts one update from the weights of every lane. `weights[i]` and `gradients[i]` are
    /// \[lanes, shape of leaf i\], contiguous, on the cohort's device.
    fn step(&mut self, weights: &[Var], gradients: &[Tensor], learning_rate: f64) -> Result<()>;

    /// For each lane the step, from 1, at which a weight stopped being finite. Waits for the
    /// device.
    fn first_non_finite(&self) -> Result<Vec<Option<u64>>>;
}
