//! Exports to Rust: compiled without a warning, and the interpreter's weights to float32 rounding.
//!
//! Every zoo program and many random ones become modules of one source file, which is compiled once
//! and run. The rounding of functions and of sums may differ from the engine's in the last bit, and
//! a program may make that as large as it likes. So the difference is held against what the program
//! itself does to such changes: the interpreter in float64, and in float32 on weights and gradients
//! moved by about one unit of the last place. Where those part, the program is chaotic, and is
//! compared no further.

mod compiled;
mod hostile_names;
#[path = "../../dsl/tests/random_programs/mod.rs"]
mod random_programs;

use std::fmt::Write as _;

use compiled::compiled_and_run;
use evo_dsl::{Interpreter, Layout, LeafRole, Op, Program, Real, zoo};
use evo_export::{ExportTarget, export};
use hostile_names::hostile;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, RngSeed, TestRunner};
use random_programs::{constants, deep_program, draws};

const STEPS: usize = 20;
const SHAPES: &str = "[(1, 1), (7, 1), (5, 3), (4, 12)]";
const ROLES: [LeafRole; 4] =
    [LeafRole::Output, LeafRole::Vector, LeafRole::Hidden, LeafRole::Embedding];
/// How many random programs are compared.
const RANDOM: usize = 500;

fn layout() -> Layout {
    let shapes = [vec![], vec![7], vec![5, 3], vec![4, 3, 2, 2]];
    Layout::with_roles(shapes.into_iter().zip(ROLES))
}

/// Items and their text.
macro_rules! with_text {
    ($text:ident: $($item:tt)*) => {
        $($item)*
        const $text: &str = stringify!($($item)*);
    };
}
// The generated program has the same functions: the weights at first (step 0) and the gradient of
// each step, and the factor of the learning rate.
with_text! { INPUT:
    fn input(step: usize, index: usize) -> f32 {
        let mixed = (step * 7919 + index * 104_729 + 12_345) as u32;
        let mixed = (mixed ^ (mixed >> 7)).wrapping_mul(2_654_435_761);
        let magnitude = [0.01, 0.1, 1.0, 10.0][index % 4];
        // No gradient in some steps, at a rate of 0 in half of them.
        let given = if step % 8 == 7 { 0.0 } else { 1.0 };
        ((mixed >> 8) as f32 / 8_388_608.0 - 1.0) * magnitude * given
    }
    fn schedule(step: usize) -> f64 {
        if step == 15 { 0.0 } else { [1.0, 0.5, 0.3][step % 3] }
    }
}

