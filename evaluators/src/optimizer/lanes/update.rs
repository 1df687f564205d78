//! Updates of a cohort: what moves the weights of all lanes at once.

use candle_core::{Result, Tensor, Var};

/// Moves the weights of all lanes by their programs.
pub(crate) trait LaneUpdate {
    /// Subtracts one update from the weights of every lane. `weights[i]` and `gradients[i]` are
    /// \[lanes, shape of leaf i\], contiguous, on the cohort's device.
    fn step(&mut self, weights: &[Var], gradients: &[Tensor], learning_rate: f64) -> Result<()>;

    /// For each lane what has to be subtracted from the weights that the last step was given, to
    /// get those to validate with, laid end to end; `None` where these are the weights behind it.
    /// Waits for the device.
    fn readouts(&self) -> Result<Vec<Option<Vec<f32>>>>;

    /// For each lane the step, from 1, at which a weight stopped being finite. Waits for the
    /// device.
    fn first_non_finite(&self) -> Result<Vec<Option<u64>>>;
}
