//! What a training step of the proxy networks costs, by phase, and how near it is to its bound.
//!
//! `taskset -c 0 cargo run --release -p evo-evaluators --example step [NETWORK]...`
//!
//! Two bounds stand beside a step, both measured in the same run as shares of it: its matrix
//! products alone, and its floating-point operations at the rate of one large product. Of the MLP a
//! step written by hand is measured too. Times are medians over windows, in microseconds a step;
//! what the sum of the phases leaves of the whole is the clock.
//!
//! With `--serve` it reads names of networks, one a line, and answers each with one window's
//! measurement as a line of JSON. `benches/step_ratio.py` takes turns with it that way, window for
//! window, with the same networks in PyTorch.

mod by_hand;

use std::hint::black_box;
use std::io::BufRead;
use std::num::NonZeroU64;
use std::path::Path;
use std::time::{Duration, Instant};

use by_hand::ByHand;
use evo_dsl::{Program, zoo};
use evo_evaluators::{
    Cell, DataConfig, EvaluatorError, ModelConfig, Multiplication, OptimizerConfig, Product,
    Schedule, Steps, TaskConfig, Workload, pin_inner_threads,
};

/// As in the binary: a step is some hundred small allocations.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const WINDOWS: usize = 15;
const WINDOW: Duration = Duration::from_millis(40);
/// How long each kind of product is run in a window.
const PRODUCT: Duration = Duration::from_millis(4);
/// The product whose rate is the core's: large enough, and within the second-level cache.
const CUBE: [usize; 3] = [256, 256, 256];
const NETWORKS: [&str; 6] = ["mlp", "c8", "c16", "transformer", "recurrent", "vit"];

/// A network to measure and its products: kind, sizes, how many of them a step makes.
struct Case {
    name: &'static str,
    parameters: usize,
    steps: Steps<'static>,
    products: Vec<(Multiplication, usize)>,
    by_hand: Option<ByHand>,
}

/// Microseconds of one window.
struct Window {
    whole: f64,
    /// Data, forward, backward, update.
    phases: [f64; 4],
    /// The products of a step, one after another.
    products: f64,
    /// Operations a microsecond in a product of the size of [`CUBE`].
    rate: f64,
    /// A step by hand.
    by_hand: Option<f64>,
}

