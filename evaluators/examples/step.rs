//! What a training step of the proxy networks costs, by phase, and how near it is to its bound.
//!
//! `taskset -c 0 cargo run --release -p evo-evaluators --example step [NETWORK]...`
//!
//! The bound of a step is its floating-point operations at the rate the matrix products of its own
//! sizes reach on this core, measured in the same run. `benches/pytorch_step.py` measures the same
//! networks in PyTorch. Times are medians over windows, in microseconds a step; what the sum of the
//! phases leaves of the whole is the clock.

use std::hint::black_box;
use std::time::{Duration, Instant};

use evo_dsl::{Program, zoo};
use evo_evaluators::{
    DataConfig, EvaluatorError, ModelConfig, Multiplication, Product, Steps, pin_inner_threads,
};

/// As in the binary: a step is some hundred small allocations.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const WINDOWS: usize = 15;
const WINDOW: Duration = Duration::from_millis(60);

/// A network to measure and its products: kind, sizes, how many of them a step makes.
struct Case {
    name: &'static str,
    steps: Steps,
    products: Vec<(Product, [usize; 3], usize)>,
}

#[expect(clippy::disallowed_methods, reason = "times are what is measured")]
fn now() -> Instant {
    Instant::now()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Median seconds of a call, over windows.
fn seconds(mut call: impl FnMut()) -> f64 {
    let start = now();
    let mut calls = 0;
    while start.elapsed() < WINDOW {
        call();
        calls += 1;
    }
    let window = |_| {
        let start = now();
        (0..calls).for_each(|_| call());
        start.elapsed().as_secs_f64() / f64::from(calls)
    };
    median((0..WINDOWS).map(window).collect())
}

fn count(number: usize) -> std::num::NonZeroUsize {
    number.try_into().expect("not zero")
}

/// The products of a dense layer: forward, the weights' gradient, and the inputs' where it is needed.
fn dense(rows: usize, inputs: usize, outputs: usize, inner: bool) -> Vec<(Product, [usize; 3])> {
    let mut products = vec![
        (Product::Plain, [rows, inputs, outputs]),
        (Product::LeftTransposed, [inputs, rows, outputs]),
    ];
    if inner {
        products.push((Product::RightTransposed, [rows, outputs, inputs]));
    }
    products
}

fn times(products: Vec<(Product, [usize; 3])>, count: usize) -> Vec<(Product, [usize; 3], usize)> {
    products.into_iter().map(|(product, sizes)| (product, sizes, count)).collect()
}

fn mlp(program: &Program) -> Result<Case, EvaluatorError> {
    let model = ModelConfig::mlp(vec![count(32)]);
    let mut products = times(dense(64, 64, 32, false), 1);
    products.extend(times(dense(64, 32, 10, true), 1));
    Ok(Case { name: "mlp", steps: Steps::on_images(&model, [8, 8, 1], 64, program)?, products })
}

fn conv(
    name: &'static str,
    size: usize,
    channels: [usize; 3],
    batch: usize,
    program: &Program,
) -> Result<Case, EvaluatorError> {
    let [inputs, first, second] = channels;
    let model = ModelConfig::conv(vec![count(first), count(second)]);
    let pixels = size * size;
    let mut products = times(dense(batch * pixels, 9 * inputs, first, false), 1);
    products.extend(times(dense(batch * pixels / 4, 9 * first, second, true), 1));
    products.extend(times(dense(batch, pixels / 4 * second, 10, true), 1));
    let steps = Steps::on_images(&model, [size, size, inputs], batch, program)?;
    Ok(Case { name, steps, products })
}

fn transformer(program: &Program) -> Result<Case, EvaluatorError> {
    let (width, layers, heads, context, batch, vocabulary) = (64, 2, 4, 32, 16, 64);
    let model = ModelConfig::Transformer {
        width: count(width),
        layers: count(layers),
        heads: count(heads),
        context: count(context),
    };
    let data =
        DataConfig::Markov { symbols: count(vocabulary), order: count(1), length: count(20_000) };
    let rows = batch * context;
    let mut products = times(dense(rows, width, vocabulary, true), 1);
    for outputs in [3 * width, width, 4 * width] {
        products.extend(times(dense(rows, width, outputs, true), layers));
    }
    products.extend(times(dense(rows, 4 * width, width, true), layers));
    // Half of each is masked; forward 2, backward 4 products a head.
    let head = width / heads;
    products.push((Product::RightTransposed, [context, head, context], layers * batch * heads * 2));
    products.push((Product::Plain, [context, context, head], layers * batch * heads * 4));
    let steps = Steps::on_tokens(&model, &data, context, batch, program)?;
    Ok(Case { name: "transformer", steps, products })
}

impl Case {
    /// Floating-point operations of a step and the seconds its products take one after another.
    fn bound(&self) -> (f64, f64) {
        let (mut operations, mut total) = (0.0, 0.0);
        for &(product, sizes, times) in &self.products {
            let mut multiplication = Multiplication::new(product, sizes);
            operations += times as f64 * multiplication.operations();
            total += times as f64 * seconds(|| black_box(&mut multiplication).run());
        }
        (operations, total)
    }

    fn step(&mut self) {
        let steps = &mut self.steps;
        steps.draw().and_then(|()| steps.forward()).expect("candle accepts the network");
        steps.backward().expect("candle accepts the network");
        steps.update().expect("candle accepts the network").expect("AdamW trains every network");
    }

    /// Median microseconds of each phase and of a whole step without a clock inside.
    fn microseconds(&mut self) -> ([f64; 4], f64) {
        let whole = seconds(|| self.step());
        let laps = ((WINDOW.as_secs_f64() / whole) as usize).max(1);
        let mut windows = [const { Vec::new() }; 4];
        for _ in 0..WINDOWS {
            let mut spent = [Duration::ZERO; 4];
            for _ in 0..laps {
                let start = now();
                self.steps.draw().expect("candle accepts the network");
                let drawn = now();
                self.steps.forward().expect("candle accepts the network");
                let forward = now();
                self.steps.backward().expect("candle accepts the network");
                let backward = now();
                black_box(self.steps.update().expect("candle accepts the network"));
                let laps = [start, drawn, forward, backward, now()];
                for (spent, lap) in spent.iter_mut().zip(laps.windows(2)) {
                    *spent += lap[1] - lap[0];
                }
            }
            for (window, spent) in windows.iter_mut().zip(spent) {
                window.push(1e6 * spent.as_secs_f64() / laps as f64);
            }
        }
        (windows.map(median), 1e6 * whole)
    }
}

fn main() -> Result<(), EvaluatorError> {
    pin_inner_threads();
    let program = zoo::get("adamw").expect("it is in the zoo").program();
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    println!(
        "network      parameters    step     data  forward backward   update |  GFLOP/s products  share"
    );
    for mut case in [
        mlp(&program)?,
        conv("c8", 8, [1, 8, 16], 64, &program)?,
        conv("c16", 16, [3, 16, 32], 32, &program)?,
        transformer(&program)?,
    ] {
        if !wanted.is_empty() && !wanted.iter().any(|name| name == case.name) {
            continue;
        }
        let (operations, products) = case.bound();
        let ([data, forward, backward, update], whole) = case.microseconds();
        println!(
            "{:<12} {:>10} {whole:>7.1} {data:>8.1} {forward:>8.1} {backward:>8.1} {update:>8.1} | {:>8.1} {:>8.1} {:>5.0}%",
            case.name,
            case.steps.parameters(),
            1e-9 * operations / products,
            1e6 * products,
            1e8 * products / whole,
        );
    }
    Ok(())
}
