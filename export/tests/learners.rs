//! Exports of learners to Rust: compiled without a warning, and the interpreter's predictions
//! while they learn, to the bit where no elementary function is in the learner.
//!
//! Those to NumPy are run by `tests/python/check_learners.py`.

mod compiled;
mod learner_cases;

use std::collections::BTreeSet;
use std::fmt::Write as _;

use evo_dsl::{LearnerFunction, LearnerOp};
use evo_export::{LearnerTarget, export_learner};
use learner_cases::{Case, EXAMPLES, FEATURES, cases, examples, predictions};

/// What a prediction may be off by where elementary functions are the library's own.
const TOLERANCE: f64 = 1e-9;

/// The generator of the cases, as the compiled program has it.
const DRAW: &str = "struct Mixed(u64);
impl Mixed {
    fn part(&mut self) -> f64 {
        self.0 = self.0 * 48_271 % 2_147_483_647;
        self.0 as f64 / 2_147_483_648.0
    }
}
";

/// A program that writes the predictions of every export to its standard output.
fn source(cases: &[Case]) -> String {
    let mut text = format!("use std::io::Write;\n{DRAW}");
    let (count, train) = (EXAMPLES[0] + EXAMPLES[1], EXAMPLES[0]);
    let all: Vec<String> = examples().iter().map(|(x, y)| format!("({x:?}, {y:?})")).collect();
    let all = all.join(", ");
    let examples = format!("const EXAMPLES: [([f64; {FEATURES}], f64); {count}] = [{all}];\n");
    text += &examples;
    let mut calls = String::new();
    for (index, case) in cases.iter().enumerate() {
        let module = export_learner(&case.program, "learner", LearnerTarget::Rust);
        let live = case.program.live();
        let draw = |function: LearnerFunction, before: &str| {
            let draws = live.function(function).iter().any(|it| draws(it.op));
            if draws { format!("{before}&mut draw") } else { String::new() }
        };
        let [setup, predict, learn] = [
            draw(LearnerFunction::Setup, ""),
            draw(LearnerFunction::Predict, ", "),
            draw(LearnerFunction::Learn, ", "),
        ];
        let drawn = live.statements().iter().any(|it| draws(it.op));
        let (draw, implemented) = match drawn {
            true => (
                "let mut draw = Mixed(3 * 7_919 + 12_345);",
                format!(
                    "impl p{index}::Draw for Mixed {{ \
                     fn uniform(&mut self) -> f64 {{ self.part() }} \
                     fn normal(&mut self) -> f64 {{ (self.part() - 0.5) * 3.0 }} }}\n"
                ),
            ),
            false => ("", String::new()),
        };
        writeln!(
            text,
            "mod p{index} {{\n{module}}}\n{implemented}fn r{index}(out: &mut Vec<u8>) {{ {draw}
            let mut learner = p{index}::Learner::<{FEATURES}>::setup({setup});
            for (index, (x, y)) in EXAMPLES.iter().enumerate() {{
                let prediction = learner.predict(x{predict});
                out.extend(prediction.to_le_bytes());
                if index < {train} {{
                    if index % 3 == 2 {{ learner.s1 = prediction * 0.25; }}
                    learner.learn(x, *y{learn});
                }}
            }} }}"
        )
        .expect("a string can be written to");
        write!(calls, "r{index}(&mut out); ").expect("a string can be written to");
    }
    text + &format!(
        "fn main() {{ let mut out = Vec::new(); {calls} let _ = Mixed(1).part(); \
         std::io::stdout().write_all(&out).expect(\"a pipe\"); }}\n"
    )
}

fn draws(op: LearnerOp) -> bool {
    ["uniform", "gaussian"].iter().any(|it| op.info().name.contains(it))
}

fn compiled_and_run(source: &str) -> Vec<u8> {
    let folder = std::env::temp_dir().join(format!("evo-export-learners-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a temporary folder can be made");
    let printed = compiled::compiled_and_run(&folder, source);
    std::fs::remove_dir_all(&folder).expect("it is ours");
    printed
}

#[test]
fn exports_compile_without_a_warning_and_predict_as_the_interpreter() {
    let cases = cases();
    let bytes = compiled_and_run(&source(&cases));
    let found: Vec<f64> = bytes.as_chunks().0.iter().map(|it| f64::from_le_bytes(*it)).collect();
    let size = EXAMPLES[0] + EXAMPLES[1];
    assert_eq!(found.len(), cases.len() * size);
    let (mut ops, mut finite) = (BTreeSet::new(), 0);
    for (case, found) in cases.iter().zip(found.chunks(size)) {
        let expected = predictions(&case.program);
        for (at, (found, expected)) in found.iter().zip(&expected).enumerate() {
            let same = found.to_bits() == expected.to_bits() || found.is_nan() && expected.is_nan();
            let close = (found - expected).abs() <= TOLERANCE * expected.abs().max(1.0);
            let (name, program) = (&case.name, &case.program);
            assert!(
                same || close && !case.exact,
                "{name}, example {at}: {found:?} for {expected:?} of\n{program}"
            );
        }
        finite += usize::from(expected.iter().all(|it| it.is_finite()));
        ops.extend(case.program.live().statements().iter().map(|it| it.op));
    }
    println!("{} learners, {finite} of them finite to the end", cases.len());
    assert_eq!(ops.len(), 64, "all ops but `no_op` are in a live statement");
    assert!(finite * 2 > cases.len(), "{finite}");
}

#[test]
fn every_learner_has_equations_and_a_class_of_its_name() {
    for case in cases() {
        let latex = export_learner(&case.program, &case.name, LearnerTarget::Latex);
        for (open, close) in [("{", "}"), ("\\left", "\\right"), ("\\begin", "\\end")] {
            // `\leftarrow` is no bracket.
            let text = latex.replace("\\leftarrow", "");
            assert_eq!(text.matches(open).count(), text.matches(close).count(), "{latex}");
        }
        assert!(latex.contains("\\subsection*{Predict}"), "{latex}");
    }
    let linear = &cases()[0].program;
    for (name, class) in [("my rule", "MyRule"), ("n", "EvolvedN"), ("draw", "EvolvedDraw")] {
        let python = export_learner(linear, name, LearnerTarget::Numpy);
        assert!(python.contains(&format!("class {class}:")), "{python}");
        let rust = export_learner(linear, name, LearnerTarget::Rust);
        assert!(rust.contains(&format!("pub struct {class}<const N: usize>")), "{rust}");
    }
}
