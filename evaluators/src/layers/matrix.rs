//! Matrix products on borrowed slices, through the `gemm` crate on the calling thread, but for
//! those with so few columns that it leaves most of the vector unit idle.
//!
//! Invariant: every view lies inside its slice, checked when it is made; this is the only place of
//! the crate that hands out pointers. Candle's own matmul would copy transposed operands and may
//! start threads.

use super::Real;
use super::narrow::NarrowProduct;
use super::vector_unit::vectorised;

/// A matrix inside a slice, by strides.
#[derive(Clone, Copy)]
pub(super) struct Matrix<'a, T> {
    data: &'a [T],
    shape: Shape,
}

/// A writable matrix inside a slice.
pub(super) struct MatrixMut<'a, T> {
    data: &'a mut [T],
    shape: Shape,
}

#[derive(Clone, Copy)]
struct Shape {
    rows: usize,
    columns: usize,
    row_stride: usize,
    column_stride: usize,
}

impl Shape {
    fn checked(rows: usize, columns: usize, row_stride: usize, length: usize) -> Self {
        assert!(columns <= row_stride, "rows overlap");
        let last = rows.saturating_sub(1) * row_stride + columns;
        assert!(rows == 0 || last <= length, "matrix exceeds its slice");
        Self { rows, columns, row_stride, column_stride: 1 }
    }
}

impl<'a, T> Matrix<'a, T> {
    /// `rows` × `columns`, row after row.
    pub(super) fn new(data: &'a [T], rows: usize, columns: usize) -> Self {
        Self::strided(data, rows, columns, columns)
    }

    /// `rows` × `columns` with `row_stride` numbers from one row to the next.
    pub(super) fn strided(data: &'a [T], rows: usize, columns: usize, row_stride: usize) -> Self {
        Self { data, shape: Shape::checked(rows, columns, row_stride, data.len()) }
    }

    /// The same numbers with rows and columns exchanged.
    pub(super) fn transposed(self) -> Self {
        Self {
            data: self.data,
            shape: Shape {
                rows: self.shape.columns,
                columns: self.shape.rows,
                row_stride: self.shape.column_stride,
                column_stride: self.shape.row_stride,
            },
        }
    }
}

impl<'a, T> MatrixMut<'a, T> {
    /// `rows` × `columns`, row after row.
    pub(super) fn new(data: &'a mut [T], rows: usize, columns: usize) -> Self {
        Self::strided(data, rows, columns, columns)
    }

    /// `rows` × `columns` with `row_stride` numbers from one row to the next.
    pub(super) fn strided(
        data: &'a mut [T],
        rows: usize,
        columns: usize,
        row_stride: usize,
    ) -> Self {
        let shape = Shape::checked(rows, columns, row_stride, data.len());
        Self { data, shape }
    }
}

/// out = scale · a·b, overwriting `out`.
#[allow(unsafe_code)]
pub(super) fn multiply<T: Real>(out: MatrixMut<T>, a: Matrix<T>, b: Matrix<T>, scale: T) {
    let MatrixMut { data, shape } = out;
    // SAFETY: the constructor checked that every index of the view lies in its slice, which is
    // borrowed mutably.
    unsafe { write_product(data.as_mut_ptr(), shape, a, b, scale) }
}

/// a·b as a new matrix, row after row. It is written once; zeros under it would be a second time.
#[allow(unsafe_code)]
pub(super) fn multiplied<T: Real>(a: Matrix<T>, b: Matrix<T>) -> Vec<T> {
    let (rows, columns) = (a.shape.rows, b.shape.columns);
    let mut out = Vec::with_capacity(rows * columns);
    let shape = Shape::checked(rows, columns, columns, out.capacity());
    // SAFETY: all indices of `shape` lie in the capacity, and together they are the first
    // rows · columns numbers, each of which the product has written.
    unsafe {
        write_product(out.as_mut_ptr(), shape, a, b, T::ONE);
        out.set_len(rows * columns);
    }
    out
}

