//! What learners cost: the evaluation of known ones on tasks of the search, and a birth of the
//! whole engine, breeding, hashes and evaluation together, for each level of deduplication.

use std::hint::black_box;
use std::num::NonZeroUsize;
use std::path::Path;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use evo::{
    Deduplication, DeduplicationLevel, Evaluators, LearnerExecutor, LearnerProgram, LearnerSearch,
    LearnerZooEntry, RunOptions, run_with,
};

const BIRTHS: u64 = 100_000;

fn config(sets: &[&str]) -> LearnerSearch {
    let sets: Vec<String> = sets.iter().map(|set| (*set).to_owned()).collect();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("configs/learner_linear.ron");
    LearnerSearch::load(&path, &sets).expect("the configuration is sound")
}

/// Throughput is in examples, of all tasks together.
fn evaluation(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("learner_evaluation");
    for (features, examples) in [(4, 100), (4, 1_000), (16, 1_000)] {
        let sets = [
            format!("evaluation.features={features}"),
            format!("evaluation.search.examples={examples}"),
        ];
        let judges = config(&sets.each_ref().map(String::as_str)).judges().expect("there are some");
        let tasks = judges.search.tasks();
        group.throughput(Throughput::Elements((examples + 100) * tasks.len() as u64));
        for name in ["empty", "linear_learner", "discovered_linear_learner", "network_learner"] {
            let entry = LearnerZooEntry::named(name);
            let program = entry.map_or_else(LearnerProgram::empty, LearnerZooEntry::program);
            let (mut executor, mut fitness) = (LearnerExecutor::new(), Vec::new());
            group.bench_function(format!("{name}/{features}x{examples}"), |bencher| {
                bencher.iter(|| {
                    fitness.clear();
                    executor.evaluate(black_box(&program), tasks, &mut fitness);
                    fitness[0]
                });
            });
        }
    }
    group.finish();
}

fn birth(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("learner_birth");
    group.sample_size(10).throughput(Throughput::Elements(BIRTHS));
    let levels = [
        ("off", DeduplicationLevel::Off),
        ("structural", DeduplicationLevel::Structural),
        ("functional", DeduplicationLevel::Functional),
    ];
    for examples in [100, 1_000] {
        let set = format!("evaluation.search.examples={examples}");
        let mut config = config(&[&set, &format!("stopping.candidates={BIRTHS}")]);
        let judges = config.judges().expect("there are some");
        for (name, level) in levels {
            config.settings.deduplication = Deduplication::from(level);
            group.bench_function(format!("{name}/{examples}"), |bencher| {
                bencher.iter(|| {
                    let mut search = config.search(&judges).expect("the settings are valid");
                    let options =
                        RunOptions { threads: NonZeroUsize::MIN, ..RunOptions::default() };
                    let held_out = Some(&judges.select as _);
                    let evaluators = Evaluators { search: &judges.search, held_out };
                    run_with(&mut search, evaluators, &mut (), &options).expect("there is no store")
                });
            });
        }
    }
    group.finish();
}

criterion_group!(benches, evaluation, birth);
criterion_main!(benches);
