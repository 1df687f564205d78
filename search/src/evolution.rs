//! Evolution: what outcomes change and births depend on.
//!
//! Invariant: it changes by absorption alone, which goes in birth order. A birth is begun from the
//! state that has absorbed exactly what the window says, and nothing else of a search decides what
//! is bred.

use std::slice;
use std::sync::Arc;

use evo_hashes::SeedPurpose;

use crate::breeding::Origin;
use crate::hurdles::Hurdles;
use crate::restarts::RestartClock;
use crate::strategy::Strategy;
use crate::{Individual, Restart, RestartFrom, RestartReason};

/// The state that births are begun from.
pub(crate) struct Evolution<P> {
    pub(crate) strategy: Box<dyn Strategy<P>>,
    /// The first births, in order; each without a fitness until it has been absorbed.
    pub(crate) starts: Vec<Individual<P>>,
    pub(crate) streams: SeedPurpose,
    pub(crate) hurdles: Hurdles,
    pub(crate) restart_clock: RestartClock,
}

impl<P: Clone> Evolution<P> {
    /// Chooses where the program of a birth comes from; `crosses`: whether it may be of two
    /// parents, `edit`: whether its edit is to be told.
    ///
    /// A second parent is chosen as the first is, behind it in the birth's stream and from the same
    /// state; one that is the first again has nothing to add. Where no birth has two, nothing is
    /// drawn.
    pub(crate) fn conceive(&self, birth: u64, crosses: bool, edit: bool) -> Origin<P> {
        if let Some(start) = self.start(birth) {
            return Origin::Start(Arc::clone(&start.program));
        }
        let mut rng = self.streams.stream(birth);
        let parent = self.strategy.parent(birth, &mut rng).clone();
        let mate = crosses.then(|| self.strategy.parent(birth, &mut rng));
        let mate = mate.filter(|mate| mate.birth != parent.birth).cloned();
        Origin::Mutation { parent, mate, rng, edit }
    }

    /// The start program with this birth, if it is one's.
    pub(crate) fn start(&self, birth: u64) -> Option<&Individual<P>> {
        self.starts.get(usize::try_from(birth).ok()?)
    }

    /// Takes in an individual; gives the reason to restart now, if there is one.
    ///
    /// Start programs are in the populations from the beginning, and get their fitness there. No
    /// restart comes before the last of them is known.
    pub(crate) fn absorb(&mut self, individual: Individual<P>) -> Option<RestartReason> {
        let Individual { birth, fitness, .. } = individual;
        let starts = self.starts.len() as u64;
        if birth < starts {
            let index = birth as usize;
            self.starts[index].fitness = fitness;
            self.strategy.learn_start(&self.starts, index);
        } else if let Some(earlier) = self.restart_clock.bred_before(birth) {
            self.strategy.absorb(individual, earlier);
        }
        self.restart_clock.absorb(birth, fitness).filter(|_| birth + 1 >= starts)
    }

    /// Refills the populations after the absorption of a birth; `best` is the fittest so far.
    pub(crate) fn restart(
        &mut self,
        absorbed: u64,
        reason: RestartReason,
        best: Option<&Individual<P>>,
    ) -> Restart<P> {
        // A fresh start would not clear the hurdles of a population that has come far.
        self.hurdles.clear();
        let carried = match (self.restart_clock.from(), best) {
            (RestartFrom::Best, Some(best)) => slice::from_ref(best),
            _ => &self.starts[..],
        };
        self.strategy.restart(carried);
        let fittest = carried.iter().reduce(|a, b| if b.fitness > a.fitness { b } else { a });
        let fittest = fittest.expect("a search starts from something");
        let birth = self.restart_clock.restart(absorbed, fittest);
        Restart { birth, reason, carried: fittest.clone() }
    }
}
