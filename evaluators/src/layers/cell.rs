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
        match self {
            Self::Elman => {
                for ((after, &p), &q) in after.iter_mut().zip(p).zip(q) {
                    *after = (p + q).tanh();
                }
            }
            Self::Gated => gated(p, q, before, after, kept),
        }
    }

    /// The backward pass of one step of one row: from the gradient of `after` those of p and q, and
    /// what the state before gets past q.
    pub(super) fn step_backward<T: Real>(
        self,
        (before, after): (&[T], &[T]),
        kept: &[T],
        dafter: &[T],
        (dp, dq): (&mut [T], &mut [T]),
        dbefore: &mut [T],
    ) {
        match self {
            Self::Elman => {
                for ((dp, &dafter), &after) in dp.iter_mut().zip(dafter).zip(after) {
                    *dp = dafter * (T::ONE - after * after);
                }
                dq.copy_from_slice(dp);
                dbefore.fill(T::ZERO);
            }
            Self::Gated => gated_backward(before, kept, dafter, (dp, dq), dbefore),
        }
    }
}

/// `N` blocks of the same length.
fn blocks<const N: usize, T>(numbers: &[T], width: usize) -> [&[T]; N] {
    std::array::from_fn(|block| &numbers[block * width..][..width])
}

fn blocks_mut<const N: usize, T>(numbers: &mut [T], width: usize) -> [&mut [T]; N] {
    let mut rest = numbers;
    std::array::from_fn(|_| {
        let (block, later) = std::mem::take(&mut rest).split_at_mut(width);
        rest = later;
        block
    })
}

/// Gate after gate rather than number after number: each loop then vectorises.
fn gated<T: Real>(p: &[T], q: &[T], before: &[T], after: &mut [T], kept: &mut [T]) {
    let width = after.len();
    let ([p_z, p_r, p_n], [q_z, q_r, q_n]) = (blocks::<3, T>(p, width), blocks::<3, T>(q, width));
    let [z, r, n, q_kept] = blocks_mut::<4, T>(kept, width);
    q_kept.copy_from_slice(q_n);
    for (gate, p, q) in [(&mut *z, p_z, q_z), (&mut *r, p_r, q_r)] {
        for ((gate, &p), &q) in gate.iter_mut().zip(p).zip(q) {
            *gate = (p + q).sigmoid();
        }
    }
    for (((n, &p), &q), &r) in n.iter_mut().zip(p_n).zip(q_n).zip(r.iter()) {
        *n = (p + r * q).tanh();
    }
    for (((after, &n), &z), &before) in after.iter_mut().zip(n.iter()).zip(z.iter()).zip(before) {
        *after = (T::ONE - z) * n + z * before;
    }
}

fn gated_backward<T: Real>(
    before: &[T],
    kept: &[T],
    dafter: &[T],
    (dp, dq): (&mut [T], &mut [T]),
    dbefore: &mut [T],
) {
    let width = before.len();
    let [z, r, n, q] = blocks::<4, T>(kept, width);
    let [dp_z, dp_r, dp_n] = blocks_mut::<3, T>(dp, width);
    let [dq_z, dq_r, dq_n] = blocks_mut::<3, T>(dq, width);
    for i in 0..width {
        let (z, r, n, dafter) = (z[i], r[i], n[i], dafter[i]);
        let dn = dafter * (T::ONE - z) * (T::ONE - n * n);
        dp_n[i] = dn;
        dq_n[i] = dn * r;
        dp_r[i] = dn * q[i] * r * (T::ONE - r);
        dp_z[i] = dafter * (before[i] - n) * z * (T::ONE - z);
        dbefore[i] = dafter * z;
    }
    dq_r.copy_from_slice(dp_r);
    dq_z.copy_from_slice(dp_z);
}
