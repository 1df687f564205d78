use evo_hashes::{Seed, StreamRng};
use proptest::prelude::*;
use rand::RngExt;

use super::*;
use crate::learner::drawn;
use crate::learner::task::normal;
use crate::{
    LearnerDraws, LearnerExamples, LearnerLoss, LearnerOp, LearnerTask, LearnerTasks,
    LearnerTraining,
};

fn learner(text: &str) -> LearnerProgram {
    LearnerProgram::parse(text).expect("the tests hold learners")
}

fn simplified(text: &str) -> String {
    let program = learner(text);
    let simplified = program.simplified();
    assert!(program.is_same_as(&simplified), "{simplified}");
    simplified.to_string()
}

#[test]
fn copies_by_way_of_a_zero_and_values_made_twice_go() {
    let text = "def Setup():
  s2 = 0.1
  s3 = 1.0
def Predict():
  s5 = dot(v1, v0)
  s1 = s5 * s3
def Learn():
  s4 = s0 - s1
  s6 = s0 - s1
  s6 = s6 - s7
  v2 = s4 * v0
  v3 = s6 * v0
  v3 = s2 * v3
  v1 = v1 + v3
";
    let expected = "def Setup():
  s2 = 0.1
def Predict():
  s1 = dot(v0, v1)
def Learn():
  s3 = s0 - s1
  v2 = s3 * v0
  v2 = s2 * v2
  v1 = v1 + v2
";
    assert_eq!(learner(&simplified(text)).structural_hash(), learner(expected).structural_hash());
}

#[test]
fn constants_are_folded_where_nothing_rewrites_them() {
    let text = "def Setup():\n  s2 = 0.1\n  s3 = 0.5\n  s2 = s2 * s3\ndef Predict():\n  \
                s4 = exp(s3)\n  s4 = s4 * s2\n  s1 = norm(v0)\n  s1 = s1 * s4\n";
    let folded = 0.1 * 0.5 * libm::exp(0.5);
    let found = simplified(text);
    assert!(found.contains(&format!("= {:?}", libm::exp(0.5) * (0.1 * 0.5))), "{folded} {found}");
    assert_eq!(learner(&found).statements().len(), 3, "{found}");
    let rewritten = text.to_owned() + "def Learn():\n  s3 = s3 * s0\n";
    assert!(simplified(&rewritten).contains("exp"), "{}", simplified(&rewritten));
}

#[test]
fn what_two_addresses_hold_from_example_to_example_is_held_once() {
    let text = "def Setup():\n  s2 = 0.1\n  v1 = bcast(s2)\n  v2 = bcast(s2)\ndef Predict():\n  \
                s3 = dot(v2, v0)\n  s1 = dot(v1, v0)\n  s1 = s1 * s3\ndef Learn():\n  \
                v3 = s1 * v0\n  v1 = v1 + v3\n  v2 = v2 + v3\n";
    let found = simplified(text);
    assert_eq!(found.matches(" + ").count(), 1, "{found}");
    assert_eq!(found.matches("bcast").count(), 1, "{found}");
    assert_eq!(found.matches("dot").count(), 1, "{found}");
}

#[test]
fn what_is_not_exact_stays() {
    for text in [
        // x + 0 at -0, x * 0 at infinity, x - x at NaN.
        "def Predict():\n  s2 = mean(v0)\n  s1 = s2 + s5\n",
        "def Predict():\n  s2 = mean(v0)\n  s1 = s2 * s5\n",
        "def Predict():\n  s2 = mean(v0)\n  s1 = s2 - s2\n",
        // The step of a scalar is 1 at 0, and that of a step always.
        "def Predict():\n  s2 = mean(v0)\n  s1 = heaviside(s2, 1.0)\n",
        // Sums depend on how many there are.
        "def Setup():\n  s2 = 0.1\n  v1 = bcast(s2)\ndef Predict():\n  s1 = dot(v1, v1)\n",
        // Two random numbers are two.
        "def Setup():\n  s2 = gaussian(0.0, 1.0)\n  s3 = gaussian(0.0, 1.0)\ndef Predict():\n  \
         s1 = s2 - s3\n",
        // The task may put another number in place of the prediction.
        "def Predict():\n  s1 = norm(v0)\n  s1 = s1 * s2\ndef Learn():\n  s2 = s1 + s0\n",
    ] {
        let program = learner(text);
        assert_eq!(program.simplified().structural_hash(), program.structural_hash(), "{text}");
    }
    let twice = "def Predict():\n  s2 = mean(v0)\n  s2 = heaviside(s2, 1.0)\n  \
                 s1 = heaviside(s2, 1.0)\n";
    assert!(simplified(twice).contains("s1 = 1.0"), "{}", simplified(twice));
}

