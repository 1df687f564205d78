//! The zoo against optimizers from outside: torch.optim, and published rules written in NumPy.
//!
//! The fixtures in `data/trajectories/` hold 100 steps on recorded gradients, made once by
//! `reference/make_trajectories.py` in float32 and in float64. Both engines repeat them.
//!
//! Tolerance, for each element after n steps, with e the machine epsilon of the type:
//! `n e (W + 8 U)`, where W is the largest weight and U the largest update of the element so far.
//! The two sides compute the same formula in another order of roundings: subtracting the update
//! rounds the weight once a step (by at most e/2 of W on either side; torch's AdamW rounds it
//! twice, for it decays the weight on its own), and an update is a chain of roundings (within 8 e
//! of U). Moving averages add no more: errors fade as fast as their terms. Where a rule enlarges
//! what is rounded, 8 is a larger number, with its reason. Programs written in the same order of
//! operations as their NumPy rule must match to the bit.

use std::fs;
use std::path::Path;

use evo_dsl::{Executor, Interpreter, Layout, LeafRole, Liveness, Op, Operand, Program, Real, zoo};
use serde_json::Value;

/// Optimizers whose NumPy rule has the program's order of operations.
#[rustfmt::skip]
const SAME_ORDER: [&str; 22] = [
    "lion", "signsgd", "adamw_uncorrected", "signum", "addsign", "discovered_belief",
    "rms_momentum", "cautious_decay", "adopt", "laprop", "ademamix", "mars_adamw", "grokfast_adamw",
    "grams", "adam_mini", "lamb", "normuon_adamw", "adamuon", "muon_squared", "muon_hyperball",
    "contra_muon", "polar_muon_adamw",
];

/// Roundings an update may be away from the reference, in units of epsilon.
fn roundings(name: &str, float: &str) -> f64 {
    match (name, float) {
        // What is wrong in the direction of a small singular value grows by 3.4445 in each of the
        // five iterations of an orthogonalization, by 485 in all.
        ("muon" | "muon_adamw", _) | ("muon_squared", "float64") => 485.0,
        // rho, a float64 in either type, is about the step and a difference of numbers near 2000;
        // it divides from step 6 on.
        ("radam", "float64") => 2000.0 / 6.0,
        _ => 8.0,
    }
}

