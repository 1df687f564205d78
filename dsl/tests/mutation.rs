//! Mutation: every child checks, every kind is reached, weights and limits are kept.

use std::collections::BTreeSet;

use evo_dsl::{
    MutationConfig, MutationWeights, Mutator, NewConstant, OpChoice, Operand, Program, Statement,
};
use evo_hashes::Seed;
use proptest::prelude::*;

const ADAMW: &str = "def train(w, g, m, v, lr):
  g2 = square(g)
  m = interp(g, m, 0.9)
  v = interp(g2, v, 0.999)
  sqrt_v = sqrt(v)
  update = m / sqrt_v
  wd = w * 0.01
  update = update + wd
  lr = lr * 0.001
  update = update * lr
  return update, m, v
";

const RAW_LION: &str = "def train(w, g, m, v, lr):
  g = clip(g, lr)
  m = clip(m, lr)
  n = norm(g)
  n = global_norm(n)
  s = sign(v)
  s = v - v
  g = arcsin(g)
  m = interp(g, v, 0.8999999761581421)
  m2 = m * m
  v = interp(g, m, 1.109133005142212)
  s = get_pi()
  lr = lr * 0.0002171761734643951
  update = m * lr
  m2 = sqrt(m2)
  update = update / m2
  wd = lr * 0.4601978361606598
  m2 = power(m2, n)
  wd = wd * w
  m = cosh(update)
  update = update + wd
  return update, m, v
";

const NOTHING: MutationWeights = MutationWeights {
    insert: 0.0,
    delete: 0.0,
    change_argument: 0.0,
    change_constant: 0.0,
    change_op: 0.0,
    swap: 0.0,
    duplicate: 0.0,
    crossover: 0.0,
};

/// Each kind by name, with the weights that allow it alone.
fn kinds() -> [(&'static str, MutationWeights); 6] {
    [
        ("insert", MutationWeights { insert: 1.0, ..NOTHING }),
        ("delete", MutationWeights { delete: 1.0, ..NOTHING }),
        ("change_argument", MutationWeights { change_argument: 1.0, ..NOTHING }),
        ("change_constant", MutationWeights { change_constant: 1.0, ..NOTHING }),
        ("change_op", MutationWeights { change_op: 1.0, ..NOTHING }),
        ("swap", MutationWeights { swap: 1.0, ..NOTHING }),
    ]
}

/// All kinds that can be told apart by their children; a duplication looks like an insertion.
const EVERYTHING: MutationWeights = MutationWeights {
    insert: 1.0,
    delete: 1.0,
    change_argument: 1.0,
    change_constant: 1.0,
    change_op: 1.0,
    swap: 1.0,
    duplicate: 0.0,
    crossover: 0.0,
};

fn program(text: &str) -> Program {
    Program::parse(text).expect("the test's text parses")
}

fn mutator(weights: MutationWeights) -> Mutator {
    let config = MutationConfig { weights, ..MutationConfig::default() };
    Mutator::new(&config).expect("the test's settings are valid")
}

/// The kind of mutation that leads from parent to child, told from the two programs alone.
fn kind_between(parent: &Program, child: &Program) -> &'static str {
    let (old, new) = (parent.statements(), child.statements());
    match new.len() as i64 - old.len() as i64 {
        1 => return "insert",
        -1 => return "delete",
        0 => {}
        other => panic!("one mutation changed the length by {other}"),
    }
    let differing: Vec<usize> = (0..old.len()).filter(|&index| old[index] != new[index]).collect();
    match differing[..] {
        [] => "none",
        [index] => kind_within(&old[index], &new[index]),
        [first, second] => {
            assert_eq!((second, old[first], old[second]), (first + 1, new[second], new[first]));
            "swap"
        }
        _ => panic!("one mutation changed {} statements", differing.len()),
    }
}

