//! How fast a search finds published equations: those of the Nguyen benchmark, over several seeds.
//!
//! `cargo run --release --example nguyen -- FIRST COUNT [KEY=VALUE]…` searches with COUNT seeds
//! from FIRST on. Keys are `equations` (`1,2`), `threads`, `seconds`, `window`, `fit` (steps), and
//! parts of a configuration, in RON: `mutation`, `strategy`, `selection` and `restarts`.

use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use evo_domain::{DependsOn, Evaluator, Seed};
use evo_dsl::{ExpressionMutation, Expressions, FunctionalHasher};
use evo_evaluators::{ExpressionConfig, ExpressionData, ExpressionEvaluator, ExpressionTask};
use evo_search::{
    DeduplicationLevel, RunOptions, Search, SearchConfig, Stopping, StrategyConfig, run,
};

/// The mean squared error at which an equation counts as found.
const FOUND: f64 = 1e-6;

const STRATEGY: &str = "RegularizedEvolution(population: 200, tournament: 10)";
const RESTARTS: &str = "(from: Start, plateau: 10000)";

/// The settings of a measurement, by key.
struct Settings(Vec<(String, String)>);

impl Settings {
    fn get(&self, key: &str, default: &str) -> String {
        let given = self.0.iter().rev().find(|(name, _)| name == key);
        given.map_or(default, |(_, value)| value).to_owned()
    }

    /// A part of a configuration, as a file would have it.
    fn read<T: serde::de::DeserializeOwned>(&self, key: &str, default: &str) -> T {
        let extensions = ron::extensions::Extensions::IMPLICIT_SOME;
        let options = ron::Options::default().with_default_extension(extensions);
        let text = self.get(key, default);
        options.from_str(&text).unwrap_or_else(|error| panic!("{key}: {error}"))
    }

    fn number<T: std::str::FromStr>(&self, key: &str, default: &str) -> Option<T> {
        self.get(key, default).parse().ok()
    }
}

/// The error found, the births it took and the seconds.
fn search(number: u32, seed: u64, settings: &Settings) -> Option<(f64, u64, f64, String)> {
    let task = ExpressionTask::new(ExpressionData::Nguyen(number));
    let mut config = ExpressionConfig::new(vec![task]);
    config.fit_constants = settings.number("fit", "6")?;
    let evaluator = ExpressionEvaluator::new(&config, Path::new(".")).ok()?;
    let probe = Arc::new(evaluator.probe());
    let mutation: ExpressionMutation = settings.read("mutation", "()");
    let domain = Expressions::new(&mutation, FunctionalHasher::with_probe(8, probe)?).ok()?;
    let strategy: StrategyConfig = settings.read("strategy", STRATEGY);
    let stopping = Stopping {
        seconds: settings.number("seconds", "60"),
        fitness: Some(evaluator.fitness_at(FOUND)),
        ..Stopping::default()
    };
    let mut run_config: SearchConfig = SearchConfig::new(strategy, stopping);
    run_config.window = settings.number("window", "16")?;
    run_config.selection = settings.read("selection", "Fitness");
    run_config.restarts = settings.read("restarts", RESTARTS);
    if evaluator.depends_on() > DependsOn::Behaviour {
        run_config.deduplication = DeduplicationLevel::Structural.into();
    }
    let mut search = Search::new(&run_config, Seed(seed), domain, evaluator.start()).ok()?;
    let threads: usize = settings.number("threads", "2")?;
    let options = RunOptions {
        threads: NonZeroUsize::new(threads)?,
        cohort: NonZeroUsize::new(4)?,
        ..RunOptions::default()
    };
    #[expect(clippy::disallowed_methods, reason = "what is measured is time")]
    let start = Instant::now();
    run(&mut search, &evaluator, &mut (), &options).ok()?;
    let seconds = start.elapsed().as_secs_f64();
    let best = evaluator.fitted(&search.best()?.individual.program);
    let error = evaluator.train_loss(&best).ok()?;
    Some((error, search.counters().births, seconds, best.live().to_string()))
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |index: usize, default| {
        arguments.get(index).and_then(|text| text.parse().ok()).unwrap_or(default)
    };
    let (first, count): (u64, u64) = (number(0, 1), number(1, 5));
    let pairs = arguments.iter().filter_map(|text| text.split_once('='));
    let settings = Settings(pairs.map(|(key, value)| (key.into(), value.into())).collect());
    for equation in settings.get("equations", "1,2,3,4").split(',') {
        let Ok(equation) = equation.parse() else { continue };
        let (mut found, mut times) = (0, Vec::new());
        for seed in first..first + count {
            let Some((error, births, seconds, text)) = search(equation, seed, &settings) else {
                println!("Nguyen-{equation} seed {seed}: these settings cannot be searched with");
                continue;
            };
            found += u32::from(error < FOUND);
            times.push(seconds);
            println!("Nguyen-{equation} seed {seed}: {error:.1e}, {births} births, {seconds:.1} s");
            if settings.get("print", "no") == "yes" {
                print!("{text}");
            }
        }
        times.sort_by(f64::total_cmp);
        let median = times.get(times.len() / 2).copied().unwrap_or_default();
        println!("Nguyen-{equation}: {found} of {count} below {FOUND:e}, median {median:.1} s");
    }
}
