//! Memory does not grow with evaluations: candle keeps a graph alive for as long as one of its
//! tensors lives, and would not say so.
//!
//! What is counted are bytes allocated and not freed. What the process holds of the system goes up
//! and down by megabytes with the allocator's own clock, and would hide a loss or feign one.

use std::alloc::{GlobalAlloc, Layout, System};
use std::path::Path;
use std::sync::atomic::{AtomicIsize, Ordering};

use evo_domain::{Evaluator, Outcome, Trial};
use evo_dsl::{Program, zoo};
use evo_evaluators::{OptimizerConfig, OptimizerEvaluator};

/// The system's allocator, and how many bytes of it are in use.
struct Counting;

static IN_USE: AtomicIsize = AtomicIsize::new(0);

#[allow(unsafe_code)]
// SAFETY: every call is handed to the system's allocator as it came; to count allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        IN_USE.fetch_add(layout.size() as isize, Ordering::Relaxed);
        // SAFETY: the caller's promise is the one asked for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        IN_USE.fetch_sub(layout.size() as isize, Ordering::Relaxed);
        // SAFETY: `at` came from the system's allocator with this layout.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Evaluations before the first look, while what is made once is made, and all of them.
const WARM_UP: usize = 300;
const EVALUATIONS: usize = 10_000;

/// Bytes by which it may grow: less than one byte lost at each evaluation would come to.
const MOST: isize = 1024;

const TASKS: &str = "(tasks: [
    (name: \"mlp\", model: Mlp(hidden: [16], normalisation: Layer), data: Digits, batch_size: 16, steps: 4),
    (name: \"conv\", model: Conv(channels: [4, 4]), data: Digits, batch_size: 8, steps: 3),
    (name: \"transformer\", model: Transformer(width: 8, layers: 1, heads: 2, context: 8),
        data: Markov(symbols: 8, order: 1, length: 600), batch_size: 4, steps: 3),
    (name: \"recurrent\", model: Recurrent(width: 8, context: 8),
        data: Markov(symbols: 8, order: 1, length: 600), batch_size: 4, steps: 3),
], data_seed: 0, learning_rate_multiples: [1.0])";

#[test]
fn evaluations_leave_nothing_behind() {
    let options =
        ron::Options::default().with_default_extension(ron::extensions::Extensions::IMPLICIT_SOME);
    let mut config: OptimizerConfig = options.from_str(TASKS).expect("well-formed");
    for task in &mut config.tasks {
        (task.learning_rate, task.baseline_loss) = (Some(1.0), Some(1.0));
    }
    let evaluator = OptimizerEvaluator::new(&config, Path::new("")).expect("generated data");
    let programs: Vec<Program> = zoo::entries().iter().map(|entry| entry.program()).collect();
    let mut before = 0;
    for round in 0..EVALUATIONS {
        if round == WARM_UP {
            before = IN_USE.load(Ordering::Relaxed);
        }
        let program = &programs[round % programs.len()];
        let outcome = evaluator.evaluate(&[Trial::of(program)]).remove(0);
        assert!(!matches!(outcome, Outcome::Failed { .. }), "{outcome:?}");
    }
    let grown = IN_USE.load(Ordering::Relaxed) - before;
    println!("{before} bytes after {WARM_UP} evaluations, {grown} more after {EVALUATIONS}");
    assert!(grown < MOST, "{grown} bytes more after {} evaluations", EVALUATIONS - WARM_UP);
}
