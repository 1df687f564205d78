//! Products with few columns, as small convolutions and last layers make them.
//!
//! A general kernel lays columns of the result along a register and holds six registers of it: with
//! 8 or 16 columns that is too few additions at a time to keep the units busy. Here a register is a
//! row, and fourteen rows are held at once. Bound: one multiply-add of a register and one broadcast
//! number each, two of them a cycle.
//!
//! Invariant: every number of the result is summed up over the inner dimension in order, in parts
//! of [`PART`] that are added to each other, whatever the tile it lies in.

use super::Real;

/// A product whose every index lies in memory that may be read, and written in the case of `out`.
#[derive(Clone, Copy)]
pub(super) struct NarrowProduct<T> {
    /// Rows of the result follow each other without a gap.
    pub(super) out: *mut T,
    pub(super) a: *const T,
    /// Row after row, without a gap.
    pub(super) b: *const T,
    pub(super) rows: usize,
    pub(super) inner: usize,
    pub(super) columns: usize,
    /// From one row of `a` to the next, and from one column to the next; one of them is 1.
    pub(super) a_strides: [usize; 2],
}

/// How much of the inner dimension is summed up in registers.
const PART: usize = 256;

/// Rows of a tile, as many as there are registers for.
const TILE: usize = 14;

impl<T: Real> NarrowProduct<T> {
    /// Whether this is measured to be the faster way.
    pub(super) fn suits(&self) -> bool {
        let whole = matches!(self.columns, 8 | 16);
        let padded = self.columns < 16 && self.inner <= PART && self.rows >= 4 * self.inner;
        // Rows far apart would push each other out of the cache.
        let near = self.a_strides[1] != 1 || self.inner <= 2 * PART;
        (whole || padded) && near && self.inner > 0 && self.rows >= 4 && is_there()
    }

    /// Writes the product, without reading `out` before.
    ///
    /// # Safety
    /// It suits, and nothing else refers to `out`.
    #[allow(unsafe_code)]
    pub(super) unsafe fn write(self) {
        // SAFETY: as the caller vouches; what is padded has a register for every inner index, and
        // `suits` found the CPU to have what the kernels are compiled for.
        unsafe {
            match self.columns {
                8 => with_avx512::<T, 8>(self),
                16 => with_avx512::<T, 16>(self),
                _ => {
                    let padded = self.padded();
                    with_avx512::<T, 16>(Self { b: padded.as_ptr(), ..self });
                }
            }
        }
    }

    /// `b` with zeros behind each row, up to a whole register.
    ///
    /// # Safety
    /// As for [`NarrowProduct::write`].
    #[allow(unsafe_code)]
    unsafe fn padded(&self) -> Vec<T> {
        // SAFETY: the rows of `b` follow each other.
        let b = unsafe { std::slice::from_raw_parts(self.b, self.inner * self.columns) };
        let mut padded = vec![T::ZERO; self.inner * 16];
        for (to, from) in padded.chunks_exact_mut(16).zip(b.chunks_exact(self.columns)) {
            to[..self.columns].copy_from_slice(from);
        }
        padded
    }

    /// All tiles, of nearly the same number of rows: a thin one waits for its sums.
    ///
    /// # Safety
    /// As for [`NarrowProduct::write`]; rows of `b` are `W` long.
    #[allow(unsafe_code)]
    #[inline(always)]
    unsafe fn write_tiles<const W: usize>(self) {
        let tiles = self.rows.div_ceil(TILE);
        let size = self.rows.div_ceil(tiles);
        for first in (0..self.rows).step_by(size) {
            // SAFETY: as the caller vouches, and all these rows are the product's.
            unsafe {
                match size.min(self.rows - first) {
                    1 => self.write_tile::<W, 1>(first),
                    2 => self.write_tile::<W, 2>(first),
                    3 => self.write_tile::<W, 3>(first),
                    4 => self.write_tile::<W, 4>(first),
                    5 => self.write_tile::<W, 5>(first),
                    6 => self.write_tile::<W, 6>(first),
                    7 => self.write_tile::<W, 7>(first),
                    8 => self.write_tile::<W, 8>(first),
                    9 => self.write_tile::<W, 9>(first),
                    10 => self.write_tile::<W, 10>(first),
                    11 => self.write_tile::<W, 11>(first),
                    12 => self.write_tile::<W, 12>(first),
                    13 => self.write_tile::<W, 13>(first),
                    _ => self.write_tile::<W, TILE>(first),
                }
            }
        }
    }

    /// # Safety
    /// As for [`NarrowProduct::write_tiles`]; there are `R` rows from `first` on.
    #[allow(unsafe_code)]
    #[inline(always)]
    unsafe fn write_tile<const W: usize, const R: usize>(&self, first: usize) {
        let mut sums = [[T::ZERO; W]; R];
        for begin in (0..self.inner).step_by(PART) {
            let end = self.inner.min(begin + PART);
            // SAFETY: as the caller vouches; `begin` and `end` are inner indices.
            let part = unsafe { self.part::<W, R>(first, begin..end) };
            if begin == 0 {
                sums = part;
            } else {
                for (sums, part) in sums.iter_mut().zip(&part) {
                    sums.iter_mut().zip(part).for_each(|(sum, part)| *sum += *part);
                }
            }
        }
        let length = self.rows * self.columns;
        for (row, sums) in (first..).zip(&sums) {
            let at = row * self.columns;
            // SAFETY: what is written ends at the last number of the result. What of a padded row
            // reaches beyond its columns is written over by the rows behind it.
            unsafe {
                let out = self.out.add(at);
                match length - at >= W {
                    true => out.cast::<[T; W]>().write_unaligned(*sums),
                    false => out.copy_from_nonoverlapping(sums.as_ptr(), length - at),
                }
            }
        }
    }

