//! Orthogonalization of a matrix by Newton-Schulz iterations (Muon, Jordan et al. 2024; Polar Express,
//! arXiv 2505.16932).
//!
//! Invariant: every product sums over its inner index in order, in one accumulator, by a multiply
//! and an add, so the way it is cut into tiles, and the vector unit, cannot change a bit. That is
//! why it is written here: matrix libraries choose their order of summation by the CPU.

use std::{array, mem};

use crate::reduce::LeafSum;
use crate::{Op, Real};

/// Coefficients a, b, c of the quintic `a s + b s^3 + c s^5` that a step maps singular values by.
pub(crate) type Quintic = [f64; 3];

/// Which steps are taken, each of which pushes every singular value towards 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Schedule {
    /// Five times one quintic, chosen by the authors of Muon for its slope at 0: singular values
    /// end between about 0.7 and 1.2, and small ones get there fast.
    Muon,
    /// The first five steps of Polar Express.
    Five,
    /// Ten steps of Polar Express: singular values down to a thousandth of the norm end at 1.
    Ten,
}

const MUON: [Quintic; 5] = [[3.4445, -4.7750, 2.0315]; 5];

/// The quintics of Polar Express (arXiv 2505.16932, algorithm 1): each the best one for the
/// interval that the one before leaves, from \[1e-3, 1\] on.
const POLAR: [Quintic; 8] = [
    [8.28721201814563, -23.595886519098837, 17.300387312530933],
    [4.107059111542203, -2.9478499167379106, 0.5448431082926601],
    [3.9486908534822946, -2.908902115962949, 0.5518191394370137],
    [3.3184196573706015, -2.488488024314874, 0.51004894012372],
    [2.300652019954817, -1.6689039845747493, 0.4188073119525673],
    [1.891301407787398, -1.2679958271945868, 0.37680408948524835],
    [1.8750014808534479, -1.2500016453999487, 0.3750001645474248],
    LAST,
];

/// What every later step of Polar Express is.
const LAST: Quintic = [1.875, -1.25, 0.375];

/// By which its singular values are taken to be larger, in all steps but the last ones, so that
/// roundings cannot push them out of the interval.
const SAFETY: f64 = 1.01;

const FIVE: [Quintic; 5] = polar();
const TEN: [Quintic; 10] = polar();

const fn polar<const STEPS: usize>() -> [Quintic; STEPS] {
    let mut steps = [LAST; STEPS];
    let mut step = 0;
    while step < STEPS && step + 1 < POLAR.len() {
        let [a, b, c] = POLAR[step];
        let (cube, fifth) = (SAFETY * SAFETY * SAFETY, SAFETY * SAFETY * SAFETY * SAFETY * SAFETY);
        steps[step] = [a / SAFETY, b / cube, c / fifth];
        step += 1;
    }
    steps
}

impl Schedule {
    /// Every schedule, by its number.
    pub(crate) const ALL: [Schedule; 3] = [Schedule::Muon, Schedule::Five, Schedule::Ten];

    /// The schedule that an op stands for, if it makes matrices orthogonal.
    pub(crate) fn of(op: Op) -> Option<Schedule> {
        match op {
            Op::Orthogonalize => Some(Schedule::Muon),
            Op::PolarExpress => Some(Schedule::Five),
            Op::PolarFactor => Some(Schedule::Ten),
            _ => None,
        }
    }

    /// The steps, in order.
    pub(crate) const fn steps(self) -> &'static [Quintic] {
        match self {
            Schedule::Muon => &MUON,
            Schedule::Five => &FIVE,
            Schedule::Ten => &TEN,
        }
    }

    /// What the norm is multiplied by before the matrix is divided by it.
    pub(crate) const fn margin(self) -> f64 {
        match self {
            Schedule::Muon => 1.0,
            Schedule::Five | Schedule::Ten => SAFETY,
        }
    }
}

/// The least number the matrix is divided by.
const SMALLEST_NORM: f64 = 1e-7;

