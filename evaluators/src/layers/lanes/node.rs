//! Nodes: results computed outside candle's graph, put into it with a backward pass of their own.
//!
//! Invariant: a node is made of fresh results, contiguous and whole, and of operands that were
//! detached; so the graph holds one node a layer, whatever it is composed of. Where no operand is
//! trained the results are left as they are.
//!
//! A custom operation has to make a storage of its own, so a node costs one copy of its results on
//! the device. Composing in candle's graph instead would keep every intermediate result and add two
//! launches to each of them on the way back.

use std::sync::Mutex;

use candle_core::backend::BackendStorage;
use candle_core::{
    CpuStorage, CudaStorage, CustomOp1, CustomOp2, CustomOp3, Layout, Result, Shape, Storage,
    Tensor, bail,
};

/// The gradients of the operands, `None` where none is wanted, from the results and their gradient.
type Backward<const N: usize> =
    Box<dyn Fn(&Tensor, &Tensor) -> Result<[Option<Tensor>; N]> + Send + Sync>;

struct Node<const N: usize> {
    /// Taken by the forward pass, which is made once.
    results: Mutex<Option<Tensor>>,
    backward: Backward<N>,
}

impl<const N: usize> Node<N> {
    fn new(
        results: Tensor,
        backward: impl Fn(&Tensor, &Tensor) -> Result<[Option<Tensor>; N]> + Send + Sync + 'static,
    ) -> Self {
        Self { results: Mutex::new(Some(results)), backward: Box::new(backward) }
    }

    fn take(&self) -> Result<Tensor> {
        let results = self.results.lock().map(|mut results| results.take());
        match results {
            Ok(Some(results))
                if results.is_contiguous() && results.layout().start_offset() == 0 =>
            {
                Ok(results)
            }
            _ => bail!("a node has whole results, and one forward pass"),
        }
    }

    fn on_cpu(&self) -> Result<(CpuStorage, Shape)> {
        let results = self.take()?;
        let (storage, layout) = results.storage_and_layout();
        match &*storage {
            Storage::Cpu(storage) => Ok((storage.try_clone(layout)?, layout.shape().clone())),
            _ => bail!("the results of a node are not where its operands are"),
        }
    }

    fn on_cuda(&self) -> Result<(CudaStorage, Shape)> {
        let results = self.take()?;
        let (storage, layout) = results.storage_and_layout();
        match &*storage {
            Storage::Cuda(storage) => Ok((storage.try_clone(layout)?, layout.shape().clone())),
            _ => bail!("the results of a node are not where its operands are"),
        }
    }

    fn gradients(&self, results: &Tensor, gradient: &Tensor) -> Result<[Option<Tensor>; N]> {
        (self.backward)(results, &gradient.contiguous()?)
    }
}

/// `results` as a function of one operand.
pub(super) fn node1(
    operand: &Tensor,
    results: Tensor,
    backward: impl Fn(&Tensor, &Tensor) -> Result<[Option<Tensor>; 1]> + Send + Sync + 'static,
) -> Result<Tensor> {
    if !operand.track_op() {
        return Ok(results);
    }
    operand.apply_op1(Node::new(results, backward))
}

/// `results` as a function of two operands.
pub(super) fn node2(
    (a, b): (&Tensor, &Tensor),
    results: Tensor,
    backward: impl Fn(&Tensor, &Tensor) -> Result<[Option<Tensor>; 2]> + Send + Sync + 'static,
) -> Result<Tensor> {
    if !(a.track_op() || b.track_op()) {
        return Ok(results);
    }
    a.apply_op2(b, Node::new(results, backward))
}

/// `results` as a function of three operands.
pub(super) fn node3(
    (a, b, c): (&Tensor, &Tensor, &Tensor),
    results: Tensor,
    backward: impl Fn(&Tensor, &Tensor) -> Result<[Option<Tensor>; 3]> + Send + Sync + 'static,
) -> Result<Tensor> {
    if !(a.track_op() || b.track_op() || c.track_op()) {
        return Ok(results);
    }
    a.apply_op3(b, c, Node::new(results, backward))
}

impl CustomOp1 for Node<1> {
    fn name(&self) -> &'static str {
        "lanes"
    }

    fn cpu_fwd(&self, _: &CpuStorage, _: &Layout) -> Result<(CpuStorage, Shape)> {
        self.on_cpu()
    }

    fn cuda_fwd(&self, _: &CudaStorage, _: &Layout) -> Result<(CudaStorage, Shape)> {
        self.on_cuda()
    }

    fn bwd(&self, _: &Tensor, results: &Tensor, gradient: &Tensor) -> Result<Option<Tensor>> {
        let [a] = self.gradients(results, gradient)?;
        Ok(a)
    }
}

impl CustomOp2 for Node<2> {
    fn name(&self) -> &'static str {
        "lanes"
    }

    fn cpu_fwd(
        &self,
        _: &CpuStorage,
        _: &Layout,
        _: &CpuStorage,
        _: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        self.on_cpu()
    }

    fn cuda_fwd(
        &self,
        _: &CudaStorage,
        _: &Layout,
        _: &CudaStorage,
        _: &Layout,
    ) -> Result<(CudaStorage, Shape)> {
        self.on_cuda()
    }

    fn bwd(
        &self,
        _: &Tensor,
        _: &Tensor,
        results: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let [a, b] = self.gradients(results, gradient)?;
        Ok((a, b))
    }
}

impl CustomOp3 for Node<3> {
    fn name(&self) -> &'static str {
        "lanes"
    }

    fn cpu_fwd(
        &self,
        _: &CpuStorage,
        _: &Layout,
        _: &CpuStorage,
        _: &Layout,
        _: &CpuStorage,
        _: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        self.on_cpu()
    }

    fn cuda_fwd(
        &self,
        _: &CudaStorage,
        _: &Layout,
        _: &CudaStorage,
        _: &Layout,
        _: &CudaStorage,
        _: &Layout,
    ) -> Result<(CudaStorage, Shape)> {
        self.on_cuda()
    }

    fn bwd(
        &self,
        _: &Tensor,
        _: &Tensor,
        _: &Tensor,
        results: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let [a, b, c] = self.gradients(results, gradient)?;
        Ok((a, b, c))
    }
}
