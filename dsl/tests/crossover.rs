//! Crossover: children of two programs check, and compute a value of the second as it does.

use std::collections::BTreeSet;

use evo_dsl::{
    Liveness, MutationConfig, MutationWeights, Mutator, Program, Signature, Statement,
    structural_hash, zoo,
};
use evo_hashes::{Hash, Seed, StreamRng};

fn weights(crossover: f64, others: f64) -> MutationWeights {
    MutationWeights {
        insert: others,
        delete: others,
        change_argument: others,
        change_constant: others,
        change_op: others,
        swap: others,
        duplicate: others,
        crossover,
    }
}

fn mutator(weights: MutationWeights, max_statements: usize) -> Mutator {
    let config = MutationConfig { weights, max_statements, ..MutationConfig::default() };
    Mutator::new(&config).expect("the test's settings are valid")
}

fn crossing(max_statements: usize) -> Mutator {
    mutator(weights(1.0, 0.0), max_statements)
}

fn stream(index: u64) -> StreamRng {
    Seed(3).stream("crossover", index)
}

fn program(text: &str) -> Program {
    Program::parse(text).expect("the test's text parses")
}

/// A program of the zoo after many mutations.
fn wild(index: u64) -> Program {
    let mut rng = Seed(8).stream("wild", index);
    let entries = zoo::entries();
    let start = entries[index as usize % entries.len()].program();
    let mutator = mutator(weights(0.0, 1.0), start.statements().len() + 20);
    (0..30).fold(start, |it, _| mutator.mutate(&it, &mut rng))
}

/// All children of two programs by their texts, out of so many draws.
fn children(parent: &Program, mate: &Program, draws: u64) -> BTreeSet<String> {
    let child = |index| crossing(60).cross(parent, mate, &mut stream(index)).to_string();
    (0..draws).map(child).collect()
}

#[test]
fn children_of_any_two_programs_check_and_keep_header_and_limit() {
    let (mut crossed, mut longer) = (0, 0);
    for index in 0..1_500 {
        let (parent, mate) = (wild(index), wild(7 * index + 1));
        let limit = parent.statements().len() + 6;
        let child = crossing(limit).cross(&parent, &mate, &mut stream(index));
        assert!(child.statements().len() <= limit);
        assert_eq!(child.signature(), parent.signature());
        assert_eq!(child.outputs(), parent.outputs());
        // What is printed is read again, with every type checked anew.
        assert_eq!(program(&child.to_string()), child);
        crossed += u32::from(child != parent);
        longer += u32::from(child.statements().len() > parent.statements().len());
    }
    assert!(crossed > 1_200 && longer > 500, "{crossed} and {longer}");
}

#[test]
fn a_child_is_a_function_of_its_parents_and_the_stream() {
    for index in 0..50 {
        let (parent, mate) = (wild(index), wild(index + 3));
        let child = || crossing(80).cross(&parent, &mate, &mut stream(index)).to_string();
        assert_eq!(child(), child());
    }
    assert!(children(&wild(1), &wild(2), 50).len() > 10, "the stream decides");
}

/// Of a program, every live value returned as the update.
fn values(mate: &Program) -> BTreeSet<Hash> {
    let names = (0..mate.variables()).map(|index| {
        let variable = evo_dsl::Variable(u16::try_from(index).expect("few"));
        Box::from(&*mate.name(variable))
    });
    let names: Vec<Box<str>> = names.collect();
    let value = |(position, statement): (usize, &Statement)| {
        let statements = mate.statements()[..=position].to_vec();
        let signature = Signature::optimizer(0, false).expect("it has none");
        let cut = Program::new(signature, names.clone(), vec![statement.target], statements);
        structural_hash(&cut.expect("a part of a program checks"))
    };
    let live = mate.liveness();
    let statements = mate.statements().iter().enumerate();
    statements.filter(|(index, _)| live[*index] == Liveness::Live).map(value).collect()
}

