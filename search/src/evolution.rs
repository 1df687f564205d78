//! Evolution: what outcomes change and births depend on.
//!
//! Invariant: it changes by absorption alone, which goes in birth order. A birth is begun from the
//! state that has absorbed exactly what the window says, and nothing else of a search decides what
//! is bred.

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
    /// Without a fitness until it has been absorbed.
    pub(crate) start: Individual<P>,
    pub(crate) streams: SeedPurpose,
    pub(crate) hurdles: Hurdles,
    pub(crate) restart_clock: RestartClock,
}

impl<P: Clone> Evolution<P> {
    /// Chooses where the program of a birth comes from; `edit`: whether its edit is to be told.
    pub(crate) fn conceive(&self, birth: u64, edit: bool) -> Origin<P> {
        if birth == 0 {
            return Origin::Start(Arc::clone(&self.start.program));
        }
        let mut rng = Box::new(self.streams.stream(birth));
        let parent = self.strategy.parent(birth, &mut rng).clone();
        Origin::Mutation { parent, rng, edit }
    }

    /// Takes in an individual; gives the reason to restart now, if there is one.
    pub(crate) fn absorb(&mut self, individual: Individual<P>) -> Option<RestartReason> {
        let Individual { birth, fitness, .. } = individual;
        if birth == 0 {
            self.start.fitness = fitness;
        }
        if let Some(earlier) = self.restart_clock.bred_before(birth) {
            self.strategy.absorb(individual, earlier);
        }
        self.restart_clock.absorb(birth, fitness)
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
        let carried = match self.restart_clock.from() {
            RestartFrom::Start => &self.start,
            RestartFrom::Best => best.unwrap_or(&self.start),
        };
        self.strategy.restart(carried);
        let birth = self.restart_clock.restart(absorbed, carried);
        Restart { birth, reason, carried: carried.clone() }
    }
}
