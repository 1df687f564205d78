//! Compute graphs, scored and looked at: isomorphic ones are one to the bit, those that compute the
//! same have one behaviour, and others have not.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use evo_domain::{Domain, Evaluator, Outcome, Trial};
use evo_graphs::{Graph, GraphMutation, GraphMutator, GraphProbe, GraphWeights, Graphs};
use evo_hashes::{Hash, Seed};

use super::{GraphConfig, GraphJudges};
use crate::EvaluatorError;

/// A configuration with what is said here in the place of what it has.
fn config(said: &str) -> GraphConfig {
    let text = format!("(data: Digits, batch_size: 16, learning_rate: 5.0, {said})");
    ron::from_str(&text).expect(&text)
}

/// Two stacks, of 4 and 2 pixels a side.
const SMALL: &str = "steps: 8, network: (width: 4, stem_stride: 2)";

fn judges(said: &str) -> GraphJudges {
    GraphJudges::new(&config(said), Path::new("")).expect("digits are there")
}

fn graph(body: &str) -> Graph {
    Graph::parse(&format!("def cell(x):\n{body}")).expect(body)
}

fn fitness(outcome: &Outcome) -> f64 {
    match outcome {
        Outcome::Scored(score) => score.fitness,
        other => panic!("{other:?}"),
    }
}

fn outcome(evaluator: &impl Evaluator<Graph>, graph: &Graph) -> Outcome {
    evaluator.evaluate(&[Trial::of(graph)]).remove(0)
}

fn behaviour(judges: &GraphJudges, graph: &Graph) -> Hash {
    judges.probe(8).expect("8 bits").behaviour(graph).expect("it is finite")
}

#[test]
fn isomorphic_graphs_have_one_outcome_and_one_behaviour_to_the_bit() {
    let judges = judges(SMALL);
    let mutator = GraphMutator::new(&GraphMutation::default()).expect("the defaults");
    for index in 0..6 {
        let one = mutator.random(&mut Seed(7).stream("isomorphic", index));
        let other = one.canonical();
        assert_eq!(outcome(&judges.search, &one), outcome(&judges.search, &other), "{one}");
        assert_eq!(behaviour(&judges, &one), behaviour(&judges, &other), "{one}");
    }
    let first = graph("a = conv3x3(x)\nb = conv1x1(x)\nc = conv3x3(a + b)\nreturn concat(a, c)");
    let other = graph(
        "z = conv1x1()\na = conv1x1(x)\nb = conv3x3(x + z)\nc = conv3x3(a + b)\n\
                       return concat(b, c)",
    );
    assert_ne!(first, other);
    assert_eq!(outcome(&judges.search, &first), outcome(&judges.search, &other));
}

#[test]
fn graphs_that_compute_the_same_have_one_behaviour_and_nearly_one_outcome() {
    let small = judges(SMALL);
    let pools = |count: usize| {
        let mut body = "a = maxpool3x3(x)\n".to_owned();
        for name in ["b", "c", "d", "e"].iter().take(count - 1).zip(["a", "b", "c", "d"]) {
            body += &format!("{} = maxpool3x3({})\n", name.0, name.1);
        }
        graph(&format!("{body}return concat({})", ["a", "b", "c", "d", "e"][count - 1]))
    };
    let equal = [
        // One pool that two layers read, or one for each of them.
        (
            graph(
                "a = maxpool3x3(x)\nb = conv3x3(a)\nc = conv3x3(a)\nd = conv1x1(b)\n\
                   return concat(c, d)",
            ),
            graph(
                "a = maxpool3x3(x)\ne = maxpool3x3(x)\nb = conv3x3(a)\nc = conv3x3(e)\n\
                   d = conv1x1(b)\nreturn concat(c, d)",
            ),
        ),
        // The largest of twice the numbers is twice the largest number.
        (
            graph(
                "a = maxpool3x3(x)\nb = maxpool3x3(x)\nc = maxpool3x3(a + b)\nd = conv3x3(c)\n\
                 return concat(d)",
            ),
            graph(
                "a = maxpool3x3(x)\nb = maxpool3x3(a)\nc = maxpool3x3(a)\nd = conv3x3(b + c)\n\
                 return concat(d)",
            ),
        ),
        // Of images of 4 pixels a side and less three pools are the largest number of all.
        (pools(3), pools(4)),
        (pools(3), pools(5)),
    ];
    for (one, other) in &equal {
        assert_ne!(one.canonical(), other.canonical());
        assert_eq!(behaviour(&small, one), behaviour(&small, other), "{one}{other}");
        let fitness = |graph| fitness(&outcome(&small.search, graph));
        assert!((fitness(one) - fitness(other)).abs() < 1e-4, "{one}{other}");
    }
    // Not so of larger images.
    let large = judges("steps: 8, network: (width: 4)");
    assert_ne!(behaviour(&large, &pools(3)), behaviour(&large, &pools(4)));
}

