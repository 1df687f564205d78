//! A recurrent layer with lanes, unrolled over a window, with its backward pass through time.
//!
//! Shapes: p \[lanes, batch · context, blocks · width\] (the projected inputs), u \[lanes, width,
//! blocks · width\]; the result is the states, \[lanes, batch · context, width\]. Invariant: every
//! sequence starts from a state of zeros. Inside, steps come first and blocks second, so that each
//! step's and block's numbers of all lanes lie together and a step is made of whole operations. It
//! is one node: composed in the graph, candle's backward pass would recurse once an operation.

use candle_core::{DType, Result, Tensor};

use super::elementary::{sigmoid, tanh};
use super::node::node;
use super::product::matmul;
use crate::Cell;

/// Sizes one call works with.
#[derive(Clone, Copy)]
struct Sizes {
    lanes: usize,
    batch: usize,
    context: usize,
    blocks: usize,
    width: usize,
}

/// What a step keeps for the backward pass: the state after it and, of a gated cell, z, r, n and
/// q₂.
struct Step {
    after: Tensor,
    gates: Option<[Tensor; 4]>,
}

/// Gradients of a step: those of p and of q by block, and what the state before gets past q.
struct StepGradients {
    dp: Vec<Tensor>,
    dq: Vec<Tensor>,
    dbefore: Option<Tensor>,
}

/// The states over each run of `context` rows of every lane of `p`.
pub(in super::super) fn recurrence(
    p: &Tensor,
    u: &Tensor,
    context: usize,
    cell: Cell,
) -> Result<Tensor> {
    let ((lanes, rows, projected), (_, width, _)) = (p.dims3()?, u.dims3()?);
    let blocks = cell.blocks();
    if projected != blocks * width || rows % context != 0 {
        candle_core::bail!("{:?} and {:?} do not fit a context of {context}", p.shape(), u.shape());
    }
    let sizes = Sizes { lanes, batch: rows / context, context, blocks, width };
    let inputs = sizes.by_step(&p.detach(), blocks)?;
    let weights = sizes.weights_by_block(&u.detach())?;
    let steps = unroll(cell, &inputs, &weights)?;
    let states: Vec<&Tensor> = steps.iter().map(|step| &step.after).collect();
    let y = sizes.by_row(&states, 1)?;
    let kept = u.dtype();
    node([p, u], y, move |_, dy| {
        let dstates = sizes.by_step(dy, 1)?;
        let gradients = back_through_time(&steps, &dstates, &weights)?;
        let flat = |of: fn(&StepGradients) -> &Vec<Tensor>| -> Vec<&Tensor> {
            gradients.iter().flat_map(of).collect()
        };
        let (dp, dq) = (flat(|step| &step.dp), flat(|step| &step.dq));
        let states: Vec<&Tensor> = steps.iter().map(|step| &step.after).collect();
        Ok([Some(sizes.by_row(&dp, sizes.blocks)?), Some(sizes.du(&states, &dq, kept)?)])
    })
}

/// All steps, from states of zeros.
fn unroll(cell: Cell, inputs: &[Vec<Tensor>], weights: &[Tensor]) -> Result<Vec<Step>> {
    let mut steps: Vec<Step> = Vec::with_capacity(inputs.len());
    for p in inputs {
        let step = match steps.last() {
            Some(Step { after: before, .. }) => {
                let q = weights.iter().map(|u| project(before, u)).collect::<Result<Vec<_>>>()?;
                make_step(cell, p, &q, before)?
            }
            None => {
                let zeros = p[0].zeros_like()?;
                make_step(cell, p, &vec![zeros.clone(); weights.len()], &zeros)?
            }
        };
        steps.push(step);
    }
    Ok(steps)
}

/// state·u in the type of u.
fn project(state: &Tensor, u: &Tensor) -> Result<Tensor> {
    matmul(&state.to_dtype(u.dtype())?, u)?.to_dtype(state.dtype())
}

fn make_step(cell: Cell, p: &[Tensor], q: &[Tensor], before: &Tensor) -> Result<Step> {
    match (cell, p, q) {
        (Cell::Elman, [p], [q]) => Ok(Step { after: tanh(&(p + q)?)?, gates: None }),
        (Cell::Gated, [p_z, p_r, p_n], [q_z, q_r, q_n]) => {
            let (z, r) = (sigmoid(&(p_z + q_z)?)?, sigmoid(&(p_r + q_r)?)?);
            let n = tanh(&(p_n + (&r * q_n)?)?)?;
            let after = ((z.affine(-1.0, 1.0)? * &n)? + (&z * before)?)?;
            Ok(Step { after, gates: Some([z, r, n, q_n.clone()]) })
        }
        _ => candle_core::bail!("{} blocks for a cell {cell:?}", p.len()),
    }
}

