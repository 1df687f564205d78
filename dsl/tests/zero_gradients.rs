//! Learning rates and gradients of zero: a warm-up begins with the first, PyTorch takes a step with
//! both to make an optimizer's state, and a layer that is not reached has the second.

use evo_dsl::{Executor, Interpreter, Layout, Program, Real, Rounding, simplify, zoo};

fn layout() -> Layout {
    Layout::new([vec![], vec![7], vec![5, 3], vec![4, 3, 2, 2]])
}

fn ordinary(layout: &Layout, offset: usize) -> Vec<f32> {
    let value = |index: usize| libm::sinf((index * 37 + offset * 101 + 1) as f32) * 0.3;
    (0..layout.len()).map(value).collect()
}

/// Gradient, if there is one, and learning rate of every step.
type Steps = Vec<(bool, f64)>;

/// Runs that meet zeros: at once, behind ordinary steps, in a warm-up, and for good.
fn runs() -> [(&'static str, Steps); 5] {
    let ordinary = vec![(true, 0.5); 10];
    [
        ("the first step", vec![(false, 0.0), (true, 0.5), (true, 0.5)]),
        ("no gradient at an ordinary rate", vec![(false, 0.5), (false, 0.5), (true, 0.5)]),
        ("behind ten steps", [ordinary, vec![(false, 0.0), (true, 0.5)]].concat()),
        ("a warm-up", (0..10).map(|step| (true, f64::from(step) / 10.0)).collect()),
        ("a warm-up on nothing", (0..10).map(|step| (step > 5, f64::from(step) / 10.0)).collect()),
    ]
}

fn gradient(layout: &Layout, step: usize, given: bool) -> Vec<f32> {
    if given { ordinary(layout, step + 2) } else { vec![0.0; layout.len()] }
}

/// The first step of a run after which a weight or a state is not finite.
fn broken<T: Real>(program: &Program, steps: &Steps) -> Option<usize> {
    let layout = layout();
    let narrow = |values: Vec<f32>| values.into_iter().map(|value| T::from_f64(value.into()));
    let mut interpreter = Interpreter::<T>::new(program, &layout);
    let mut w: Vec<T> = narrow(ordinary(&layout, 1)).collect();
    steps.iter().enumerate().position(|(step, &(given, rate))| {
        let g: Vec<T> = narrow(gradient(&layout, step, given)).collect();
        interpreter.step(&mut w, &g, rate);
        let live = program.live();
        let states = interpreter.states().iter().take(live.signature().states()).flatten();
        w.iter().chain(states).any(|value| !value.to_f64().is_finite())
    })
}

#[test]
fn every_zoo_program_survives_a_learning_rate_and_gradients_of_zero() {
    let layout = layout();
    for entry in zoo::entries() {
        let program = entry.program();
        for (name, steps) in runs() {
            assert_eq!(broken::<f32>(&program, &steps), None, "{}: {name}", entry.name);
            assert_eq!(broken::<f64>(&program, &steps), None, "{}: {name}", entry.name);
            let mut executor = Executor::new(&program, &layout);
            let mut w = ordinary(&layout, 1);
            for (step, &(given, rate)) in steps.iter().enumerate() {
                let finite = executor.step(&mut w, &gradient(&layout, step, given), rate);
                assert!(finite, "{}: {name}, step {step}", entry.name);
            }
        }
    }
}

#[test]
fn every_zoo_program_survives_rows_and_columns_that_are_never_reached() {
    // A unit that is off and an input that is always zero leave no gradient in a row and a column.
    let layout = layout();
    for entry in zoo::entries() {
        let mut executor = Executor::new(&entry.program(), &layout);
        let mut w = ordinary(&layout, 1);
        for step in 0..10 {
            let mut g = ordinary(&layout, step + 2);
            for leaf in layout.leaves() {
                let columns = leaf.columns();
                for (place, slope) in g[leaf.range()].iter_mut().enumerate() {
                    if place < columns || place % columns == 0 {
                        *slope = 0.0;
                    }
                }
            }
            assert!(executor.step(&mut w, &g, 0.5), "{}, step {step}", entry.name);
        }
    }
}

#[test]
fn a_learning_rate_and_gradients_of_zero_move_no_weight_at_first() {
    let layout = layout();
    let zeros = vec![0.0; layout.len()];
    for entry in zoo::entries() {
        let mut executor = Executor::new(&entry.program(), &layout);
        let mut w = ordinary(&layout, 1);
        assert!(executor.step(&mut w, &zeros, 0.0));
        assert_eq!(w, ordinary(&layout, 1), "{}", entry.name);
    }
}

/// What a program that returns `expression` subtracts from the weights in its first step.
fn update(expression: &str, g: f32, lr: f64) -> f32 {
    let text = format!("def train(w, g, lr):\n  u = {expression}\n  return u\n");
    let program = Program::parse(&text).expect("it parses");
    let layout = Layout::new([vec![2]]);
    let mut w = [0.0; 2];
    Executor::new(&program, &layout).step(&mut w, &[g; 2], lr);
    -w[0]
}

#[test]
fn clip_leaves_what_has_no_norm_and_cosine_sim_is_zero_there() {
    for lr in [0.0, -0.0, 1.0, -1.0, f64::INFINITY] {
        assert_eq!(update("clip(g, lr)", 0.0, lr), 0.0, "{lr}");
    }
    assert_eq!(update("clip(g, lr)", 3.0, 0.0), 0.0);
    assert_eq!(update("clip(g, lr)", 3.0, 1.0), 3.0 * (1.0 / 18.0f64.sqrt()) as f32);
    assert!(update("clip(g, lr)", f32::NAN, 0.0).is_nan());
    assert!(update("clip(g, lr)", 1.0, f64::NAN).is_nan());
    assert_eq!(update("cosine_sim(g, w) + lr", 0.0, 0.25), 0.25);
    assert_eq!(update("cosine_sim(g, w) + lr", 3.0, 0.25), 0.25);
    assert_eq!(update("cosine_sim(g, 2.0)", 3.0, 0.0), 1.0);
    assert!(update("cosine_sim(g, 2.0)", f32::NAN, 0.0).is_nan());
}

#[test]
fn simplified_programs_keep_the_guards() {
    for name in ["lion_discovered", "lion_raw"] {
        let program = zoo::get(name).expect("it is in the zoo").program();
        for rounding in [Rounding::Exact, Rounding::Allow] {
            let short = simplify(&program, rounding).program;
            for (run, steps) in runs() {
                assert_eq!(broken::<f32>(&short, &steps), None, "{name}, {run}:\n{short}");
            }
        }
    }
}