#[expect(clippy::disallowed_methods, reason = "times are what is measured")]
fn now() -> Instant {
    Instant::now()
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Mean microseconds of a call, over at least `window`. The clock is read after twice as many calls
/// each time, so that reading it costs nothing.
fn microseconds(window: Duration, mut call: impl FnMut()) -> f64 {
    let (start, mut calls, mut next) = (now(), 0, 1);
    loop {
        (0..next).for_each(|_| call());
        calls += next;
        let spent = start.elapsed();
        if spent >= window {
            return 1e6 * spent.as_secs_f64() / f64::from(calls);
        }
        let left = (window - spent).as_secs_f64() * f64::from(calls) / spent.as_secs_f64();
        next = (left as u32 + 1).min(calls);
    }
}

fn count(number: usize) -> std::num::NonZeroUsize {
    number.try_into().expect("not zero")
}

/// The products of a dense layer: forward, the weights' gradient, and the inputs' where it is
/// needed.
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

/// Each of `products`, so many `times` a step.
fn times(products: Vec<(Product, [usize; 3])>, times: usize) -> Vec<(Multiplication, usize)> {
    let new = |(product, sizes)| (Multiplication::new(product, sizes), times);
    products.into_iter().map(new).collect()
}

/// A workload, for as long as the process lives, and training on it.
fn workload(
    model: ModelConfig,
    data: DataConfig,
    batch_size: usize,
    program: &Program,
) -> Result<(&'static Workload, Steps<'static>), EvaluatorError> {
    let task = TaskConfig {
        name: "step".to_owned(),
        model,
        data,
        batch_size: count(batch_size),
        steps: NonZeroU64::new(1_000_000_000).expect("not zero"),
        schedule: Schedule::Constant,
        learning_rate: Some(1.0),
        baseline_loss: None,
        data_fraction: 1.0,
        label_noise: 0.0,
    };
    let config = OptimizerConfig::new(vec![task.clone()]);
    let workload = Box::leak(Box::new(Workload::load(&config, &task, Path::new(""))?));
    let steps = workload.begin(program)?;
    Ok((workload, steps))
}

fn mlp(name: &'static str, program: &Program) -> Result<Case, EvaluatorError> {
    let mut products = times(dense(64, 64, 32, false), 1);
    products.extend(times(dense(64, 32, 10, true), 1));
    let model = ModelConfig::mlp(vec![count(32)]);
    let (workload, steps) = workload(model, DataConfig::Digits, 64, program)?;
    let recording = workload.record(program, 50)?;
    assert!(ByHand::follows(&recording), "the step by hand has other losses");
    let by_hand = Some(ByHand::new(&recording));
    Ok(Case { name, parameters: workload.parameters(), steps, products, by_hand })
}

fn conv(
    name: &'static str,
    size: usize,
    channels: [usize; 3],
    batch: usize,
    program: &Program,
) -> Result<Case, EvaluatorError> {
    let [inputs, first, second] = channels;
    let pixels = size * size;
    let mut products = times(dense(batch * pixels, 9 * inputs, first, false), 1);
    products.extend(times(dense(batch * pixels / 4, 9 * first, second, true), 1));
    products.extend(times(dense(batch, pixels / 4 * second, 10, true), 1));
    let model = ModelConfig::conv(vec![count(first), count(second)]);
    let (workload, steps) = workload(model, textures(size, inputs), batch, program)?;
    Ok(Case { name, parameters: workload.parameters(), steps, products, by_hand: None })
}

fn textures(side: usize, channels: usize) -> DataConfig {
    DataConfig::Textures {
        side: count(side),
        channels: count(channels),
        classes: count(10),
        examples: count(1500),
    }
}

fn transformer(name: &'static str, program: &Program) -> Result<Case, EvaluatorError> {
    let (width, layers, heads, context, batch, vocabulary) = (64, 2, 4, 32, 16, 64);
    let model = ModelConfig::transformer(count(width), count(layers), count(heads), count(context));
    let data = tokens(vocabulary);
    let rows = batch * context;
    let mut products = times(dense(rows, width, vocabulary, true), 1);
    // Half of each product of attention is masked, which the bound does not count.
    products.extend(blocks([layers, width, heads, context], rows, layers * batch * heads / 2));
    let (workload, steps) = workload(model, data, batch, program)?;
    Ok(Case { name, parameters: workload.parameters(), steps, products, by_hand: None })
}

fn tokens(vocabulary: usize) -> DataConfig {
    DataConfig::Markov { symbols: count(vocabulary), order: count(1), length: count(20_000) }
}

/// The products of a transformer's blocks, and of so many heads over sequences.
fn blocks(
    [layers, width, heads, context]: [usize; 4],
    rows: usize,
    each: usize,
) -> Vec<(Multiplication, usize)> {
    let mut products = Vec::new();
    for outputs in [3 * width, width, 4 * width] {
        products.extend(times(dense(rows, width, outputs, true), layers));
    }
    products.extend(times(dense(rows, 4 * width, width, true), layers));
    // Forward 2, backward 4 products a head.
    let head = width / heads;
    products.extend(times(vec![(Product::RightTransposed, [context, head, context])], each * 2));
    products.extend(times(vec![(Product::Plain, [context, context, head])], each * 4));
    products
}

fn vision_transformer(name: &'static str, program: &Program) -> Result<Case, EvaluatorError> {
    let (width, layers, heads, side, patch, channels, batch) = (64, 2, 4, 16, 4, 3, 32);
    let context = (side / patch) * (side / patch);
    let rows = batch * context;
    let model =
        ModelConfig::vision_transformer(count(patch), count(width), count(layers), count(heads));
    let mut products = times(dense(rows, patch * patch * channels, width, false), 1);
    products.extend(times(dense(batch, width, 10, true), 1));
    products.extend(blocks([layers, width, heads, context], rows, layers * batch * heads));
    let (workload, steps) = workload(model, textures(side, channels), batch, program)?;
    Ok(Case { name, parameters: workload.parameters(), steps, products, by_hand: None })
}

fn recurrent(name: &'static str, program: &Program) -> Result<Case, EvaluatorError> {
    let (width, context, batch, vocabulary) = (64, 32, 16, 64);
    let (rows, gates) = (batch * context, 3 * width);
    let model = ModelConfig::Recurrent {
        width: count(width),
        layers: count(1),
        context: count(context),
        cell: Cell::Gated,
        weight_scale: 1.0,
    };
    let mut products = times(dense(rows, width, vocabulary, true), 1);
    products.extend(times(dense(rows, width, gates, true), 1));
    // Of the states: step by step.
    products.extend(times(dense(batch, width, gates, true), context));
    let (workload, steps) = workload(model, tokens(vocabulary), batch, program)?;
    Ok(Case { name, parameters: workload.parameters(), steps, products, by_hand: None })
}

impl Case {
    fn new(name: &str, program: &Program) -> Result<Self, EvaluatorError> {
        match name {
            "mlp" => mlp("mlp", program),
            "c8" => conv("c8", 8, [1, 8, 16], 64, program),
            "c16" => conv("c16", 16, [3, 16, 32], 32, program),
            "transformer" => transformer("transformer", program),
            "recurrent" => recurrent("recurrent", program),
            "vit" => vision_transformer("vit", program),
            _ => panic!("no network {name:?}: there are {NETWORKS:?}"),
        }
    }

    /// Floating-point operations of a step's products.
    fn operations(&self) -> f64 {
        self.products.iter().map(|(product, times)| *times as f64 * product.operations()).sum()
    }

    fn window(&mut self) -> Window {
        let products = self.products.iter_mut().map(|(product, times)| {
            *times as f64 * microseconds(PRODUCT, || black_box(&mut *product).run())
        });
        let products = products.sum();
        let mut cube = Multiplication::new(Product::Plain, CUBE);
        let rate = cube.operations() / microseconds(PRODUCT, || black_box(&mut cube).run());
        let by_hand = self.by_hand.as_mut();
        let by_hand = by_hand.map(|by_hand| {
            microseconds(WINDOW, || {
                black_box(by_hand.step());
            })
        });
        let whole = microseconds(WINDOW, || step(&mut self.steps, |_| ()));
        let mut spent = [Duration::ZERO; 4];
        let mut steps = 0.0;
        while spent.iter().sum::<Duration>() < WINDOW {
            let mut last = now();
            step(&mut self.steps, |phase| {
                let lap = now();
                spent[phase] += lap - last;
                last = lap;
            });
            steps += 1.0;
        }
        let phases = spent.map(|spent| 1e6 * spent.as_secs_f64() / steps);
        Window { whole, phases, products, rate, by_hand }
    }
}

/// One step; `done` is told the number of each phase behind it.
fn step(steps: &mut Steps<'_>, mut done: impl FnMut(usize)) {
    let accepted = "candle accepts the network";
    steps.draw().expect(accepted);
    done(0);
    steps.forward().expect(accepted);
    done(1);
    steps.backward().expect(accepted);
    done(2);
    assert!(steps.update().expect(accepted), "AdamW trains every network");
    done(3);
}

/// Prints medians over windows.
fn print_medians(case: &mut Case) {
    case.window();
    let windows: Vec<Window> = (0..WINDOWS).map(|_| case.window()).collect();
    let of = |part: &dyn Fn(&Window) -> f64| median(windows.iter().map(part));
    let (whole, products) = (of(&|window| window.whole), of(&|window| window.products));
    let [data, forward, backward, update] =
        std::array::from_fn(|phase| of(&|window| window.phases[phase]));
    println!(
        "{:<12} {:>10} {whole:>7.1} {data:>8.1} {forward:>8.1} {backward:>8.1} {update:>8.1} | {products:>8.1} {:>5.0}% {:>7.0}%",
        case.name,
        case.parameters,
        100.0 * of(&|window| window.products / window.whole),
        100.0 * of(&|window| case.operations() / window.whole / window.rate),
    );
    if case.by_hand.is_some() {
        println!(
            "  by hand    {:>18.1}  (the step costs {:.2} times as much)",
            of(&|window| window.by_hand.expect("this network has it")),
            of(&|window| window.whole / window.by_hand.expect("this network has it")),
        );
    }
}

/// Answers every line of standard input, a network's name, with a window of it.
fn serve(program: &Program) -> Result<(), EvaluatorError> {
    let mut cases: Vec<Case> = Vec::new();
    for line in std::io::stdin().lock().lines() {
        let name = line.expect("standard input is text");
        let place = cases.iter().position(|case| case.name == name);
        let place = match place {
            Some(place) => place,
            None => {
                cases.push(Case::new(&name, program)?);
                cases.len() - 1
            }
        };
        let case = &mut cases[place];
        let Window { whole, phases, products, rate, by_hand } = case.window();
        println!(
            "{{\"whole\": {whole}, \"phases\": {phases:?}, \"products\": {products}, \"rate\": {rate}, \"operations\": {}, \"by_hand\": {}}}",
            case.operations(),
            by_hand.map_or_else(|| "null".to_owned(), |by_hand| by_hand.to_string()),
        );
    }
    Ok(())
}

fn main() -> Result<(), EvaluatorError> {
    pin_inner_threads();
    let program = zoo::get("adamw").expect("it is in the zoo").program();
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    if wanted == ["--serve"] {
        return serve(&program);
    }
    println!(
        "network      parameters    step     data  forward backward   update | products  share  of core"
    );
    for name in NETWORKS {
        if wanted.is_empty() || wanted.iter().any(|wanted| wanted == name) {
            print_medians(&mut Case::new(name, &program)?);
        }
    }
    Ok(())
}
