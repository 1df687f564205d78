//! The lineage of a winner as a story: its advances, and what lies between them.
//!
//! Invariant: every birth of the lineage is told once, in order. An advance is one that is fitter
//! than all before it: a child that only makes up for a worse parent is not.

use evo::Ancestor;
use serde::Serialize;

use super::number::{NONE, short, signed};
use crate::command::lineage::{difference, mutation};

/// The story of a winner.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Story {
    /// The program it began with.
    pub start: String,
    pub start_birth: u64,
    pub start_fitness: String,
    pub advances: Vec<Advance>,
    /// Births behind the last advance, up to the winner.
    pub rest: Vec<Quiet>,
}

/// A birth that was fitter than all of its ancestors.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Advance {
    /// The births since the advance before, none of them an improvement.
    pub between: Vec<Quiet>,
    pub birth: u64,
    pub how: String,
    /// The fittest before.
    pub before: String,
    pub after: String,
    pub gone: Vec<String>,
    pub come: Vec<String>,
}

/// A birth that was not.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Quiet {
    pub birth: u64,
    pub how: String,
    pub fitness: String,
    pub gone: Vec<String>,
    pub come: Vec<String>,
}

impl Story {
    /// Of a lineage, the start program first; `None` of an empty one.
    pub(super) fn of(lineage: &[Ancestor]) -> Option<Story> {
        let (first, rest) = lineage.split_first()?;
        let mut best = first.fitness;
        let (mut advances, mut between) = (Vec::new(), Vec::new());
        for (parent, child) in lineage.iter().zip(rest) {
            let (gone, come) = difference(&parent.program, &child.program);
            let owned = |lines: Vec<&str>| lines.into_iter().map(str::to_owned).collect();
            let (gone, come): (Vec<String>, Vec<String>) = (owned(gone), owned(come));
            let (birth, how) = (child.birth, how(parent, child));
            let better = child.fitness.is_some_and(|it| best.is_none_or(|best| it > best));
            if better {
                let (before, mut after) = (fitness(best), fitness(child.fitness));
                if let (true, Some((now, then))) = (before == after, child.fitness.zip(best)) {
                    after += &format!(", by {}", short(now - then));
                }
                let between = std::mem::take(&mut between);
                advances.push(Advance { between, birth, how, before, after, gone, come });
                best = child.fitness;
            } else {
                let fitness = fitness(child.fitness);
                between.push(Quiet { birth, how, fitness, gone, come });
            }
        }
        Some(Story {
            start: first.program.clone(),
            start_birth: first.birth,
            start_fitness: fitness(first.fitness),
            advances,
            rest: between,
        })
    }
}

fn fitness(fitness: Option<f64>) -> String {
    fitness.map_or(NONE.to_owned(), signed)
}

/// How a birth came about.
fn how(parent: &Ancestor, birth: &Ancestor) -> String {
    let mutation = mutation(parent, birth).replace('_', " ");
    let mate = birth.mate.map_or(String::new(), |mate| format!(" with birth {mate}"));
    let shared = match birth.evaluation == birth.birth {
        true => String::new(),
        false => format!(", scored as birth {}", birth.evaluation),
    };
    mutation + &mate + &shared
}

#[cfg(test)]
mod tests {
    use super::*;

    fn birth(number: u64, fitness: Option<f64>, program: &str) -> Ancestor {
        Ancestor {
            birth: number,
            parent: number.checked_sub(1),
            mate: (number == 3).then_some(1),
            mutation: (number > 0).then(|| "change_op".to_owned()),
            evaluation: if number == 2 { 1 } else { number },
            fitness,
            program: program.to_owned(),
        }
    }

    #[test]
    fn a_child_of_no_kind_is_a_copy_where_nothing_changed_and_else_of_several_mutations() {
        let unnamed = |program| Ancestor { mutation: None, ..birth(5, None, program) };
        let parent = birth(4, None, "def\n  a\n");
        assert_eq!(how(&parent, &unnamed("def\n  a\n")), "a copy");
        assert_eq!(how(&parent, &unnamed("def\n  b\n")), "several mutations");
    }

    #[test]
    fn what_is_fitter_than_all_before_is_an_advance_and_the_rest_lies_between() {
        let lineage = [
            birth(0, Some(-1.0), "def\n  a\n  b\n"),
            birth(1, Some(-2.0), "def\n  a\n  c\n"),
            birth(2, None, "def\n  a\n  c\n  d\n"),
            birth(3, Some(-1.5), "def\n  a\n"),
            birth(4, Some(0.5), "def\n  x\n"),
            birth(5, Some(0.5), "def\n  y\n"),
            birth(6, Some(0.500_000_1), "def\n  z\n"),
            birth(7, Some(0.5), "def\n  z\n"),
        ];
        let story = Story::of(&lineage).expect("it is not empty");
        assert_eq!(story.start_fitness, "−1.0000");
        let [advance, little] = &story.advances[..] else { panic!("{story:?}") };
        assert_eq!((advance.birth, &*advance.before, &*advance.after), (4, "−1.0000", "+0.5000"));
        assert_eq!(
            (&advance.gone[..], &advance.come[..]),
            (&["a".to_owned()][..], &["x".to_owned()][..])
        );
        let between: Vec<u64> = advance.between.iter().map(|it| it.birth).collect();
        assert_eq!(between, [1, 2, 3]);
        assert_eq!(advance.between[1].how, "change op, scored as birth 1");
        assert_eq!(advance.between[1].fitness, NONE);
        assert_eq!(advance.between[2].how, "change op with birth 1");
        assert_eq!(little.after, "+0.5000, by 1e-7");
        assert_eq!((little.between.len(), story.rest.len()), (1, 1));
        assert!(Story::of(&[]).is_none());
    }
}
