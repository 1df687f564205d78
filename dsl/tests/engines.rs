//! Every op, and random programs, through interpreter and executor: the same bits.

mod numbers;
mod random_programs;
mod roots;

use evo_dsl::{Executor, Interpreter, Layout, Op, Program, zoo};
use numbers::{awkward, bits};
use proptest::prelude::*;
use random_programs::{constants, deep_program, draws, random_program};
use roots::roots_of_multiples;

/// A matrix, a vector longer than a block, a scalar, an awkward tensor, rows that end within a
/// block and a tensor of four dimensions.
fn layout() -> Layout {
    Layout::new([vec![4, 3], vec![2100], vec![], vec![5, 17], vec![3, 700], vec![4, 3, 2, 2]])
}

/// Fills a tree with ordinary values of several magnitudes.
fn ordinary(layout: &Layout, offset: usize) -> Vec<f32> {
    let value = |index: usize| {
        let angle = (index * 37 + offset * 101) as f32;
        libm::sinf(angle) * [0.01, 0.1, 1.0, 10.0, 100.0][index % 5]
    };
    (0..layout.len()).map(value).collect()
}

fn assert_engines_agree(program: &Program, steps: usize, fill: fn(&Layout, usize) -> Vec<f32>) {
    let layout = layout();
    let mut interpreter = Interpreter::<f32>::new(program, &layout);
    let mut executor = Executor::new(program, &layout);
    let (mut w_interpreted, mut w_executed) = (fill(&layout, 1), fill(&layout, 1));
    for step in 0..steps {
        let g = fill(&layout, 2 + step);
        let lr = [1.0, 0.1, 3.0][step % 3];
        let mut update = vec![0.0; layout.len()];
        executor.clone().update(&w_executed, &g, lr, &mut update);
        assert_eq!(
            bits(&interpreter.clone().update(&w_interpreted, &g, lr)),
            bits(&update),
            "update of step {step} of\n{program}"
        );
        let mut read = executor.clone();
        read.update(&w_executed, &g, lr, &mut update);
        interpreter.step(&mut w_interpreted, &g, lr);
        if let Some(readout) = interpreter.readout() {
            let found = read.readout().unwrap_or(&update);
            assert_eq!(bits(readout), bits(found), "readout of step {step} of\n{program}");
        }
        let finite = executor.step(&mut w_executed, &g, lr);
        assert_eq!(bits(&w_interpreted), bits(&w_executed), "step {step} of\n{program}");
        assert_eq!(finite, w_executed.iter().all(|weight| weight.is_finite()), "{program}");
    }
    let live = evo_dsl::Dataflow::of(program);
    for (slot, output) in live.outputs().iter().skip(1).enumerate() {
        if output.is_some() {
            assert_eq!(bits(&interpreter.states()[slot]), bits(executor.state(slot)), "{program}");
        }
    }
}

/// Arguments of every type: trees, smaller values, scalars and constants.
const ARGUMENTS: [&str; 12] =
    ["w", "g", "m", "leaf", "rows", "columns", "s", "lr", "0.0", "-2.5", "1e30", "1e-30"];

#[test]
fn every_op_on_every_mix_of_argument_types_gives_the_same_bits() {
    let mut covered = 0;
    for op in Op::all() {
        let mut programs = 0;
        let combinations = ARGUMENTS.len().pow(op.arity() as u32);
        for index in 0..combinations {
            let args: Vec<&str> = (0..op.arity())
                .map(|slot| ARGUMENTS[index / ARGUMENTS.len().pow(slot as u32) % ARGUMENTS.len()])
                .collect();
            let call = match op.infix() {
                Some(symbol) => format!("{} {symbol} {}", args[0], args[1]),
                None => format!("{}({})", op.info().name, args.join(", ")),
            };
            let text = format!(
                "def train(w, g, m, lr):\n  leaf = norm(g)\n  rows = row_mean(g)\n  columns = column_mean(w)\n  s = dot(w, m)\n  x = {call}\n  m = g + m\n  return x, m\n"
            );
            let Ok(program) = Program::parse(&text) else { continue };
            assert_engines_agree(&program, 2, awkward);
            programs += 1;
        }
        covered += usize::from(programs > 0);
        assert_eq!(programs > 0, op != Op::Invert, "{}", op.info().name);
    }
    assert_eq!(
        covered,
        Op::all().count() - 1,
        "every op but invert, which no float program can use"
    );
}

#[test]
fn zoo_programs_give_the_same_bits_on_ordinary_and_awkward_values() {
    for entry in zoo::entries() {
        assert_engines_agree(&entry.program(), 20, ordinary);
        assert_engines_agree(&entry.program(), 4, awkward);
    }
}

