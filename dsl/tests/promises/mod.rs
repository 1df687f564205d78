//! What is promised about every program text, as checks that panic where it does not hold.
//!
//! Invariant: work and memory are bounded by the length of the text and by the limits here. The
//! fuzz targets (`fuzz/`) and the test of what they once failed on (`regressions.rs`) share these
//! checks, so a text that broke a promise is tried by every test run from then on.

use evo_dsl::{Dataflow, Executor, Interpreter, Layout, Liveness, Program, Rounding, simplify};

/// Reading, printing and liveness: bytes are refused with a place in them, or are a program that
/// reads back as it is printed and whose live part is the whole of it.
pub(crate) fn check_text(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let read = Program::parse(&text);
    if let Err(error) = &read {
        // Line breaks are \n, \r and \r\n.
        let lines = text.split(['\n', '\r']).count();
        assert!((1..=lines + 1).contains(&error.line) && error.column >= 1, "{error}");
        assert!(error.column <= text.chars().count() + 1, "{error}");
        assert!(error.to_string().len() < 1_000, "a message as long as the text");
    }
    let of_bytes = Program::parse_bytes(bytes);
    if std::str::from_utf8(bytes).is_ok() {
        assert_eq!(of_bytes.is_ok(), read.is_ok());
    } else {
        assert!(of_bytes.is_err_and(|error| error.message.contains("UTF-8")));
    }
    if let Ok(program) = read {
        check_program(&program);
    }
}

fn check_program(program: &Program) {
    let printed = program.to_string();
    let again = Program::parse(&printed).expect("printed text is read");
    assert_eq!(again.to_string(), printed);
    assert_eq!(again.signature(), program.signature());
    let flow = Dataflow::of(program);
    let flow_again = Dataflow::of(&again);
    assert_eq!((flow.nodes(), flow.outputs()), (flow_again.nodes(), flow_again.outputs()));

    let count = program.statements().len();
    for position in (0..=count).step_by(1 + count / 50) {
        program.types_at(position);
    }
    program.fresh_variable();
    let live = program.live();
    assert_eq!(program.liveness().len(), count);
    assert_eq!(program.live_length(), live.statements().len());
    assert_eq!(flow.live_length(), live.statements().len());
    assert!(live.liveness().iter().all(|liveness| *liveness == Liveness::Live), "{live}");
    assert_eq!(live.live(), live);
    let of_live = Dataflow::of(&live);
    assert_eq!(of_live.outputs(), flow.outputs());
    for (node, expected) in of_live.nodes().iter().zip(flow.nodes()) {
        assert_eq!((node.op, node.ty, node.args()), (expected.op, expected.ty, expected.args()));
    }
}

/// Most live statements that the engines run here.
const MOST: usize = 60;

/// Both engines on the program that is in a text: the same bits in updates, weights and states.
pub(crate) fn check_engines(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let Some(program) = Program::parse(&text).ok().or_else(|| salvaged(&text)) else { return };
    if program.statements().len() > 4 * MOST || program.live_length() > MOST {
        return;
    }
    let small = Layout::new([vec![4, 3], vec![], vec![19], vec![2, 2, 2]]);
    check_engines_on(&program, &small, 3, ordinary);
    check_engines_on(&program, &small, 3, awkward);
    // Longer than a block of the executor, and a tensor without elements.
    let long = Layout::new([vec![3, 700], vec![0], vec![5, 1], vec![1, 6]]);
    check_engines_on(
        &program,
        &long,
        2,
        if text.len().is_multiple_of(2) { ordinary } else { awkward },
    );
}

