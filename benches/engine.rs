//! What the engine costs besides evaluation: each kind of mutation, and one birth from ask to
//! absorption. What the hashes cost is in the candidate bench of the root package.

use std::hint::black_box;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use evo_domain::{DependsOn, Evaluator, Outcome, Score, Trial};
use evo_dsl::{FunctionalHasher, MutationConfig, MutationWeights, Mutator, Optimizers, Program};
use evo_hashes::Seed;
use evo_search::{
    DeduplicationLevel, HeldOutConfig, HurdleConfig, Keep, NoiseConfig, Restarts, RunOptions,
    Search, SearchConfig, Selection, Stopping, Store, StrategyConfig, run,
};

const TWENTY: &str = "def train(w, g, m, v, lr):
  g = clip(g, lr)
  m = clip(m, lr)
  x = sqrt(0.6270633339881897)
  s = sign(v)
  s = v - v
  g = arcsin(g)
  m = interp(g, v, 0.8999999761581421)
  y = m * m
  v = interp(g, m, 1.109133005142212)
  x = tanh(x)
  lr = lr * 0.0002171761734643951
  update = m * lr
  y = sqrt(y)
  update = update / y
  wd = lr * 0.4601978361606598
  y = square(y)
  wd = wd * w
  m = cosh(update)
  lr = tan(1.4572199583053589)
  update = update + wd
  return update, m, v
";

const BIRTHS: u64 = 10_000;

fn program() -> Program {
    Program::parse(TWENTY).expect("the text parses")
}

fn hasher() -> FunctionalHasher {
    FunctionalHasher::new(8).expect("8 is between 1 and 23")
}

fn mutation(criterion: &mut Criterion) {
    let parent = program();
    let mut group = criterion.benchmark_group("mutation");
    let none = [0.0; 7];
    let only = |kind: usize| {
        let mut weights = none;
        weights[kind] = 1.0;
        weights
    };
    let default = MutationWeights::default();
    let mixed = [
        default.insert,
        default.delete,
        default.change_argument,
        default.change_constant,
        default.change_op,
        default.swap,
        default.duplicate,
    ];
    let names = [
        "insert",
        "delete",
        "change_argument",
        "change_constant",
        "change_op",
        "swap",
        "duplicate",
    ];
    let cases = names.iter().enumerate().map(|(kind, name)| (*name, only(kind)));
    for (name, weights) in cases.chain([("default weights", mixed)]) {
        let [insert, delete, change_argument, change_constant, change_op, swap, duplicate] =
            weights;
        let weights = MutationWeights {
            insert,
            delete,
            change_argument,
            change_constant,
            change_op,
            swap,
            duplicate,
            crossover: 0.0,
        };
        let config = MutationConfig { weights, ..MutationConfig::default() };
        let mutator = Mutator::new(&config).expect("the settings are valid");
        let mut rng = Seed(1).stream("bench", 0);
        group.bench_function(name, |bench| {
            bench.iter(|| mutator.mutate(black_box(&parent), &mut rng));
        });
    }
    group.finish();
}

fn search(level: DeduplicationLevel) -> Search<Optimizers> {
    let config = SearchConfig {
        strategy: StrategyConfig::RegularizedEvolution { population: 1_000, tournament: 2 },
        // Insertion and deletion in balance keep programs at about twenty statements.
        mutation: MutationConfig { max_statements: 20, ..MutationConfig::default() },
        window: 64,
        deduplication: level.into(),
        restarts: Restarts::default(),
        hurdles: HurdleConfig::default(),
        noise: NoiseConfig::default(),
        held_out: HeldOutConfig::default(),
        keep: Keep::default(),
        selection: Selection::default(),
        stopping: Stopping { candidates: Some(BIRTHS), ..Stopping::default() },
    };
    let domain = Optimizers::new(&config.mutation, hasher()).expect("the settings are valid");
    Search::new(&config, Seed(1), domain, program()).expect("the settings are valid")
}

fn births(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("birth, with a free evaluator");
    group.sample_size(20).throughput(Throughput::Elements(BIRTHS));
    for level in
        [DeduplicationLevel::Off, DeduplicationLevel::Structural, DeduplicationLevel::Functional]
    {
        group.bench_function(format!("{level:?}"), |bench| {
            let drive = |mut search: Search<Optimizers>| {
                while let Some(candidate) = search.ask().expect("there is no store") {
                    let fitness = (candidate.birth % 1_009) as f64;
                    let outcome = Outcome::Scored(Score::new(fitness, vec![fitness]));
                    search.tell(candidate.birth, outcome).expect("it is in flight");
                }
                search
            };
            bench.iter_batched(|| search(level), drive, BatchSize::PerIteration);
        });
    }
    group.finish();
}

/// The same through the runner, and with a store, in all that a run does but evaluate.
fn runs(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("birth, with a free evaluator, run on one thread");
    group.sample_size(20).throughput(Throughput::Elements(BIRTHS));
    let drive = |mut search: Search<Optimizers>| {
        run(&mut search, &Free, &mut (), &RunOptions::default()).expect("it runs");
        search
    };
    let without = || search(DeduplicationLevel::Functional);
    group.bench_function("without a store", |bench| {
        bench.iter_batched(without, drive, BatchSize::PerIteration);
    });
    let with = || {
        let directory = tempfile::TempDir::new().expect("there is room");
        let store = Store::create(&directory.path().join("run.db"), &[]).expect("there is room");
        let search = search(DeduplicationLevel::Functional).with_store(store);
        (search.expect("the store is new"), directory)
    };
    group.bench_function("with a store", |bench| {
        bench.iter_batched(
            with,
            |(search, directory)| (drive(search), directory),
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

/// Costs nothing.
struct Free;

impl Evaluator<Program> for Free {
    fn evaluate(&self, cohort: &[Trial<'_, Program>]) -> Vec<Outcome> {
        cohort.iter().map(|_| Outcome::Scored(Score::new(0.0, vec![0.0]))).collect()
    }

    fn depends_on(&self) -> DependsOn {
        DependsOn::Behaviour
    }
}

criterion_group!(benches, mutation, births, runs);
criterion_main!(benches);
