//! The way back over a forward pass: the gradients of a loss, node by node.
//!
//! Invariant: it is taken where all that trainable tensors went through was noted, and candle's own
//! otherwise; which of the two depends on the network alone. candle begins the gradient of every
//! operand with zeros and adds to it; here the first one is moved in, and most tensors have no
//! second. Nodes are noted by the thread that makes them, in order, so the way back is that order
//! backward.

use std::cell::RefCell;
use std::sync::Arc;

use candle_core::backprop::GradStore;
use candle_core::{Result, Shape, Tensor, TensorId};

use super::graph::Node;

thread_local! {
    /// What has been noted of the forward pass that is being made, if one is.
    static NOTES: RefCell<Option<Notes>> = const { RefCell::new(None) };
}

/// What was noted of a forward pass.
struct Notes {
    steps: Vec<Box<dyn Step>>,
    /// Results of the nodes.
    known: Vec<TensorId>,
    /// Whether a node read what comes from trainable tensors by a way that was not noted.
    gap: bool,
}

impl Notes {
    fn note(&mut self, results: &Tensor, operands: &[&Tensor], step: Box<dyn Step>) {
        let is_known = |it: &&Tensor| {
            !it.track_op() || it.is_variable() || self.known.iter().rev().any(|id| *id == it.id())
        };
        self.gap |= !operands.iter().all(is_known);
        self.known.push(results.id());
        self.steps.push(step);
    }
}

/// A node on the way back.
trait Step {
    /// The tensor it made.
    fn results(&self) -> &Tensor;

    /// Hands the gradients of its operands on, from that of its results.
    fn hand_on(&self, gradient: &Tensor, to: &mut Moved) -> Result<()>;
}

/// An operation.
struct Made<O, const N: usize> {
    node: Arc<O>,
    operands: [Tensor; N],
    results: Tensor,
}

impl<O: Node<N>, const N: usize> Step for Made<O, N> {
    fn results(&self) -> &Tensor {
        &self.results
    }

    fn hand_on(&self, gradient: &Tensor, to: &mut Moved) -> Result<()> {
        let operands = self.operands.each_ref();
        let gradients = self.node.gradients(operands, &self.results, gradient)?;
        for (operand, gradient) in operands.into_iter().zip(gradients) {
            if let Some(gradient) = gradient.filter(|_| operand.track_op()) {
                to.add(operand, gradient)?;
            }
        }
        Ok(())
    }
}

/// What candle made of operands that all have one gradient.
struct Composed<B, const N: usize> {
    operands: [Tensor; N],
    results: Tensor,
    back: B,
}

impl<B: Fn(&Tensor) -> Result<Tensor>, const N: usize> Step for Composed<B, N> {
    fn results(&self) -> &Tensor {
        &self.results
    }

    fn hand_on(&self, gradient: &Tensor, to: &mut Moved) -> Result<()> {
        let gradient = (self.back)(gradient)?;
        let mut trained = self.operands.iter().filter(|operand| operand.track_op());
        trained.try_for_each(|operand| to.add(operand, gradient.clone()))
    }
}

/// Notes a node, where a forward pass is noted and something trainable goes into it.
pub(super) fn note<O: Node<N>, const N: usize>(
    results: &Tensor,
    operands: [&Tensor; N],
    node: &Arc<O>,
) {
    NOTES.with_borrow_mut(|notes| {
        let Some(notes) = notes.as_mut().filter(|_| results.track_op()) else { return };
        let kept = operands.map(Tensor::clone);
        let made = Made { node: Arc::clone(node), operands: kept, results: results.clone() };
        notes.note(results, &operands, Box::new(made));
    });
}

/// `operand` in another shape of as many numbers.
pub(crate) fn reshaped(operand: &Tensor, shape: impl Into<Shape>) -> Result<Tensor> {
    let (results, before) = (operand.reshape(shape.into())?, operand.shape().clone());
    note_composed(&results, [operand], move |gradient| gradient.reshape(&before));
    Ok(results)
}