fn back_through_time(
    steps: &[Step],
    dstates: &[Vec<Tensor>],
    weights: &[Tensor],
) -> Result<Vec<StepGradients>> {
    let mut gradients = Vec::with_capacity(steps.len());
    // The gradient of the state after a step, from all later ones.
    let mut later: Option<Tensor> = None;
    for (index, (step, own)) in steps.iter().zip(dstates).enumerate().rev() {
        let dafter = match later.take() {
            Some(later) => (later + &own[0])?,
            None => own[0].clone(),
        };
        let before = index.checked_sub(1).map(|before| &steps[before].after);
        let gradient = step.backward(before, &dafter)?;
        if before.is_some() {
            let mut sum = gradient.dbefore.clone();
            for (dq, u) in gradient.dq.iter().zip(weights) {
                let through = project(dq, &u.t()?)?;
                sum = Some(match sum {
                    Some(sum) => (sum + through)?,
                    None => through,
                });
            }
            later = sum;
        }
        gradients.push(gradient);
    }
    gradients.reverse();
    Ok(gradients)
}

impl Step {
    fn backward(&self, before: Option<&Tensor>, dafter: &Tensor) -> Result<StepGradients> {
        let bent = |y: &Tensor| y.sqr()?.affine(-1.0, 1.0);
        let Some([z, r, n, q]) = &self.gates else {
            let dp = (dafter * bent(&self.after)?)?;
            return Ok(StepGradients { dp: vec![dp.clone()], dq: vec![dp], dbefore: None });
        };
        // s·(1 − s), the derivative of the logistic function.
        let slope = |gate: &Tensor| gate - gate.sqr()?;
        let dn = ((dafter * z.affine(-1.0, 1.0)?)? * bent(n)?)?;
        let dr = ((&dn * q)? * slope(r)?)?;
        let apart = match before {
            Some(before) => (before - n)?,
            None => n.neg()?,
        };
        let dz = ((dafter * apart)? * slope(z)?)?;
        let dq_n = (&dn * r)?;
        Ok(StepGradients {
            dq: vec![dz.clone(), dr.clone(), dq_n],
            dp: vec![dz, dr, dn],
            dbefore: Some((dafter * z)?),
        })
    }
}

impl Sizes {
    /// Rows of `blocks` blocks as \[lanes, batch, width\] for each step and block.
    fn by_step(self, rows: &Tensor, blocks: usize) -> Result<Vec<Vec<Tensor>>> {
        let shape = [self.lanes, self.batch, self.context, blocks, self.width];
        let steps = rows.reshape(&shape[..])?.permute([2, 3, 0, 1, 4])?.contiguous()?;
        let one = (self.lanes, self.batch, self.width);
        let part = |step: usize, block| {
            steps.narrow(0, step, 1)?.narrow(1, block, 1)?.contiguous()?.reshape(one)
        };
        (0..self.context).map(|step| (0..blocks).map(|block| part(step, block)).collect()).collect()
    }

    /// The reverse of [`Sizes::by_step`], of parts step after step and, in it, block after block.
    fn by_row(self, parts: &[&Tensor], blocks: usize) -> Result<Tensor> {
        let shape = [self.context, blocks, self.lanes, self.batch, self.width];
        let steps = Tensor::cat(parts, 0)?.reshape(&shape[..])?;
        let rows = steps.permute([2, 3, 0, 1, 4])?.contiguous()?;
        rows.reshape((self.lanes, self.batch * self.context, blocks * self.width))
    }

    /// The blocks of u, \[lanes, width, width\] each.
    fn weights_by_block(self, u: &Tensor) -> Result<Vec<Tensor>> {
        let block = |index| u.narrow(2, index * self.width, self.width)?.contiguous();
        (0..self.blocks).map(block).collect()
    }

    /// The gradient of u: over all steps but the first, states before by gradients of q.
    fn du(self, states: &[&Tensor], dq: &[&Tensor], number: DType) -> Result<Tensor> {
        let (projected, later) = (self.blocks * self.width, self.context - 1);
        let lanes = |parts: &[&Tensor], blocks: usize| {
            let shape = [later, blocks, self.lanes, self.batch, self.width];
            let steps = Tensor::cat(parts, 0)?.reshape(&shape[..])?;
            let rows = steps.permute([2, 0, 3, 1, 4])?.contiguous()?;
            rows.reshape((self.lanes, later * self.batch, blocks * self.width))?.to_dtype(number)
        };
        if later == 0 {
            let shape = (self.lanes, self.width, projected);
            return Tensor::zeros(shape, number, dq[0].device());
        }
        let before = lanes(&states[..later], 1)?;
        let dq = lanes(&dq[self.blocks..], self.blocks)?;
        matmul(&before.t()?, &dq)
    }
}