#[test]
fn graphs_that_meet_in_behaviour_train_alike_from_other_weights() {
    let judges = judges("steps: 6, first_repeat: 3, network: (width: 4, stem_stride: 2)");
    let mutator = GraphMutator::new(&GraphMutation::default()).expect("the defaults");
    let rng = &mut Seed(1).stream("walk", 0);
    let mut graphs: BTreeSet<Graph> = (0..800).map(|_| mutator.random(rng).canonical()).collect();
    // Where there are pools, more of them compute the same.
    let pools = graph(
        "a = maxpool3x3(x)\nb = maxpool3x3(a)\nc = conv3x3(b)\nd = maxpool3x3(c)\ne = conv1x1(d)\n\
         return concat(e)",
    );
    let weights = GraphWeights {
        change_op: 0.0,
        add_layer: 0.0,
        remove_layer: 0.0,
        ..GraphWeights::default()
    };
    let flips = GraphMutation { weights, ..GraphMutation::default() };
    let domain = Graphs::new(&flips, Arc::new(judges.probe(8).expect("8 bits"))).expect("fine");
    for _ in 0..60 {
        let mut walk = pools.clone();
        for _ in 0..10 {
            walk = domain.mutate(&walk, rng).0;
            graphs.insert(walk.canonical());
        }
    }
    let (mut first, mut met) = (BTreeMap::new(), 0);
    for graph in &graphs {
        let Some(behaviour) = judges.probe(8).expect("8 bits").behaviour(graph) else { continue };
        let other = first.entry(behaviour).or_insert(graph);
        if *other != graph {
            met += 1;
            let fitness = |graph| fitness(&outcome(&judges.search, graph));
            assert!((fitness(graph) - fitness(other)).abs() < 1e-4, "{graph}{other}");
        }
    }
    assert!(met >= 5 && met < graphs.len() / 5, "{met} of {}", graphs.len());
}

#[test]
fn repeats_are_seeds_of_their_own_and_a_fitness_is_their_mean() {
    let cell = graph("a = conv3x3(x)\nreturn concat(a)");
    let of = |said: &str| {
        let Outcome::Scored(score) = outcome(&judges(&format!("{SMALL}, {said}")).search, &cell)
        else {
            panic!("it trains")
        };
        score.runs[0].runs.iter().map(|run| (run.repeat, run.loss)).collect::<Vec<_>>()
    };
    let both = of("repeats: 2");
    assert_eq!(both[..1], of("repeats: 1"));
    assert_eq!(both[1..], of("first_repeat: 1"));
    assert_ne!(both[0].1, both[1].1);
}

#[test]
fn cells_learn_and_are_measured_on_images_that_no_fitness_is_of() {
    let text = "(data: Digits, batch_size: 32, steps: 100, learning_rate: 8.0, fresh_repeats: 1,
                 schedule: Trapezoid(cooldown_steps: 50), network: (stem_stride: 2))";
    let config: GraphConfig = ron::from_str(text).expect(text);
    let judges = GraphJudges::new(&config, Path::new("")).expect("digits are there");
    let cell = graph("a = conv3x3(x)\nb = conv3x3(a)\nreturn concat(x, b)");
    let [search, held_out] = [&judges.search, &judges.held_out]
        .map(|evaluator| evaluator.measure(&cell).expect("candle takes it").expect("it trains"));
    assert!(search.accuracy > 0.7 && held_out.accuracy > 0.7, "{search:?} {held_out:?}");
    assert!(search.loss != held_out.loss && search.loss < 1.2, "{search:?} {held_out:?}");
    assert_eq!(fitness(&outcome(&judges.search, &cell)), -search.loss);
    // stem, convolution between stacks, four cell convolutions, projections, classes.
    let (stem, between) = (9 * 8 + 16, 9 * 8 * 16 + 32);
    let cell_of = |width: usize| 2 * (9 * width * width + 2 * width) + 2 * width * width;
    let weights = stem + between + cell_of(8) + cell_of(16) + 16 * 10 + 10;
    assert_eq!(judges.search.weights(&cell), weights);
}

#[test]
fn what_cannot_be_trained_is_refused_at_its_key() {
    let key = |text: &str| {
        let config: GraphConfig = ron::from_str(text).expect(text);
        match GraphJudges::new(&config, Path::new("")) {
            Err(EvaluatorError::Config { key, .. } | EvaluatorError::Data { key, .. }) => key,
            other => panic!("{text}: {other:?}"),
        }
    };
    let said = |said: &str| format!("(data: Digits, batch_size: 16, steps: 8, {said})");
    for (text, expected) in [
        ("learning_rate: 0.0", "learning_rate"),
        ("learning_rate: 1.0, divergence: -1.0", "divergence"),
        ("learning_rate: 1.0, held_out_share: 1.0", "held_out_share"),
        ("learning_rate: 1.0, network: (stacks: 17)", "network.stacks"),
        ("learning_rate: 1.0, network: (cells: 51)", "network.cells"),
        ("learning_rate: 1.0, network: (stem_stride: 9)", "network.stem_stride"),
        ("learning_rate: 1.0, network: (width: 18446744073709551615)", "network"),
        ("learning_rate: 1.0, network: (width: 100000)", "network"),
        ("learning_rate: 1.0, repeats: 1001", "repeats"),
        ("learning_rate: 1.0, first_repeat: 4294967295", "first_repeat"),
        ("learning_rate: 1.0, schedule: Cosine(warmup_steps: 8)", "schedule.warmup_steps"),
    ] {
        assert_eq!(key(&said(text)), expected, "{text}");
    }
    for (data, expected) in [
        ("Letter", "data"),
        ("Shakespeare", "data"),
        ("None", "data"),
        ("Idx(images: \"nowhere\", labels: \"nowhere\")", "data.images"),
    ] {
        let text = format!("(data: {data}, batch_size: 16, steps: 8, learning_rate: 1.0)");
        assert_eq!(key(&text), expected, "{data}");
    }
    let large = "(data: Digits, batch_size: 1000000000, steps: 8, learning_rate: 1.0)";
    assert_eq!(key(large), "batch_size");
}
