//! Exports to Python: every program exports to every target, and Lion's file is as it was.
//!
//! That the files compute what the engine computes is checked by running them, in
//! `tests/python/check_exports.py`.

#[path = "../../dsl/tests/random_programs/mod.rs"]
mod random_programs;

use evo_dsl::{Op, Program, zoo};
use evo_export::{ExportTarget, export};
use proptest::prelude::*;
use random_programs::{constants, draws, random_program};

const PYTHON: [ExportTarget; 3] = [ExportTarget::Torch, ExportTarget::Optax, ExportTarget::Python];

/// Whether a word of it is `name`.
fn has_word(text: &str, name: &str) -> bool {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').any(|word| word == name)
}

/// What must hold of the text of a Python file, without running it.
fn assert_well_formed(text: &str, program: &Program) {
    for (open, close) in [('(', ')'), ('[', ']'), ('{', '}')] {
        let count = |bracket| text.chars().filter(|c| *c == bracket).count();
        assert_eq!(count(open), count(close), "brackets in\n{text}");
    }
    let dictionaries = text.matches("parts = {}").count();
    assert_eq!(text.matches("{}").count(), dictionaries, "a placeholder in\n{text}");
    assert!(!text.contains("\t") && text.lines().all(|line| line == line.trim_end()), "{text}");
    assert!(text.ends_with('\n') && !text.ends_with("\n\n"), "the end of\n{text}");
    for line in program.live().to_string().lines() {
        assert!(text.contains(&format!("#     {line}")), "{line} in\n{text}");
    }
    for helper in [
        "_scalar",
        "_broadcast",
        "_sign",
        "_foreach_sign",
        "_dot",
        "_clip",
        "_norm",
        "_rows",
        "_cbrt",
        "_log1p",
    ] {
        let defined = text.contains(&format!("\ndef {helper}("));
        let code = text.split("\nclass ").nth(1).unwrap_or(text);
        assert_eq!(has_word(code, helper), defined, "{helper} in\n{text}");
    }
    let imported = text.contains("\nimport math\n");
    assert_eq!(text.contains("math."), imported, "the import in\n{text}");
}

#[test]
fn every_zoo_program_exports_to_every_target() {
    for entry in zoo::entries() {
        let program = entry.program();
        for target in ExportTarget::ALL {
            let text = export(&program, entry.name, target);
            if PYTHON.contains(&target) {
                assert_well_formed(&text, &program);
            }
        }
    }
}

#[test]
fn the_export_of_lion_to_pytorch_is_as_it_was() {
    let lion = zoo::get("lion").expect("Lion is in the zoo").program();
    let found = export(&lion, "Lion", ExportTarget::Torch);
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/lion_torch.py");
    if std::env::var_os("EVO_BLESS").is_some() {
        std::fs::write(path, &found).expect("the file can be written");
    }
    let expected = std::fs::read_to_string(path).expect("the file is there");
    assert_eq!(found, expected, "if the change is meant, run the test with EVO_BLESS=1");
}

#[test]
fn a_name_that_is_no_identifier_becomes_one() {
    let sgd = zoo::get("sgd").expect("it is in the zoo").program();
    for (name, class, function) in [
        ("3rd try!", "class Evolved3rdTry(", "def evolved3rd_try("),
        ("lambda", "class Lambda(", "def lambda_optimizer("),
    ] {
        assert!(export(&sgd, name, ExportTarget::Torch).contains(class));
        assert!(export(&sgd, name, ExportTarget::Optax).contains(function));
        assert!(export(&sgd, name, ExportTarget::Python).contains(function));
    }
}

#[test]
fn states_that_change_places_are_kept_from_being_overwritten() {
    let text = "def train(w, g, m, v, s, lr):\n  x = m + v\n  y = x + s\n  update = g * 1.0\n  update = update + y\n  return update, v, m, w\n";
    let program = Program::parse(text).expect("it parses");
    let torch = export(&program, "swap", ExportTarget::Torch);
    let order = [
        "v_next = m.clone()",
        "s_next = w.clone()",
        "w.sub_(update)",
        "m.copy_(v)",
        "v.copy_(v_next)",
    ];
    let places: Vec<usize> =
        order.iter().map(|line| torch.find(line).expect("the line is there")).collect();
    assert!(places.is_sorted(), "{torch}");
    let python = export(&program, "swap", ExportTarget::Python);
    assert!(python.contains("m_results.append(v.copy())"), "{python}");
}

#[test]
fn states_named_like_the_class_of_states_or_like_the_next_value_of_another_stay_apart() {
    let text = "def train(w, g, m_next, m, XState, lr):\n  m = m * 0.9 + g\n  m_next = m_next * 0.5 + m\n  XState = XState * 0.7 + m_next\n  u = XState * lr\n  return u, m_next, m, XState\n";
    let program = Program::parse(text).expect("it parses");
    let optax = export(&program, "X", ExportTarget::Optax);
    assert!(optax.contains("class XState(NamedTuple)"), "{optax}");
    let assigned = |line: &str| line.starts_with("        XState = ");
    assert!(!optax.lines().any(assigned), "{optax}");
    for target in PYTHON {
        let text = export(&program, "X", target);
        let assigned = |line: &str| line.trim_start().starts_with("m_next = v");
        assert!(!text.lines().any(assigned), "the state is overwritten early in\n{text}");
    }
    let torch = export(&program, "X", ExportTarget::Torch);
    assert!(torch.contains("for w, g, m_next, m_2, XState_2 in zip(*tensors):"), "{torch}");
}

#[test]
fn rules_that_need_whole_tensors_say_so_and_gather_or_refuse_parts_of_them() {
    let exported = |name: &str, target| {
        export(&zoo::get(name).expect("it is in the zoo").program(), name, target)
    };
    for (name, whole, all) in
        [("lion", false, false), ("muon", true, false), ("lion_discovered", true, true)]
    {
        let torch = exported(name, ExportTarget::Torch);
        assert_eq!(torch.contains("if _is_flat(p):"), whole, "{torch}");
        assert_eq!(torch.contains("_whole(p.grad)"), whole, "{torch}");
        assert_eq!(torch.contains("_local(p.grad, p)"), !whole, "{torch}");
        assert_eq!(torch.contains("ZeRO-1"), all, "{torch}");
        assert_eq!(torch.contains("if _is_of_zero("), all, "{torch}");
        let optax = exported(name, ExportTarget::Optax);
        assert_eq!(optax.contains("`jax.shard_map`"), whole, "{optax}");
        assert!(optax.contains("_refuse_complex(params)"), "{optax}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 1_000,
        rng_seed: proptest::test_runner::RngSeed::Fixed(48),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn every_random_program_exports_to_every_target(
        states in 0usize..=4,
        step: bool,
        draws in draws(0..30, || prop_oneof![4 => -2.0..2.0, 1 => constants()]),
        outputs in prop::array::uniform5(any::<u16>()),
    ) {
        let all: Vec<Op> = Op::all().collect();
        let program = random_program(states, step, &all, &draws, &outputs);
        for target in ExportTarget::ALL {
            let text = export(&program, "Random", target);
            if PYTHON.contains(&target) {
                assert_well_formed(&text, &program);
            }
        }
    }
}