fn random() -> Vec<Program> {
    let config =
        Config { rng_seed: RngSeed::Fixed(47), failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new(config);
    let ops: Vec<Op> = Op::all().collect();
    let strategy =
        (0usize..=4, any::<bool>(), draws(5..50, || prop_oneof![6 => -2.0..2.0, 1 => constants()]));
    let draw = |_| {
        let tree = strategy.new_tree(&mut runner).expect("the strategy rejects nothing");
        let (states, step, draws) = tree.current();
        deep_program(states, step, &ops, &draws)
    };
    (0..RANDOM).map(draw).collect()
}

/// Names that are words of an exported file, of Rust, or in nobody's style.
const ODD_NAMES: &str = "def train(i, ops, shapes, Elements__2, t_, lr):
  h = norm(i) * 0.3
  first_row = row_mean(h * ops) * 0.25 - dot(0.5, lr)
  leaf_of_row = column_mean(first_row)
  max_f32 = max(i, first_row) * 0.75
  RULE11_LEARNING_RATE = max_f32 + shapes * t_
  β = clip(orthogonalize(RULE11_LEARNING_RATE), 2.5) * leaf_of_row
  fn = β * lr * 0.001
  t_ = Elements__2 * 0.9 + ops
  return fn, max_f32, t_, i
";

/// The arguments of an exported function, from its parameters' types.
fn arguments(text: &str, module: &str) -> (String, usize) {
    let signature = text.split_once("pub fn ").expect("there is a function").1;
    let (function, rest) = signature.split_once('(').expect("it has parameters");
    let parameters = rest.split_once(") {").expect("they end").0.replace("(usize, usize)", "Shape");
    let rate = text.split_once("pub const ").map(|(_, rest)| rest.split(':').next());
    let (mut trees, mut arguments) = (0, Vec::new());
    for parameter in parameters.split(',').map(str::trim).filter(|text| !text.is_empty()) {
        let (_, ty) = parameter.split_once(": ").expect("a parameter has a type");
        arguments.push(match ty {
            "&[Shape]" => "&SHAPES".to_owned(),
            "&[ops::Role]" => {
                let roles = ROLES.map(|role| format!("{module}::ops::Role::{role:?}"));
                format!("&[{}]", roles.join(", "))
            }
            "&[f32]" => "&g".to_owned(),
            "&mut [f32]" => {
                trees += 1;
                if trees == 1 { "&mut w".to_owned() } else { format!("s{}", trees - 2) }
            }
            "f64" => {
                let rate = rate.flatten().expect("a rate has a default");
                format!("{module}::{rate} * schedule(step)")
            }
            "u64" => "step as u64".to_owned(),
            settings => format!("&{module}::{}::default()", settings.trim_start_matches('&')),
        });
    }
    (format!("{module}::{function}({})", arguments.join(", ")), trees - 1)
}

/// A program that writes the weights of every step of every export to its standard output.
fn source(programs: &[(String, Program)]) -> String {
    let mut modules = String::new();
    let mut runs = String::new();
    for (index, (name, program)) in programs.iter().enumerate() {
        let text = export(program, name, ExportTarget::Rust);
        let (call, states) = arguments(&text, &format!("p{index}"));
        writeln!(modules, "mod p{index} {{\n{text}}}").expect("a string can be written to");
        let names: Vec<String> = (0..states).map(|state| format!("s{state}")).collect();
        let states = match names.join(", ") {
            none if none.is_empty() => none,
            names => format!("let [{names}] = &mut states();"),
        };
        let gradient = if call.contains("&g") { "let g = tree(step);" } else { "let _ = step;" };
        writeln!(
            runs,
            "fn r{index}(out: &mut Vec<u8>) {{ let mut w = tree(0); {states} for step in 1..=STEPS {{ {gradient} {call}; put(out, &w); }} }}"
        )
        .expect("a string can be written to");
    }
    let calls: String = (0..programs.len()).map(|index| format!("r{index}(&mut out); ")).collect();
    format!(
        "use std::io::Write;\nconst STEPS: usize = {STEPS};\nconst LEN: usize = {};\n\
         const SHAPES: [(usize, usize); 4] = {SHAPES};\n{INPUT}\n\
         fn tree(step: usize) -> Vec<f32> {{ (0..LEN).map(|index| input(step, index)).collect() }}\n\
         fn states<const N: usize>() -> [Vec<f32>; N] {{ std::array::from_fn(|_| vec![0.0; LEN]) }}\n\
         fn put(out: &mut Vec<u8>, w: &[f32]) {{ for w in w {{ out.extend(w.to_le_bytes()); }} }}\n\
         fn main() {{ let mut out = Vec::new(); {calls}\nstd::io::stdout().write_all(&out).expect(\"a pipe\"); \
         let _ = SHAPES; let _ = states::<0>; let _ = schedule; }}\n{runs}\n{modules}",
        layout().len()
    )
}

/// The weights of every step in the interpreter; `nudge` gives the value for an input.
fn interpreted<T: Real>(program: &Program, nudge: impl Fn(f32, usize) -> T) -> Vec<Vec<f64>> {
    let layout = layout();
    let tree = |step: usize| -> Vec<T> {
        (0..layout.len()).map(|index| nudge(input(step, index), step * 71 + index)).collect()
    };
    let mut interpreter = Interpreter::<T>::new(program, &layout);
    let mut w = tree(0);
    let step = |step| {
        interpreter.step(&mut w, &tree(step), schedule(step));
        w.iter().map(|w| w.to_f64()).collect()
    };
    (1..=STEPS).map(step).collect()
}

/// A number moved by up to a unit of the last place, another way for each `variant`; zero, which no
/// rounding moves, stays.
fn nudged(x: f32, place: usize, variant: usize) -> f32 {
    if x == 0.0 {
        return x;
    }
    let mixed = ((place + 1) * (variant * 2 + 1)).wrapping_mul(2_654_435_761) >> 16;
    f32::from_bits((x.to_bits() + 1).wrapping_sub((mixed % 3) as u32))
}

/// How far the comparison of one program went.
#[derive(Default)]
struct Compared {
    steps: usize,
    same_bits: bool,
}

/// How much further than its own engines' spread an export may be from the interpreter.
const FACTOR: f64 = 8.0;
/// What rounding alone makes of a weight within the run, of its largest magnitude so far.
const FLOOR: f64 = STEPS as f64 * f32::EPSILON as f64;
/// The spread of its own engines, of a weight's largest magnitude so far, from which on a program
/// is chaotic.
const CHAOS: f64 = 1e-3;

fn compare(program: &Program, found: &[f32]) -> Compared {
    let expected = interpreted::<f32>(program, |x, _| x);
    let mut others = vec![interpreted::<f64>(program, |x, _| f64::from(x))];
    others.extend(
        (0..4)
            .map(|variant| interpreted::<f32>(program, move |x, place| nudged(x, place, variant))),
    );
    let len = layout().len();
    let bits = |x: f32| if x.is_nan() { u32::MAX } else { x.to_bits() };
    let flat = expected.iter().flatten().map(|x| *x as f32);
    let same_bits = flat.zip(found).all(|(x, y)| bits(x) == bits(*y));
    let mut magnitudes: Vec<f64> = (0..len).map(|index| f64::from(input(0, index).abs())).collect();
    let mut spreads = vec![0.0f64; len];
    for step in 0..STEPS {
        for index in 0..len {
            let x = expected[step][index];
            let finite = x.is_finite();
            if others.iter().any(|other| (other[step][index] as f32).is_finite() != finite) {
                return Compared { steps: step, same_bits };
            }
            if finite {
                magnitudes[index] = magnitudes[index].max(x.abs());
                let spread = others.iter().map(|other| (other[step][index] - x).abs());
                spreads[index] = spread.fold(spreads[index], f64::max);
                if spreads[index] > CHAOS * magnitudes[index] {
                    return Compared { steps: step, same_bits };
                }
            }
        }
        for index in 0..len {
            let (x, y) = (expected[step][index], f64::from(found[step * len + index]));
            let tolerance = FACTOR * spreads[index] + FLOOR * magnitudes[index];
            let close = if x.is_finite() { (x - y).abs() <= tolerance } else { !y.is_finite() };
            assert!(
                close,
                "weight {index} of step {step}: {y}, not {x}, within {tolerance} of\n{program}"
            );
        }
    }
    Compared { steps: STEPS, same_bits }
}

#[test]
fn exports_compile_without_a_warning_and_train_as_the_interpreter() {
    let zoo = zoo::entries().iter().map(|entry| entry.program());
    let odd = Program::parse(ODD_NAMES).expect("it parses");
    let rules = zoo.chain([odd]).chain(random()).enumerate();
    let rules = rules.map(|(index, program)| (format!("rule {index}"), program));
    let programs: Vec<(String, Program)> = rules.chain(hostile()).collect();
    let folder = std::env::temp_dir().join(format!("evo-export-rust-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a temporary folder can be made");
    let weights = compiled_and_run(&folder, &source(&programs));
    std::fs::remove_dir_all(&folder).expect("it is ours");
    let weights: Vec<f32> =
        weights.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
    let size = STEPS * layout().len();
    assert_eq!(weights.len(), programs.len() * size);
    let compared: Vec<Compared> = programs
        .iter()
        .zip(weights.chunks(size))
        .map(|((_, program), found)| compare(program, found))
        .collect();
    let whole = compared.iter().filter(|compared| compared.steps == STEPS).count();
    let none = compared.iter().filter(|compared| compared.steps == 0).count();
    let same = compared.iter().filter(|compared| compared.same_bits).count();
    println!(
        "{} programs: {whole} compared to the end, {none} not at all, {same} to the bit",
        programs.len()
    );
    let zoo = &compared[..zoo::entries().len()];
    assert!(zoo.iter().all(|compared| compared.steps == STEPS), "no zoo program is chaotic");
    // Of what is left out, and of what differs at all, there is little.
    assert!(whole * 10 >= programs.len() * 9 && none * 50 <= programs.len());
    assert!(same * 10 >= programs.len() * 9);
}
