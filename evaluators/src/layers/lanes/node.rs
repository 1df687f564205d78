//! Nodes: results computed outside candle's graph, put into it with a backward pass of their own.
//!
//! Invariant: a node is made of fresh results, contiguous and whole, and of operands that were
//! detached; so the graph holds one node a layer, whatever it is composed of. Where no operand is
//! trained the results are left as they are.
//!
//! A custom operation has to make a storage of its own, so a node costs one copy of its results on
//! the device. Composing in candle's graph instead would keep every intermediate result and add two
//! launches to each of them on the way back.

use std::sync::{Arc, Mutex};

use candle_core::backend::BackendStorage;
use candle_core::{CpuStorage, CudaStorage, Layout, Result, Shape, Storage, Tensor, bail};

use super::super::graph::{Node, Operands};

struct Composed<B> {
    /// Taken by the forward pass, which is made once.
    results: Mutex<Option<Tensor>>,
    backward: B,
}

/// `results` as a function of `operands`. `backward` gives the gradients of the operands, `None`
/// where none is wanted, from the results and their gradient.
pub(super) fn node<'a, const N: usize>(
    operands: [&'a Tensor; N],
    results: Tensor,
    backward: impl Fn(&Tensor, &Tensor) -> Result<[Option<Tensor>; N]> + Send + Sync + 'static,
) -> Result<Tensor>
where
    [&'a Tensor; N]: Operands<N>,
{
    if !operands.iter().any(|operand| operand.track_op()) {
        return Ok(results);
    }
    operands.through(Arc::new(Composed { results: Mutex::new(Some(results)), backward }))
}

impl<B> Composed<B> {
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
}

impl<B, const N: usize> Node<N> for Composed<B>
where
    B: Fn(&Tensor, &Tensor) -> Result<[Option<Tensor>; N]> + Send + Sync + 'static,
{
    const NAME: &'static str = "lanes";

    fn on_cpu(&self, _operands: [(&CpuStorage, &Layout); N]) -> Result<(CpuStorage, Shape)> {
        let results = self.take()?;
        let (storage, layout) = results.storage_and_layout();
        match &*storage {
            Storage::Cpu(storage) => Ok((storage.try_clone(layout)?, layout.shape().clone())),
            _ => bail!("the results of a node are not where its operands are"),
        }
    }

    fn on_cuda(&self, _operands: [(&CudaStorage, &Layout); N]) -> Result<(CudaStorage, Shape)> {
        let results = self.take()?;
        let (storage, layout) = results.storage_and_layout();
        match &*storage {
            Storage::Cuda(storage) => Ok((storage.try_clone(layout)?, layout.shape().clone())),
            _ => bail!("the results of a node are not where its operands are"),
        }
    }

    fn gradients(
        &self,
        _operands: [&Tensor; N],
        results: &Tensor,
        gradient: &Tensor,
    ) -> Result<[Option<Tensor>; N]> {
        (self.backward)(results, &gradient.contiguous()?)
    }
}
