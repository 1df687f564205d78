//! Writes exports of many programs, and what the engine does with the programs, for
//! `tests/python/check_exports.py`:
//! `cargo run -p evo-export --example export_cases DIR [COUNT [FILE...]]`, the zoo, COUNT random
//! programs, those in the files, and some whose names are those of exported files. A program with a
//! readout is there twice, the second time for the weights to validate with.
//!
//! In the directory: `NAME_TARGET.EXT` for each program and target, `cases.json` with the inputs
//! and the programs, and `trajectories.f64`, the weights after every step (little-endian float64):
//! for each program the float32 engine, the float64 engine, and the float64 engine with inputs and
//! computed values perturbed by about a rounding, of float32 and of float64, from which the reader
//! can tell how much of a difference is rounding.

#[path = "../tests/hostile_names/mod.rs"]
mod hostile_names;
#[path = "../../dsl/tests/random_programs/mod.rs"]
#[expect(
    dead_code,
    reason = "the extreme constants, at which libraries differ, are left to the tests"
)]
mod random_programs;

use std::fs;
use std::path::Path;

use evo_dsl::{
    Dataflow, Interpreter, Layout, Op, Operand, Program, Real, Signature, Statement, Type,
    Variable, zoo,
};
use evo_export::{ExportTarget, export};
use hostile_names::hostile;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use random_programs::{draws, random_program};

const STEPS: usize = 20;
/// Steps without a gradient; the second one's learning rate is 0, too.
const STILL: [usize; 2] = [6, 11];
/// How many perturbed trajectories there are for each size of perturbation.
const PERTURBED: usize = 8;
/// By how much they are perturbed: a rounding of float32 and of float64.
const PERTURBATIONS: [f64; 2] = [6e-8, 1.2e-16];

fn main() {
    let mut args = std::env::args().skip(1);
    let directory = args.next().expect("usage: export_cases DIR [COUNT]");
    let count = args.next().map_or(500, |count| count.parse().expect("COUNT is a number"));
    let directory = Path::new(&directory);
    fs::create_dir_all(directory).expect("the directory can be made");
    let mut programs: Vec<(String, Program)> =
        zoo::entries().iter().map(|entry| (entry.name.to_owned(), entry.program())).collect();
    for path in args {
        let text = fs::read_to_string(&path).expect("the program can be read");
        let name = Path::new(&path).file_stem().expect("it is a file").to_string_lossy();
        programs.retain(|(other, _)| *other != *name);
        programs.push((name.into_owned(), Program::parse(&text).expect("the program parses")));
    }
    let written = programs.len();
    let inputs = Inputs::new();
    programs.extend(random(count, &inputs));
    assert!(count < 500 || every_op_is_live(&programs[written..]), "an op is in no random program");
    let mut names: Vec<String> = programs.iter().map(|(name, _)| name.clone()).collect();
    for (name, program) in hostile() {
        programs.push((format!("hostile{}", names.len()), program));
        names.push(name);
    }
    let mut trajectories = Vec::new();
    let mut cases = Vec::new();
    let mut written_cases = 0;
    for (number, ((name, program), exported)) in programs.iter().zip(&names).enumerate() {
        for target in ExportTarget::ALL {
            let file = format!("{name}_{}.{}", target.name(), target.extension());
            let text = export(program, exported, target);
            fs::write(directory.join(file), text).expect("the directory can be written to");
        }
        let text = program.to_string();
        inputs.run(program, false, &mut trajectories);
        cases.push(serde_json::json!({ "name": name, "text": text, "readout": false }));
        if Dataflow::of(program).readout().is_some() {
            inputs.run(program, true, &mut trajectories);
            cases.push(serde_json::json!({ "name": name, "text": text, "readout": true }));
        }
        if number + 1 == written {
            written_cases = cases.len();
        }
    }
    let bytes: Vec<u8> = trajectories.iter().flat_map(|value: &f64| value.to_le_bytes()).collect();
    fs::write(directory.join("trajectories.f64"), bytes).expect("the directory can be written to");
    let shapes: Vec<&[usize]> = inputs.layout.leaves().iter().map(evo_dsl::Leaf::shape).collect();
    let index = serde_json::json!({
        "shapes": shapes, "weights": inputs.weights, "gradients": inputs.gradients,
        "rates": inputs.rates, "perturbed": PERTURBED, "cases": cases,
        "written": written_cases,
    });
    fs::write(directory.join("cases.json"), index.to_string()).expect("it can be written to");
}

