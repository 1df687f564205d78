//! The kernel for devices against the executor, on the host: the system's C compiler compiles the text
//! that a device's compiler would.
//!
//! Compiled to add up in the executor's order, and to call its functions of float64, the kernel must give the
//! executor's bits for every program whatever. As it is compiled for a device it must give them for
//! programs that add nothing up. Where they do, the order of summation differs in the last bits, and a
//! program may make that as large as it likes, as `sign` does near 0; what is asked for then stands at
//! the test.

#![cfg(unix)]

mod host_kernel;
mod numbers;
mod random_programs;

use std::sync::LazyLock;

use evo_dsl::{Dataflow, DeviceCohort, Executor, Layout, Op, Program, zoo};
use host_kernel::{Cohort, Kernel, Order};
use numbers::{awkward, bits};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, RngSeed, TestRunner};
use random_programs::{constants, deep_program, draws, random_program};

/// The kernel, compiled once for all tests.
fn kernel(order: Order) -> &'static Kernel {
    static KERNELS: [LazyLock<Kernel>; 2] = [
        LazyLock::new(|| Kernel::compile(Order::Executor)),
        LazyLock::new(|| Kernel::compile(Order::Device)),
    ];
    &KERNELS[usize::from(order == Order::Device)]
}

/// Leaves of all kinds: a scalar, vectors, matrices with few and many columns, four dimensions; more than
/// one unit, and units that are not full.
fn layout() -> Layout {
    Layout::new([vec![], vec![7], vec![5, 3], vec![4, 3, 2, 2], vec![150], vec![3, 40], vec![40, 3]])
}

/// Fills a tree with ordinary values of several magnitudes.
fn ordinary(layout: &Layout, offset: usize) -> Vec<f32> {
    let value = |index: usize| {
        let angle = (index * 37 + offset * 101) as f32;
        libm::sinf(angle) * [0.01, 0.1, 1.0, 10.0, 100.0][index % 5]
    };
    (0..layout.len()).map(value).collect()
}

type Fill = fn(&Layout, usize) -> Vec<f32>;

fn learning_rate(step: usize) -> f64 {
    [1.0, 0.1, 3.0][step % 3]
}

/// Trains all programs in one cohort and each by the executor; after every step `compare` is given the
/// program, and the weights of executor and kernel.
fn train(
    kernel: &Kernel,
    layout: &Layout,
    programs: &[Program],
    (steps, fill): (usize, Fill),
    mut compare: impl FnMut(&Program, usize, &[f32], &[f32]),
) {
    let all: Vec<&Program> = programs.iter().collect();
    let mut weights: Vec<Vec<f32>> = (0..all.len()).map(|lane| fill(layout, 1 + lane)).collect();
    let mut cohort = Cohort::new(kernel, layout, &all, &weights);
    let executors = all.iter().map(|program| Executor::new(program, layout));
    let mut executors: Vec<Executor> = executors.collect();
    let mut broken = vec![0; all.len()];
    for step in 0..steps {
        let gradients: Vec<_> = (0..all.len()).map(|lane| fill(layout, 2 + 3 * step + lane)).collect();
        let rate = learning_rate(step);
        cohort.step(&gradients, rate);
        for (lane, executor) in executors.iter_mut().enumerate() {
            let finite = executor.step(&mut weights[lane], &gradients[lane], rate);
            if !finite && broken[lane] == 0 {
                broken[lane] = step as u32 + 1;
            }
            let found = cohort.weights(lane);
            compare(&programs[lane], step, &weights[lane], &found);
            if bits(&weights[lane]) == bits(&found) {
                assert_eq!(cohort.first_non_finite(lane), broken[lane], "{}", programs[lane]);
            }
        }
    }
}

fn assert_same_bits(kernel: &Kernel, programs: &[Program], steps: usize, fill: Fill) {
    // Cohorts of different sizes, so that every size of a pass and of the tables is met.
    let mut rest = programs;
    for size in [1, 7, 64].into_iter().cycle() {
        let (cohort, others) = rest.split_at(size.min(rest.len()));
        train(kernel, &layout(), cohort, (steps, fill), |program, step, expected, found| {
            assert_eq!(bits(expected), bits(found), "{:?}, step {step} of\n{program}", kernel.order());
        });
        rest = others;
        if rest.is_empty() {
            return;
        }
    }
}