#[test]
fn a_random_op_is_not_dropped_where_others_draw_behind_it() {
    let text = "def Setup():\n  s2 = gaussian(0.0, 1.0)\n  s2 = heaviside(s2, 1.0)\n  \
                s2 = heaviside(s2, 1.0)\n  s3 = gaussian(0.0, 1.0)\ndef Predict():\n  \
                s1 = s2 * s3\n";
    // The first decides nothing, and moves what the second draws.
    assert_eq!(simplified(text).matches("gaussian").count(), 2, "{}", simplified(text));
    let range = "def Setup():\n  s2 = uniform(0.5, -0.5)\ndef Predict():\n  s1 = s2 * s2\n";
    assert_eq!(simplified(range), "def Setup():\ndef Predict():\n  s1 = 0.25\ndef Learn():\n");
}

#[test]
fn the_zoo_is_as_short_as_it_can_be() {
    for entry in crate::LearnerZooEntry::all() {
        let program = entry.program();
        let found = program.simplified();
        assert!(program.is_same_as(&found));
        assert_eq!(found.statements().len(), program.statements().len(), "{found}");
    }
}

#[test]
fn learners_that_differ_are_told_apart() {
    let base = "def Setup():\n  s2 = 0.1\ndef Predict():\n  s1 = dot(v1, v0)\ndef Learn():\n  \
                s3 = s0 - s1\n  s3 = s2 * s3\n  v2 = s3 * v0\n  v1 = v1 + v2\n";
    let program = learner(base);
    for (from, to, same) in [
        ("s2 = 0.1", "s2 = 0.1\n  s2 = s2 * s7", false),
        ("v1 + v2", "v2 + v1", true),
        ("v1 + v2", "v1 - v2", false),
        ("s0 - s1", "s1 - s0", false),
        ("def Learn():", "def Learn():\n  s1 = s1 * s2", false),
        ("v1 = v1 + v2", "v1 = v1 + v2\n  s2 = s2 - s9", true),
        ("v1 = v1 + v2", "v1 = v1 + v2\n  v1[0.5] = 0.0", false),
    ] {
        let other = learner(&base.replace(from, to));
        assert_eq!(program.is_same_as(&other), same, "{from} -> {to}");
        assert_eq!(other.is_same_as(&program), same, "{to} -> {from}");
    }
}

/// A statement of any op, constants being such that identities hold of them now and then.
fn statement(rng: &mut StreamRng) -> LearnerStatement {
    let ops: Vec<LearnerOp> = LearnerOp::all().collect();
    let often = [
        LearnerOp::ScalarSum,
        LearnerOp::ScalarDiff,
        LearnerOp::ScalarProduct,
        LearnerOp::VectorSum,
        LearnerOp::ScalarVectorProduct,
        LearnerOp::ScalarConstSet,
        LearnerOp::VectorInnerProduct,
    ];
    let op = match rng.random_range(0..2) {
        0 => ops[rng.random_range(0..ops.len())],
        _ => often[rng.random_range(0..often.len())],
    };
    let constant =
        |rng: &mut StreamRng| [1.0, 0.0, -0.0, 0.5, 2.0, -1.0, 0.3][rng.random_range(0..7)];
    drawn::statement(op, 5, constant, rng)
}

fn random(seed: u64, lengths: [usize; 3]) -> LearnerProgram {
    drawn::learner(seed, lengths, statement)
}

