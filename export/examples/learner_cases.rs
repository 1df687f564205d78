//! Writes exports of learners to NumPy, and what the interpreter predicts, for
//! `tests/python/check_learners.py`: `cargo run -p evo-export --example learner_cases DIR`.

#[path = "../tests/learner_cases/mod.rs"]
mod learner_cases;

use std::fs;
use std::path::Path;

use evo_export::{LearnerTarget, export_learner};
use learner_cases::{EXAMPLES, FEATURES, cases, examples, predictions};

fn main() {
    let directory = std::env::args().nth(1).expect("usage: learner_cases DIR");
    let directory = Path::new(&directory);
    fs::create_dir_all(directory).expect("the directory can be made");
    let mut index = Vec::new();
    for (number, case) in cases().iter().enumerate() {
        let text = export_learner(&case.program, "learner", LearnerTarget::Numpy);
        let file = format!("learner_{number}.{}", LearnerTarget::Numpy.extension());
        fs::write(directory.join(&file), text).expect("the directory can be written to");
        // As bits: JSON has no number for what is not finite.
        let bits: Vec<String> =
            predictions(&case.program).iter().map(|it| format!("{:016x}", it.to_bits())).collect();
        index.push(serde_json::json!({
            "name": case.name, "file": file, "exact": case.exact, "predictions": bits,
            "program": case.program.to_string(),
        }));
    }
    let whole = serde_json::json!({
        "features": FEATURES, "train": EXAMPLES[0], "examples": examples(), "cases": index,
    });
    fs::write(directory.join("cases.json"), whole.to_string()).expect("it can be written to");
}