fn zoo_programs() -> Vec<Program> {
    zoo::entries().iter().map(|entry| entry.program()).collect()
}

/// Valid programs, up to 64 statements of them.
fn random(count: usize, seed: u64) -> Vec<Program> {
    let config =
        Config { rng_seed: RngSeed::Fixed(seed), failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new(config);
    let constant = || prop_oneof![6 => -2.0..2.0, 1 => constants()];
    let strategy =
        (0usize..=4, any::<bool>(), draws(1..65, constant), prop::array::uniform5(any::<u16>()));
    let ops: Vec<Op> = Op::all().collect();
    let draw = |index: usize| {
        let tree = strategy.new_tree(&mut runner).expect("the strategy rejects nothing");
        let (states, step, draws, outputs) = tree.current();
        match index % 3 {
            0 => random_program(states, step, &ops, &draws, &outputs),
            _ => deep_program(states, step, &ops, &draws),
        }
    };
    (0..count).map(draw).collect()
}

/// Whether a program adds nothing up, so that its bits do not depend on an order.
fn is_elementwise(program: &Program) -> bool {
    let sums = |op: Op| {
        use Op::{Clip, ColumnMean, CosineSim, Dot, GlobalNorm, Norm, Orthogonalize, RowMean};
        matches!(op, Norm | GlobalNorm | Dot | CosineSim | Clip | RowMean | ColumnMean | Orthogonalize)
    };
    Dataflow::of(program).nodes().iter().all(|node| !sums(node.op))
}

/// Every op on every mix of types.
fn every_op(arguments: &[&str], before: &str) -> Vec<Program> {
    let mut programs = Vec::new();
    for op in Op::all() {
        for index in 0..arguments.len().pow(op.arity() as u32) {
            let args: Vec<&str> = (0..op.arity())
                .map(|slot| arguments[index / arguments.len().pow(slot as u32) % arguments.len()])
                .collect();
            let call = match op.infix() {
                Some(symbol) => format!("{} {symbol} {}", args[0], args[1]),
                None => format!("{}({})", op.info().name, args.join(", ")),
            };
            let text = format!(
                "def train(w, g, m, lr):\n{before}  x = {call}\n  m = g + m\n  return x, m\n"
            );
            programs.extend(Program::parse(&text));
        }
    }
    programs
}

#[test]
fn in_the_executors_order_every_op_on_every_mix_of_types_gives_its_bits() {
    let kernel = kernel(Order::Executor);
    let arguments = ["w", "g", "m", "leaf", "rows", "columns", "s", "lr", "-2.5", "1e-30"];
    let before = "  leaf = norm(g)\n  rows = row_mean(g)\n  columns = column_mean(w)\n  s = dot(w, m)\n";
    let programs = every_op(&arguments, before);
    assert!(programs.len() > 2_000, "{}", programs.len());
    assert_same_bits(kernel, &programs, 2, awkward);
    assert_same_bits(kernel, &programs, 2, ordinary);
}

#[test]
fn in_the_executors_order_the_zoo_and_random_programs_give_its_bits() {
    let kernel = kernel(Order::Executor);
    let programs = [zoo_programs(), random(600, 48)].concat();
    assert_same_bits(kernel, &programs, 5, ordinary);
    assert_same_bits(kernel, &programs, 3, awkward);
}

#[test]
fn as_for_a_device_programs_that_add_nothing_up_give_the_executors_bits() {
    let kernel = kernel(Order::Device);
    let mut programs = [zoo_programs(), random(900, 49)].concat();
    programs.extend(every_op(&["w", "g", "m", "leaf", "lr", "-2.5", "1e-30"], "  leaf = get_rows()\n"));
    programs.retain(is_elementwise);
    assert!(programs.len() > 500, "{}", programs.len());
    assert_same_bits(kernel, &programs, 5, ordinary);
    assert_same_bits(kernel, &programs, 3, awkward);
}
