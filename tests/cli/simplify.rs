//! Programs cut down by evidence: what costs nothing on the tasks goes, what counts stays.

use crate::harness::{Scratch, repository};

/// Momentum with signs, and two things that do next to nothing: a term of a billionth, and seven
/// digits of a constant.
const PADDED: &str = "\
def train(w, g, m, lr):
  m = interp(g, m, 0.9000001)
  s = sign(m)
  tiny = w * 1e-9
  s = s + tiny
  rate = lr * 0.001
  u = s * rate
  return u, m
";

#[test]
fn what_does_nothing_is_dropped_and_what_counts_stays() {
    let scratch = Scratch::new();
    scratch.write("padded.py", PADDED);
    let config = repository("tests/data/compare.ron");
    let args = |out, threads| {
        let args = ["simplify", "padded.py", "--config", &config, "--retune", "2", "--out"];
        [&args[..], &[out, "--tolerance", "0.05", "--threads", threads]].concat()
    };
    let text = scratch.run(&args("out", "1")).success();
    let short = scratch.read("out/simplified.py");
    assert!(text.starts_with(&short), "{text}");
    assert!(!short.contains("1e-9") && !short.contains("0.9000001"), "{short}");
    let whole: serde_json::Value =
        serde_json::from_str(&scratch.read("out/simplified.json")).expect("it is JSON");
    assert!(whole["live_length"].as_u64().expect("a count") <= 4, "{whole}");
    let steps = whole["steps"].as_array().expect("a list");
    assert!(steps.iter().any(|step| step["kept"] == false), "not everything can go: {whole}");
    for step in steps.iter().filter(|step| step["kept"] == true) {
        let high = step["cost"]["high"].as_f64().expect("what is kept trains");
        // Varied constants are kept where they cost less than before, whatever the tolerance.
        let varied = step["step"].as_str().expect("text").starts_with("constants varied");
        assert!(varied || high <= 0.05, "{step}");
    }
    // From studies that are there, and afresh on two threads, it comes out alike.
    for (out, threads) in [("out", "2"), ("fresh", "2")] {
        assert_eq!(scratch.run(&args(out, threads)).success(), text, "{out}");
    }
    let plain = scratch.run(&["simplify", "padded.py"]).success();
    assert!(plain.contains("1e-9"), "without evidence nothing is dropped: {plain}");
}

#[test]
fn settings_of_evidence_need_a_configuration() {
    let scratch = Scratch::new();
    let config = repository("tests/data/compare.ron");
    for tolerance in ["nan", "-0.1", "inf", "little"] {
        let tolerance = format!("--tolerance={tolerance}");
        let run = scratch.run(&["simplify", "zoo:lion", "--config", &config, &tolerance]);
        assert!(run.code == Some(2) && run.stderr.contains("from 0 on"), "{run:?}");
    }
    for more in [["--tolerance", "0.1"], ["--retune", "3"], ["--out", "out"], ["--set", "points=3"]]
    {
        let run = scratch.run(&[&["simplify", "zoo:lion"][..], &more].concat());
        assert_eq!(run.code, Some(2), "{run:?}");
        assert!(run.stderr.contains("--config"), "{}", run.stderr);
    }
}
