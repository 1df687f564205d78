//! Recurrent cells: how one step of a recurrent layer makes the next state, number by number.
//!
//! With p the projected input and q = h·u the projected state, in blocks of the layer's width:
//! - Elman: h' = tanh(p + q).
//! - Gated (arXiv 1406.1078, with the reset behind the product): z = sigmoid(p₀ + q₀),
//!   r = sigmoid(p₁ + q₁), n = tanh(p₂ + r·q₂), h' = (1 − z)·n + z·h.
//!
//! Invariant: what a step keeps is all its backward pass needs besides the two states.

use super::Real;
use crate::Cell;

impl Cell {
    /// Blocks of the projections p and q.
    pub(crate) fn blocks(self) -> usize {
        match self {
            Self::Elman => 1,
            Self::Gated => 3,
        }
    }

    /// Blocks of what is kept of a step.
    pub(super) fn kept(self) -> usize {
        match self {
            Self::Elman => 0,
            Self::Gated => 4,
        }
    }

    /// One step of one row; `kept` gets z, r, n and q₂ of a gated cell.
    pub(super) fn step<T: Real>(
        self,
        p: &[T],
        q: &[T],
        before: &[T],
        after: &mut [T],
        kept: &mut [T],
    ) {
        let width = after.len();
        for i in 0..width {
            match self {
                Self::Elman => after[i] = (p[i] + q[i]).tanh(),
                Self::Gated => {
                    let z = (p[i] + q[i]).sigmoid();
                    let r = (p[width + i] + q[width + i]).sigmoid();
                    let n = (p[2 * width + i] + r * q[2 * width + i]).tanh();
                    after[i] = (T::ONE - z) * n + z * before[i];
                    kept[i] = z;
                    kept[width + i] = r;
                    kept[2 * width + i] = n;
                    kept[3 * width + i] = q[2 * width + i];
                }
            }
        }
    }

    /// The backward pass of one step of one row: from the gradient of `after` those of p and q, and
    /// what the state before gets past q.
    pub(super) fn step_backward<T: Real>(
        self,
        states: (&[T], &[T]),
        kept: &[T],
        dafter: &[T],
        (dp, dq): (&mut [T], &mut [T]),
        dbefore: &mut [T],
    ) {
        let (before, after) = states;
        let width = after.len();
        for i in 0..width {
            match self {
                Self::Elman => {
                    dp[i] = dafter[i] * (T::ONE - after[i] * after[i]);
                    dq[i] = dp[i];
                    dbefore[i] = T::ZERO;
                }
                Self::Gated => {
                    let (z, r) = (kept[i], kept[width + i]);
                    let (n, q) = (kept[2 * width + i], kept[3 * width + i]);
                    let dn = dafter[i] * (T::ONE - z) * (T::ONE - n * n);
                    let dz = dafter[i] * (before[i] - n) * z * (T::ONE - z);
                    let dr = dn * q * r * (T::ONE - r);
                    dp[i] = dz;
                    dp[width + i] = dr;
                    dp[2 * width + i] = dn;
                    dq[i] = dz;
                    dq[width + i] = dr;
                    dq[2 * width + i] = dn * r;
                    dbefore[i] = dafter[i] * z;
                }
            }
        }
    }
}
