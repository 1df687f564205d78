//! Measuring what the training of a task costs.
//!
//! Invariant: every phase is timed within the run it belongs to, so that caches are as warm as in a
//! search and the shares add up to the whole. Five clock readings a step cost about a tenth of a
//! microsecond.
#![expect(clippy::disallowed_methods, reason = "a clock measures what is printed")]

use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use evo::{Program, Workload};

/// Where the time of a step goes, in the order of the table.
pub(crate) const PHASES: [&str; 4] = ["data", "forward", "backward", "update"];

/// What training a task costs on one thread.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Cost {
    /// Seconds of each phase of a step.
    pub phases: [f64; 4],
    /// Seconds of a run that are in no step: compiling, initial weights, validation.
    pub around: f64,
}

impl Cost {
    /// Seconds of a step.
    pub(crate) fn step(&self) -> f64 {
        self.phases.iter().sum()
    }

    /// Seconds of a run of so many steps.
    pub(crate) fn run(&self, steps: u64) -> f64 {
        self.step() * steps as f64 + self.around
    }
}

/// Time spent so far, by phase and around the steps.
#[derive(Default)]
struct Spent {
    phases: [Duration; 4],
    steps: u64,
    begun: Vec<Duration>,
    validated: Vec<Duration>,
}

/// Trains for about so long, on this thread.
///
/// # Errors
/// Candle refuses an operation.
pub(crate) fn cost(
    workload: &Workload,
    program: &Program,
    budget: Duration,
) -> anyhow::Result<Cost> {
    let (start, mut spent) = (Instant::now(), Spent::default());
    while spent.steps == 0 || start.elapsed() < budget {
        run(workload, program, start + budget, &mut spent)?;
    }
    let steps = spent.steps as f64;
    let mean =
        |times: &[Duration]| times.iter().sum::<Duration>().as_secs_f64() / times.len() as f64;
    Ok(Cost {
        phases: spent.phases.map(|phase| phase.as_secs_f64() / steps),
        around: mean(&spent.begun) + mean(&spent.validated),
    })
}

/// One run, or as much of it as fits before `end`.
fn run(
    workload: &Workload,
    program: &Program,
    end: Instant,
    spent: &mut Spent,
) -> anyhow::Result<()> {
    let start = Instant::now();
    let mut steps = workload.begin(program)?;
    let mut now = Instant::now();
    spent.begun.push(now - start);
    for _ in 0..workload.steps() {
        let start = now;
        steps.draw()?;
        let drawn = Instant::now();
        steps.forward()?;
        let forward = Instant::now();
        steps.backward()?;
        let backward = Instant::now();
        let loss = steps.update();
        now = Instant::now();
        let laps = [drawn - start, forward - drawn, backward - forward, now - backward];
        spent.phases.iter_mut().zip(laps).for_each(|(phase, lap)| *phase += lap);
        spent.steps += 1;
        if loss.is_none() || now > end {
            break;
        }
    }
    steps.validate()?;
    spent.validated.push(now.elapsed());
    Ok(())
}

/// As [`cost`], on several threads at once; the cost on each.
///
/// # Errors
/// As for [`cost`].
pub(crate) fn costs(
    workload: &Workload,
    program: &Program,
    budget: Duration,
    threads: NonZeroUsize,
) -> anyhow::Result<Vec<Cost>> {
    std::thread::scope(|scope| {
        let work = || cost(workload, program, budget);
        let workers: Vec<_> = (0..threads.get()).map(|_| scope.spawn(work)).collect();
        workers.into_iter().map(|it| it.join().expect("training does not panic")).collect()
    })
}
