//! The simplifier on random programs, the zoo and programs whose shortest form is known.

mod random_programs;

use evo_dsl::{
    Dataflow, Interpreter, Layout, Op, Program, Rounding, Simplified, StopReason, simplify, zoo,
};
use proptest::prelude::*;
use random_programs::{constants, draws, random_program};

/// Awkward values: zeros, subnormals, tiny, huge, infinities, NaN and ordinary ones.
const AWKWARD: [f32; 22] = [
    0.0,
    -0.0,
    1e-45,
    -1e-40,
    1e-30,
    -1e-30,
    1e-8,
    -1e-8,
    0.3,
    -0.3,
    1.0,
    -1.0,
    2.5,
    -7.75,
    100.0,
    -1e8,
    3e9,
    1e30,
    -3e38,
    f32::INFINITY,
    f32::NEG_INFINITY,
    f32::NAN,
];

fn layout() -> Layout {
    Layout::new([vec![], vec![7], vec![5, 3], vec![4, 3, 2, 2]])
}

/// Numbers of a fixed sequence, about as large as normal ones.
fn ordinary(layout: &Layout, offset: usize) -> Vec<f32> {
    (0..layout.len()).map(|index| 1.5 * libm::sinf((index * 37 + offset * 101) as f32)).collect()
}

fn awkward(layout: &Layout, offset: usize) -> Vec<f32> {
    (0..layout.len()).map(|index| AWKWARD[(index * 7 + offset) % AWKWARD.len()]).collect()
}

/// Weights of two programs after each of 20 steps.
fn trajectories(
    programs: [&Program; 2],
    fill: fn(&Layout, usize) -> Vec<f32>,
    lr: f64,
) -> Vec<[Vec<f32>; 2]> {
    let layout = layout();
    let mut runs =
        programs.map(|program| (Interpreter::<f32>::new(program, &layout), fill(&layout, 1)));
    let steps = (0..20).map(|step| {
        let g = fill(&layout, 2 + step);
        runs.each_mut().map(|(interpreter, w)| {
            // Awkward weights would soon be NaN throughout.
            interpreter.step(w, &g, lr);
            w.clone()
        })
    });
    steps.collect()
}

fn assert_same_bits(original: &Program, simplified: &Program) {
    let bits = |weights: &[f32]| -> Vec<u32> {
        weights.iter().map(|w| if w.is_nan() { u32::MAX } else { w.to_bits() }).collect()
    };
    for (fill, lr) in [(ordinary as fn(&Layout, usize) -> Vec<f32>, 0.7), (awkward, 1.0)] {
        for (step, [a, b]) in trajectories([original, simplified], fill, lr).iter().enumerate() {
            assert_eq!(bits(a), bits(b), "step {step} of\n{original}became\n{simplified}");
        }
    }
    // The updates on fresh awkward values at every step, for the weights are NaN soon.
    let layout = layout();
    let mut runs = [original, simplified].map(|program| Interpreter::<f32>::new(program, &layout));
    for step in 0..20 {
        let (w, g) = (awkward(&layout, 3 * step), awkward(&layout, 5 * step + 1));
        let [a, b] = runs.each_mut().map(|run| run.update(&w, &g, 0.3));
        assert_eq!(bits(&a), bits(&b), "update {step} of\n{original}became\n{simplified}");
    }
}

fn close(a: &[f32], b: &[f32]) -> bool {
    layout().leaves().iter().all(|leaf| {
        let (a, b) = (&a[leaf.range()], &b[leaf.range()]);
        let finite = a.iter().filter(|w| w.is_finite());
        let largest = finite.fold(0.0, |largest: f32, w| largest.max(w.abs()));
        a.iter().zip(b).all(|(a, b)| match (a.is_finite(), b.is_finite()) {
            (true, true) => f64::from((a - b).abs()) <= 1e-5 * f64::from(largest),
            (a, b) => a == b,
        })
    })
}

fn agrees(original: &Program, simplified: &Program, lr: f64) -> bool {
    trajectories([original, simplified], ordinary, lr).iter().all(|[a, b]| close(a, b))
}

fn assert_sound(original: &Program, simplified: &Simplified) {
    let Simplified { program, before, after, .. } = simplified;
    assert_eq!((*before, *after), (original.live_length(), program.live_length()), "{original}");
    assert!(after <= before, "{original}grew to\n{program}");
    assert_eq!(program.statements().len(), *after, "{original}became\n{program}");
    assert_eq!(program.signature(), original.signature());
    let printed = program.to_string();
    let again = Program::parse(&printed).expect("printed text parses");
    assert_eq!(again.to_string(), printed);
}

fn text(parameters: &str, body: &[&str], returned: &str) -> Program {
    let body: String = body.iter().map(|line| format!("  {line}\n")).collect();
    let text = format!("def train({parameters}):\n{body}  return {returned}\n");
    Program::parse(&text).expect("the test's text parses")
}

/// Small whole numbers, which rules look for.
fn whole() -> impl Strategy<Value = f64> {
    (-1i32..4).prop_map(f64::from)
}

/// Ops of which a simplifier has much to say.
const REWRITTEN: [Op; 24] = [
    Op::Add,
    Op::Sub,
    Op::Mul,
    Op::Mul,
    Op::Div,
    Op::Max,
    Op::Min,
    Op::Abs,
    Op::Negative,
    Op::Square,
    Op::Sqrt,
    Op::Sign,
    Op::Sign,
    Op::Interp,
    Op::Interp,
    Op::Clip,
    Op::Norm,
    Op::Where,
    Op::Heaviside,
    Op::Clamp,
    Op::RowMean,
    Op::ColumnMean,
    Op::Outer,
    Op::BiasCorrect,
];

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 800,
        rng_seed: proptest::test_runner::RngSeed::Fixed(58),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn random_programs_keep_their_bits(
        states in 0usize..=4,
        step: bool,
        draws in draws(0..30, || prop_oneof![4 => -2.0..2.0, 2 => whole(), 1 => constants()]),
        outputs in prop::array::uniform5(any::<u16>()),
        rewritten: bool,
    ) {
        let all: Vec<Op> = Op::all().collect();
        let ops = if rewritten { &REWRITTEN[..] } else { &all };
        let program = random_program(states, step, ops, &draws, &outputs);
        let simplified = simplify(&program, Rounding::Exact);
        assert_sound(&program, &simplified);
        assert_same_bits(&program, &simplified.program);
        let again = simplify(&simplified.program, Rounding::Exact);
        prop_assert!(again.after <= simplified.after);
    }

    #[test]
    fn random_programs_stay_within_rounding(
        states in 0usize..=4,
        step: bool,
        draws in draws(0..30, || prop_oneof![4 => -2.0..2.0, 2 => whole(), 1 => constants()]),
        outputs in prop::array::uniform5(any::<u16>()),
        rewritten: bool,
    ) {
        let all: Vec<Op> = Op::all().collect();
        let ops = if rewritten { &REWRITTEN[..] } else { &all };
        let program = random_program(states, step, ops, &draws, &outputs);
        let exact = simplify(&program, Rounding::Exact);
        let simplified = simplify(&program, Rounding::Allow);
        assert_sound(&program, &simplified);
        prop_assert!(simplified.after <= exact.after, "{program}{}{}", exact.program, simplified.program);
        let again = simplify(&simplified.program, Rounding::Allow);
        prop_assert!(again.after <= simplified.after);
        prop_assert_eq!(simplify(&program, Rounding::Allow).program.to_string(), simplified.program.to_string());
    }
}