/// Replaces a matrix by the nearest semi-orthogonal one, approximately: its singular vectors stay
/// and its singular values become about 1.
///
/// It is divided by its Frobenius norm and iterated on the side of the fewer rows. `x` holds
/// `rows * columns` numbers in row-major order. A vector, being one column, becomes a vector of
/// length near 1, and a scalar its sign, as nearly. The zero matrix stays.
#[inline(always)]
pub(crate) fn orthogonalize<T: Real>(
    x: &mut [T],
    rows: usize,
    columns: usize,
    schedule: Schedule,
    scratch: &mut Scratch<T>,
) {
    let mut square = LeafSum::ZERO;
    square.add_products(x, x, T::to_f64);
    let norm = square.total().sqrt() * schedule.margin();
    let divisor = T::from_f64(if norm < SMALLEST_NORM { SMALLEST_NORM } else { norm });
    x.iter_mut().for_each(|x| *x = T::divided(*x, divisor));
    let (short, long) = (rows.min(columns), rows.max(columns));
    if short == 1 || (rows > columns) == goes_tall(short) {
        return iterate(x, short, long, schedule, scratch);
    }
    let mut turned = mem::take(&mut scratch.turned);
    turned.resize(x.len(), T::from_f64(0.0));
    transpose(x, rows, columns, &mut turned);
    iterate(&mut turned, short, long, schedule, scratch);
    transpose(&turned, columns, rows, x);
    scratch.turned = turned;
}

/// Whether a matrix with this shorter side is iterated with its rows, and not its columns, of that
/// length: they fill tiles, and nothing is transposed in between.
fn goes_tall(short: usize) -> bool {
    short == 4 || short.is_multiple_of(8)
}

/// The iterations on a matrix that lies as [`goes_tall`] says.
#[inline(always)]
fn iterate<T: Real>(
    x: &mut [T],
    short: usize,
    long: usize,
    schedule: Schedule,
    scratch: &mut Scratch<T>,
) {
    match short {
        1 => return iterate_narrow::<T, 1>(x, schedule),
        4 => return iterate_narrow::<T, 4>(x, schedule),
        _ => {}
    }
    scratch.product.resize(short * long, T::from_f64(0.0));
    for matrix in [&mut scratch.gram, &mut scratch.polynomial] {
        matrix.resize(short * short, T::from_f64(0.0));
    }
    for quintic in schedule.steps() {
        let quintic = quintic.map(T::from_f64);
        match goes_tall(short) {
            true => product_of_tall(x, short, long, quintic, scratch),
            false => product_of_wide(x, short, long, quintic, scratch),
        }
        let [a, ..] = quintic;
        for (x, product) in x.iter_mut().zip(&scratch.product) {
            *x = a * *x + *product;
        }
    }
}

/// The product of the polynomial of a matrix of `short` rows with it.
#[inline(always)]
fn product_of_wide<T: Real>(
    wide: &[T],
    short: usize,
    long: usize,
    quintic: [T; 3],
    scratch: &mut Scratch<T>,
) {
    let Scratch { product, gram, polynomial, .. } = scratch;
    // `product` is free until its end and has the size of the transpose.
    transpose(wide, short, long, product);
    multiply(Left::new(wide, long), product, gram, (short, long, short));
    polynomial_of(gram, polynomial, short, quintic);
    multiply(Left::new(polynomial, short), wide, product, (short, short, long));
}

/// The transpose of that to the bit, of the transpose: the polynomial is symmetric to the bit, so
/// it may stand on either side.
#[inline(always)]
fn product_of_tall<T: Real>(
    tall: &[T],
    short: usize,
    long: usize,
    quintic: [T; 3],
    scratch: &mut Scratch<T>,
) {
    let Scratch { product, gram, polynomial, .. } = scratch;
    multiply(Left::transposed(tall, short), tall, gram, (short, long, short));
    polynomial_of(gram, polynomial, short, quintic);
    multiply(Left::new(tall, short), polynomial, product, (long, short, short));
}

#[inline(always)]
fn polynomial_of<T: Real>(gram: &[T], polynomial: &mut [T], short: usize, quintic: [T; 3]) {
    let [_, b, c] = quintic;
    multiply(Left::new(gram, short), gram, polynomial, (short, short, short));
    for (square, gram) in polynomial.iter_mut().zip(gram) {
        *square = b * *gram + c * *square;
    }
}

