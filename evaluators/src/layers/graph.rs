//! Nodes of candle's graph: functions of one, two or three tensors with a backward pass of their
//! own.
//!
//! Invariant: a gradient stands where its operand does, and a node is put into the graph once, so
//! that its forward pass runs once. candle has a trait for each number of operands; they are
//! implemented here and nowhere else, but for the elementary functions of [`lanes`](super::lanes),
//! which are no nodes: they have no backward pass.

use std::sync::Arc;

use candle_core::{
    CpuStorage, CudaStorage, CustomOp1, CustomOp2, CustomOp3, Error, Layout, Result, Shape, Tensor,
};

/// A function of `N` tensors with its derivative.
pub(super) trait Node<const N: usize>: Send + Sync + 'static {
    /// What candle's errors call it.
    const NAME: &'static str;

    /// The results on a CPU, and their shape.
    fn on_cpu(&self, operands: [(&CpuStorage, &Layout); N]) -> Result<(CpuStorage, Shape)>;

    /// The results on a GPU, and their shape; an error where there is only [`Node::on_cpu`].
    fn on_cuda(&self, _operands: [(&CudaStorage, &Layout); N]) -> Result<(CudaStorage, Shape)> {
        Err(Error::Cuda(format!("no cuda implementation for {}", Self::NAME).into()))
    }

    /// The gradients of the operands, `None` where none is wanted, from the results and their
    /// gradient.
    fn gradients(
        &self,
        operands: [&Tensor; N],
        results: &Tensor,
        gradient: &Tensor,
    ) -> Result<[Option<Tensor>; N]>;
}

/// The operands of a node.
pub(super) trait Operands<const N: usize> {
    /// The results of `node`, with `node` as the way back to these operands.
    fn through(self, node: Arc<impl Node<N>>) -> Result<Tensor>;
}

impl Operands<1> for [&Tensor; 1] {
    fn through(self, node: Arc<impl Node<1>>) -> Result<Tensor> {
        let [a] = self;
        a.apply_op1(Custom(node))
    }
}

impl Operands<2> for [&Tensor; 2] {
    fn through(self, node: Arc<impl Node<2>>) -> Result<Tensor> {
        let [a, b] = self;
        a.apply_op2(b, Custom(node))
    }
}

impl Operands<3> for [&Tensor; 3] {
    fn through(self, node: Arc<impl Node<3>>) -> Result<Tensor> {
        let [a, b, c] = self;
        a.apply_op3(b, c, Custom(node))
    }
}

/// A node as candle knows it.
struct Custom<O>(Arc<O>);

impl<O: Node<1>> CustomOp1 for Custom<O> {
    fn name(&self) -> &'static str {
        O::NAME
    }

    fn cpu_fwd(&self, a: &CpuStorage, a_layout: &Layout) -> Result<(CpuStorage, Shape)> {
        self.0.on_cpu([(a, a_layout)])
    }

    fn cuda_fwd(&self, a: &CudaStorage, a_layout: &Layout) -> Result<(CudaStorage, Shape)> {
        self.0.on_cuda([(a, a_layout)])
    }

    fn bwd(&self, a: &Tensor, results: &Tensor, gradient: &Tensor) -> Result<Option<Tensor>> {
        let [a] = self.0.gradients([a], results, gradient)?;
        Ok(a)
    }
}

impl<O: Node<2>> CustomOp2 for Custom<O> {
    fn name(&self) -> &'static str {
        O::NAME
    }

    fn cpu_fwd(
        &self,
        a: &CpuStorage,
        a_layout: &Layout,
        b: &CpuStorage,
        b_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        self.0.on_cpu([(a, a_layout), (b, b_layout)])
    }

    fn cuda_fwd(
        &self,
        a: &CudaStorage,
        a_layout: &Layout,
        b: &CudaStorage,
        b_layout: &Layout,
    ) -> Result<(CudaStorage, Shape)> {
        self.0.on_cuda([(a, a_layout), (b, b_layout)])
    }

    fn bwd(
        &self,
        a: &Tensor,
        b: &Tensor,
        results: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let [a, b] = self.0.gradients([a, b], results, gradient)?;
        Ok((a, b))
    }
}

impl<O: Node<3>> CustomOp3 for Custom<O> {
    fn name(&self) -> &'static str {
        O::NAME
    }

    fn cpu_fwd(
        &self,
        a: &CpuStorage,
        a_layout: &Layout,
        b: &CpuStorage,
        b_layout: &Layout,
        c: &CpuStorage,
        c_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        self.0.on_cpu([(a, a_layout), (b, b_layout), (c, c_layout)])
    }

    fn cuda_fwd(
        &self,
        a: &CudaStorage,
        a_layout: &Layout,
        b: &CudaStorage,
        b_layout: &Layout,
        c: &CudaStorage,
        c_layout: &Layout,
    ) -> Result<(CudaStorage, Shape)> {
        self.0.on_cuda([(a, a_layout), (b, b_layout), (c, c_layout)])
    }

    fn bwd(
        &self,
        a: &Tensor,
        b: &Tensor,
        c: &Tensor,
        results: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let [a, b, c] = self.0.gradients([a, b, c], results, gradient)?;
        Ok((a, b, c))
    }
}
