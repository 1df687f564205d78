//! Watching births: each is shown as it is absorbed, in birth order.
//!
//! Invariant: whoever watches reads and never steers. An [`Observer`](crate::Observer) is told of
//! evaluations, in the order of their ends; where births came from is known in this one only.

use std::sync::Arc;

use evo_domain::Domain;

use super::Search;
use crate::lineage::Lineage;
use crate::outcomes::Sighting;

/// A birth that has been absorbed.
#[derive(Debug)]
pub struct AbsorbedBirth<'a, P> {
    /// Its number.
    pub birth: u64,
    /// Its parent's birth; none of a start program.
    pub parent: Option<u64>,
    /// The birth of its second parent, of which a crossover took a part.
    pub mate: Option<u64>,
    /// The mutation that led here; none where it took several, or of a start program.
    pub mutation: Option<&'static str>,
    /// The birth whose evaluation it shares, or its own.
    pub evaluation: u64,
    /// Its fitness; minus infinity without a score.
    pub fitness: f64,
    /// Its program.
    pub program: &'a Arc<P>,
}

/// Is shown every birth.
pub type BirthWatcher<P> = Box<dyn FnMut(&AbsorbedBirth<'_, P>) + Send + Sync>;

impl<D: Domain> Search<D> {
    /// Shows every birth that is absorbed from here on, in order.
    #[must_use]
    pub fn watched_by(mut self, watcher: BirthWatcher<D::Program>) -> Search<D> {
        self.watcher = Some(watcher);
        self
    }

    /// Shows a birth to whoever watches.
    pub(super) fn show(
        &mut self,
        birth: u64,
        program: &Arc<D::Program>,
        (lineage, sighting): (Option<Lineage>, Sighting),
        fitness: f64,
    ) {
        let Some(watcher) = &mut self.watcher else { return };
        let kinds = self.breeding.identifier.domain().mutations();
        let evaluation = sighting.evaluation(birth);
        let (parent, mate) = (lineage.map(|it| it.parent), lineage.and_then(|it| it.mate));
        let mutation = lineage.and_then(|it| it.kind).map(|kind| kinds[usize::from(kind)]);
        watcher(&AbsorbedBirth { birth, parent, mate, mutation, evaluation, fitness, program });
    }
}
