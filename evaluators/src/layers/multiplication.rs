//! One matrix product of given sizes, for measuring the rate it runs at.
//!
//! It is public for the benchmark alone and hidden from the documentation.

use super::Product;

/// One matrix product of given sizes as the layers make it, for measuring the rate it runs at.
pub struct Multiplication {
    sizes: [usize; 3],
    product: Product,
    a: Vec<f32>,
    b: Vec<f32>,
    out: Vec<f32>,
}

impl Multiplication {
    /// A product of a rows × inner by an inner × columns matrix.
    pub fn new(product: Product, sizes: [usize; 3]) -> Self {
        let [rows, inner, columns] = sizes;
        let numbers = |count: usize| (0..count).map(|index| (index % 17) as f32 / 17.0).collect();
        Self {
            sizes,
            product,
            a: numbers(rows * inner),
            b: numbers(inner * columns),
            out: vec![0.0; rows * columns],
        }
    }

    /// Floating-point operations of [`Multiplication::run`].
    pub fn operations(&self) -> f64 {
        2.0 * self.sizes.iter().product::<usize>() as f64
    }

    /// Multiplies once.
    pub fn run(&mut self) {
        self.product.run(self.sizes, &self.a, &self.b, &mut self.out);
    }
}
