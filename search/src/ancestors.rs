//! The ancestors of one birth, kept while a run is made again.
//!
//! Invariant: a birth is forgotten only once it can be no ancestor of the one asked for: nobody
//! else holds its program, so it has no more children, none of those that were bred is still to be
//! absorbed, and all that it has are forgotten. So what is held is what lives and where that came
//! from, not the run.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::{AbsorbedBirth, Ancestor};

/// Births from one look at what can be forgotten to the next. A program that nobody holds may have
/// children in the window, of at most as many births, so it is forgotten at the second look.
const EVERY: u64 = 20_000;

/// The ancestors of a birth.
#[derive(Debug)]
pub struct Ancestors<P> {
    birth: u64,
    held: BTreeMap<u64, Held<P>>,
}

#[derive(Debug)]
struct Held<P> {
    parent: Option<u64>,
    mate: Option<u64>,
    mutation: Option<&'static str>,
    evaluation: u64,
    fitness: f64,
    program: Arc<P>,
    /// Whether nobody else held the program when last looked at.
    idle: bool,
}

impl<P> Ancestors<P> {
    /// Those of this birth, none of which is known yet.
    pub fn of(birth: u64) -> Ancestors<P> {
        Ancestors { birth, held: BTreeMap::new() }
    }

    /// Notes the next birth of the run, from the first on.
    pub fn note(&mut self, it: &AbsorbedBirth<'_, P>) {
        if it.birth > self.birth {
            return;
        }
        let program = Arc::clone(it.program);
        let AbsorbedBirth { birth, parent, mate, mutation, evaluation, fitness, .. } = *it;
        let held = Held { parent, mate, mutation, evaluation, fitness, program, idle: false };
        self.held.insert(birth, held);
        if birth % EVERY == EVERY - 1 {
            self.forget();
        }
    }

    /// Forgets what can be no ancestor.
    fn forget(&mut self) {
        let mut needed = BTreeSet::new();
        // Children are born behind their parents.
        for (birth, held) in self.held.iter_mut().rev() {
            let was_idle = held.idle;
            held.idle = Arc::strong_count(&held.program) == 1;
            let may_be_parent = !(was_idle && held.idle) || *birth == self.birth;
            if may_be_parent || needed.contains(birth) {
                needed.insert(*birth);
                needed.extend(held.parent);
            }
        }
        self.held.retain(|birth, _| needed.contains(birth));
    }

    /// The path from a start program to the birth by first parents, the start program first; `None`
    /// where the run has not come to it.
    pub fn path(&self, text: impl Fn(&P) -> String) -> Option<Vec<Ancestor>> {
        let mut path = Vec::new();
        let mut next = Some(self.birth);
        while let Some(birth) = next {
            let held = self.held.get(&birth)?;
            next = held.parent;
            path.push(Ancestor {
                birth,
                parent: held.parent,
                mate: held.mate,
                mutation: held.mutation.map(str::to_owned),
                evaluation: held.evaluation,
                fitness: Some(held.fitness).filter(|fitness| fitness.is_finite()),
                program: text(&held.program),
            });
        }
        path.reverse();
        Some(path)
    }

    /// How many births are held.
    pub fn held(&self) -> usize {
        self.held.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use evo_hashes::Hash;

    /// A line of descent along which every birth lives as long as the next two, and has a child
    /// that lives on without any, as long as it is one of the last hundred.
    #[test]
    fn what_has_no_descendants_is_forgotten_and_the_path_is_whole() {
        let last = 10 * EVERY + 4;
        let mut ancestors = Ancestors::of(last);
        let mut alive = std::collections::VecDeque::new();
        for birth in 0..last + 10 {
            let program = Arc::new(birth);
            let is_leaf = birth % 2 == 1;
            let parent = birth.checked_sub(if is_leaf { 1 } else { 2 });
            ancestors.note(&AbsorbedBirth {
                birth,
                parent,
                mate: None,
                mutation: parent.map(|_| "insert"),
                evaluation: birth,
                same_structure: true,
                structure: Hash([0; 16]),
                behaviour: Hash([0; 16]),
                fitness: birth as f64,
                program: &program,
            });
            alive.push_back(program);
            if alive.len() > 100 {
                alive.pop_front();
            }
        }
        let path = ancestors.path(|program| program.to_string()).expect("it was noted");
        assert_eq!(path.len() as u64, last / 2 + 1);
        assert!(path.iter().enumerate().all(|(at, it)| it.birth == 2 * at as u64));
        assert_eq!((path[0].mutation.clone(), path[0].parent), (None, None));
        assert_eq!(
            path.last().map(|it| (it.program.clone(), it.fitness)),
            Some((last.to_string(), Some(last as f64)))
        );
        // The path, and what two looks have not come to.
        assert!((ancestors.held() as u64) < last / 2 + 2 * EVERY, "{}", ancestors.held());
        assert!(Ancestors::<u64>::of(3).path(u64::to_string).is_none());
    }
}
