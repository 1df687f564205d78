//! What the two hashes join and what they keep apart.

use std::sync::Arc;

use evo_domain::Domain;
use evo_dsl::{
    Expressions, FunctionalHasher, LearnerZooEntry, Learners, OptimizerProbe, Optimizers, Program,
    structural_hash, zoo,
};
use evo_hashes::Hash;

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
    let probe = Arc::new(OptimizerProbe::new(16.0));
    FunctionalHasher::with_probe(8, probe).expect("8 is between 1 and 23")
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
    // At the usual setting of every rule.
    let hasher = FunctionalHasher::new(8).expect("8 is between 1 and 23");
    let mut nearby = ADAMW;
    nearby[1] = "m = interp(g, m, 0.91)";
    // Those that are not finite on the probe are told apart by their structures.
    let hash = |program: &Program| hasher.hash(program).unwrap_or_else(|| structural_hash(program));
    let mut hashes: Vec<_> = zoo::entries().iter().map(|entry| hash(&entry.program())).collect();
    hashes.push(hash(&adamw(&nearby)));
    // A threshold that only large gradients reach.
    hashes.push(hash(&program(
        "w, g, lr",
        &["g = clip(g, 5.0)", "u = g * lr", "u = u * 0.1"],
        "u",
    )));
    let count = hashes.len();
    hashes.sort_unstable();
    hashes.dedup();
    assert_eq!(hashes.len(), count);
}

/// Programs that differ in the place `HERE`, and what may stand there.
const PAIRS: [(&str, [&str; 2]); 13] = [
    // A threshold above the learning rates of one probe and below those that users pass.
    (
        "def train(w, g, lr):\n  lr = HERE\n  lr = lr * 0.01\n  u = g * lr\n  return u\n",
        ["lr * 1.0", "min(lr, 2.0)"],
    ),
    // A count that begins late.
    (
        "def train(w, g, lr, t):\n  s = HERE\n  s = max(s, 0.0)\n  s = s + 1.0\n  u = g * s\n  \
         lr = lr * 0.001\n  u = u * lr\n  return u\n",
        ["t - 6.0", "t * 0.0"],
    ),
    // Gradients that are exactly zero.
    (
        "def train(w, g, lr):\n  a = abs(g)\n  s = HERE\n  lr = lr * 0.0001\n  u = s * lr\n  \
         return u\n",
        ["sign(a)", "cosh(0.0)"],
    ),
    (
        "def train(w, g, lr):\n  a = abs(g)\n  s = HERE\n  lr = lr * 0.0001\n  u = s * lr\n  \
         return u\n",
        ["sign(a)", "a / a"],
    ),
    // A comparison that turns as scales move.
    (
        "def train(w, g, m, v, lr):\n  g2 = square(g)\n  m = interp(g, m, 0.9)\n  \
         v = interp(g2, v, 0.999)\n  sqrt_v = sqrt(v)\n  u = HERE\n  lr = lr * 0.001\n  \
         u = u * lr\n  return u, m, v\n",
        ["min(m, sqrt_v)", "m * 1.0"],
    ),
    // The size of a leaf.
    (
        "def train(w, g, lr):\n  c = get_columns()\n  c = HERE\n  c = c * lr\n  c = c * 0.0001\n  \
         u = g * c\n  return u\n",
        ["min(c, 16.0)", "c * 1.0"],
    ),
    // Large gradients, negative ones above all: a sign, and a state that a sign hides.
    (
        "def train(w, g, lr):\n  s = HERE\n  s = sign(s)\n  lr = lr * 0.0001\n  u = s * lr\n  \
         return u\n",
        ["g * 1.0", "log1p(g)"],
    ),
    (
        "def train(w, g, m, lr):\n  s = interp(g, m, 0.9)\n  s = sign(s)\n  \
         m = interp(g, m, 0.99)\n  m = HERE\n  lr = lr * 0.0001\n  u = s * lr\n  return u, m\n",
        ["m * 1.0", "sinh(m)"],
    ),
    // Gradients of whole numbers, as a confident net has them.
    (
        "def train(w, g, lr):\n  s = log1p(g)\n  lr = lr * 0.0001\n  u = s * lr\n  \
         u = HERE\n  return u\n",
        ["u * 1.0", "arctan(u)"],
    ),
    // Gradients of next to nothing, where a norm is below a bound.
    (
        "def train(w, g, lr):\n  c = HERE\n  lr = lr * 0.001\n  u = clip(c, lr)\n  return u\n",
        ["g * 1.0", "g * 2.0"],
    ),
    // A leaf of many more columns than rows: of a convolution with 3 by 96, fitness was 0.06 apart.
    (
        "def train(w, g, lr):\n  r = get_rows()\n  c = get_columns()\n  i = reciprocal(c)\n  \
         r = r * i\n  r = HERE\n  u = g * r\n  u = u * lr\n  u = u * 0.0001\n  return u\n",
        ["r * 1.0", "max(r, 0.0311)"],
    ),
    // A bound that the learning rate passes at the end of a schedule.
    (
        "def train(w, g, lr):\n  lr = HERE\n  u = g * lr\n  return u\n",
        ["min(lr, 0.0017)", "min(0.5, 0.0017)"],
    ),
    // The sign of a sum.
    (
        "def train(w, g, lr):\n  d = dot(w, w)\n  s = reciprocal(w)\n  s = dot(s, d)\n  \
         s = HERE\n  u = g * s\n  u = u * lr\n  u = u * 0.0001\n  return u\n",
        ["sign(s)", "cosh(0.0)"],
    ),
];