/// What every program is run on; all of it float32 values.
struct Inputs {
    layout: Layout,
    weights: Vec<f64>,
    gradients: Vec<Vec<f64>>,
    rates: Vec<f64>,
}

impl Inputs {
    fn new() -> Inputs {
        let layout = Layout::new([vec![], vec![7], vec![5, 3], vec![4, 3, 2, 2]]);
        let wave = |index: usize, offset: usize, scale: f64| {
            f64::from((libm::sin((index * 37 + offset * 101 + 1) as f64) * scale) as f32)
        };
        let weights = (0..layout.len()).map(|index| wave(index, 0, 0.8)).collect();
        let gradient = |step: usize| {
            let scale = if STILL.contains(&step) { 0.0 } else { [1.0, 0.03, 0.3, 5.0][step % 4] };
            (0..layout.len()).map(|index| wave(index, step + 1, scale)).collect()
        };
        let gradients = (0..STEPS).map(gradient).collect();
        let rate =
            |step: usize| if step == STILL[1] { 0.0 } else { [1.0, 0.5, 0.7, 0.1][step % 4] };
        let rates = (0..STEPS).map(rate).collect();
        Inputs { layout, weights, gradients, rates }
    }

    /// Appends the trajectories of a program, of its weights or of those to validate with.
    fn run(&self, program: &Program, readout: bool, out: &mut Vec<f64>) {
        self.trajectory::<f32>(program, None, readout, out);
        self.trajectory::<f64>(program, None, readout, out);
        for size in PERTURBATIONS {
            for number in 0..PERTURBED {
                let perturbed = with_roundings(program, number, size);
                self.trajectory::<f64>(&perturbed, Some((number, size)), readout, out);
            }
        }
    }

    /// Whether a program carries numbers whose squares are infinite in float64. PyTorch takes the
    /// norm of one number for its magnitude, and does not square it.
    fn lead_beyond_squares(&self, program: &Program) -> bool {
        let mut interpreter = Interpreter::<f64>::new(program, &self.layout);
        let mut weights = self.weights.clone();
        let is_beyond = |x: &f64| x.is_finite() && x.abs() > 1e150;
        self.gradients.iter().zip(&self.rates).any(|(gradient, rate)| {
            interpreter.step(&mut weights, gradient, *rate);
            weights.iter().chain(interpreter.states().iter().flatten()).any(is_beyond)
        })
    }

    fn trajectory<T: Real>(
        &self,
        program: &Program,
        perturbed: Option<(usize, f64)>,
        readout: bool,
        out: &mut Vec<f64>,
    ) {
        let mut interpreter = Interpreter::<T>::new(program, &self.layout);
        let mut weights: Vec<T> = self.weights.iter().map(|w| T::from_f64(*w)).collect();
        for (step, (gradient, rate)) in self.gradients.iter().zip(&self.rates).enumerate() {
            // A rounding up or down, or none.
            let nudge = |index: usize, salt: usize| {
                let Some((number, size)) = perturbed else { return 1.0 };
                let mixed = mixed(index * 7 + step * 13 + number * 29 + salt);
                1.0 + ((mixed % 3) as f64 - 1.0) * 2.0 * size
            };
            let gradient: Vec<T> = (gradient.iter().enumerate())
                .map(|(index, g)| T::from_f64(g * nudge(index, 1)))
                .collect();
            for (index, weight) in weights.iter_mut().enumerate() {
                *weight = T::from_f64(weight.to_f64() * nudge(index, 2));
            }
            let before = weights.clone();
            interpreter.step(&mut weights, &gradient, *rate);
            match interpreter.readout().filter(|_| readout) {
                Some(offsets) => {
                    let read = before.iter().zip(offsets);
                    out.extend(read.map(|(&w, &offset)| T::binary(Op::Sub, w, offset).to_f64()));
                }
                None => out.extend(weights.iter().map(|weight| weight.to_f64())),
            }
        }
    }
}