/// Updates that end with a division are divided, and what they divide by may be blended, as the
/// weights are moved: with and without a decay, on operands read as they are or modified.
#[test]
fn quotients_taken_as_the_weights_move_give_the_same_bits() {
    let blended = ["g", "square(g)", "g * 0.3", "sqrt(g)", "w", "square(m)"];
    let above = ["m", "m * lr", "square(g)", "sqrt(v)", "v", "w", "g"];
    let roots = ["sqrt(v)", "sqrt(m)", "sqrt(v * lr)", "sqrt(m * 2.0)", "sqrt(g * lr)"];
    let below = [&roots[..], &["v", "square(v)", "v * 2.0", "w", "old"]].concat();
    let mut programs = 0;
    for (index, (a, b)) in above.iter().flat_map(|a| below.iter().map(move |b| (a, b))).enumerate()
    {
        for (number, update) in MOVED.into_iter().enumerate() {
            let x = blended[(index + number) % blended.len()];
            let old = if *b == "old" { "  old = v + 0.0\n" } else { "" };
            for states in ["m, v", "m, u", "v, m"] {
                let text = format!(
                    "def train(w, g, m, v, lr):\n  m = interp(g, m, 0.9)\n{old}  \
                     v = interp({x}, v, 0.99)\n  \
                     u = {a} / {b}\n  update = {update}\n  return update, {states}\n"
                );
                assert_engines_agree_on_text(&text);
                programs += 1;
            }
        }
    }
    assert_eq!(programs, 7 * 10 * 6 * 3);
}

/// Updates that are moved with a quotient, or not.
const MOVED: [&str; 6] =
    ["u", "u + w * 0.1", "u * lr", "(u + w * 0.1) * lr", "u + w", "u - w * 0.1"];

/// As above where both states of the quotient are blended, in either order, with operands that are
/// in registers or not, and some that are the other state, before or after it is blended.
#[test]
fn quotients_of_two_averages_give_the_same_bits() {
    let averaged = ["g", "n", "v", "w", "square(g)"];
    let squared = ["g", "square(g)", "square(n)", "square(m)", "m", "g * 0.3"];
    let above = ["m", "m * lr", "m * leaf", "square(m)"];
    let below = ["sqrt(v)", "sqrt(v * 0.3)", "sqrt(v * leaf)"];
    let quotients = above.iter().flat_map(|a| below.map(|b| (a, b)));
    let mut programs = 0;
    for (index, (a, b)) in quotients.enumerate() {
        for (y, x) in averaged.iter().flat_map(|y| squared.map(|x| (y, x))) {
            for (number, update) in MOVED.into_iter().enumerate() {
                let blends = [
                    format!("  m = interp({y}, m, 0.9)\n"),
                    format!("  v = interp({x}, v, 0.99)\n"),
                ];
                let [first, second] = [0, 1].map(|place| &blends[(place + index + number) % 2]);
                let leaf = if a.contains("leaf") || b.contains("leaf") { "norm(g)" } else { "lr" };
                let text = format!(
                    "def train(w, g, m, v, lr):\n  leaf = {leaf} * 1.0\n  n = g - w\n\
                     {first}{second}  \
                     u = {a} / {b}\n  update = {update}\n  return update, m, v\n"
                );
                assert_engines_agree_on_text(&text);
                programs += 1;
            }
        }
    }
    assert_eq!(programs, 4 * 3 * 5 * 6 * 6);
}

fn assert_engines_agree_on_text(text: &str) {
    let program = Program::parse(text).unwrap_or_else(|error| panic!("{error}: {text}"));
    assert_engines_agree(&program, 3, ordinary);
    assert_engines_agree(&program, 2, awkward);
}

#[test]
fn roots_of_multiples_give_the_same_bits_wherever_they_are_read() {
    let programs = roots_of_multiples();
    assert_eq!(programs.len(), 8 * 6 * 20);
    for program in &programs {
        assert_engines_agree(program, 3, ordinary);
        assert_engines_agree(program, 2, awkward);
    }
}

#[test]
fn outputs_that_are_inputs_are_taken_before_they_change() {
    for returned in ["m, v, m", "w, w, m", "g, g, v", "v, m, w", "lr, n, lr", "n, v, n", "m, m, v"]
    {
        let text = format!(
            "def train(w, g, m, v, lr):\n  n = norm(m)\n  m = m + g\n  return {returned}\n"
        );
        assert_engines_agree(&Program::parse(&text).expect("it parses"), 4, ordinary);
    }
}

#[test]
fn values_needed_after_a_reduction_survive_it() {
    let text = "def train(w, g, m, v, lr):\n  a = g * 2\n  b = a + w\n  n = global_norm(b)\n  c = a / n\n  \
                k = norm(c)\n  d = b * k\n  m = interp(d, a, n)\n  e = cosine_sim(m, c)\n  u = clip(d, e)\n  \
                x = cosine_sim(k, n)\n  u = u * x\n  return u, m, b\n";
    assert_engines_agree(&Program::parse(text).expect("it parses"), 5, ordinary);
    assert_engines_agree(&Program::parse(text).expect("it parses"), 3, awkward);
}

