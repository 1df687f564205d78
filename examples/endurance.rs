//! A long run on a synthetic evaluator: does memory stay flat, how large does the store grow, how
//! busy are the workers? Run it with
//! `cargo run --release --example endurance -- memory 1000000 DIR` or
//! `… -- scaling`.
#![expect(clippy::disallowed_methods, reason = "it measures time")]

use std::num::NonZeroUsize;
use std::path::Path;
use std::time::{Duration, Instant};

use evo_domain::{DependsOn, Evaluator, Outcome, Score, Trial};
use evo_dsl::{FunctionalHasher, MutationConfig, Optimizers, Program, structural_hash};
use evo_hashes::Seed;
use evo_search::{
    Candidate, DeduplicationLevel, Observer, RunOptions, Search, SearchConfig, Stopping, Store,
    StrategyConfig, run,
};

/// A number below 2^32 that depends on the program alone.
fn number(program: &Program) -> f64 {
    let hash = structural_hash(program).0;
    f64::from(u32::from_le_bytes([hash[0], hash[1], hash[2], hash[3]]))
}

/// Scores programs at random; takes so long as it is told, from `shortest` to `shortest` x
/// `spread`.
struct Synthetic {
    shortest: Duration,
    spread: f64,
}

impl Synthetic {
    fn time(&self, program: &Program) -> Duration {
        self.shortest.mul_f64(libm::pow(self.spread, number(program) / 4_294_967_296.0))
    }
}

impl Evaluator<Program> for Synthetic {
    fn evaluate(&self, cohort: &[Trial<'_, Program>]) -> Vec<Outcome> {
        let evaluate = |trial: &Trial<'_, Program>| {
            let started = Instant::now();
            let time = self.time(trial.program);
            while started.elapsed() < time {
                std::hint::spin_loop();
            }
            Outcome::Scored(Score::new(number(trial.program), vec![0.0]))
        };
        cohort.iter().map(evaluate).collect()
    }

    fn depends_on(&self) -> DependsOn {
        DependsOn::Structure
    }
}

fn search(candidates: u64) -> Search<Optimizers> {
    let text = format!(
        "(strategy: RegularizedEvolution(population: 1000, tournament: 2),
          deduplication: (level: Structural), mutation: (max_statements: 20),
          stopping: (candidates: Some({candidates})))"
    );
    let config: SearchConfig<MutationConfig> =
        ron::from_str(&text).expect("the text is a configuration");
    let start = evo_dsl::zoo::get("adamw").expect("it is in the zoo").program();
    let domain = Optimizers::new(&config.mutation, FunctionalHasher::default());
    let domain = domain.expect("the settings are valid");
    Search::new(&config, Seed(1), domain, start).expect("the settings are valid")
}

/// Prints a row of the curve every so many candidates.
struct Curve<'a> {
    every: u64,
    next: u64,
    started: Instant,
    directory: &'a Path,
}

impl Observer<Optimizers> for Curve<'_> {
    fn on_outcome(&mut self, search: &Search<Optimizers>, _: &Candidate<Program>, _: &Outcome) {
        let counters = search.counters();
        if counters.births < self.next {
            return;
        }
        self.next += self.every;
        let size = |name| std::fs::metadata(self.directory.join(name)).map_or(0, |it| it.len());
        println!(
            "| {} | {} | {:.1} | {:.1} | {:.1} | {:.1} |",
            counters.births,
            counters.evaluations,
            self.started.elapsed().as_secs_f64(),
            resident() as f64 / 1024.0,
            size("run.db") as f64 / 1e6,
            size("run.db-wal") as f64 / 1e6,
        );
    }
}

/// Resident memory in KiB; 0 where the system does not tell.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
}

fn memory(candidates: u64, directory: &Path) {
    std::fs::create_dir_all(directory).expect("there is room");
    let store = Store::create(&directory.join("run.db"), &[]).expect("there is room");
    let mut search = search(candidates).with_store(store).expect("the store is new");
    let every = (candidates / 20).max(1);
    let mut curve = Curve { every, next: every, started: Instant::now(), directory };
    println!("| candidates | evaluations | seconds | memory, MiB | store, MB | its log, MB |");
    println!("|---|---|---|---|---|---|");
    let evaluator = Synthetic { shortest: Duration::ZERO, spread: 1.0 };
    run(&mut search, &evaluator, &mut curve, &RunOptions::default()).expect("there is room");
    println!("digest {}", search.digest());
}