/// The sum of two tensors.
pub(crate) fn sum(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    let results = (a + b)?;
    note_composed(&results, [a, b], |gradient| Ok(gradient.clone()));
    Ok(results)
}

/// Notes what candle made, where a forward pass is noted and something trainable goes into it.
/// `back` gives the gradient of each operand from that of the results.
pub(super) fn note_composed<const N: usize>(
    results: &Tensor,
    operands: [&Tensor; N],
    back: impl Fn(&Tensor) -> Result<Tensor> + 'static,
) {
    NOTES.with_borrow_mut(|notes| {
        let Some(notes) = notes.as_mut().filter(|_| results.track_op()) else { return };
        let kept = operands.map(Tensor::clone);
        let composed = Composed { operands: kept, results: results.clone(), back };
        notes.note(results, &operands, Box::new(composed));
    });
}

/// A loss, and the way back from it.
pub(crate) struct Noted {
    loss: Tensor,
    steps: Vec<Box<dyn Step>>,
}

impl Noted {
    /// The loss that `forward` computes, on this thread alone.
    ///
    /// # Errors
    /// Those of `forward`.
    pub(crate) fn of(forward: impl FnOnce() -> Result<Tensor>) -> Result<Noted> {
        let notes =
            Notes { steps: Vec::with_capacity(16), known: Vec::with_capacity(16), gap: false };
        NOTES.set(Some(notes));
        let loss = forward();
        let Notes { mut steps, known, gap } = NOTES.take().expect("it was put there");
        let loss = loss?;
        if gap || known.last() != Some(&loss.id()) {
            steps.clear();
        }
        Ok(Noted { loss, steps })
    }

    /// The loss.
    pub(crate) fn loss(&self) -> &Tensor {
        &self.loss
    }

    /// Whether the way back is that over the notes.
    #[cfg(test)]
    pub(crate) fn is_whole(&self) -> bool {
        !self.steps.is_empty()
    }

    /// The gradients of all variables that the loss depends on.
    ///
    /// # Errors
    /// Those of the operations.
    pub(crate) fn gradients(&self) -> Result<Gradients> {
        if self.steps.is_empty() {
            return self.loss.backward().map(Gradients::Candles);
        }
        let mut gradients = Moved(Vec::with_capacity(self.steps.len()));
        gradients.add(&self.loss, self.loss.ones_like()?)?;
        for step in self.steps.iter().rev() {
            if let Some(gradient) = gradients.take(step.results()) {
                step.hand_on(&gradient, &mut gradients)?;
            }
        }
        Ok(Gradients::Own(gradients))
    }
}

/// Gradients by tensor.
pub(crate) enum Gradients {
    Candles(GradStore),
    Own(Moved),
}

impl Gradients {
    /// That of a tensor, if it has one.
    pub(crate) fn get(&self, of: &Tensor) -> Option<&Tensor> {
        match self {
            Gradients::Candles(store) => store.get(of),
            Gradients::Own(moved) => moved.place(of).map(|at| &moved.0[at].1),
        }
    }
}

/// Gradients that go from node to node. Few at a time, the latest of most interest.
pub(crate) struct Moved(Vec<(TensorId, Tensor)>);

impl Moved {
    fn place(&self, of: &Tensor) -> Option<usize> {
        self.0.iter().rposition(|(id, _)| *id == of.id())
    }

    fn take(&mut self, of: &Tensor) -> Option<Tensor> {
        self.place(of).map(|at| self.0.swap_remove(at).1)
    }

    fn add(&mut self, to: &Tensor, gradient: Tensor) -> Result<()> {
        let gradient = match self.take(to) {
            Some(earlier) => (earlier + gradient)?,
            None => gradient,
        };
        self.0.push((to.id(), gradient));
        Ok(())
    }
}
