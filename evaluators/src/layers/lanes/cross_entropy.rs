//! Softmax cross-entropy with lanes: for each, the mean over the rows that count of
//! −ln softmax(logits)\[target\].
//!
//! Shapes: logits \[lanes, rows, classes\], one target a row, the same in all lanes; the result is
//! \[lanes\], in nats. Invariant: rows that do not count are left out before anything is computed
//! of them, so that nothing in them, NaN included, reaches the loss.

use std::sync::Arc;

use candle_core::{D, Result, Tensor};

use super::super::IGNORED;
use super::elementary::ln;
use super::node::node;
use super::one_hot::one_hot;
use super::softmax::softmax;

/// The loss of every lane.
pub(in super::super) fn cross_entropy(logits: &Tensor, targets: &Arc<[u32]>) -> Result<Tensor> {
    let (lanes, rows, classes) = logits.dims3()?;
    let counted = Counted::of(targets);
    let count = counted.targets.len();
    if count == 0 {
        let zeros = Tensor::zeros(lanes, logits.dtype(), logits.device())?;
        let shape = logits.shape().clone();
        return node([logits], zeros, move |_, dloss| {
            Ok([Some(Tensor::zeros(&shape, dloss.dtype(), dloss.device())?)])
        });
    }
    let probabilities = softmax(&counted.select(&logits.detach())?)?;
    let places = (0..).step_by(classes).zip(&counted.targets).map(|(start, target)| start + target);
    let places = Tensor::from_iter(places, logits.device())?;
    let own = probabilities.shifted.reshape((lanes, count * classes))?.index_select(&places, 1)?;
    // In this order: beside large logits the logarithm would be lost, and the loss be 0.
    let losses = (ln(&probabilities.sums)?.reshape((lanes, count))? - own)?;
    let loss = losses.sum(D::Minus1)?.affine(1.0 / count as f64, 0.0)?;
    let probabilities = probabilities.weights;
    node([logits], loss, move |_, dloss| {
        let hot = one_hot(&counted.targets, classes, dloss.dtype(), dloss.device())?;
        let scale = dloss.affine(1.0 / count as f64, 0.0)?.reshape((lanes, 1, 1))?;
        let gradient = probabilities.broadcast_sub(&hot)?.broadcast_mul(&scale)?;
        Ok([Some(counted.spread(&gradient, rows)?)])
    })
}

/// The rows that count.
struct Counted {
    rows: Vec<u32>,
    targets: Vec<u32>,
}

impl Counted {
    fn of(targets: &[u32]) -> Self {
        let counted = (0..).zip(targets).filter(|&(_, &target)| target != IGNORED);
        let (rows, targets) = counted.unzip();
        Self { rows, targets }
    }

    /// Of \[lanes, rows, classes\] the rows that count.
    fn select(&self, all: &Tensor) -> Result<Tensor> {
        if self.rows.len() == all.dim(1)? {
            return Ok(all.clone());
        }
        let rows = Tensor::from_slice(&self.rows, self.rows.len(), all.device())?;
        all.index_select(&rows, 1)
    }

    /// All `rows` again, zeros where a row does not count.
    fn spread(&self, some: &Tensor, rows: usize) -> Result<Tensor> {
        if self.rows.len() == rows {
            return Ok(some.clone());
        }
        // An index of u32::MAX selects zeros.
        let mut places = vec![u32::MAX; rows];
        for (place, &row) in (0..).zip(&self.rows) {
            places[row as usize] = place;
        }
        some.index_select(&Tensor::from_vec(places, rows, some.device())?, 1)
    }
}
