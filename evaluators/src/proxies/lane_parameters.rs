//! Parameters with lanes: the weights of a whole cohort as candle variables.
//!
//! Shapes: leaf i is \[lanes, shape of leaf i\]. Invariant: the variables are float32 whatever the
//! products are made in, and gradients are detached from the graph, which would otherwise outlive
//! its step.

use std::sync::Arc;

use candle_core::{DType, Device, Result, Tensor, Var, bail};

use super::Leaf;

/// The leaves of one network in every lane.
pub(crate) struct LaneParameters {
    leaves: Vec<Var>,
    /// The type matrices are read in.
    products: DType,
    /// Of each leaf, what it is multiplied by where the network reads it.
    units: Option<Arc<[f32]>>,
}

impl LaneParameters {
    /// Variables that start, in each of `lanes` lanes, as the flat vector; matrices are read as
    /// numbers of type `products`.
    pub(crate) fn new(
        leaves: &[Leaf],
        flat: &[f32],
        lanes: usize,
        products: DType,
        device: &Device,
    ) -> Result<Self> {
        let mut rest = flat;
        let variable = |leaf: &Leaf| {
            let (head, tail) = rest.split_at(leaf.shape.iter().product());
            rest = tail;
            let one = Tensor::from_slice(head, leaf.shape.as_slice(), device)?;
            let all = one.unsqueeze(0)?.broadcast_as([&[lanes], leaf.shape.as_slice()].concat())?;
            Var::from_tensor(&all.contiguous()?)
        };
        let leaves = leaves.iter().map(variable).collect::<Result<_>>()?;
        Ok(Self { leaves, products, units: None })
    }

    /// The same in units of which the network reads this multiple, leaf by leaf.
    pub(crate) fn in_units(self, units: Option<Arc<[f32]>>) -> Self {
        Self { units, ..self }
    }

    /// The variables in leaf order.
    pub(crate) fn variables(&self) -> &[Var] {
        &self.leaves
    }

    /// The weights a network reads, for differentiating: matrices in the type of products, the rest
    /// as it is.
    pub(crate) fn trained(&self) -> Result<Vec<Tensor>> {
        let leaves = self.leaves.iter().enumerate();
        leaves.map(|(index, leaf)| self.read(index, leaf.as_tensor())).collect()
    }

    /// The same weights where nothing will be differentiated.
    pub(crate) fn fixed(&self) -> Result<Vec<Tensor>> {
        let leaves = self.leaves.iter().enumerate();
        leaves.map(|(index, leaf)| self.read(index, &leaf.as_detached_tensor())).collect()
    }

    /// Copies of the leaves as they are now.
    pub(crate) fn copies(&self) -> Result<Vec<Tensor>> {
        self.leaves.iter().map(|leaf| leaf.as_detached_tensor().copy()).collect()
    }

    /// As [`fixed`](Self::fixed), of other weights: of every leaf its numbers in all lanes.
    pub(crate) fn fixed_at(&self, leaves: Vec<Vec<f32>>) -> Result<Vec<Tensor>> {
        let numbers = self.leaves.iter().zip(leaves).enumerate();
        let tensors = numbers.map(|(index, (leaf, numbers))| {
            self.read(index, &Tensor::from_vec(numbers, leaf.shape(), leaf.device())?)
        });
        tensors.collect()
    }

    fn read(&self, index: usize, leaf: &Tensor) -> Result<Tensor> {
        let leaf = match &self.units {
            Some(units) => &leaf.affine(f64::from(units[index]), 0.0)?,
            None => leaf,
        };
        // The lanes are a dimension of their own, so vectors have two.
        if leaf.rank() > 2 { leaf.to_dtype(self.products) } else { Ok(leaf.clone()) }
    }

    /// The gradients of every lane's loss, of [`trained`](Self::trained) weights, with respect to
    /// its own leaves.
    ///
    /// # Errors
    /// A leaf got no gradient, which would otherwise pass for a gradient of zero.
    pub(crate) fn gradients(&self, losses: &Tensor) -> Result<Vec<Tensor>> {
        // From a vector candle differentiates the sum, and no loss depends on another lane's
        // leaves.
        let mut gradients = losses.backward()?;
        let gradient = |(index, leaf): (usize, &Var)| match gradients.remove(leaf) {
            Some(gradient) => gradient.detach().contiguous(),
            None => bail!("leaf {index} got no gradient"),
        };
        self.leaves.iter().enumerate().map(gradient).collect()
    }
}