#[test]
fn what_comes_in_is_a_live_value_of_the_second_as_it_is_computed_there() {
    // One live statement, so the update of a child is what came in; `w` and `lr` are overwritten
    // before it, and by statements that are dead.
    let parent = "def train(w, g, lr):
  w = cosh(g)
  lr = lr * 2.0
  update = sign(g)
  return update
";
    let (parent, start) = (program(parent), "def train(w, g, lr):\n  x = g * lr\n  return x\n");
    let grow = mutator(weights(0.0, 1.0), 25);
    let (mut rng, mut crossed) = (Seed(2).stream("mates", 0), 0);
    let mut mate = program(start);
    for index in 0..600 {
        mate = grow.mutate(&mate, &mut rng);
        let child = crossing(60).cross(&parent, &mate, &mut stream(index));
        if child != parent {
            crossed += 1;
            let update = structural_hash(&child);
            assert!(values(&mate).contains(&update), "{parent}{mate}{child}");
        }
    }
    assert!(crossed > 400, "{crossed}");
}

#[test]
fn a_slice_stands_where_the_parameters_it_reads_have_their_given_values() {
    let parent = program(
        "def train(w, g, m, lr):\n  m = g + m\n  x = m * lr\n  y = w * lr\n  x = x + y\n  return x, m\n",
    );
    let mate = program("def train(w, g, m, lr):\n  a = sign(m)\n  return a, m\n");
    let expected = [
        // In place of `m`, at once, since nothing was overwritten yet.
        "  m = sign(m)\n  x = m * lr\n  y = w * lr\n  x = x + y\n",
        // In place of `x` and `y` further up: nothing in between mentions them.
        "  x = sign(m)\n  m = g + m\n  y = w * lr\n  x = x + y\n",
        "  y = sign(m)\n  m = g + m\n  x = m * lr\n  x = x + y\n",
        // In place of the last `x`, which is another one before: copied there.
        "  v4 = sign(m)\n  m = g + m\n  x = m * lr\n  y = w * lr\n  x = v4 * 1.0\n",
    ];
    let text = |body: &str| format!("def train(w, g, m, lr):\n{body}  return x, m\n");
    let bodies = children(&parent, &mate, 200);
    let fresh = |body: &str| {
        let found = bodies.iter().find(|it| it.contains("* 1.0")).expect("it was drawn");
        let name = found.lines().nth(1).and_then(|line| line.trim().split(' ').next());
        text(&body.replace("v4", name.expect("a statement")))
    };
    assert_eq!(bodies, expected.map(fresh).into_iter().collect());
}

#[test]
fn what_the_first_is_not_given_is_not_drawn() {
    let parent = program("def train(w, g, lr):\n  x = sign(g)\n  return x\n");
    let mate = program(
        "def train(w, g, m, lr, t):\n  a = w * lr\n  b = g + m\n  a = a + b\n  c = lr * t\n  a = a * c\n  return a, b\n",
    );
    let expected = "def train(w, g, lr):\n  x = w * lr\n  return x\n";
    assert_eq!(children(&parent, &mate, 100), BTreeSet::from([expected.to_owned()]));
    // The other way round everything fits that has the type.
    assert!(children(&mate, &parent, 100).len() >= 3);
    let only_states = program("def train(w, g, m, lr):\n  a = g + m\n  return a, a\n");
    assert_eq!(children(&parent, &only_states, 20), BTreeSet::from([parent.to_string()]));
}

#[test]
fn without_a_second_program_other_kinds_take_the_share() {
    let (parent, mate) = (wild(4), wild(5));
    let both = mutator(weights(3.0, 1.0), 60);
    let others = mutator(weights(0.0, 1.0), 60);
    for index in 0..100 {
        assert_ne!(both.mutate(&parent, &mut stream(index)), parent, "some kind is possible");
        let alone = others.mutate(&parent, &mut stream(index));
        assert_eq!(others.cross(&parent, &mate, &mut stream(index)), alone, "no weight, no use");
    }
    assert_eq!(crossing(60).mutate(&parent, &mut stream(0)), parent);
}
