//! What telling programs apart costs: measured on programs of the run, behind it.
//!
//! Invariant: no run is slowed by being measured. How often each part is done follows from the
//! counts of the run: what a program is known by is worked out for every child, its behaviour for
//! every structure that is new; how long a part takes is the mean over a sample, on the clock of
//! this thread.

use evo::{DeduplicationLevel, Domain, Search};

use super::leg::Leg;
use super::watch::Sample;
use crate::command::clock;

/// Seconds of a CPU that hashes took in a run.
pub(super) fn hashing<D: Domain>(
    search: &Search<D>,
    leg: &Leg,
    sample: &Sample<D::Program>,
) -> f64 {
    let (domain, level) = (search.domain(), search.deduplication().level);
    let births = leg.curve.last().map_or(0, |point| point.births);
    let tried: u64 = search.mutation_statistics().iter().map(|(_, tally)| tally.tried).sum();
    let structure = mean_seconds(&sample.births, |program| {
        let analysis = domain.analyse(program);
        std::hint::black_box(domain.structure(program, &analysis));
        std::hint::black_box(domain.size(program, &analysis));
    });
    let mut seconds = structure * births.max(tried) as f64;
    if level == DeduplicationLevel::Functional {
        let analysed = sample.new.iter().map(|it| (it, domain.analyse(it)));
        let behaviour = mean_seconds(&analysed.collect::<Vec<_>>(), |(program, analysis)| {
            std::hint::black_box(domain.behaviour(program, analysis));
        });
        seconds += behaviour * leg.structures as f64;
    }
    seconds
}

/// The mean over all items of the time that something takes.
fn mean_seconds<T>(items: &[T], mut work: impl FnMut(&T)) -> f64 {
    // What is done for the first time loads code and memory.
    items.iter().take(4).for_each(&mut work);
    let began = clock::thread_seconds();
    items.iter().for_each(&mut work);
    (clock::thread_seconds() - began) / (items.len() as f64).max(1.0)
}
