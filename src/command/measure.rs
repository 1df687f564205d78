//! Measuring what the training of a task costs.
//!
//! Invariant: every phase is timed within the run it belongs to, so that caches are as warm as in a
//! search and the shares add up to the whole. Five clock readings a step cost about a tenth of a
//! microsecond. On a device phases overlap, so there the rate is measured without waiting inside a
//! step, and the shares in another run that waits behind each phase.
#![expect(clippy::disallowed_methods, reason = "a clock measures what is printed")]

use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use evo::{Program, Steps, Workload};

/// Where the time of a step goes, in the order of the table.
pub(crate) const PHASES: [&str; 4] = ["data", "forward", "backward", "update"];

/// What training a task costs a worker.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Cost {
    /// Seconds of each phase of a step.
    pub phases: [f64; 4],
    /// Seconds of a run that are in no step: compiling, initial weights, validation.
    pub around: f64,
    /// Seconds of one validation.
    pub validation: f64,
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

/// Time spent so far.
#[derive(Default)]
struct Spent {
    phases: [Duration; 4],
    /// In steps, and waiting for the last one.
    stepping: Duration,
    steps: u64,
    begun: Duration,
    validated: Duration,
    runs: u32,
}

/// Trains for about so long.
///
/// # Errors
/// Candle refuses an operation.
pub(crate) fn cost(
    workload: &Workload,
    program: &Program,
    budget: Duration,
) -> anyhow::Result<Cost> {
    let free = spend(workload, program, budget, false)?;
    let waiting = match workload.candidates() {
        1 => None,
        _ => Some(spend(workload, program, budget, true)?),
    };
    let phases = waiting.as_ref().unwrap_or(&free).phases;
    let all = phases.iter().sum::<Duration>().as_secs_f64();
    let step = free.stepping.as_secs_f64() / free.steps as f64;
    Ok(Cost {
        phases: phases.map(|phase| step * phase.as_secs_f64() / all),
        around: (free.begun + free.validated).as_secs_f64() / f64::from(free.runs),
        validation: free.validated.as_secs_f64() / f64::from(free.runs),
    })
}

fn spend(
    workload: &Workload,
    program: &Program,
    budget: Duration,
    wait: bool,
) -> anyhow::Result<Spent> {
    // The first steps on a device load its kernels.
    if workload.candidates() > 1 {
        run(workload, program, Instant::now(), wait, &mut Spent::default())?;
    }
    let (start, mut spent) = (Instant::now(), Spent::default());
    while spent.steps == 0 || start.elapsed() < budget {
        run(workload, program, start + budget, wait, &mut spent)?;
    }
    Ok(spent)
}

/// One run, or as much of it as fits before `end`.
fn run(
    workload: &Workload,
    program: &Program,
    end: Instant,
    wait: bool,
    spent: &mut Spent,
) -> anyhow::Result<()> {
    let start = Instant::now();
    let mut steps = workload.begin(program)?;
    steps.wait()?;
    let begun = Instant::now();
    spent.begun += begun - start;
    for _ in 0..workload.steps() {
        let (go_on, laps) = step(&mut steps, wait)?;
        spent.phases.iter_mut().zip(laps).for_each(|(phase, lap)| *phase += lap);
        spent.steps += 1;
        if !go_on || Instant::now() > end {
            break;
        }
    }
    steps.wait()?;
    let stepped = Instant::now();
    spent.stepping += stepped - begun;
    steps.validate()?;
    spent.validated += stepped.elapsed();
    spent.runs += 1;
    Ok(())
}

/// One step: whether an evaluation would go on, and how long each phase took.
fn step(steps: &mut Steps<'_>, wait: bool) -> anyhow::Result<(bool, [Duration; 4])> {
    let lap = |steps: &Steps<'_>| -> anyhow::Result<Instant> {
        if wait {
            steps.wait()?;
        }
        Ok(Instant::now())
    };
    let start = Instant::now();
    steps.draw()?;
    let drawn = lap(steps)?;
    steps.forward()?;
    let forward = lap(steps)?;
    steps.backward()?;
    let backward = lap(steps)?;
    let go_on = steps.update()?;
    let updated = lap(steps)?;
    Ok((go_on, [drawn - start, forward - drawn, backward - forward, updated - backward]))
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
