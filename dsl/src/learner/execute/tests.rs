use evo_hashes::{Seed, StreamRng};
use proptest::prelude::*;
use rand::RngExt;

use super::*;
use crate::learner::drawn;
use crate::learner::task::normal;
use crate::{
    LearnerDraws, LearnerExamples, LearnerFunction, LearnerLoss, LearnerOp, LearnerStatement,
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
fn statement(rng: &mut StreamRng) -> LearnerStatement {
    let ops: Vec<LearnerOp> = LearnerOp::all().collect();
    let op = ops[rng.random_range(0..ops.len())];
    drawn::statement(op, 4, |rng| rng.random_range(-1.0..1.0), rng)
}

fn learner(seed: u64, lengths: [usize; 3]) -> LearnerProgram {
    drawn::learner(seed, lengths, statement)
}

/// All engines on the same tasks; how many pieces of code those that compile have compiled, each.
fn agree(program: &LearnerProgram, tasks: &[LearnerTask], training: LearnerTraining) -> u64 {
    let slow: Vec<f64> = tasks.iter().map(|task| task.fitness(program, training)).collect();
    let bits = |x: &[f64]| x.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
    let packed = LearnerTasks::new(tasks, training);
    let mut executors = LearnerExecutor::of_each_kind();
    for executor in &mut executors {
        let mut fast = Vec::new();
        executor.evaluate(program, &packed, &mut fast);
        assert_eq!(bits(&fast), bits(&slow), "{fast:?} {slow:?}\n{program}");
    }
    compiled(&executors)
}

/// How many pieces of code each of them has compiled, but for the first, which compiles none.
fn compiled(executors: &[LearnerExecutor]) -> u64 {
    let counts: Vec<u64> = executors.iter().map(|it| it.native.compiled()).collect();
    assert_eq!(counts[0], 0);
    assert!(counts[1..].windows(2).all(|pair| pair[0] == pair[1]), "{counts:?}");
    counts[counts.len() - 1]
}

const LENIENT: LearnerTraining =
    LearnerTraining { loss: LearnerLoss::RootMeanSquare, most_error: 1e300 };

/// How many pieces of code are compiled, of so many that could be; none where none can be.
fn possible(pieces: u64) -> u64 {
    if LearnerExecutor::of_each_kind().len() > 1 { pieces } else { 0 }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, ..ProptestConfig::default() })]

    #[test]
    fn the_engines_agree_to_the_bit(
        seed: u64,
        lengths in [0_usize..8, 0_usize..12, 0_usize..12],
        n in prop::sample::select(&[1_usize, 2, 3, 4, 8, 16, 32][..]),
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
    let mut compiled = 0;
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
            compiled += agree(&program, &tasks, LENIENT);
        }
    }
    // All but the elementary functions and the random draws, in training and in validation.
    assert!(compiled >= possible(51 * 20 * 2), "{compiled}");
}

/// Run for a block of examples at once, a statement that sets a part of a value did so for the
/// first of them alone.
#[test]
fn a_part_of_a_value_is_set_for_every_example_of_a_block() {
    let tasks: Vec<LearnerTask> = (0..3).map(|index| task(4, 1, 20, index)).collect();
    for set in ["v1[0.3] = 0.7", "m1 = outer(v0, v1)\n  m1[0.3, 0.9] = 0.7\n  v1 = dot(m1, v0)"] {
        let text = format!("def Predict():\n  v1 = v0 + v0\n  {set}\n  s1 = dot(v1, v0)\n");
        let program = LearnerProgram::parse(&text).expect("the tests hold learners");
        agree(&program, &tasks, LENIENT);
    }
}

#[test]
fn a_learner_with_an_op_that_is_not_compiled_runs_as_ever() {
    let tasks: Vec<LearnerTask> = (0..3).map(|index| task(4, 2, 20, index)).collect();
    let compiled = |predict: &str, learn: &str| {
        let text = format!(
            "def Setup():\n  s2 = 0.1\ndef Predict():\n  {predict}\n  s1 = dot(v1, v0)\n  \
             s1 = s1 + s5\ndef Learn():\n  s3 = s0 - s1\n  {learn}\n  s3 = s2 * s3\n  \
             v2 = s3 * v0\n  v1 = v1 + v2\n"
        );
        let program = LearnerProgram::parse(&text).expect("the tests hold learners");
        agree(&program, &tasks, LENIENT)
    };
    assert_eq!(compiled("s5 = s2 * s2", "s3 = abs(s3)"), possible(2));
    assert_eq!(compiled("s5 = s2 * s2", "s3 = sin(s3)"), possible(1));
    assert_eq!(compiled("s5 = sin(s2)", "s3 = abs(s3)"), 0);
    assert_eq!(compiled("s5 = gaussian(0.0, 0.1)", "s3 = abs(s3)"), 0);
}

/// What each engine makes of learners one after another.
fn agree_in_turn(programs: &[LearnerProgram], tasks: &LearnerTasks) -> u64 {
    let mut executors = LearnerExecutor::of_each_kind();
    for program in programs {
        let seen = executors.iter_mut().map(|executor| {
            let mut fitness = Vec::new();
            executor.evaluate(program, tasks, &mut fitness);
            let bits: Vec<u64> = fitness.into_iter().map(f64::to_bits).collect();
            (bits, executor.behaviour(program, tasks))
        });
        let seen: Vec<_> = seen.collect();
        assert!(seen.windows(2).all(|pair| pair[0] == pair[1]), "{seen:?}\n{program}");
    }
    compiled(&executors)
}

#[test]
fn learners_one_after_another_fill_the_memory_for_code_many_times() {
    let short: Vec<LearnerProgram> = (0..4000).map(|seed| learner(seed, [4, 9, 9])).collect();
    std::thread::scope(|scope| {
        for tasks in [5, 10] {
            let (short, tasks) = (&short, (0..tasks).map(|it| task(4, 1, 12, it)));
            let tasks = LearnerTasks::new(&tasks.collect::<Vec<_>>(), LENIENT);
            scope.spawn(move || assert!(agree_in_turn(short, &tasks) >= possible(500)));
        }
    });
}

#[test]
fn a_learner_too_long_to_compile_runs_as_ever() {
    let tasks: Vec<LearnerTask> = (0..10).map(|index| task(4, 1, 12, index)).collect();
    let tasks = LearnerTasks::new(&tasks, LENIENT);
    let compiled = |lines: usize, repeated: &str| {
        let body = format!("  {repeated}\n");
        let body = body.repeat(lines / body.lines().count());
        let text = format!("def Predict():\n{body}  s1 = s2 + s3\ndef Learn():\n{body}");
        let program = LearnerProgram::parse(&text).expect("the tests hold learners");
        agree_in_turn(&vec![program; 30], &tasks)
    };
    for lines in [10, 100, 400, 999] {
        let sum = compiled(lines, "s2 = s0 + s2");
        assert!(lines > 100 || sum == possible(30 * 4), "{sum} of {lines}");
        compiled(lines, "m1 = matmul(m1, m1)\n  s2 = norm(m1)");
    }
    assert_eq!(compiled(999, "v1 = v1 + v2\n  v2 = v1 * v2\n  s3 = dot(v1, v2)"), 0);
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
