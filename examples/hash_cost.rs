//! What telling duplicates costs beside what it spares, for the programs of a configuration.
//!
//! `cargo run --release --example hash_cost CONFIG...`
//!
//! Of each configuration programs are bred as a search breeds them, some mutations away from its
//! starts, and each is analysed, hashed by structure, hashed by behaviour and evaluated, one after
//! another on one thread. A structural hit costs the first two and spares the rest; a new structure
//! costs all three. Medians, in microseconds; the share is that of both hashes in an evaluation.

use std::error::Error;
use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use evo::{
    Config, Domain, DomainName, Evaluator, ExpressionSearch, GraphSearch, LearnerSearch, Seed,
    Trial,
};
use rand::RngExt;

/// As in the binary: a candidate is some fifty small allocations.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Programs of a configuration, and how long there is for all of them.
const PROGRAMS: u64 = 300;
const TIME: Duration = Duration::from_secs(20);
const MOST_MUTATIONS: u32 = 10;

fn main() -> Result<(), Box<dyn Error>> {
    evo::pin_inner_threads();
    println!("| configuration | programs | structure | behaviour | evaluation | share |");
    println!("|---|---|---|---|---|---|");
    for path in std::env::args().skip(1) {
        measure_config(path.as_ref())?;
    }
    Ok(())
}

fn measure_config(path: &Path) -> Result<(), Box<dyn Error>> {
    let name = path.file_stem().unwrap_or_default().display().to_string();
    match DomainName::stated_in(path)? {
        DomainName::Optimizers => {
            let config = Config::load_with_baselines(path, &[])?;
            let (domain, starts) = (config.domain()?, config.start_programs()?);
            measure(&name, &domain, &starts, &config.evaluator()?);
        }
        DomainName::Expressions => {
            let config = ExpressionSearch::load(path, &[])?;
            let scorer = config.scorer()?;
            let (domain, starts) = (config.domain(&scorer)?, config.start_programs(&scorer)?);
            scorer.measure()?;
            measure(&name, &domain, &starts, scorer.evaluator());
        }
        DomainName::Learners => {
            let config = LearnerSearch::load(path, &[])?;
            let judges = config.judges()?;
            let domain = config.domain(&judges)?;
            let starts = config.start_programs(&domain)?;
            measure(&name, &domain, &starts, &judges.search);
        }
        DomainName::Graphs => {
            let config = GraphSearch::load(path, &[])?;
            let judges = config.judges()?;
            let domain = config.domain(&judges)?;
            let starts = config.start_programs(&domain)?;
            measure(&name, &domain, &starts, &judges.search);
        }
        DomainName::Enumerated => {
            return Err(format!("{name}: programs of a table are not evaluated").into());
        }
    }
    Ok(())
}

/// Prints the row of a configuration.
fn measure<D: Domain>(
    name: &str,
    domain: &D,
    starts: &[D::Program],
    evaluator: &dyn Evaluator<D::Program>,
) {
    let begun = now();
    let mut times = [const { Vec::new() }; 3];
    for index in 0..PROGRAMS {
        if begun.elapsed() > TIME && index > 10 {
            break;
        }
        let program = bred(domain, starts, index);
        let (structure, analysis) = timed(|| {
            let analysis = domain.analyse(&program);
            black_box(domain.structure(&program, &analysis));
            analysis
        });
        let (behaviour, _) = timed(|| black_box(domain.behaviour(&program, &analysis)));
        let (evaluation, _) = timed(|| black_box(evaluator.evaluate(&[Trial::of(&program)])));
        for (times, time) in times.iter_mut().zip([structure, behaviour, evaluation]) {
            times.push(time);
        }
    }
    let programs = times[0].len();
    let sums = times.each_ref().map(|times| times.iter().sum::<f64>());
    let [structure, behaviour, evaluation] = times.map(median);
    let share = 100.0 * (sums[0] + sums[1]) / sums[2];
    println!(
        "| {name} | {programs} | {structure:.1} | {behaviour:.1} | {evaluation:.0} | {share:.2}% |"
    );
}

fn bred<D: Domain>(domain: &D, starts: &[D::Program], index: u64) -> D::Program {
    let mut rng = Seed(1).stream("hash cost", index);
    let mut program = starts[rng.random_range(0..starts.len())].clone();
    for _ in 0..rng.random_range(1..=MOST_MUTATIONS) {
        program = domain.mutate(&program, &mut rng).0;
    }
    program
}

/// What a function takes, in microseconds, and gives.
fn timed<T>(function: impl FnOnce() -> T) -> (f64, T) {
    let begun = now();
    let given = function();
    (begun.elapsed().as_secs_f64() * 1e6, given)
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

#[expect(clippy::disallowed_methods, reason = "it measures time")]
fn now() -> Instant {
    Instant::now()
}