/// The simplifier on the program that is in a text: never longer, and every bit of its weights.
pub(crate) fn check_simplifier(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let Some(program) = Program::parse(&text).ok().or_else(|| salvaged(&text)) else { return };
    if program.live_length() > 12 {
        return;
    }
    let simplified = simplify(&program, Rounding::Exact).program;
    assert!(simplified.live_length() <= program.live_length(), "{simplified}\nof\n{program}");
    let layout = Layout::new([vec![3, 2], vec![], vec![4]]);
    for fill in [ordinary, awkward] {
        let weights = [&program, &simplified].map(|program| {
            let filled = |offset: usize| -> Vec<f32> {
                (0..layout.len()).map(|index| fill(index + offset)).collect()
            };
            let mut interpreter = Interpreter::<f32>::new(program, &layout);
            let mut w = filled(1);
            for step in 0..4 {
                interpreter.step(&mut w, &filled(5 + 3 * step), [1.0, 0.1, 3.0][step % 3]);
            }
            bits(&w)
        });
        assert_eq!(weights[0], weights[1], "{simplified}\nof\n{program}");
    }
}

/// A program from the lines that can follow each other. Without it nearly every text that a fuzzer
/// makes up is refused for its one bad line.
fn salvaged(text: &str) -> Option<Program> {
    const HEADER: &str = "def train(w, g, m, v, lr, t):\n";
    let mut body = String::new();
    let mut last = "g";
    let mut program = None;
    for line in text.lines().take(2 * MOST).filter(|line| line.len() < 200) {
        let Some((target, _)) = line.split_once('=') else { continue };
        let longer = format!("{body}  {}\n", line.trim());
        if let Ok(read) = Program::parse(&format!("{HEADER}{longer}  return {target}, m, v\n")) {
            (body, last, program) = (longer, target, Some(read));
        }
    }
    let returned = text.lines().rev().find(|line| line.trim_start().starts_with("return"));
    let as_written = Program::parse(&format!("{HEADER}{body}{}\n", returned.unwrap_or_default()));
    as_written
        .ok()
        .or_else(|| Program::parse(&format!("{HEADER}{body}  return {last}, v, m\n")).ok())
        .or(program)
}

fn check_engines_on(program: &Program, layout: &Layout, steps: usize, fill: fn(usize) -> f32) {
    let filled = |offset: usize| (0..layout.len()).map(|index| fill(index + offset)).collect();
    let mut interpreter = Interpreter::<f32>::new(program, layout);
    let mut executor = Executor::new(program, layout);
    let (mut w, mut w_executed): (Vec<f32>, Vec<f32>) = (filled(1), filled(1));
    for step in 0..steps {
        let g: Vec<f32> = filled(5 + 3 * step);
        let lr = [1.0, 0.1, 3.0][step % 3];
        let mut update = vec![0.0; layout.len()];
        executor.clone().update(&w_executed, &g, lr, &mut update);
        let expected = interpreter.clone().update(&w, &g, lr);
        assert_eq!(bits(&update), bits(&expected), "update of step {step} of\n{program}");
        interpreter.step(&mut w, &g, lr);
        let finite = executor.step(&mut w_executed, &g, lr);
        assert_eq!(bits(&w_executed), bits(&w), "weights of step {step} of\n{program}");
        assert_eq!(finite, w.iter().all(|weight| weight.is_finite()), "step {step} of\n{program}");
    }
    let flow = Dataflow::of(program);
    for (slot, _) in flow.outputs()[1..].iter().enumerate().filter(|(_, value)| value.is_some()) {
        let expected = bits(&interpreter.states()[slot]);
        assert_eq!(bits(executor.state(slot)), expected, "state {slot} of\n{program}");
    }
}

fn ordinary(index: usize) -> f32 {
    let magnitude = [0.01, 0.1, 1.0, 10.0, 100.0][index % 5];
    ((index * 37 % 101) as f32 / 50.0 - 1.0) * magnitude
}

fn awkward(index: usize) -> f32 {
    const AWKWARD: [f32; 19] = [
        0.0,
        -0.0,
        1e-45,
        -1e-40,
        1e-30,
        1e-8,
        -1e-8,
        0.3,
        1.0,
        -1.0,
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
    AWKWARD[index * 7 % AWKWARD.len()]
}

/// Bits, with every NaN made the same.
fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| if value.is_nan() { u32::MAX } else { value.to_bits() }).collect()
}