/// The program with every computed value a rounding off: of `exp(t)` no perturbed input tells how
/// much another library's last digit matters behind it. Which go up and which down is another
/// pattern for every number, or what two have in common would cancel.
fn with_roundings(program: &Program, number: usize, size: f64) -> Program {
    let mut statements = Vec::new();
    for (index, statement) in program.statements().iter().enumerate() {
        statements.push(*statement);
        let exact = matches!(
            statement.op,
            Op::Abs | Op::Negative | Op::Sign | Op::Heaviside | Op::Max | Op::Min | Op::Where
        );
        if !exact {
            let up = mixed(index * PERTURBED + number).is_multiple_of(2);
            let factor = Operand::Constant(1.0 + if up { 2.0 * size } else { -2.0 * size });
            let target = Operand::Variable(statement.target);
            statements.push(Statement::new(Op::Mul, statement.target, &[target, factor]));
        }
    }
    program.with_statements(statements).expect("factors change no type")
}

fn mixed(salt: usize) -> usize {
    salt.wrapping_mul(2_654_435_761) >> 16
}

/// Random valid programs, the same for every call.
fn random(count: usize, inputs: &Inputs) -> Vec<(String, Program)> {
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[47; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let constants = || {
        prop_oneof![
            4 => -2.0..2.0,
            2 => 0.5..1.0,
            1 => prop::sample::select(vec![0.0, 1.0, -1.0, 0.5, 2.0, 1e-3, 1e-6, 1e-8, 10.0, 1e3, -1e-8]),
        ]
    };
    let strategy = (
        0usize..=4,
        any::<bool>(),
        draws(1..25, constants),
        prop::array::uniform5(any::<u16>()),
        any::<bool>(),
    );
    let all: Vec<Op> = Op::all().collect();
    let mut programs = Vec::new();
    while programs.len() < count {
        let tree = strategy.new_tree(&mut runner).expect("the strategy rejects nothing");
        let (states, step, draws, outputs, computed) = tree.current();
        let mut program = random_program(states, step, &all, &draws, &outputs);
        if computed {
            program = with_computed_outputs(&program);
        }
        // A fifth may be as short as they come.
        let long = program.live_length() >= 3 || programs.len().is_multiple_of(5);
        if long && !inputs.lead_beyond_squares(&program) {
            programs.push((format!("random{}", programs.len()), program));
        }
    }
    programs
}

fn every_op_is_live(programs: &[(String, Program)]) -> bool {
    let flows: Vec<Dataflow> = programs.iter().map(|(_, program)| Dataflow::of(program)).collect();
    let live = |op| flows.iter().any(|flow| flow.nodes().iter().any(|node| node.op == op));
    Op::all().filter(|op| op.is_usable()).all(live)
}

/// The program returning what it computed last, trees first.
fn with_computed_outputs(program: &Program) -> Program {
    let types = program.types_at(program.statements().len());
    let mut computed: Vec<Variable> = Vec::new();
    for statement in program.statements().iter().rev() {
        if !computed.contains(&statement.target) {
            computed.push(statement.target);
        }
    }
    computed.sort_by_key(|variable| types[usize::from(variable.0)] != Some(Type::Tree));
    let parameters = program.signature().parameters();
    let names = parameters.iter().map(|role| Signature::default_name(*role).into()).collect();
    let outputs = (0..program.signature().outputs())
        .map(|output| computed.get(output).copied().unwrap_or(program.outputs()[output]))
        .collect();
    let signature = program.signature().clone();
    Program::new(signature, names, outputs, program.statements().to_vec())
        .expect("the outputs are assigned")
}
