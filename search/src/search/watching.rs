//! Watching births: each is shown as it is absorbed, in birth order.
//!
//! Invariant: whoever watches reads and never steers. An [`Observer`](crate::Observer) is told of
//! evaluations, in the order of their ends; where births came from is known in this one only.

use std::sync::Arc;

use evo_domain::Domain;
use evo_hashes::Hash;

use super::Search;
use crate::identity::Identity;
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
    /// Whether that birth has its structure, being itself or not; where it has not, only behaviour
    /// says that the two are equal.
    pub same_structure: bool,
    /// The hash of its structure, or of its text where programs are compared by it.
    pub structure: Hash,
    /// The hash of its behaviour where programs are compared by it and it has one, else that of its
    /// structure.
    pub behaviour: Hash,
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
        (program, identity): (&Arc<D::Program>, Identity),
        (lineage, sighting): (Option<Lineage>, Sighting),
        fitness: f64,
    ) {
        let Some(watcher) = &mut self.watcher else { return };
        let kinds = self.breeding.identifier.domain().mutations();
        let evaluation = sighting.evaluation(birth);
        let (parent, mate) = (lineage.map(|it| it.parent), lineage.and_then(|it| it.mate));
        let mutation = lineage.and_then(|it| it.kind).map(|kind| kinds[usize::from(kind)]);
        let apart = matches!(sighting, Sighting::Duplicate { same_structure: false, .. });
        let Identity { structure, behaviour, .. } = identity;
        watcher(&AbsorbedBirth {
            birth,
            parent,
            mate,
            mutation,
            evaluation,
            same_structure: !apart,
            structure,
            behaviour,
            fitness,
            program,
        });
    }
}
