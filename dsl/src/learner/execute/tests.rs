use evo_hashes::Seed;
use proptest::prelude::*;
use rand::RngExt;

use super::*;
use crate::learner::task::normal;
use crate::{
    LearnerDraws, LearnerExamples, LearnerFunction, LearnerLoss, LearnerOp, LearnerStatement,
    LearnerType,
};

/// A task whose labels any learner may fail at.
fn task(n: usize, epochs: usize, examples: usize, seed: u64) -> LearnerTask {
    let mut rng = Seed(seed).stream("task", n as u64);
    let mut some = |count: usize| LearnerExamples {
        features: (0..count * n).map(|_| normal(&mut rng)).collect(),
        labels: (0..count).map(|_| normal(&mut rng)).collect(),
    };
    let (epochs, validation) = ((0..epochs).map(|_| some(examples)).collect(), some(7));
    LearnerTask { n, epochs, validation, draws: LearnerDraws::new(&mut rng) }
}

/// A statement drawn from all there are, among few addresses so that they meet.
fn statement(rng: &mut evo_hashes::StreamRng) -> LearnerStatement {
    let ops: Vec<LearnerOp> = LearnerOp::all().collect();
    let op = ops[rng.random_range(0..ops.len())];
    let shape = op.shape();
    let mut statement = LearnerStatement { op, ..LearnerStatement::NO_OP };
    for (ty, address) in shape.inputs.iter().zip(&mut statement.inputs) {
        if ty.is_some() {
            *address = rng.random_range(0..4);
        }
    }
    if let Some(ty) = shape.output {
        let least = u8::from(ty != LearnerType::Matrix);
        statement.output = rng.random_range(least..4);
    }
    for constant in &mut statement.constants[..usize::from(shape.constants)] {
        *constant = rng.random_range(-1.0..1.0);
    }
    statement
}

fn learner(seed: u64, lengths: [usize; 3]) -> LearnerProgram {
    let mut rng = Seed(seed).stream("learner", 0);
    let functions = lengths.map(|length| (0..length).map(|_| statement(&mut rng)).collect());
    let [setup, predict, learn]: [Vec<LearnerStatement>; 3] = functions;
    LearnerProgram::new([&setup, &predict, &learn]).expect("statements are drawn sound")
}

