//! Elementary functions of whole tensors.
//!
//! Invariant: on a CPU they are those of [`Real`], as everywhere in the layers; candle's would be
//! those of the system's math library, which differs between machines. Elsewhere they are the
//! device's.

use candle_core::backend::BackendStorage;
use candle_core::{
    CpuStorage, CudaStorage, CustomOp1, DType, Layout, Result, Shape, Tensor, bail, op,
};

use super::super::Real;
use super::super::storage::operand;

#[derive(Clone, Copy)]
enum Elementary {
    Exp,
    Ln,
    Tanh,
}

/// e to the power of every number.
pub(super) fn exp(x: &Tensor) -> Result<Tensor> {
    x.apply_op1_no_bwd(&Elementary::Exp)
}

/// The natural logarithm of every number.
pub(super) fn ln(x: &Tensor) -> Result<Tensor> {
    x.apply_op1_no_bwd(&Elementary::Ln)
}

/// The hyperbolic tangent of every number.
pub(super) fn tanh(x: &Tensor) -> Result<Tensor> {
    x.apply_op1_no_bwd(&Elementary::Tanh)
}

/// 1 / (1 + exp(−x)) of every number.
pub(super) fn sigmoid(x: &Tensor) -> Result<Tensor> {
    exp(&x.neg()?)?.affine(1.0, 1.0)?.recip()
}

impl Elementary {
    fn map<T: Real>(self, x: &CpuStorage, layout: &Layout) -> Result<CpuStorage> {
        let x = operand::<T>(x, layout)?.iter();
        let y: Vec<T> = match self {
            Self::Exp => x.map(|&x| Real::exp(x)).collect(),
            Self::Ln => x.map(|&x| Real::ln(x)).collect(),
            Self::Tanh => x.map(|&x| Real::tanh(x)).collect(),
        };
        Ok(T::to_cpu_storage_owned(y))
    }
}

impl CustomOp1 for Elementary {
    fn name(&self) -> &'static str {
        "elementary"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let y = match x.dtype() {
            DType::F32 => self.map::<f32>(x, layout)?,
            DType::F64 => self.map::<f64>(x, layout)?,
            other => bail!("no elementary functions of {other:?}"),
        };
        Ok((y, layout.shape().clone()))
    }

    fn cuda_fwd(&self, x: &CudaStorage, layout: &Layout) -> Result<(CudaStorage, Shape)> {
        let y = match self {
            Self::Exp => x.unary_impl::<op::Exp>(layout)?,
            Self::Ln => x.unary_impl::<op::Log>(layout)?,
            Self::Tanh => x.unary_impl::<op::Tanh>(layout)?,
        };
        Ok((y, layout.shape().clone()))
    }
}