fn kind_within(old: &Statement, new: &Statement) -> &'static str {
    assert_eq!(old.target, new.target);
    if old.op != new.op {
        assert_eq!(old.args(), new.args());
        return "change_op";
    }
    let pairs: Vec<_> = old.args().iter().zip(new.args()).filter(|(old, new)| old != new).collect();
    match pairs[..] {
        [(Operand::Variable(_), Operand::Variable(_))] => "change_argument",
        [(Operand::Constant(_), Operand::Constant(_))] => "change_constant",
        _ => panic!("one mutation changed {old:?} to {new:?}"),
    }
}

#[test]
fn a_hundred_thousand_chained_children_check_and_print_to_what_they_are() {
    let mutator = mutator(EVERYTHING);
    let seed = Seed(1).purpose("chains");
    for (start, text) in [ADAMW, RAW_LION].iter().enumerate() {
        for chain in 0..50 {
            let mut parent = program(text);
            let mut rng = seed.stream(start as u64 * 1_000 + chain);
            for _ in 0..1_000 {
                // A child that does not check panics inside.
                let child = mutator.mutate(&parent, &mut rng);
                assert_ne!(kind_between(&parent, &child), "none");
                parent = child;
            }
            let printed = parent.to_string();
            assert_eq!(program(&printed).to_string(), printed);
        }
    }
}

#[test]
fn each_kind_alone_makes_only_children_of_its_kind() {
    for (name, weights) in kinds() {
        let mutator = mutator(weights);
        for (index, text) in [ADAMW, RAW_LION].iter().enumerate() {
            let parent = program(text);
            let mut children = Vec::new();
            for stream in 0..200 {
                let mut rng = Seed(index as u64).stream("kinds", stream);
                let child = mutator.mutate(&parent, &mut rng);
                let kind = kind_between(&parent, &child);
                assert!(kind == name || kind == "none" && name == "swap", "{kind} for {name}");
                children.push(child.to_string());
            }
            children.sort_unstable();
            children.dedup();
            assert!(children.len() > 1, "{name} makes but one child");
        }
    }
}

#[test]
fn a_kind_of_weight_zero_is_never_used_and_all_others_are() {
    for (left_out, alone) in kinds() {
        let weights = MutationWeights {
            insert: EVERYTHING.insert - alone.insert,
            delete: EVERYTHING.delete - alone.delete,
            change_argument: EVERYTHING.change_argument - alone.change_argument,
            change_constant: EVERYTHING.change_constant - alone.change_constant,
            change_op: EVERYTHING.change_op - alone.change_op,
            swap: EVERYTHING.swap - alone.swap,
            ..NOTHING
        };
        let mutator = mutator(weights);
        let mut seen = Vec::new();
        let mut parent = program(RAW_LION);
        let mut rng = Seed(3).stream("left out", 0);
        for _ in 0..300 {
            let child = mutator.mutate(&parent, &mut rng);
            seen.push(kind_between(&parent, &child));
            parent = child;
        }
        seen.sort_unstable();
        seen.dedup();
        let used = kinds().iter().filter(|(name, _)| seen.contains(name)).count();
        assert!(!seen.contains(&left_out), "{left_out} has weight 0");
        assert_eq!(used, 5, "{seen:?} without {left_out}");
    }
}

#[test]
fn a_duplication_adds_a_copy_before_its_original_that_differs_in_one_place() {
    let mutator = mutator(MutationWeights { duplicate: 1.0, ..NOTHING });
    for (index, text) in [ADAMW, RAW_LION].iter().enumerate() {
        let parent = program(text);
        let mut edits = Vec::new();
        for stream in 0..300 {
            let mut rng = Seed(index as u64).stream("duplicate", stream);
            let child = mutator.mutate(&parent, &mut rng);
            let (old, new) = (parent.statements(), child.statements());
            assert_eq!(new.len(), old.len() + 1);
            let place = old.iter().zip(new).position(|(old, new)| old != new);
            let place = place.expect("the copy differs from its original");
            assert_eq!(old[place..], new[place + 1..]);
            let original = new[place + 1];
            let copy = Statement::new(new[place].op, original.target, new[place].args());
            edits.push(kind_within(&original, &copy));
        }
        edits.sort_unstable();
        edits.dedup();
        assert_eq!(edits, ["change_argument", "change_constant", "change_op"]);
    }
}

