//! The number types layers are written over: f32 for training, f64 for gradient checks.
//!
//! Invariant: `exp` and `ln` use plain IEEE operations in a fixed order, so a CPU's own math
//! library never reaches a result. The f32 `exp` is a polynomial without branches, which the
//! compiler vectorises; the one of the C library costs several times as much and differs between
//! versions.

use candle_core::backend::BackendStorage;
use candle_core::{CpuStorage, Result, WithDType, bail};

use super::function::Compiled;

/// A floating-point number layers compute with.
pub(crate) trait Real: WithDType {
    /// 0.
    const ZERO: Self;
    /// 1.
    const ONE: Self;
    /// The numbers of a storage of this type.
    fn numbers_mut(storage: &mut CpuStorage) -> Result<&mut [Self]>;
    /// e to the power of `self`; NaN stays NaN.
    fn exp(self) -> Self;
    /// The square root.
    fn sqrt(self) -> Self;
    /// self · factor + term, rounded once.
    fn mul_add(self, factor: Self, term: Self) -> Self;
    /// The hyperbolic tangent; NaN stays NaN.
    fn tanh(self) -> Self;
    /// The logistic function, 1 / (1 + exp(−self)).
    fn sigmoid(self) -> Self {
        Self::ONE / (Self::ONE + (Self::ZERO - self).exp())
    }
    /// A count as a number.
    fn of(count: usize) -> Self {
        Self::from_f64(count as f64)
    }
    /// The values of an expression at these numbers, its only input.
    fn values(expression: &Compiled, at: &[Self]) -> Vec<Self>;
    /// The natural logarithm.
    fn ln(self) -> Self {
        Self::from_f64(libm::log(self.to_f64()))
    }
}

impl Real for f64 {
    const ZERO: Self = 0.0;
    const ONE: Self = 1.0;

    fn numbers_mut(storage: &mut CpuStorage) -> Result<&mut [Self]> {
        match storage {
            CpuStorage::F64(numbers) => Ok(numbers),
            other => bail!("expected f64 numbers, not {:?}", other.dtype()),
        }
    }

    fn exp(self) -> Self {
        libm::exp(self)
    }

    fn tanh(self) -> Self {
        libm::tanh(self)
    }

    fn values(expression: &Compiled, at: &[Self]) -> Vec<Self> {
        expression.exact_values(at)
    }

    #[inline(always)]
    fn mul_add(self, factor: Self, term: Self) -> Self {
        f64::mul_add(self, factor, term)
    }

    fn sqrt(self) -> Self {
        self.sqrt()
    }
}

impl Real for f32 {
    const ZERO: Self = 0.0;
    const ONE: Self = 1.0;

    fn numbers_mut(storage: &mut CpuStorage) -> Result<&mut [Self]> {
        match storage {
            CpuStorage::F32(numbers) => Ok(numbers),
            other => bail!("expected f32 numbers, not {:?}", other.dtype()),
        }
    }

    /// Cody–Waite reduction to |r| <= ln(2)/2, then the degree-6 polynomial of Cephes `expf`
    /// (relative error below 2e-7). The argument is clamped to where the result is normal.
    #[inline(always)]
    fn exp(self) -> Self {
        const ROUND: f32 = 12_582_912.0; // 1.5 * 2^23: adding it rounds to an integer
        let x = if self < -87.0 { -87.0 } else { self };
        let x = if x > 88.0 { 88.0 } else { x };
        let shifted = x * std::f32::consts::LOG2_E + ROUND;
        let n = shifted - ROUND;
        let r = x - n * 0.693_359_4 + n * 2.121_944_4e-4;
        let p = 1.987_569_1e-4;
        let p = p * r + 1.398_2e-3;
        let p = p * r + 8.333_452e-3;
        let p = p * r + 4.166_579_6e-2;
        let p = p * r + 1.666_666_5e-1;
        let p = p * r + 5e-1;
        let p = p * (r * r) + r + 1.0;
        // The low bits of `shifted` hold n; moved into the exponent they make 2^n.
        let exponent = shifted.to_bits().wrapping_add(127) << 23;
        p * f32::from_bits(exponent)
    }

    /// 1 − 2 / (exp(2x) + 1), and near 0, where that loses digits, the odd polynomial of Cephes
    /// `tanhf` (relative error below 2e-7).
    #[inline]
    fn tanh(self) -> Self {
        let square = self * self;
        let p = -5.704_988_7e-3;
        let p = p * square + 2.063_909e-2;
        let p = p * square - 5.373_971_5e-2;
        let p = p * square + 1.333_144_2e-1;
        let p = p * square - 3.333_328e-1;
        let near = self + self * square * p;
        let far = 1.0 - 2.0 / (Real::exp(2.0 * self) + 1.0);
        if square < 0.390_625 { near } else { far }
    }

    fn values(expression: &Compiled, at: &[Self]) -> Vec<Self> {
        expression.values(at)
    }

    #[inline(always)]
    fn mul_add(self, factor: Self, term: Self) -> Self {
        f32::mul_add(self, factor, term)
    }

    fn sqrt(self) -> Self {
        self.sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tanh_and_sigmoid_are_accurate_and_keep_nan() {
        for step in -4000..4000 {
            let x = step as f32 / 200.0;
            let (found, exact) = (f64::from(Real::tanh(x)), libm::tanh(f64::from(x)));
            assert!(
                (found - exact).abs() <= 3e-7 * exact.abs(),
                "tanh({x}) = {found}, not {exact}"
            );
            let (found, exact) = (f64::from(x.sigmoid()), Real::sigmoid(f64::from(x)));
            assert!((found / exact - 1.0).abs() < 5e-7, "sigmoid({x}) = {found}, not {exact}");
        }
        assert!(Real::tanh(f32::NAN).is_nan() && f32::NAN.sigmoid().is_nan());
        assert_eq!((Real::tanh(f32::INFINITY), Real::tanh(f32::NEG_INFINITY)), (1.0, -1.0));
    }

    #[test]
    fn exp_is_accurate_and_keeps_nan() {
        for step in -8600..8800 {
            let x = step as f32 / 100.0;
            let (found, exact) = (f64::from(Real::exp(x)), libm::exp(f64::from(x)));
            assert!((found / exact - 1.0).abs() < 3e-7, "exp({x}) = {found}, not {exact}");
        }
        assert!(Real::exp(f32::NAN).is_nan());
        assert!(Real::exp(f32::NEG_INFINITY) < 1e-37);
    }
}