/// Writes scale · a·b to every index of the view `o` of `out`, without reading it.
///
/// # Safety
/// All of them may be written, and nothing else refers to them.
#[allow(unsafe_code)]
unsafe fn write_product<T: Real>(out: *mut T, o: Shape, a: Matrix<T>, b: Matrix<T>, scale: T) {
    let (l, r) = (a.shape, b.shape);
    assert!(
        o.rows == l.rows && l.columns == r.rows && r.columns == o.columns,
        "matrix shapes do not chain"
    );
    if let Some(product) = narrow(out, o, a, b, scale) {
        // SAFETY: the caller vouches for `out`, the constructors for the operands.
        return unsafe { product.write() };
    }
    let stride = |stride: usize| stride as isize;
    // SAFETY: the caller vouches for `out`. The constructors checked that every index of the
    // operands lies in its slice, and transposing keeps the set of indices. `read_dst` is false:
    // `out` is written before it is read, if it is, and so need not be initialised.
    unsafe {
        gemm::gemm(
            o.rows,
            o.columns,
            l.columns,
            out,
            stride(o.column_stride),
            stride(o.row_stride),
            false,
            a.data.as_ptr(),
            stride(l.column_stride),
            stride(l.row_stride),
            b.data.as_ptr(),
            stride(r.column_stride),
            stride(r.row_stride),
            T::ZERO,
            scale,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}

/// The product as one with few columns, where that suits.
fn narrow<T: Real>(
    out: *mut T,
    o: Shape,
    a: Matrix<T>,
    b: Matrix<T>,
    scale: T,
) -> Option<NarrowProduct<T>> {
    let dense = |shape: Shape| shape.column_stride == 1 && shape.row_stride == shape.columns;
    let product = NarrowProduct {
        out,
        a: a.data.as_ptr(),
        b: b.data.as_ptr(),
        rows: o.rows,
        inner: b.shape.rows,
        columns: o.columns,
        a_strides: [a.shape.row_stride, a.shape.column_stride],
    };
    (dense(o) && dense(b.shape) && scale == T::ONE && product.suits()).then_some(product)
}

/// The product of two matrices, one of them transposed or none, as forward and backward passes of a
/// layer need it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Product {
    /// a·b.
    Plain,
    /// aᵀ·b, a being stored inner × rows: a gradient of weights.
    LeftTransposed,
    /// a·bᵀ, b being stored columns × inner: a gradient of inputs.
    RightTransposed,
}

impl Product {
    /// out = the product, of sizes rows × inner and inner × columns.
    pub(crate) fn run(self, sizes: [usize; 3], a: &[f32], b: &[f32], out: &mut [f32]) {
        let [rows, inner, columns] = sizes;
        let (a, b) = match self {
            Self::Plain => (Matrix::new(a, rows, inner), Matrix::new(b, inner, columns)),
            Self::LeftTransposed => {
                (Matrix::new(a, inner, rows).transposed(), Matrix::new(b, inner, columns))
            }
            Self::RightTransposed => {
                (Matrix::new(a, rows, inner), Matrix::new(b, columns, inner).transposed())
            }
        };
        multiply(MatrixMut::new(out, rows, columns), a, b, 1.0);
    }
}

/// A vector of zeros.
pub(super) fn zeros<T: Real>(length: usize) -> Vec<T> {
    vec![T::ZERO; length]
}

/// Numbers of short rows that loops take at a time: in a sum one register of them would wait for
/// itself, and a loop over few is mostly beginning and end.
pub(super) const AT_A_TIME: usize = 128;

/// out\[j\] = sum over rows of a\[i\]\[j\]; of short rows several are taken as one long row, whose
/// parts are then added.
pub(super) fn column_sums<T: Real>(rows: &[T], columns: usize) -> Vec<T> {
    let taken = (AT_A_TIME / columns).max(1) * columns;
    let (long, left) = rows.split_at(rows.len() - rows.len() % taken);
    let mut parts = zeros(taken);
    add_rows(&mut parts, long);
    let mut sums = zeros(columns);
    add_rows(&mut sums, &parts);
    add_rows(&mut sums, left);
    sums
}

vectorised! {
    /// Adds every row to `sums`.
    fn add_rows<T>(sums: &mut [T], rows: &[T]) = add_rows_body;
}

#[inline(always)]
fn add_rows_body<T: Real>(sums: &mut [T], rows: &[T]) {
    for row in rows.chunks_exact(sums.len()) {
        for (sum, &value) in sums.iter_mut().zip(row) {
            *sum += value;
        }
    }
}

/// Sum of a\[i\]·b\[i\], in eight interleaved partial sums so that it vectorises in a fixed order.
#[inline(always)]
pub(super) fn dot<T: Real>(a: &[T], b: &[T]) -> T {
    let mut lanes = [T::ZERO; 8];
    let (a_body, a_tail) = a.as_chunks::<8>();
    let (b_body, b_tail) = b.as_chunks::<8>();
    for (a, b) in a_body.iter().zip(b_body) {
        for lane in 0..8 {
            lanes[lane] += a[lane] * b[lane];
        }
    }
    for (lane, (&a, &b)) in a_tail.iter().zip(b_tail).enumerate() {
        lanes[lane] += a * b;
    }
    let pairs = [0, 1, 2, 3].map(|lane| lanes[lane] + lanes[lane + 4]);
    (pairs[0] + pairs[2]) + (pairs[1] + pairs[3])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strided_and_transposed_products_match_the_definition() {
        let a = [1.0, 2.0, 9.0, 3.0, 4.0, 9.0];
        let b = [5.0, 6.0, 7.0, 8.0];
        let mut out = [0.0_f64; 4];
        let left = Matrix::strided(&a, 2, 2, 3);
        let right = Matrix::new(&b, 2, 2).transposed();
        multiply(MatrixMut::new(&mut out, 2, 2), left, right, 2.0);
        assert_eq!(out, [34.0, 46.0, 78.0, 106.0]);
    }

    #[test]
    fn new_products_are_those_written_over_old_numbers() {
        // Every way the library takes: vectors, thin and fat matrices, more than one block.
        for (rows, inner, columns) in
            [(1, 7, 5), (7, 5, 1), (6, 1, 9), (4, 2, 3), (5, 0, 3), (33, 20, 50), (70, 1100, 3)]
        {
            let numbers = |count: usize| -> Vec<f32> {
                (0..count).map(|index| (index * 7 % 23) as f32 / 23.0 - 0.4).collect()
            };
            let (a, b) = (numbers(rows * inner), numbers(inner * columns));
            let (a, b) = (Matrix::new(&a, rows, inner), Matrix::new(&b, inner, columns));
            let mut out = vec![f32::NAN; rows * columns];
            multiply(MatrixMut::new(&mut out, rows, columns), a, b, 1.0);
            assert_eq!(multiplied(a, b), out, "{rows} {inner} {columns}");
        }
    }

    #[test]
    #[should_panic(expected = "matrix exceeds its slice")]
    fn a_view_beyond_its_slice_is_refused() {
        Matrix::strided(&[0.0_f32; 5], 2, 2, 4);
    }

    #[test]
    fn dot_covers_body_and_tail() {
        let a: Vec<f64> = (0..19).map(f64::from).collect();
        assert_eq!(dot(&a, &a), (0..19).map(|i| f64::from(i * i)).sum::<f64>());
    }
}