#[test]
fn chained_duplications_check_and_stop_at_the_limit_of_statements() {
    let weights = MutationWeights { duplicate: 1.0, ..NOTHING };
    let config = MutationConfig { weights, ..MutationConfig::default() };
    let mutator = Mutator::new(&config).expect("the settings are valid");
    for stream in 0..100 {
        let mut rng = Seed(1).stream("chained", stream);
        let mut parent = program(RAW_LION);
        for _ in 0..50 {
            // A child that does not check panics inside.
            parent = mutator.mutate(&parent, &mut rng);
        }
        assert_eq!(parent.statements().len(), 60);
    }
}

#[test]
fn an_impossible_mutation_leaves_its_share_to_the_possible_ones() {
    let empty = program("def train(w, g, m, v, lr):\n  return g, m, v\n");
    let child = mutator(EVERYTHING).mutate(&empty, &mut Seed(1).stream("share", 0));
    assert_eq!(child.statements().len(), 1);
    let none = mutator(MutationWeights { delete: 1.0, ..NOTHING });
    let child = none.mutate(&empty, &mut Seed(1).stream("share", 1));
    assert_eq!(child, empty);
}

#[test]
fn insertion_stops_at_the_limit_of_statements() {
    let weights = MutationWeights { insert: 1.0, ..NOTHING };
    let config = MutationConfig { weights, max_statements: 12, ..MutationConfig::default() };
    let mutator = Mutator::new(&config).expect("the settings are valid");
    let mut parent = program(ADAMW);
    let mut rng = Seed(5).stream("limit", 0);
    for _ in 0..10 {
        parent = mutator.mutate(&parent, &mut rng);
    }
    assert_eq!(parent.statements().len(), 12);
}

#[test]
fn only_listed_ops_are_written_and_new_constants_can_be_one() {
    let config = MutationConfig {
        weights: MutationWeights { insert: 1.0, change_op: 1.0, ..NOTHING },
        ops: OpChoice::List(vec!["+".into(), "sign".into(), "interp".into()]),
        new_constant: NewConstant::One,
        ..MutationConfig::default()
    };
    let mutator = Mutator::new(&config).expect("the settings are valid");
    let mut parent = program("def train(w, g, m, v, lr):\n  return g, m, v\n");
    let mut rng = Seed(6).stream("ops", 0);
    for _ in 0..40 {
        parent = mutator.mutate(&parent, &mut rng);
    }
    for statement in parent.statements() {
        assert!(["+", "sign", "interp"].contains(&statement.op.info().name));
        for operand in statement.args() {
            assert!(!matches!(operand, Operand::Constant(value) if *value != 1.0));
        }
    }
}

#[test]
fn the_modern_set_writes_every_op_it_has_and_the_lion_set_none_beyond_the_45() {
    let written = |ops: OpChoice| {
        let weights = MutationWeights { insert: 1.0, delete: 0.9, change_op: 1.0, ..NOTHING };
        let mutator = Mutator::new(&MutationConfig { weights, ops, ..MutationConfig::default() });
        let mutator = mutator.expect("the settings are valid");
        let mut parent = program(ADAMW);
        let mut rng = Seed(8).stream("sets", 0);
        let mut written = BTreeSet::new();
        for _ in 0..5_000 {
            parent = mutator.mutate(&parent, &mut rng);
            written.extend(parent.statements().iter().map(|statement| statement.op.info().name));
        }
        written
    };
    let names = |set: evo_dsl::OpSet| -> BTreeSet<&str> {
        set.ops().filter(|op| op.is_usable()).map(|op| op.info().name).collect()
    };
    assert_eq!(written(OpChoice::Modern), names(evo_dsl::OpSet::Modern));
    assert_eq!(written(OpChoice::Lion45), names(evo_dsl::OpSet::Lion45));
}

