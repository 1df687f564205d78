//! What holds for any bytes that are read as a learner.

use evo_dsl::{
    LearnerDraws, LearnerExamples, LearnerLoss, LearnerProgram, LearnerTask, LearnerTasks,
    LearnerTraining, draw_normal,
};
use evo_hashes::Seed;

/// They are refused with a place in them, or are a learner that prints back, keeps its structure
/// when what is dead goes, and comes to the same in both engines and simplified.
pub(crate) fn check(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let learner = match LearnerProgram::parse(&text) {
        Ok(learner) => learner,
        Err(error) => {
            let lines = text.lines().count().max(1);
            assert!((1..=lines).contains(&error.line) && error.column > 0, "{error}");
            return;
        }
    };
    let printed = learner.to_string();
    let again = LearnerProgram::parse(&printed).expect("printed text is read");
    assert_eq!(again, learner);
    assert_eq!(again.to_string(), printed);
    let (live, canonical) = (learner.live(), learner.canonical());
    assert_eq!(live.live(), live);
    assert_eq!(canonical.canonical(), canonical);
    assert_eq!(live.structural_hash(), learner.structural_hash());
    assert_eq!(canonical.structural_hash(), learner.structural_hash());
    let simplified = learner.simplified();
    assert!(simplified.statements().len() <= live.statements().len());
    assert!(learner.is_same_as(&simplified), "{simplified}");
    // Few examples are run by the loop over statements, many by machine code.
    for (n, loss, examples) in [(2, LearnerLoss::Accuracy, 5), (4, LearnerLoss::RootMeanSquare, 70)]
    {
        let training = LearnerTraining { loss, most_error: 1e300 };
        let tasks = [task(n, examples, 1), task(n, examples, 2)];
        let packed = LearnerTasks::new(&tasks, training);
        for program in [&learner, &live, &canonical, &simplified] {
            let fast = packed.fitness(program).into_iter().map(f64::to_bits);
            let slow = tasks.iter().map(|task| task.fitness(&learner, training).to_bits());
            assert!(fast.eq(slow), "{n} features: {program}");
        }
    }
}

fn task(n: usize, examples: usize, seed: u64) -> LearnerTask {
    let mut rng = Seed(seed).stream("promises", n as u64);
    let mut some = |count: usize| LearnerExamples {
        features: (0..count * n).map(|_| draw_normal(&mut rng)).collect(),
        labels: (0..count).map(|_| draw_normal(&mut rng)).collect(),
    };
    let (epoch, validation) = (some(examples), some(examples));
    LearnerTask { n, epochs: vec![epoch], validation, draws: LearnerDraws::new(&mut rng) }
}