/// Both engines on the same tasks.
fn agree(program: &LearnerProgram, tasks: &[LearnerTask], training: LearnerTraining) {
    let fast = LearnerTasks::new(tasks, training).fitness(program);
    let slow: Vec<f64> = tasks.iter().map(|task| task.fitness(program, training)).collect();
    let bits = |x: &[f64]| x.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
    assert_eq!(bits(&fast), bits(&slow), "{fast:?} {slow:?}\n{program}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, ..ProptestConfig::default() })]

    #[test]
    fn the_engines_agree_to_the_bit(
        seed: u64,
        lengths in [0_usize..8, 0_usize..12, 0_usize..12],
        n in prop::sample::select(&[1_usize, 2, 3, 4, 8, 16][..]),
        tasks in prop::sample::select(&[1_usize, 7, 8, 9, 16, 17][..]),
        epochs in 1_usize..3,
        accuracy: bool,
        most_error in prop::sample::select(&[0.7, 2.0, 1e300][..]),
    ) {
        let tasks: Vec<LearnerTask> =
            (0..tasks as u64).map(|index| task(n, epochs, 9, seed ^ index)).collect();
        let loss = if accuracy { LearnerLoss::Accuracy } else { LearnerLoss::RootMeanSquare };
        agree(&learner(seed, lengths), &tasks, LearnerTraining { loss, most_error });
    }
}

/// Random learners seldom have a prediction that depends on much.
#[test]
fn the_engines_agree_on_every_op_where_it_decides_the_prediction() {
    let tasks: Vec<LearnerTask> = (0..3).map(|index| task(4, 1, 9, index)).collect();
    let training = LearnerTraining { loss: LearnerLoss::RootMeanSquare, most_error: 1e300 };
    for op in LearnerOp::all() {
        for seed in 0..20 {
            let mut rng = Seed(seed).stream("op", u64::from(op.number()));
            let mut tested = loop {
                let drawn = statement(&mut rng);
                if drawn.op == op {
                    break drawn;
                }
            };
            // Also where the result stands in place of an argument.
            tested.output = u8::from(op.info().output.is_some());
            let text = "def Setup():\n  v1 = gaussian(0.1, 1.0, n_features)\n  s2 = 0.4\n  \
                        v2 = uniform(-1.0, 1.0, n_features)\n  m1 = outer(v1, v2)\n  \
                        m2 = gaussian(0.0, 1.0, (n_features, n_features))\n  \
                        m3 = uniform(0.5, 2.0, (n_features, n_features))\n  \
                        m0 = transpose(m2)\n  s3 = -0.7\ndef Predict():\n  v3 = dot(m1, v0)\n  \
                        s1 = dot(v3, v1)\n";
            let mut functions = LearnerProgram::parse(text)
                .map(|it| LearnerFunction::ALL.map(|function| it.function(function).to_vec()))
                .expect("it is one");
            functions[1].insert(0, tested);
            functions[2].push(tested);
            let [setup, predict, learn] = &functions;
            let program = LearnerProgram::new([setup, predict, learn]).expect("it is sound");
            agree(&program, &tasks, training);
        }
    }
}

/// Run for a block of examples at once, a statement that sets a part of a value did so for the
/// first of them alone.
#[test]
fn a_part_of_a_value_is_set_for_every_example_of_a_block() {
    let tasks: Vec<LearnerTask> = (0..3).map(|index| task(4, 1, 20, index)).collect();
    let training = LearnerTraining { loss: LearnerLoss::RootMeanSquare, most_error: 1e300 };
    for set in ["v1[0.3] = 0.7", "m1 = outer(v0, v1)\n  m1[0.3, 0.9] = 0.7\n  v1 = dot(m1, v0)"] {
        let text = format!("def Predict():\n  v1 = v0 + v0\n  {set}\n  s1 = dot(v1, v0)\n");
        let program = LearnerProgram::parse(&text).expect("the tests hold learners");
        agree(&program, &tasks, training);
    }
}

#[test]
fn the_zoo_learns_what_it_is_for() {
    let network = crate::LearnerZooEntry::named("network_learner").expect("it is there");
    let linear = crate::LearnerZooEntry::named("linear_learner").expect("it is there");
    let labelled = |seed: u64| {
        let mut task = task(4, 1, 1000, seed);
        let label = |x: &[f64]| x[0] - 0.5 * x[1] + 0.25 * x[3];
        for examples in task.epochs.iter_mut().chain([&mut task.validation]) {
            let labels = examples.features.chunks_exact(4).map(label);
            examples.labels = labels.collect();
        }
        task
    };
    let tasks: Vec<LearnerTask> = (0..10).map(labelled).collect();
    let training = LearnerTraining { loss: LearnerLoss::RootMeanSquare, most_error: 100.0 };
    let packed = LearnerTasks::new(&tasks, training);
    assert!(packed.fitness(&linear.program()).iter().all(|fitness| *fitness > 0.9999));
    assert!(packed.fitness(&network.program()).iter().all(|fitness| *fitness > 0.8));
    agree(&network.program(), &tasks[..2], training);
}

#[test]
fn behaviours_join_what_predicts_alike_and_keep_the_rest_apart() {
    let tasks: Vec<LearnerTask> = (0..10).map(|index| task(4, 1, 20, index)).collect();
    let training = LearnerTraining { loss: LearnerLoss::RootMeanSquare, most_error: 100.0 };
    let tasks = LearnerTasks::new(&tasks, training);
    let hash = |text: &str| {
        let program = LearnerProgram::parse(text).expect("the tests hold learners");
        LearnerExecutor::new().behaviour(&program, &tasks)
    };
    let base = "def Setup():\n  s2 = 0.1\ndef Predict():\n  s1 = dot(v1, v0)\ndef Learn():\n  \
                s3 = s0 - s1\n  s3 = s2 * s3\n  v2 = s3 * v0\n  v1 = v1 + v2\n";
    let scaled = base.replace("s3 = s2 * s3\n  v2 = s3 * v0", "v2 = s2 * v0\n  v2 = s3 * v2");
    assert_eq!(hash(base), hash(&scaled));
    assert_ne!(hash(base), hash(&base.replace("0.1", "0.1001")));
    assert_ne!(hash(base), hash(&base.replace("s0 - s1", "s1 - s0")));
    // All that end at once are one, however they do.
    let ends = |value: &str| {
        hash(&format!("def Setup():\n  s2 = {value}\ndef Predict():\n  s1 = s2 * s2\n"))
    };
    assert_eq!(ends("1000.0"), ends("1e200"));
    assert!(ends("1000.0").is_some());
}