/// The iterations on a matrix of `SHORT` columns, the same to the bit, all but it in registers. At
/// 8 columns this was slower.
#[inline(always)]
fn iterate_narrow<T: Real, const SHORT: usize>(tall: &mut [T], schedule: Schedule) {
    let zero = [[T::from_f64(0.0); SHORT]; SHORT];
    let (rows, _) = tall.as_chunks_mut::<SHORT>();
    for quintic in schedule.steps() {
        let [a, b, c] = quintic.map(T::from_f64);
        let (mut gram, mut polynomial) = (zero, zero);
        for row in rows.iter() {
            add_products(&mut gram, |r| row[r], row);
        }
        for (k, row) in gram.iter().enumerate() {
            add_products(&mut polynomial, |r| gram[r][k], row);
        }
        for (squares, row) in polynomial.iter_mut().zip(&gram) {
            for (square, gram) in squares.iter_mut().zip(row) {
                *square = b * *gram + c * *square;
            }
        }
        let (tiles, rest) = rows.as_chunks_mut::<SHORT>();
        for rows in tiles {
            move_rows(rows, a, &polynomial);
        }
        for row in rest {
            move_rows(array::from_mut(row), a, &polynomial);
        }
    }
}

/// `rows = a rows + rows polynomial`.
#[inline(always)]
fn move_rows<T: Real, const SHORT: usize, const ROWS: usize>(
    rows: &mut [[T; SHORT]; ROWS],
    a: T,
    polynomial: &[[T; SHORT]; SHORT],
) {
    let mut products = [[T::from_f64(0.0); SHORT]; ROWS];
    for (k, other) in polynomial.iter().enumerate() {
        add_products(&mut products, |r| rows[r][k], other);
    }
    for (row, products) in rows.iter_mut().zip(&products) {
        for (x, product) in row.iter_mut().zip(products) {
            *x = a * *x + *product;
        }
    }
}

/// Adds the outer product of the numbers `x` and `row`.
#[inline(always)]
fn add_products<T: Real, const SHORT: usize, const ROWS: usize>(
    sums: &mut [[T; SHORT]; ROWS],
    x: impl Fn(usize) -> T,
    row: &[T; SHORT],
) {
    for (r, sums) in sums.iter_mut().enumerate() {
        let x = x(r);
        for (sum, y) in sums.iter_mut().zip(row) {
            *sum = *sum + x * *y;
        }
    }
}

/// Memory of one orthogonalization, kept from call to call.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scratch<T> {
    turned: Vec<T>,
    product: Vec<T>,
    gram: Vec<T>,
    polynomial: Vec<T>,
}

#[inline(always)]
fn transpose<T: Copy>(x: &[T], rows: usize, columns: usize, out: &mut [T]) {
    for row in 0..rows {
        for column in 0..columns {
            out[column * rows + row] = x[row * columns + column];
        }
    }
}

/// The left factor of a product, with the distances between its rows and between its columns.
#[derive(Clone, Copy)]
struct Left<'a, T>(&'a [T], (usize, usize));

