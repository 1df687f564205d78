//! What passes the check of sizes takes no more memory than it allows: the largest batch that is
//! accepted, scaled down, against the bytes that training comes to hold at once.

use std::alloc::{GlobalAlloc, Layout, System};
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use evo_domain::{Evaluator, Outcome, Trial};
use evo_dsl::zoo;
use evo_evaluators::{OptimizerConfig, OptimizerEvaluator, TaskConfig};

/// Counts what is held.
struct Counting;

static HELD: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

// SAFETY: both calls go to the system's allocator as they are.
#[expect(unsafe_code, reason = "an allocator is an unsafe trait")]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let held = HELD.fetch_add(layout.size(), Relaxed) + layout.size();
        PEAK.fetch_max(held, Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Relaxed);
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Models whose size is in their batch, and models whose size is in their weights.
const LARGE_BATCHES: [(&str, &str); 10] = [
    ("Mlp(hidden: [64, 64])", "Teacher(inputs: 64, hidden: 2, classes: 10, examples: 500)"),
    ("Mlp(hidden: [64], normalisation: Layer, activation: Gelu)", "Digits"),
    ("Conv(channels: [8, 16])", "Textures(side: 16, classes: 4, examples: 200)"),
    ("Conv(channels: [8, 16], normalisation: Rms, activation: Silu)", "Digits"),
    ("ResidualMlp(width: 64, depth: 4)", "Digits"),
    ("Autoencoder(hidden: [64, 8])", "Digits"),
    ("VisionTransformer(patch: 1, width: 16, layers: 2, heads: 4)", "Digits"),
    (
        "Transformer(width: 32, layers: 2, heads: 2, context: 32)",
        "Markov(symbols: 64, order: 1, length: 4000)",
    ),
    (
        "Transformer(width: 32, layers: 2, heads: 2, context: 32, activation: Gelu, normalisation: Layer)",
        "Markov(symbols: 64, order: 1, length: 4000)",
    ),
    ("Recurrent(width: 32, context: 32)", "Markov(symbols: 64, order: 1, length: 4000)"),
];
const LARGE_NETWORKS: [(&str, &str); 4] = [
    ("Mlp(hidden: [WIDTH])", "Digits"),
    ("ResidualMlp(width: WIDTH, depth: 2)", "Digits"),
    (
        "Transformer(width: WIDTH, layers: 2, heads: 1, context: 4)",
        "Markov(symbols: 4, order: 1, length: 400)",
    ),
    ("Quadratic(dimension: WIDTH, smallest: 0.1, largest: 1.0)", "None"),
];

/// A part of the largest that is accepted is tried.
const PART: usize = 32;

/// GiB that the largest batch, and the largest network, may come to take.
const MOST: [usize; 2] = [3, 8];

fn config(model: &str, data: &str, batch: usize) -> OptimizerConfig {
    let options =
        ron::Options::default().with_default_extension(ron::extensions::Extensions::IMPLICIT_SOME);
    let text = format!(
        "(name: \"task\", model: {model}, data: {data}, batch_size: {batch}, steps: 2,
        learning_rate: 1.0, baseline_loss: 1.0)"
    );
    let task: TaskConfig = options.from_str(&text).expect("well-formed");
    let mut config = OptimizerConfig::new(vec![task]);
    config.learning_rate_multiples = vec![1.0];
    config.repeats = NonZeroUsize::MIN.try_into().expect("one");
    config
}

/// The largest power of two that makes an accepted configuration.
fn largest(config: impl Fn(usize) -> OptimizerConfig) -> usize {
    let refused = (0..63).find(|power| config(1 << power).check().is_err());
    1 << (refused.expect("something is too large") - 1)
}

/// The bytes that an evaluation comes to hold.
fn peak(config: &OptimizerConfig) -> usize {
    let before = HELD.load(Relaxed);
    PEAK.store(before, Relaxed);
    let evaluator = OptimizerEvaluator::new(config, Path::new("")).expect("it was accepted");
    let adamw = zoo::get("adamw").expect("it is in the zoo").program();
    let outcome = evaluator.evaluate(&[Trial::of(&adamw)]).remove(0);
    assert!(!matches!(outcome, Outcome::Failed { .. }), "{outcome:?}");
    PEAK.load(Relaxed) - before
}

#[test]
fn what_is_accepted_takes_no_more_memory_than_is_allowed() {
    let gib = |bytes: usize| bytes as f64 * PART as f64 / (1u64 << 30) as f64;
    let mut too_much = Vec::new();
    for (model, data) in LARGE_BATCHES {
        let batch = largest(|batch| config(model, data, batch)) / PART;
        let took = gib(peak(&config(model, data, batch)));
        println!("{took:5.2} GiB: {model} with batches of {}", batch * PART);
        too_much.extend((took > MOST[0] as f64).then_some(model));
    }
    for (model, data) in LARGE_NETWORKS {
        let of = |width: usize| config(&model.replace("WIDTH", &width.to_string()), data, 1);
        // Of some, the weights are the square of the width.
        let square = !model.contains("Mlp(h") && !model.contains("Quadratic");
        let part = if square { PART.isqrt().next_power_of_two() / 2 } else { PART };
        let width = largest(of) / part;
        let took =
            gib(peak(&of(width))) / if square { PART as f64 / (part * part) as f64 } else { 1.0 };
        println!("{took:5.2} GiB: {model} of {}", width * part);
        too_much.extend((took > MOST[1] as f64).then_some(model));
    }
    assert!(too_much.is_empty(), "{too_much:?}");
}
