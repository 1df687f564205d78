//! What the two hashes join and what they keep apart.

use evo_dsl::{Program, zoo};
use evo_hashes::{FunctionalHasher, structural_hash};

fn program(parameters: &str, body: &[&str], returned: &str) -> Program {
    let body: String = body.iter().map(|line| format!("  {line}\n")).collect();
    let text = format!("def train({parameters}):\n{body}  return {returned}\n");
    Program::parse(&text).expect("the test's text parses")
}

fn adamw(body: &[&str]) -> Program {
    program("w, g, m, v, lr", body, "update, m, v")
}

const ADAMW: [&str; 9] = [
    "g2 = square(g)",
    "m = interp(g, m, 0.9)",
    "v = interp(g2, v, 0.999)",
    "sqrt_v = sqrt(v)",
    "update = m / sqrt_v",
    "wd = w * 0.01",
    "update = update + wd",
    "lr = lr * 0.001",
    "update = update * lr",
];

fn hasher() -> FunctionalHasher {
    FunctionalHasher::new(14).expect("14 is between 1 and 23")
}

#[test]
fn names_dead_code_order_and_commuted_arguments_do_not_change_the_structural_hash() {
    let base = structural_hash(&adamw(&ADAMW));
    let renamed = program(
        "weight, gradient, first, second, rate",
        &[
            "squared = square(gradient)",
            "first = interp(gradient, first, 0.9)",
            "second = interp(squared, second, 0.999)",
            "root = sqrt(second)",
            "out = first / root",
            "decay = weight * 0.01",
            "out = out + decay",
            "rate = rate * 0.001",
            "out = out * rate",
        ],
        "out, first, second",
    );
    let reordered = adamw(&[
        "lr = 0.001 * lr",
        "dead = cosh(w)",
        "wd = 0.01 * w",
        "m = interp(g, m, 0.9)",
        "g2 = square(g)",
        "v = interp(g2, v, 0.999)",
        "sqrt_v = sqrt(v)",
        "update = m / sqrt_v",
        "g2 = dead - w",
        "update = wd + update",
        "update = lr * update",
    ]);
    assert_eq!(base, structural_hash(&renamed));
    assert_eq!(base, structural_hash(&reordered));
}

#[test]
fn what_is_computed_twice_counts_once() {
    let once = program("w, g, lr", &["a = g * 0.5", "u = a * a"], "u");
    let twice = program("w, g, lr", &["a = g * 0.5", "b = 0.5 * g", "u = b * a"], "u");
    let other = program("w, g, lr", &["a = g * 0.5", "b = 0.25 * g", "u = b * a"], "u");
    assert_eq!(structural_hash(&once), structural_hash(&twice));
    assert_ne!(structural_hash(&once), structural_hash(&other));
}

#[test]
fn equal_canonical_texts_and_equal_structural_hashes_go_together() {
    let mut programs: Vec<Program> = zoo::entries().iter().map(|entry| entry.program()).collect();
    programs.extend(programs.clone().iter().map(Program::canonical));
    programs.extend(programs.clone().iter().map(Program::live));
    // The signature counts, though nothing reads what it adds.
    programs.push(program("w, g, m, lr", &["u = g * 0.01"], "u, m"));
    programs.push(program("w, g, lr, t", &["u = g * 0.01"], "u"));
    for a in &programs {
        for b in &programs {
            let same_text = a.canonical().to_string() == b.canonical().to_string();
            assert_eq!(same_text, structural_hash(a) == structural_hash(b), "{a}{b}");
        }
    }
}

#[test]
fn what_counts_changes_the_structural_hash() {
    let base = structural_hash(&adamw(&ADAMW));
    let edits = [
        (1, "m = interp(g, m, 0.91)"),
        (1, "m = interp(m, g, 0.9)"),
        (0, "g2 = abs(g)"),
        (4, "update = sqrt_v / m"),
        (5, "wd = g * 0.01"),
    ];
    for (line, text) in edits {
        let mut body = ADAMW;
        body[line] = text;
        assert_ne!(base, structural_hash(&adamw(&body)), "{text}");
    }
}

#[test]
fn different_ops_for_the_same_function_have_one_functional_hash() {
    let hasher = hasher();
    let base = hasher.hash(&adamw(&ADAMW));
    let edits = [
        (0, "g2 = g * g"),
        (0, "g2 = power(g, 2.0)"),
        (3, "sqrt_v = power(v, 0.5)"),
        (6, "update = update - -0.01 * w"),
        (7, "lr = lr / 999.99999999"),
    ];
    for (line, text) in edits {
        let mut body = ADAMW;
        body[line] = text;
        let other = adamw(&body);
        assert_ne!(structural_hash(&adamw(&ADAMW)), structural_hash(&other), "{text}");
        assert_eq!(base, hasher.hash(&other), "{text}");
    }
    // How a state is kept does not count, only what comes of it.
    let scaled = program("w, g, m, lr", &["m = m * 0.5", "m = m + g", "u = m * lr"], "u, m");
    let doubled = program(
        "w, g, m, lr",
        &["m = m * 0.5", "d = g * 2", "m = m + d", "u = m * 0.5", "u = u * lr"],
        "u, m",
    );
    assert_eq!(hasher.hash(&scaled), hasher.hash(&doubled));
}

#[test]
fn different_behaviour_has_different_functional_hashes() {
    let hasher = hasher();
    let mut nearby = ADAMW;
    nearby[1] = "m = interp(g, m, 0.91)";
    let mut hashes: Vec<_> =
        zoo::entries().iter().map(|entry| hasher.hash(&entry.program())).collect();
    hashes.push(hasher.hash(&adamw(&nearby)));
    // A threshold that only large gradients reach.
    hashes.push(hasher.hash(&program(
        "w, g, lr",
        &["g = clip(g, 20.0)", "u = g * lr", "u = u * 0.1"],
        "u",
    )));
    let count = hashes.len();
    hashes.sort_unstable();
    hashes.dedup();
    assert_eq!(hashes.len(), count);
}

#[test]
fn hashes_are_the_same_in_every_build() {
    let program = adamw(&ADAMW);
    let found = (structural_hash(&program).to_string(), hasher().hash(&program).to_string());
    let expected = ("4b58a9d2a982f77df8dbf05950c2e484", "8f57903014d9d1796cde0f9faa520dfb");
    assert_eq!((found.0.as_str(), found.1.as_str()), expected);
}