fn load(name: &str) -> Value {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/trajectories");
    let text = fs::read_to_string(folder.join(name).with_extension("json"))
        .unwrap_or_else(|error| panic!("{name}: {error}"));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn list(value: &Value) -> &[Value] {
    value.as_array().expect("a list")
}

fn numbers(value: &Value) -> Vec<f64> {
    list(value).iter().map(|number| number.as_f64().expect("a number")).collect()
}

/// Numbers recorded as float32, exactly.
fn float32s(value: &Value) -> Vec<f64> {
    numbers(value).into_iter().map(|number| f64::from(number as f32)).collect()
}

fn role(name: &Value) -> LeafRole {
    let role = LeafRole::ALL.into_iter().find(|role| *name == role.name());
    role.expect("the name of a role")
}

/// What every optimizer is given.
struct Inputs {
    layout: Layout,
    weights: Vec<f64>,
    gradients: Vec<Vec<f64>>,
    rates: Vec<f64>,
}

impl Inputs {
    /// The inputs of this name, tensors in the roles given if there are any.
    fn load(name: &str, roles: &Value) -> Inputs {
        let inputs = load(name);
        let shape = |shape: &Value| numbers(shape).iter().map(|size| *size as usize).collect();
        let shapes = list(&inputs["shapes"]).iter().map(shape);
        let layout = match roles.as_array() {
            Some(roles) => Layout::with_roles(shapes.zip(roles.iter().map(role))),
            None => Layout::new(shapes),
        };
        Inputs {
            layout,
            weights: float32s(&inputs["weights"]),
            gradients: list(&inputs["gradients"]).iter().map(float32s).collect(),
            rates: numbers(&inputs["rates"]),
        }
    }
}

/// The weights of an optimizer in one float type.
struct Trajectory {
    /// After the steps of these numbers.
    weights: Vec<(usize, Vec<f64>)>,
    roundings: f64,
}

/// What one optimizer was given, and what it did.
struct Reference {
    inputs: Inputs,
    float32: Trajectory,
    float64: Trajectory,
}

impl Reference {
    fn load(name: &str) -> Reference {
        let file = load(name);
        let trajectory = |float: &str, read: fn(&Value) -> Vec<f64>| {
            let steps = list(&file["steps"]).iter();
            let steps = steps.map(|step| step.as_u64().expect("a step") as usize);
            let weights = steps.zip(list(&file[float]).iter().map(read)).collect();
            Trajectory { weights, roundings: roundings(name, float) }
        };
        Reference {
            inputs: Inputs::load(file["inputs"].as_str().expect("a name"), &file["roles"]),
            float32: trajectory("float32", float32s),
            float64: trajectory("float64", numbers),
        }
    }
}

/// An engine on the elements of a float type.
trait Engine {
    /// Machine epsilon of the weights.
    const EPSILON: f64;
    /// What was recorded in the type.
    fn recorded(reference: &Reference) -> &Trajectory;
    type Element: Real;
    fn new(program: &Program, layout: &Layout) -> Self;
    fn step(&mut self, w: &mut [Self::Element], g: &[Self::Element], lr: f64);
    fn readout(&self) -> Option<&[Self::Element]>;
}

impl Engine for Executor {
    fn recorded(reference: &Reference) -> &Trajectory {
        &reference.float32
    }
    const EPSILON: f64 = f32::EPSILON as f64;
    type Element = f32;
    fn new(program: &Program, layout: &Layout) -> Executor {
        Executor::new(program, layout)
    }
    fn step(&mut self, w: &mut [f32], g: &[f32], lr: f64) {
        Executor::step(self, w, g, lr);
    }
    fn readout(&self) -> Option<&[f32]> {
        Executor::readout(self)
    }
}

impl Engine for Interpreter<f32> {
    fn recorded(reference: &Reference) -> &Trajectory {
        &reference.float32
    }
    const EPSILON: f64 = f32::EPSILON as f64;
    type Element = f32;
    fn new(program: &Program, layout: &Layout) -> Interpreter<f32> {
        Interpreter::new(program, layout)
    }
    fn step(&mut self, w: &mut [f32], g: &[f32], lr: f64) {
        Interpreter::step(self, w, g, lr);
    }
    fn readout(&self) -> Option<&[f32]> {
        Interpreter::readout(self)
    }
}

impl Engine for Interpreter<f64> {
    fn recorded(reference: &Reference) -> &Trajectory {
        &reference.float64
    }
    const EPSILON: f64 = f64::EPSILON;
    type Element = f64;
    fn new(program: &Program, layout: &Layout) -> Interpreter<f64> {
        Interpreter::new(program, layout)
    }
    fn step(&mut self, w: &mut [f64], g: &[f64], lr: f64) {
        Interpreter::step(self, w, g, lr);
    }
    fn readout(&self) -> Option<&[f64]> {
        Interpreter::readout(self)
    }
}

/// Runs a program on the recorded inputs; the largest deviation from the reference at any
/// recorded step, in units of the tolerance. Infinite where a weight is not finite.
fn deviation<E: Engine>(program: &Program, reference: &Reference) -> f64 {
    let inputs = &reference.inputs;
    let narrow = |values: &[f64]| values.iter().map(|value| E::Element::from_f64(*value)).collect();
    let mut engine = E::new(program, &inputs.layout);
    let mut w: Vec<E::Element> = narrow(&inputs.weights);
    let mut largest = vec![(0.0f64, 0.0f64); w.len()];
    let trajectory = E::recorded(reference);
    let mut recorded = trajectory.weights.iter().peekable();
    let mut worst = 0.0f64;
    for (index, (gradient, rate)) in inputs.gradients.iter().zip(&inputs.rates).enumerate() {
        let before = w.clone();
        engine.step(&mut w, &narrow(gradient), *rate);
        for ((weight, update), (before, after)) in largest.iter_mut().zip(before.iter().zip(&w)) {
            let (before, after) = (before.to_f64(), after.to_f64());
            *weight = weight.max(before.abs()).max(after.abs());
            *update = update.max((before - after).abs());
        }
        let Some((steps, expected)) = recorded.next_if(|(steps, _)| *steps == index + 1) else {
            continue;
        };
        // The weights, and behind them those to validate with.
        let read = engine.readout().into_iter().flat_map(|it| before.iter().zip(it));
        let read = read.map(|(&w, &offset)| E::Element::binary(Op::Sub, w, offset));
        let found: Vec<E::Element> = w.iter().copied().chain(read).collect();
        assert_eq!(found.len(), expected.len());
        let bounds = largest.iter().cycle();
        for ((found, expected), (weight, update)) in found.iter().zip(expected).zip(bounds) {
            let tolerance = *steps as f64 * E::EPSILON * (weight + trajectory.roundings * update);
            let difference = (found.to_f64() - expected).abs();
            if !difference.is_finite() {
                return f64::INFINITY;
            }
            if difference > 0.0 {
                worst = worst.max(difference / tolerance);
            }
        }
    }
    assert!(recorded.next().is_none(), "every recorded step was compared");
    worst
}

#[test]
fn the_inputs_exercise_zeros_and_many_magnitudes() {
    let inputs = Inputs::load("inputs", &Value::Null);
    let count = inputs.layout.len();
    assert_eq!((count, inputs.gradients.len(), inputs.rates.len()), (18, 100, 100));
    let all: Vec<f64> = inputs.gradients.iter().flatten().map(|g| g.abs()).collect();
    assert!(all.iter().filter(|g| **g == 0.0).count() > 100);
    assert!(inputs.gradients.iter().any(|step| step.iter().all(|g| *g == 0.0)));
    assert!(all.iter().any(|g| *g > 1e3) && all.iter().any(|g| *g > 0.0 && *g < 1e-10));
}

#[test]
fn every_zoo_program_follows_its_reference_in_both_engines_and_both_types() {
    for entry in zoo::entries() {
        let program = entry.program();
        let reference = Reference::load(entry.name);
        let deviations = [
            deviation::<Executor>(&program, &reference),
            deviation::<Interpreter<f32>>(&program, &reference),
            deviation::<Interpreter<f64>>(&program, &reference),
        ];
        println!("{}: {deviations:.2?} of the tolerance", entry.name);
        assert!(deviations.iter().all(|deviation| *deviation <= 1.0), "{}", entry.name);
        if SAME_ORDER.contains(&entry.name) {
            assert_eq!(deviations[..2], [0.0, 0.0], "{} matches to the bit", entry.name);
        }
    }
}

/// A constant moved a little: betas by a tenth of their distance to 1, zero to 0.05, the rest by 5
/// percent.
fn moved(constant: f64) -> f64 {
    match constant {
        0.0 => 0.05,
        0.5..1.0 => 1.0 - (1.0 - constant) * 1.1,
        _ => constant * 1.05,
    }
}

/// Constants that the recorded steps cannot tell from slightly wrong ones, as they are then
/// written.
const UNTOLD: [(&str, &str); 13] = [
    // Whole numbers are compared with it.
    ("adan", "later = t - 1.05"),
    ("adamw_ema", "later = t - 1.05"),
    ("grokfast_adamw", "before = t - 1.05"),
    ("tiger", "matrix = columns - 1.05"),
    ("muon_adamw", "matrix = shorter - 1.05"),
    ("normuon_adamw", "matrix = shorter - 1.05"),
    ("muon_hyperball", "matrix = shorter - 1.05"),
    // The only hidden matrix is a tall one.
    ("polar_muon_adamw", "ratio = max(ratio, 1.05)"),
    // rho grows by nearly 1 a step and is never between.
    ("radam", "long = rho - 5.25"),
    // Of tensors of more than 1000 elements alone.
    ("cautious_adamw", "mean = max(mean, 0.0010500000000000002)"),
    ("cautious_lion", "mean = max(mean, 0.0010500000000000002)"),
    // Of gradients below 1e-14.
    ("adafactor", "g2 = g2 + 1.05e-30"),
    // Of matrices of zeros, whatever it is.
    ("muon_hyperball", "length = max(length, 1.0500000000000001e-10)"),
];

#[test]
fn every_constant_of_every_zoo_program_is_told_from_a_slightly_wrong_one() {
    let (mut tried, mut untold) = (0, Vec::new());
    for entry in zoo::entries() {
        let program = entry.program();
        let reference = Reference::load(entry.name);
        let liveness = program.liveness();
        for (index, statement) in program.statements().iter().enumerate() {
            for slot in 0..statement.args().len() {
                let mut statements = program.statements().to_vec();
                let Operand::Constant(constant) = &mut statements[index].args_mut()[slot] else {
                    continue;
                };
                if liveness[index] != Liveness::Live {
                    continue;
                }
                *constant = moved(*constant);
                let wrong = program.with_statements(statements).expect("types are unchanged");
                let deviation = deviation::<Executor>(&wrong, &reference);
                if deviation <= 1.0 {
                    untold.push((entry.name, program.statement_text(&wrong.statements()[index])));
                }
                tried += 1;
            }
        }
    }
    let mut expected = UNTOLD.map(|(name, text)| (name, text.to_owned()));
    expected.sort();
    untold.sort();
    assert_eq!(untold, expected);
    assert!(tried >= 260, "the zoo's constants were tried: {tried}");
}

/// Programs that are almost the referenced optimizer: the optimizer, what is written in its
/// program, what is written instead.
const ALMOST: [(&str, &str, &str); 52] = [
    // A second eps: only elements with the smallest gradients tell.
    ("adam", "sqrt_v = sqrt(v_hat)", "sqrt_v = sqrt(v_hat) + 1e-8"),
    ("rmsprop", "sqrt_v = sqrt(v)", "sqrt_v = sqrt(v + 1e-8)"),
    // No bias correction of the first or the second moment.
    ("adamw", "scale1 = reciprocal(correction1)", "scale1 = 1.0"),
    ("adamw", "scale2 = reciprocal(correction2)", "scale2 = 1.0"),
    // Weight decay coupled to the gradient's sign, as in no published rule.
    ("lion", "update = interp(g, m, 0.9)", "update = interp(g, m, 0.9) + w * 1e-3"),
    // The moving average taken before the direction.
    ("lion", "def train(w, g, m, lr):", "def train(w, g, m, lr):\n  m = interp(g, m, 0.99)"),
    // Dampened momentum.
    ("momentum", "m = m + g", "m = m + g * 0.9"),
    // The momentum of this step in place of the next one's.
    ("nadam", "next_mu = t + 1.0", "next_mu = t * 1.0"),
    // Rectified from the start, or never.
    ("radam", "long = rho - 5.0", "long = t * 1.0"),
    ("radam", "adaptive = adaptive * rectified", "adaptive = adaptive * sqrt(correction)"),
    // A largest moment that is forgotten.
    ("amsgrad", "largest = max(largest, v)\n", "largest = max(largest, v) * 0.999\n"),
    // The average from before the step.
    (
        "adabelief",
        "m = interp(g, m, 0.9)\n  surprise = g - m",
        "surprise = g - m\n  m = interp(g, m, 0.9)",
    ),
    // Eps outside the root.
    ("adadelta", "root_v = v + 1e-6\n  root_v = sqrt(root_v)", "root_v = sqrt(v) + 1e-3"),
    // The factor that optax has, and a first difference that is the gradient.
    ("adan", "d_hat = d_hat * 0.92", "d_hat = d_hat * 0.08"),
    ("adan", "later = t - 1.0", "later = t * 1.0"),
    // Decay of the gradient's kind.
    ("nadamw", "g2 = square(g)", "g = g + w * 0.01\n  g2 = square(g)"),
    // The moment of this step, no clipping, and a first step that decays.
    ("adopt", "sqrt_v = sqrt(v)", "sqrt_v = sqrt(interp(square(g), v, 0.9999))"),
    ("adopt", "share = clamp(share, low, high)", "share = share * 1.0"),
    ("adopt", "wd = where(before, wd, 0.0)", "wd = wd * 1.0"),
    // Averaged first, as in Adam.
    ("laprop", "share = g / sqrt_v\n  m = interp(share, m, 0.9)", "m = interp(g, m, 0.9)"),
    // A slow momentum without its bias.
    ("ademamix", "part = slow * 5.0", "part = bias_correct(slow, 0.9999) * 5.0"),
    // Not clipped; the second moment that of the gradient itself.
    ("mars_adamw", "size = max(size, 1.0)", "size = 1.0"),
    ("mars_adamw", "square_c = square(corrected)", "square_c = square(g)"),
    // A filter that begins at zero, or leaves its input alone.
    ("grokfast_adamw", "slow = where(before, slow, g)", "slow = slow * 1.0"),
    ("grokfast_adamw", "g = g + extra", "g = g * 1.0"),
    // The momentum's sign.
    ("grams", "direction = sign(g)", "direction = sign(m)"),
    // Weights that do not move are left alone, or all decay.
    (
        "cautious_decay",
        "enlarged = negative(enlarged)\n  wd = w * 0.01\n  wd = where(enlarged, 0.0, wd)",
        "wd = w * 0.01\n  wd = where(enlarged, wd, 0.0)",
    ),
    ("cautious_decay", "wd = where(enlarged, 0.0, wd)", "wd = wd * 1.0"),
    // A moment for each element.
    ("adam_mini", "mean = row_mean(g2)", "mean = g2 * 1.0"),
    // What is zero stays; decay that is not scaled.
    ("lamb", "ratio = where(both, ratio, 1.0)", "ratio = ratio * 1.0"),
    ("lamb", "length = norm(update)", "length = norm(update - wd)"),
    // Momentum of any size.
    ("rms_momentum", "update = m / rms", "update = m * 1.0"),
    // Rows alone, updates not clipped, a rate that is not relative.
    ("adafactor", "root = sqrt(share)", "root = sqrt(r)"),
    ("adafactor", "excess = max(rms, 1.0)", "excess = 1.0"),
    ("adafactor", "scale = scale * size", "scale = scale * 0.1"),
    // Decay of vectors too.
    ("tiger", "wd = where(matrix, wd, 0.0)", "wd = wd * 1.0"),
    // Steps along the gradient alone, not enlarged.
    ("cautious_adamw", "mask = mask * scale", "mask = mask * 1.0"),
    // No look ahead; wide matrices scaled too.
    ("muon", "update = interp(g, m, 0.95)", "update = m * 1.0"),
    ("muon", "ratio = max(ratio, 1.0)", "ratio = ratio * 1.0"),
    // Muon on vectors; AdamW on everything.
    ("muon_adamw", "shorter = min(rows, columns)", "shorter = rows * 1.0"),
    ("muon_adamw", "matrix = shorter - 1.0", "matrix = 0.0"),
    // Muon on every matrix; Muon's own steps; a few more.
    ("polar_muon_adamw", "hidden = is_hidden()", "hidden = is_vector()\n  hidden = 1.0 - hidden"),
    ("polar_muon_adamw", "polar_express(ahead)", "orthogonalize(ahead)"),
    ("polar_muon_adamw", "polar_express(ahead)", "polar_factor(ahead)"),
    // Columns in the place of rows, and a norm that changes.
    ("normuon_adamw", "row = row_mean(row)", "row = column_mean(row)"),
    ("normuon_adamw", "scale = before / after", "scale = 1.0"),
    // As first published, and without a look ahead.
    ("adamuon", "update = sign(ahead)", "update = ahead * 1.0"),
    ("adamuon", "ahead = interp(g, m, 0.95)", "ahead = m * 1.0"),
    // Plain Muon.
    ("muon_squared", "update = ahead / sqrt_v", "update = ahead * 1.0"),
    // Off the sphere.
    ("muon_hyperball", "moved = moved * scale", "moved = moved * 1.0"),
    // Muon, and by the Frobenius norm.
    ("contra_muon", "update = orthogonal - part", "update = orthogonal * 1.0"),
    ("contra_muon", "scale = length / size", "scale = reciprocal(root)"),
];

#[test]
fn programs_that_are_almost_the_optimizer_are_rejected() {
    for (name, written, instead) in ALMOST {
        let text = zoo::get(name).expect("a zoo entry").text;
        assert!(text.contains(written), "{name}: `{written}`");
        let program = Program::parse(&text.replacen(written, instead, 1)).expect("it parses");
        let reference = Reference::load(name);
        let deviation = deviation::<Executor>(&program, &reference);
        assert!(deviation > 1.0, "{name} with `{instead}` passes, {deviation:.2}");
    }
}