fn task(n: usize, seed: u64) -> LearnerTask {
    let mut rng = Seed(seed).stream("task", n as u64);
    let mut some = |count: usize| LearnerExamples {
        // Zeros of both signs are among the features.
        features: (0..count * n)
            .map(|at| if at % 5 == 4 { [0.0, -0.0][at % 2] } else { normal(&mut rng) })
            .collect(),
        labels: (0..count).map(|_| normal(&mut rng)).collect(),
    };
    let (epochs, validation) = (vec![some(6), some(6)], some(5));
    LearnerTask { n, epochs, validation, draws: LearnerDraws::new(&mut rng) }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn a_simplified_learner_predicts_the_same_to_the_bit_and_is_no_longer(
        seed: u64,
        lengths in [0_usize..8, 1_usize..12, 0_usize..12],
        n in prop::sample::select(&[1_usize, 2, 4][..]),
        accuracy: bool,
    ) {
        let program = random(seed, lengths);
        let found = program.simplified();
        prop_assert!(found.statements().len() <= program.live().statements().len());
        prop_assert!(program.is_same_as(&found));
        prop_assert!(found.simplified() == found, "{}", found);
        let tasks: Vec<LearnerTask> = (0..3).map(|index| task(n, seed ^ index)).collect();
        let loss = if accuracy { LearnerLoss::Accuracy } else { LearnerLoss::RootMeanSquare };
        let training = LearnerTraining { loss, most_error: 1e300 };
        let tasks = LearnerTasks::new(&tasks, training);
        let bits = |it: &LearnerProgram| {
            tasks.fitness(it).iter().map(|it| it.to_bits()).collect::<Vec<_>>()
        };
        prop_assert_eq!(bits(&program), bits(&found), "{}\n{}", program, found);
        let mut interpreted = [&program, &found].map(|it| predictions(it, n, seed));
        for prediction in interpreted.iter_mut().flatten().filter(|it| it.is_nan()) {
            *prediction = f64::NAN;
        }
        let [expected, found_ones] =
            interpreted.map(|it| it.iter().map(|it| it.to_bits()).collect::<Vec<_>>());
        prop_assert_eq!(expected, found_ones, "{}\n{}", program, found);
    }
}

/// Every other statement makes what the first has made, so proofs are many.
#[test]
fn the_longest_that_are_looked_at_are_simplified_in_a_moment() {
    let mut text = "def Predict():\n  s2 = norm(v0)\n  s3 = mean(v0)\n".to_owned();
    for index in 0..97 {
        let address = 4 + index % 50;
        text += &format!("  s{address} = s2 * s3\n  s1 = s1 + s{address}\n");
    }
    let program = learner(&text);
    assert_eq!(program.live().statements().len(), 196);
    assert_eq!(program.simplified().statements().len(), 100);
}

/// What the interpreter predicts, which a fitness shows in part.
fn predictions(program: &LearnerProgram, n: usize, seed: u64) -> Vec<f64> {
    use crate::{Draw, LearnerFunction, LearnerInterpreter};
    struct Drawing(evo_hashes::StreamRng);
    impl Draw for Drawing {
        fn uniform(&mut self) -> f64 {
            self.0.random_range(0.01..0.99)
        }
        fn normal(&mut self) -> f64 {
            normal(&mut self.0)
        }
    }
    let task = task(n, seed);
    let mut draw = Drawing(Seed(seed).stream("draws", 0));
    let mut learner = LearnerInterpreter::new(program, n);
    learner.run(LearnerFunction::Setup, &mut draw);
    let mut found = Vec::new();
    for (index, examples) in [&task.epochs[0], &task.validation].into_iter().enumerate() {
        for (at, label) in examples.labels.iter().enumerate() {
            learner.set_features(&examples.features[at * n..][..n]);
            learner.set_label(0.0);
            learner.run(LearnerFunction::Predict, &mut draw);
            found.push(learner.prediction());
            if index == 0 {
                learner.set_prediction(learner.prediction() * [1.0, 0.5][at % 2]);
                learner.set_label(*label);
                learner.run(LearnerFunction::Learn, &mut draw);
            }
        }
    }
    found
}