impl<'a, T> Left<'a, T> {
    fn new(values: &'a [T], columns: usize) -> Left<'a, T> {
        Left(values, (columns, 1))
    }

    fn transposed(values: &'a [T], columns: usize) -> Left<'a, T> {
        Left(values, (1, columns))
    }
}

/// Rows, inner length and columns of a product.
type Sizes = (usize, usize, usize);

/// `out = a b` with `a` of `rows` by `inner` and `b` of `inner` by `columns`.
#[inline(always)]
fn multiply<T: Real>(a: Left<'_, T>, b: &[T], out: &mut [T], sizes: Sizes) {
    let mut row = 0;
    while row < sizes.0 {
        row += match sizes.0 - row {
            4.. => multiply_rows::<T, 4>(a, b, out, row, sizes),
            _ => multiply_rows::<T, 1>(a, b, out, row, sizes),
        };
    }
}

/// The rows of a product from `row` on, in the widest tiles that fit; returns how many: `ROWS`.
#[inline(always)]
fn multiply_rows<T: Real, const ROWS: usize>(
    a: Left<'_, T>,
    b: &[T],
    out: &mut [T],
    row: usize,
    sizes: Sizes,
) -> usize {
    let mut column = 0;
    while column < sizes.2 {
        let at = (row, column);
        column += match sizes.2 - column {
            16.. => multiply_tile::<T, ROWS, 16>(a, b, out, at, sizes),
            8.. => multiply_tile::<T, ROWS, 8>(a, b, out, at, sizes),
            4.. => multiply_tile::<T, ROWS, 4>(a, b, out, at, sizes),
            _ => multiply_tile::<T, ROWS, 1>(a, b, out, at, sizes),
        };
    }
    ROWS
}

/// A tile of a product, whose sums are held in registers as its size is known; returns its width.
#[inline(always)]
fn multiply_tile<T: Real, const ROWS: usize, const WIDTH: usize>(
    a: Left<'_, T>,
    b: &[T],
    out: &mut [T],
    (row, column): (usize, usize),
    (_, inner, columns): Sizes,
) -> usize {
    let Left(a, (down, across)) = a;
    let mut tile = [[T::from_f64(0.0); WIDTH]; ROWS];
    for k in 0..inner {
        let b = &b[k * columns + column..][..WIDTH];
        for (r, sums) in tile.iter_mut().enumerate() {
            let a = a[(row + r) * down + k * across];
            for (sum, b) in sums.iter_mut().zip(b) {
                *sum = *sum + a * *b;
            }
        }
    }
    for (r, sums) in tile.iter().enumerate() {
        out[(row + r) * columns + column..][..WIDTH].copy_from_slice(sums);
    }
    WIDTH
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The product by its definition, in the order that is promised.
    fn product(a: &[f32], b: &[f32], (rows, inner, columns): (usize, usize, usize)) -> Vec<f32> {
        let cell = |at: usize| {
            let (row, column) = (at / columns, at % columns);
            (0..inner).fold(0.0, |sum, k| sum + a[row * inner + k] * b[k * columns + column])
        };
        (0..rows * columns).map(cell).collect()
    }

    fn numbers(count: usize, offset: usize) -> Vec<f32> {
        (0..count).map(|index| libm::sinf((index * index * 37 + offset) as f32)).collect()
    }

    #[test]
    fn tiles_do_not_change_a_bit_of_a_product() {
        for sizes @ (rows, inner, columns) in
            [(4, 3, 16), (9, 20, 37), (1, 1, 1), (5, 64, 16), (8, 32, 8), (3, 5, 31)]
        {
            let (a, b) = (numbers(rows * inner, 1), numbers(inner * columns, 2));
            let mut out = vec![0.0; rows * columns];
            multiply(Left::new(&a, inner), &b, &mut out, sizes);
            assert_eq!(out, product(&a, &b, sizes));
            let mut turned = vec![0.0; a.len()];
            transpose(&a, rows, inner, &mut turned);
            out.fill(0.0);
            multiply(Left::transposed(&turned, rows), &b, &mut out, sizes);
            assert_eq!(out, product(&a, &b, sizes));
        }
    }

    /// The rows' products with each other: the identity for a matrix with orthonormal rows.
    fn gram(x: &[f64], rows: usize, columns: usize) -> Vec<f64> {
        let row = |row: usize| &x[row * columns..][..columns];
        let dot = |a: usize, b: usize| row(a).iter().zip(row(b)).map(|(a, b)| a * b).sum();
        (0..rows * rows).map(|at| dot(at / rows, at % rows)).collect()
    }

    #[test]
    fn the_singular_values_of_matrices_become_about_one() {
        let sizes = [(3, 3), (4, 12), (12, 4), (7, 1), (1, 7), (1, 1)];
        let bounds = [(Schedule::Muon, 0.6), (Schedule::Five, 0.3), (Schedule::Ten, 1e-12)];
        for ((rows, columns), (schedule, bound)) in
            sizes.into_iter().flat_map(|sizes| bounds.map(|bound| (sizes, bound)))
        {
            for scale in [1e-3, 1.0, 1e3] {
                let mut x: Vec<f64> =
                    numbers(rows * columns, 5).iter().map(|x| f64::from(*x) * scale).collect();
                orthogonalize(&mut x, rows, columns, schedule, &mut Scratch::default());
                let (short, long) = (rows.min(columns), rows.max(columns));
                let mut wide = x.clone();
                if rows > columns {
                    transpose(&x, rows, columns, &mut wide);
                }
                for (at, value) in gram(&wide, short, long).into_iter().enumerate() {
                    let expected = f64::from(u8::from(at / short == at % short));
                    assert!((value - expected).abs() < bound, "{rows}x{columns}: {value}");
                }
            }
        }
    }

    #[test]
    fn the_zero_matrix_stays_and_nan_spreads() {
        let mut x = [0.0f32; 6];
        orthogonalize(&mut x, 2, 3, Schedule::Five, &mut Scratch::default());
        assert_eq!(x, [0.0; 6]);
        x[1] = f32::NAN;
        orthogonalize(&mut x, 2, 3, Schedule::Five, &mut Scratch::default());
        assert!(x.iter().all(|x| x.is_nan()));
    }

    /// The iterations by their definition, on a matrix of `short` rows.
    fn iterated(wide: &[f32], short: usize, long: usize, schedule: Schedule) -> Vec<f32> {
        let (mut wide, mut tall) = (wide.to_vec(), vec![0.0; wide.len()]);
        for quintic in schedule.steps() {
            let [a, b, c] = quintic.map(|it| it as f32);
            transpose(&wide, short, long, &mut tall);
            let gram = product(&wide, &tall, (short, long, short));
            let square = product(&gram, &gram, (short, short, short));
            let both = gram.iter().zip(&square);
            let polynomial: Vec<f32> = both.map(|(gram, square)| b * gram + c * square).collect();
            let product = product(&polynomial, &wide, (short, short, long));
            wide.iter_mut().zip(&product).for_each(|(x, product)| *x = a * *x + product);
        }
        wide
    }

    #[test]
    fn how_a_matrix_lies_does_not_change_a_bit_of_its_iterations() {
        for (short, long) in [(1, 9), (2, 7), (4, 4), (4, 9), (5, 8), (8, 8), (8, 24), (16, 19)] {
            let schedules = [(0.2, Schedule::Muon), (0.2, Schedule::Ten), (1e-20, Schedule::Five)];
            let schedules = schedules.into_iter().chain([(f32::INFINITY, Schedule::Muon)]);
            for (scale, schedule) in schedules {
                let mut wide: Vec<f32> =
                    numbers(short * long, 5).iter().map(|x| x * scale).collect();
                // Of a unit that is off.
                wide[..long].fill(-0.0);
                let expected = iterated(&wide, short, long, schedule);
                let mut found = wide.clone();
                if goes_tall(short) {
                    transpose(&wide, short, long, &mut found);
                }
                iterate(&mut found, short, long, schedule, &mut Scratch::default());
                let at = |row: usize, column: usize| match goes_tall(short) {
                    true => found[column * short + row],
                    false => found[row * long + column],
                };
                for (index, y) in expected.iter().enumerate() {
                    let x = at(index / long, index % long);
                    assert!(x.to_bits() == y.to_bits() || x.is_nan() && y.is_nan(), "{x} {y}");
                }
            }
        }
    }

    #[test]
    fn a_scratch_of_another_size_changes_nothing() {
        let mut scratch = Scratch::default();
        orthogonalize(&mut numbers(60, 0), 6, 10, Schedule::Muon, &mut scratch);
        let (mut again, mut fresh) = (numbers(12, 3), numbers(12, 3));
        orthogonalize(&mut again, 4, 3, Schedule::Ten, &mut scratch);
        orthogonalize(&mut fresh, 4, 3, Schedule::Ten, &mut Scratch::default());
        assert_eq!(again, fresh);
    }
}