#[test]
fn what_differs_in_training_alone_has_different_functional_hashes() {
    for hasher in [hasher(), FunctionalHasher::new(8).expect("8 is between 1 and 23")] {
        for (text, places) in PAIRS {
            let program = |place: &str| Program::parse(&text.replace("HERE", place));
            let [one, other] = places.map(|place| program(place).expect("the text parses"));
            assert!(hasher.hash(&one).is_some(), "{one}");
            assert_ne!(hasher.hash(&one), hasher.hash(&other), "{one}{other}");
        }
    }
}

#[test]
fn every_second_beta_of_lion_has_a_functional_hash_of_its_own() {
    let text = zoo::get("lion").expect("it is in the zoo").program().to_string();
    assert!(text.contains("0.99"));
    let betas = (0..34).map(|index| 0.20 + 0.76 * f64::from(index) / 33.0);
    let mut hashes: Vec<_> = betas
        .map(|beta| {
            Program::parse(&text.replace("0.99", &format!("{beta:.4}"))).expect("it parses")
        })
        .map(|program| hasher().hash(&program).expect("it is finite"))
        .collect();
    hashes.sort_unstable();
    hashes.dedup();
    assert_eq!(hashes.len(), 34);
}

#[test]
fn what_is_not_finite_on_the_probe_has_no_functional_hash() {
    let hash = |body: &[&str]| hasher().hash(&program("w, g, lr", body, "u"));
    for body in [&["c = arcsin(2.0)", "u = g * c"], &["n = log(-1.0)", "u = arccosh(n)"]] {
        assert_eq!(hash(body), None, "{body:?}");
    }
    let bodies = [["u = sign(g)", "u = u * lr"], ["u = sign(g)", "u = u * 2.0"]];
    assert_ne!(hash(&bodies[0]), hash(&bodies[1]));
}

#[test]
fn what_runs_away_on_the_probe_is_known_by_how_and_at_the_extremes() {
    let probe = Arc::new(OptimizerProbe::new(16.0).that_gives_up());
    let hasher = FunctionalHasher::with_probe(8, probe).expect("8 is between 1 and 23");
    let hash = |body: &[&str]| hasher.hash(&program("w, g, lr", body, "u"));
    // Weights that grow without an end.
    let away = hash(&["u = w * -20.0"]);
    assert!(away.is_some());
    assert_eq!(away, hash(&["d = w * 20.0", "u = negative(d)"]));
    assert_ne!(away, hash(&["u = w * -21.0"]));
    assert_ne!(away, hash(&["d = w * -20.0", "u = d + g"]));
    // Signs without a learning rate leave in one step: a second beta shows at the extremes alone.
    let signs = |beta: &str| {
        let body = ["u = interp(g, m, 0.5)", "u = sign(u)", beta];
        program("w, g, m, lr", &body, "u, m")
    };
    let [one, other] = ["m = interp(g, m, 0.9)", "m = interp(g, m, 0.6)"].map(signs);
    assert_ne!(hasher.hash(&one), hasher.hash(&other));
    assert_ne!(self::hasher().hash(&one), self::hasher().hash(&other));
}

/// Rules that leave the probe in a step or two, and of which a task of 50 steps told what the probe
/// did not: what stands at HERE, by what of the probe tells it now.
const AWAY_PAIRS: [(&str, [&str; 2]); 3] = [
    // A bound that a schedule passes at its end.
    (
        "m = interp(g, m, 0.9)\n  lr = HERE\n  u = m * lr\n  u = u * 9e3",
        ["min(lr, 0.0024)", "min(9.0, 0.0024)"],
    ),
    // A bound on what only small gradients have.
    (
        "m = interp(g, m, 0.9)\n  n = norm(m)\n  n = HERE\n  u = g * n\n  u = u * 9e2",
        ["min(n, 0.0006)", "min(9.0, 0.0006)"],
    ),
    // A state that grows slowly, and the same bent where it is large: a gentler training.
    (
        "t = log1p(g)\n  m = interp(t, m, 0.999)\n  v = HERE\n  v = sqrt(v)\n  u = g / v\n  \
         u = u * 0.001",
        ["arcsinh(m)", "m * 1.0"],
    ),
];

