//! Islands: regularized evolution in several populations that exchange their fittest.
//!
//! Invariant: birth *b* belongs to island *b* mod *n*, as parent and as child, and migration comes
//! after every so many births absorbed since the last restart, so neither depends on timing.
//! Counted from the start of the run, migrations could miss all that is absorbed between two
//! restarts, which is fewer births than lie between them, by the window. Migration is a ring: each
//! island sends copies of its fittest to the next, all at once, where they replace the oldest.

use evo_hashes::{Hash, StreamRng};

use super::{Strategy, StrategyState, Tournament, restore_populations};
use crate::{Individual, Population};

/// When and how much is exchanged.
#[derive(Clone, Copy, Debug)]
pub(super) struct Migration {
    /// Births from one migration to the next.
    pub(super) every: u64,
    /// Individuals that leave each island, at most its population.
    pub(super) migrants: usize,
}

/// Populations in a ring.
pub(super) struct Islands<P> {
    islands: Vec<Population<P>>,
    tournament: Tournament,
    migration: Migration,
}

/// What an island begins with: island *i* with start *i* mod their number.
fn own_start<P>(starts: &[Individual<P>], island: usize) -> &[Individual<P>] {
    std::slice::from_ref(&starts[island % starts.len()])
}

impl<P: Clone> Islands<P> {
    pub(super) fn new(
        starts: &[Individual<P>],
        islands: usize,
        population: usize,
        tournament: Tournament,
        migration: Migration,
    ) -> Self {
        let of = |island| Population::filled(own_start(starts, island), population);
        Islands { islands: (0..islands).map(of).collect(), tournament, migration }
    }

    fn of(&self, birth: u64) -> usize {
        (birth % self.islands.len() as u64) as usize
    }

    fn migrate(&mut self) {
        let fittest = |island: &Population<P>| island.fittest(self.migration.migrants);
        let leaving: Vec<Vec<Individual<P>>> = self.islands.iter().map(fittest).collect();
        for (from, migrants) in leaving.into_iter().enumerate() {
            let to = (from + 1) % self.islands.len();
            for migrant in migrants {
                self.islands[to].replace_oldest(migrant);
            }
        }
    }
}

impl<P: Clone + Send + Sync> Strategy<P> for Islands<P> {
    fn parent(&self, birth: u64, rng: &mut StreamRng) -> &Individual<P> {
        self.tournament.winner(&self.islands[self.of(birth)], rng)
    }

    fn absorb(&mut self, individual: Individual<P>, earlier: u64) {
        let island = self.of(individual.birth);
        self.islands[island].replace_oldest(individual);
        if (earlier + 1).is_multiple_of(self.migration.every) {
            self.migrate();
        }
    }

    fn restart(&mut self, from: &[Individual<P>]) {
        for (index, island) in self.islands.iter_mut().enumerate() {
            island.refill(own_start(from, index));
        }
    }

    fn refresh(&mut self, behaviour: &Hash, fitness: f64) {
        self.islands.iter_mut().for_each(|island| island.refresh(behaviour, fitness));
    }

    fn populations(&self) -> &[Population<P>] {
        &self.islands
    }

    fn restore(&mut self, state: StrategyState<Individual<P>>) -> bool {
        restore_populations(&mut self.islands, state.populations)
    }
}