#[test]
fn rows_columns_and_matrices_survive_later_stages() {
    let text = "def train(w, g, m, v, lr):\n  r = row_mean(square(g))\n  c = column_mean(square(g))\n  \
                v = outer(r, c) / column_mean(r)\n  o = orthogonalize(interp(g, m, 0.9))\n  k = norm(r)\n  \
                p = orthogonalize(o + w)\n  d = cosine_sim(r, c)\n  q = row_mean(p) * c\n  \
                u = where(g, o / k, q * d) + clamp(w, r, lr) + bias_correct(p, 0.9)\n  m = outer(c * 0 + 1, r)\n  return u, o, v\n";
    let wrong = Program::parse(text).expect_err("rows cannot stand for columns");
    assert!(wrong.message.contains("per-row or smaller"), "{wrong}");
    let program = Program::parse(&text.replace("outer(c * 0 + 1, r)", "r * c")).expect("it parses");
    assert_engines_agree(&program, 5, ordinary);
    assert_engines_agree(&program, 3, awkward);
}

#[test]
fn matrices_of_inputs_and_of_small_values_are_orthogonalized() {
    for x in ["w", "g", "m", "lr", "norm(g)", "row_mean(w)", "column_mean(m)", "g + w"] {
        let text = format!(
            "def train(w, g, m, lr):\n  u = orthogonalize({x})\n  m = interp(g, m, 0.5)\n  return u, m\n"
        );
        assert_engines_agree(&Program::parse(&text).expect("it parses"), 4, ordinary);
        let text = text.replace("return u, m", "return m, u");
        assert_engines_agree(&Program::parse(&text).expect("it parses"), 4, ordinary);
    }
}

/// Programs that large gradients send to infinity: weight decay by `dot(g, w)`, and `sinh`.
const GROWING: [&str; 2] = ["discovered_decay", "discovered_adagrad"];

/// A program whose steps are in proportion to the norms of weights, here above 1,000. The gradients
/// of three rows have rank two here, so one direction is of roundings that an orthogonalization has
/// enlarged.
const LARGE_STEPS: &str = "muon_hyperball";

#[test]
fn the_float64_interpreter_stays_close_to_the_executor() {
    let layout = layout();
    for entry in zoo::entries() {
        let program = entry.program();
        let scale = if GROWING.contains(&entry.name) { 1e-5 } else { 1.0 };
        let tolerance = if entry.name == LARGE_STEPS { 2e-3 } else { 2e-5 };
        let mut oracle = Interpreter::<f64>::new(&program, &layout);
        let mut executor = Executor::new(&program, &layout);
        let mut w = ordinary(&layout, 1);
        let mut exact: Vec<f64> = w.iter().map(|weight| f64::from(*weight)).collect();
        for step in 0..50 {
            let mut g = ordinary(&layout, 2 + step);
            g.iter_mut().for_each(|g| *g *= scale);
            let wide: Vec<f64> = g.iter().map(|g| f64::from(*g)).collect();
            oracle.step(&mut exact, &wide, 0.5);
            assert!(executor.step(&mut w, &g, 0.5));
        }
        for (found, expected) in w.iter().zip(&exact) {
            let error = (f64::from(*found) - expected).abs();
            assert!(
                error <= tolerance * expected.abs().max(1.0),
                "{}: {found} for {expected}",
                entry.name
            );
        }
    }
}

/// Ops that the executor fuses, splits into stages or keeps in states, and a few others.
const FUSED: [Op; 18] = [
    Op::Square,
    Op::Sqrt,
    Op::Mul,
    Op::Mul,
    Op::Add,
    Op::Add,
    Op::Sub,
    Op::Div,
    Op::Min,
    Op::Interp,
    Op::Interp,
    Op::Power,
    Op::Sign,
    Op::Norm,
    Op::Dot,
    Op::Clip,
    Op::CosineSim,
    Op::GlobalNorm,
];

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 3_000,
        rng_seed: proptest::test_runner::RngSeed::Fixed(46),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn random_programs_give_the_same_bits(
        states in 0usize..=4,
        step: bool,
        draws in draws(0..30, || prop_oneof![4 => -2.0..2.0, 1 => constants()]),
        outputs in prop::array::uniform5(any::<u16>()),
        fused: bool,
        deep: bool,
    ) {
        let all: Vec<Op> = Op::all().collect();
        let ops = if fused { &FUSED[..] } else { &all };
        let program = match deep {
            true => deep_program(states, step, ops, &draws),
            false => random_program(states, step, ops, &draws, &outputs),
        };
        assert_engines_agree(&program, 3, ordinary);
        assert_engines_agree(&program, 2, awkward);
    }
}