#[test]
fn of_what_runs_away_the_low_rates_the_small_gradients_and_the_states_count() {
    let probe = Arc::new(OptimizerProbe::new(32.0).that_gives_up());
    let hasher = FunctionalHasher::with_probe(8, probe).expect("8 is between 1 and 23");
    let alike = AWAY_PAIRS.into_iter().filter(|(body, places)| {
        let [one, other] = places.map(|place| {
            let program = program("w, g, m, lr", &[&body.replace("HERE", place)], "u, m");
            hasher.hash(&program).expect("it has one")
        });
        one == other
    });
    assert_eq!(alike.collect::<Vec<_>>(), []);
}

/// Gradient descent with a readout; `s` is how far the weights are from their moving average.
fn averaged(beta: &str, readout: &str) -> Program {
    let body = ["u = g * 0.01", "s = s - u", &format!("s = s * {beta}"), "x = u + s"];
    program("w, g, s, lr", &body, &format!("(u, {readout}), s"))
}

#[test]
fn a_readout_counts_and_one_that_is_the_update_does_not() {
    let plain = program("w, g, s, lr", &["u = g * 0.01"], "u, s");
    let same = averaged("0.9", "u");
    assert_eq!(structural_hash(&plain), structural_hash(&same));
    assert_eq!(hasher().hash(&plain), hasher().hash(&same));
    assert_eq!(same.canonical().to_string(), plain.canonical().to_string());
    let programs = [&plain, &averaged("0.9", "x"), &averaged("0.99", "x"), &averaged("0.9", "s")];
    for (index, program) in programs.iter().enumerate() {
        for other in &programs[..index] {
            assert_ne!(structural_hash(program), structural_hash(other), "{program}{other}");
            assert_ne!(hasher().hash(program), hasher().hash(other), "{program}{other}");
        }
    }
    let body = ["u = g * 0.01", "s = s - u", "s = s * 0.9", "u2 = g * 0.01", "x = s + u2"];
    let other = program("w, g, s, lr", &body, "(u2, x), s");
    assert_eq!(structural_hash(&averaged("0.9", "x")), structural_hash(&other));
    let body = ["u = g * 0.01", "d = u - s", "n = d * -0.9", "x = u - d"];
    let other = program("w, g, s, lr", &body, "(u, x), n");
    assert_ne!(hasher().hash(&averaged("0.9", "x")), hasher().hash(&other));
    let body = ["u = g * 0.01", "d = u - s", "s = d * -0.9", "x = u + s"];
    let other = program("w, g, s, lr", &body, "(u, x), s");
    assert_ne!(structural_hash(&averaged("0.9", "x")), structural_hash(&other));
    assert_eq!(hasher().hash(&averaged("0.9", "x")), hasher().hash(&other));
}

#[test]
fn hashes_are_the_same_in_every_build() {
    let program = adamw(&ADAMW);
    let functional = hasher().hash(&program).expect("it is finite").to_string();
    let found = (structural_hash(&program).to_string(), functional);
    let expected = ("4b58a9d2a982f77df8dbf05950c2e484", "a619f9a2576383312ab3a9be4e9f72d1");
    assert_eq!((found.0.as_str(), found.1.as_str()), expected);
}

/// One hash of the structures of these programs, with the version that it is one of.
fn of_all<D: Domain>(domain: &D, texts: &[&str]) -> (u32, String) {
    let structure = |text: &&str| {
        let program = domain.read(text).expect("the test's text parses");
        domain.structure(&program, &domain.analyse(&program)).0
    };
    let all: Vec<[u8; 16]> = texts.iter().map(structure).collect();
    (D::STRUCTURE_VERSION, Hash::of(&all.concat()).to_string())
}

/// Caches keep outcomes by these hashes from version to version of evo. Where this fails, programs
/// have other hashes or other programs have theirs: raise the version beside what has changed
/// (`VERSION` in `structural.rs` or `learner/canonical.rs`), and then write the new hash here.
#[test]
fn structural_hashes_are_those_that_caches_know_by_their_version() {
    let text = |name: &str| zoo::get(name).expect("the zoo has it").text;
    let optimizers = ["adamw", "lion", "muon_adamw", "adafactor", "schedule_free_adamw", "radam"];
    let expressions = [
        "def f(x):\n  z = max(x, 0.0)\n  return z\n",
        "def f(x, y):\n  z = x * x + sin(y) * 0.3 - x / y\n  return z\n",
        "def f(x):\n  z = where(x, exp(x), tanh(x) + 1.5)\n  return z\n",
    ];
    let learners = ["linear_learner", "logistic_learner", "network_learner"]
        .map(|name| LearnerZooEntry::named(name).expect("the zoo has it").text);
    let found = [
        of_all(&Optimizers::default(), &optimizers.map(text)),
        of_all(&Expressions::default(), &expressions),
        of_all(&Learners::default(), &learners),
    ];
    let known = [
        (2, "bf016d8b9e8d70273571e7b5f49094bf"),
        (2, "92289312dfe87469384b2c7451457ce3"),
        (1, "89d93de6b1ae3bc16dcca596424d57ec"),
    ];
    assert_eq!(found, known.map(|(version, hash)| (version, hash.to_owned())));
}