#[test]
fn constants_stay_finite_and_keep_their_sign_unless_redrawn() {
    let text = "def train(w, g, m, v, lr):\n  x = g * -10000000000.0\n  return x, m, v\n";
    let config = MutationConfig {
        weights: MutationWeights { change_constant: 1.0, ..NOTHING },
        fresh_constant: 0.0,
        ..MutationConfig::default()
    };
    let mutator = Mutator::new(&config).expect("the settings are valid");
    let mut parent = program(text);
    let mut rng = Seed(7).stream("constants", 0);
    for _ in 0..1_000 {
        parent = mutator.mutate(&parent, &mut rng);
        let Operand::Constant(value) = parent.statements()[0].args()[1] else {
            panic!("a constant stays a constant")
        };
        assert!((-1e10..0.0).contains(&value), "{value}");
    }
}

#[test]
fn settings_that_cannot_be_drawn_from_are_refused_by_key() {
    let refused = |config: MutationConfig| {
        Mutator::new(&config).err().map(|error| error.to_string()).unwrap_or_default()
    };
    let base = MutationConfig::default;
    let negative = MutationWeights { swap: -1.0, ..NOTHING };
    let cases = [
        (MutationConfig { weights: negative, ..base() }, "mutation.weights.swap"),
        (MutationConfig { weights: NOTHING, ..base() }, "mutation.weights:"),
        (MutationConfig { fresh_constant: 1.5, ..base() }, "mutation.fresh_constant"),
        (MutationConfig { max_statements: 10_001, ..base() }, "mutation.max_statements"),
        (MutationConfig { ops: OpChoice::List(vec![]), ..base() }, "mutation.ops:"),
        (
            MutationConfig { ops: OpChoice::List(vec!["sgn".into()]), ..base() },
            "did you mean `sign`",
        ),
        (
            MutationConfig { ops: OpChoice::List(vec!["invert".into()]), ..base() },
            "mutation.ops[0]",
        ),
        (MutationConfig { ops: OpChoice::AutomlZero, ..base() }, "a learner's"),
    ];
    for (config, expected) in cases {
        let message = refused(config);
        assert!(message.contains(expected), "{message:?} does not name {expected}");
    }
}

proptest! {
    #[test]
    fn the_same_stream_gives_the_same_child(seed in any::<u64>(), index in any::<u64>()) {
        let mutator = mutator(MutationWeights::default());
        let mut children = [program(RAW_LION), program(RAW_LION)];
        for child in &mut children {
            let mut rng = Seed(seed).stream("breed", index);
            for _ in 0..20 {
                *child = mutator.mutate(child, &mut rng);
            }
        }
        prop_assert_eq!(children[0].to_string(), children[1].to_string());
    }

    #[test]
    fn any_valid_weights_and_limits_make_children_that_check(
        seed in any::<u64>(),
        weights in proptest::array::uniform7(prop_oneof![Just(0.0), 0.01..10.0]),
        max_statements in 0..40usize,
        fresh_constant in 0.0..=1.0,
        modern: bool,
    ) {
        prop_assume!(weights.iter().any(|weight| *weight > 0.0));
        let [insert, delete, change_argument, change_constant, change_op, swap, duplicate] = weights;
        let weights =
            MutationWeights { insert, delete, change_argument, change_constant, change_op, swap, duplicate, crossover: 0.0 };
        let ops = if modern { OpChoice::Modern } else { OpChoice::Lion45 };
        let config =
            MutationConfig { weights, ops, max_statements, fresh_constant, ..MutationConfig::default() };
        let mutator = Mutator::new(&config).expect("the settings are valid");
        let mut parent = program(ADAMW);
        let mut rng = Seed(seed).stream("breed", 0);
        for _ in 0..200 {
            parent = mutator.mutate(&parent, &mut rng);
        }
        prop_assert!(parent.statements().len() <= max_statements.max(9));
    }
}