    /// The sums of some rows over a part of the inner dimension.
    ///
    /// # Safety
    /// As for [`NarrowProduct::write_tile`]; `inner` is within the inner dimension.
    #[allow(unsafe_code)]
    #[inline(always)]
    unsafe fn part<const W: usize, const R: usize>(
        &self,
        first: usize,
        inner: std::ops::Range<usize>,
    ) -> [[T; W]; R] {
        let [down, across] = self.a_strides;
        let mut sums = [[T::ZERO; W]; R];
        for index in inner {
            // SAFETY: as the caller vouches.
            unsafe {
                let b = self.b.add(index * W).cast::<[T; W]>().read_unaligned();
                for (row, sums) in sums.iter_mut().enumerate() {
                    let a = *self.a.add((first + row) * down + index * across);
                    for (sum, &b) in sums.iter_mut().zip(&b) {
                        *sum = a.mul_add(b, *sum);
                    }
                }
            }
        }
        sums
    }
}

#[cfg(target_arch = "x86_64")]
fn is_there() -> bool {
    super::vector_unit::has_avx512()
}

#[cfg(not(target_arch = "x86_64"))]
fn is_there() -> bool {
    false
}

/// # Safety
/// As for [`NarrowProduct::write_tiles`], on a CPU where [`is_there`] says so.
#[allow(unsafe_code)]
#[cfg_attr(
    target_arch = "x86_64",
    target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,avx2,fma")
)]
unsafe fn with_avx512<T: Real, const W: usize>(product: NarrowProduct<T>) {
    // SAFETY: as the caller vouches.
    unsafe { product.write_tiles::<W>() }
}

#[cfg(test)]
mod tests {
    use super::super::matrix::{Matrix, MatrixMut, multiply};
    use super::*;

    /// Of every width and number of rows that tiles are made of, within a part and beyond it.
    const SIZES: [[usize; 3]; 9] = [
        [4, 1, 8],
        [9, 1000, 8],
        [27, 257, 16],
        [31, 9, 16],
        [72, 256, 16],
        [2048, 3, 10],
        [41, 5, 7],
        [14, 300, 8],
        [70, 16, 13],
    ];

    fn numbers(count: usize, period: usize) -> Vec<f32> {
        (0..count).map(|index| (index * 7 % period) as f32 / 23.0 - 0.4).collect()
    }

    #[test]
    fn products_match_the_definition_and_do_not_depend_on_their_company() {
        for [rows, inner, columns] in SIZES {
            let (a, b) = (numbers(rows * inner, 23), numbers(inner * columns, 19));
            let turned: Vec<f32> =
                (0..inner * rows).map(|at| a[at % rows * inner + at / rows]).collect();
            let b_view = Matrix::new(&b, inner, columns);
            let (mut out, mut same) = (vec![f32::NAN; rows * columns], vec![0.0; rows * columns]);
            let left = Matrix::new(&a, rows, inner);
            multiply(MatrixMut::new(&mut out, rows, columns), left, b_view, 1.0);
            let left = Matrix::new(&turned, inner, rows).transposed();
            multiply(MatrixMut::new(&mut same, rows, columns), left, b_view, 1.0);
            let name = format!("{rows} {inner} {columns}");
            for (at, number) in out.iter().enumerate() {
                let (row, column) = (at / columns, at % columns);
                let products = (0..inner).map(|index| {
                    f64::from(a[row * inner + index]) * f64::from(b[index * columns + column])
                });
                let (exact, size) =
                    products.fold((0.0, 0.0), |(sum, size), it| (sum + it, size + it.abs()));
                let error = (f64::from(*number) - exact).abs();
                assert!(error <= 1e-6 * size, "{name}: {number} at {at}, not {exact}");
            }
            if inner <= PART {
                assert_eq!(out, same, "{name}: of a transposed operand");
            }
            // A row alone may be made another way, but among others it is always the same.
            let half = rows / 2;
            if half >= 4 && columns != 10 {
                let mut few = vec![0.0; half * columns];
                let left = Matrix::new(&a, half, inner);
                multiply(MatrixMut::new(&mut few, half, columns), left, b_view, 1.0);
                if inner <= PART {
                    assert_eq!(few, out[..half * columns], "{name}: {half} rows of it");
                }
            }
        }
    }

    #[test]
    fn those_that_gain_nothing_are_left_to_the_library() {
        let numbers = numbers(1 << 16, 23);
        let product = |rows, inner, columns, a_strides| NarrowProduct {
            out: std::ptr::null_mut(),
            a: numbers.as_ptr(),
            b: numbers.as_ptr(),
            rows,
            inner,
            columns,
            a_strides,
        };
        assert_eq!(product(64, 32, 16, [32, 1]).suits(), is_there());
        assert_eq!(product(256, 64, 10, [1, 256]).suits(), is_there());
        for product in [
            product(64, 32, 32, [32, 1]),
            product(64, 32, 10, [32, 1]),
            product(32, 2048, 16, [2048, 1]),
            product(3, 32, 16, [32, 1]),
        ] {
            assert!(!product.suits(), "{} {} {}", product.rows, product.inner, product.columns);
        }
    }
}