/// Wall time and the share of the workers' time spent evaluating.
fn timed(candidates: u64, threads: usize, evaluator: &Synthetic) -> (Duration, f64) {
    /// Adds up how long evaluations were meant to take.
    struct Busy<'a>(&'a Synthetic, Duration);
    impl Observer<Optimizers> for Busy<'_> {
        fn on_outcome(
            &mut self,
            _: &Search<Optimizers>,
            candidate: &Candidate<Program>,
            _: &Outcome,
        ) {
            self.1 += self.0.time(&candidate.program);
        }
    }
    let mut search = search(candidates);
    let threads = NonZeroUsize::new(threads).expect("there is one at least");
    let options = RunOptions { threads, ..RunOptions::default() };
    let mut busy = Busy(evaluator, Duration::ZERO);
    let started = Instant::now();
    run(&mut search, evaluator, &mut busy, &options).expect("it runs");
    let wall = started.elapsed();
    (wall, busy.1.as_secs_f64() / (wall.as_secs_f64() * threads.get() as f64))
}

fn scaling() {
    let even = Synthetic { shortest: Duration::from_millis(5), spread: 1.0 };
    let (one, _) = timed(2_000, 1, &even);
    let (two, busy) = timed(2_000, 2, &even);
    let speedup = one.as_secs_f64() / two.as_secs_f64();
    println!("5 ms each: 2 threads are {speedup:.3} times one, {:.1}% busy", 100.0 * busy);
    let spread = Synthetic { shortest: Duration::from_micros(500), spread: 100.0 };
    for threads in [1, 2] {
        let (wall, busy) = timed(1_500, threads, &spread);
        let (wall, busy) = (wall.as_secs_f64(), 100.0 * busy);
        println!("0.5 to 50 ms: {threads} threads {busy:.1}% busy over {wall:.1} s");
    }
}

/// Births a second where evaluations are free, with every program identified as `level` says.
fn births(candidates: u64, threads: usize, level: DeduplicationLevel) {
    let start = evo_dsl::zoo::get("adamw").expect("it is in the zoo").program();
    let mut config: SearchConfig<MutationConfig> = SearchConfig::new(
        StrategyConfig::RegularizedEvolution { population: 1_000, tournament: 2 },
        Stopping { candidates: Some(candidates), ..Stopping::default() },
    );
    config.deduplication.level = level;
    let domain = Optimizers::new(&config.mutation, FunctionalHasher::default());
    let domain = domain.expect("the settings are valid");
    let search = Search::new(&config, Seed(1), domain, start);
    let mut search = search.expect("the settings are valid");
    let threads = NonZeroUsize::new(threads).expect("there is one at least");
    let options = RunOptions { threads, ..RunOptions::default() };
    let started = Instant::now();
    run(&mut search, &Free, &mut (), &options).expect("it runs");
    let rate = candidates as f64 / started.elapsed().as_secs_f64();
    println!("{threads} threads: {rate:.0} births/s, digest {}", search.digest());
}

/// Scores all programs alike, at no cost.
struct Free;

impl Evaluator<Program> for Free {
    fn evaluate(&self, cohort: &[Trial<'_, Program>]) -> Vec<Outcome> {
        cohort.iter().map(|_| Outcome::Scored(Score::new(0.0, vec![0.0]))).collect()
    }

    fn depends_on(&self) -> DependsOn {
        DependsOn::Behaviour
    }
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<&str>>()[..] {
        ["memory", candidates, directory] => {
            memory(candidates.parse().expect("a number of candidates"), Path::new(directory));
        }
        ["scaling"] => scaling(),
        ["births", candidates, threads, ref level @ ..] => {
            let number = |text: &str| text.parse().expect("a number");
            let level = ron::from_str(level.first().unwrap_or(&"Functional")).expect("a level");
            births(number(candidates), number(threads) as usize, level);
        }
        _ => eprintln!(
            "usage: endurance memory CANDIDATES DIR | scaling | births COUNT THREADS [LEVEL]"
        ),
    }
}
