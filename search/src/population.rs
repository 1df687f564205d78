//! The population: individuals in the order they came in, the oldest leaving first.
//!
//! Invariant: the size never changes. Age is the order of coming in, which is birth order but for
//! migrants and the copies of a warm start, so removal needs no clock and no fitness; dropping the
//! oldest instead of the worst is what keeps one lucky score from living forever (regularized
//! evolution, arXiv 1802.01548).

use std::collections::VecDeque;
use std::sync::Arc;

use evo_hashes::{Hash, StreamRng};
use rand::RngExt;

use crate::Selection;

/// A program with the fitness it was given.
#[derive(Clone, Debug)]
pub struct Individual<P> {
    /// The number of its birth; lower is older.
    pub birth: u64,
    /// The birth of the start program that it descends from, its own of a start program.
    pub start: u64,
    /// The program as it was bred, dead statements included.
    pub program: Arc<P>,
    /// What it is compared by: the hash of its behaviour, or that of its structure where
    /// [`Deduplication`](crate::Deduplication) does not run programs.
    pub behaviour: Hash,
    /// Higher is better; negative infinity for a program without a score.
    pub fitness: f64,
    /// Number of parts that have an effect.
    pub length: usize,
    /// Number of state slots that have an effect.
    pub states: usize,
}

/// A fixed number of individuals, oldest first.
#[derive(Clone, Debug)]
pub struct Population<P> {
    members: VecDeque<Individual<P>>,
}

impl<P: Clone> Population<P> {
    /// `size` copies of these individuals, of each in turn: a warm start.
    ///
    /// # Panics
    /// If `size` is 0, or there is no individual.
    pub fn filled(individuals: &[Individual<P>], size: usize) -> Population<P> {
        assert!(size > 0 && !individuals.is_empty(), "a population has members");
        Population { members: individuals.iter().cycle().take(size).cloned().collect() }
    }

    /// A population of these individuals, oldest first.
    pub(crate) fn of(members: Vec<Individual<P>>) -> Population<P> {
        Population { members: members.into() }
    }

    /// Replaces the members by copies of these individuals, of each in turn.
    pub(crate) fn refill(&mut self, individuals: &[Individual<P>]) {
        *self = Population::filled(individuals, self.members.len());
    }

    /// Sets the fitness of the copies of an individual, one of so many that this population has
    /// just been filled with.
    pub(crate) fn learn(&mut self, index: usize, of: usize, fitness: f64) {
        let copies = self.members.iter_mut().skip(index).step_by(of);
        copies.for_each(|member| member.fitness = fitness);
    }

    /// Gives all members of a behaviour this fitness.
    pub(crate) fn refresh(&mut self, behaviour: &Hash, fitness: f64) {
        let members = self.members.iter_mut().filter(|member| member.behaviour == *behaviour);
        members.for_each(|member| member.fitness = fitness);
    }

    /// Adds the youngest and drops the oldest.
    pub fn replace_oldest(&mut self, child: Individual<P>) {
        self.members.pop_front();
        self.members.push_back(child);
    }

    /// Of `size` individuals drawn with replacement the first that no other is preferable to.
    ///
    /// # Panics
    /// If `size` is 0.
    pub fn tournament(
        &self,
        size: usize,
        selection: Selection,
        rng: &mut StreamRng,
    ) -> &Individual<P> {
        let mut draw = || &self.members[rng.random_range(0..self.members.len())];
        if selection == Selection::Pareto {
            let drawn: Vec<&Individual<P>> = (0..size).map(|_| draw()).collect();
            return selection.first_best(&drawn).expect("dominance has no cycles");
        }
        let mut best = draw();
        for _ in 1..size {
            let rival = draw();
            if selection.prefers(rival, best) {
                best = rival;
            }
        }
        best
    }

    /// Copies of the `size` fittest, the fittest last; among equals the younger are taken.
    pub(crate) fn fittest(&self, size: usize) -> Vec<Individual<P>> {
        let mut members: Vec<&Individual<P>> = self.members.iter().collect();
        // Fitness is never NaN, and the sort is stable.
        members.sort_by(|a, b| a.fitness.total_cmp(&b.fitness));
        members.into_iter().rev().take(size).rev().cloned().collect()
    }

    /// The individuals, oldest first.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Individual<P>> {
        self.members.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use evo_hashes::Seed;

    fn population(fitness: &[f64]) -> Population<()> {
        let (program, behaviour) = (Arc::new(()), Hash([0; 16]));
        let member = |(birth, &fitness)| {
            let program = Arc::clone(&program);
            Individual { birth, start: 0, program, behaviour, fitness, length: 0, states: 0 }
        };
        Population { members: (0..).zip(fitness).map(member).collect() }
    }

    #[test]
    fn the_fitness_of_a_start_is_that_of_all_its_copies() {
        let starts = |fitness: f64| Vec::from(population(&[0.0, fitness, 0.0]).members);
        let mut learning = Population::filled(&starts(0.0), 8);
        learning.learn(1, 3, 5.0);
        let filled = Population::filled(&starts(5.0), 8);
        let fitness = |it: &Population<()>| it.iter().map(|it| it.fitness).collect::<Vec<_>>();
        assert_eq!(fitness(&learning), fitness(&filled));
    }

    #[test]
    fn the_oldest_leaves_whatever_its_fitness() {
        let mut population = population(&[9.0, 1.0, 2.0]);
        let child = Individual { birth: 3, ..population.members[1].clone() };
        population.replace_oldest(child);
        let births: Vec<u64> = population.iter().map(|individual| individual.birth).collect();
        assert_eq!(births, [1, 2, 3]);
    }

    #[test]
    fn a_tournament_prefers_the_fitter_and_one_of_size_one_is_uniform() {
        let population = population(&[0.0, 1.0, f64::NEG_INFINITY, 0.5]);
        let wins = |size| {
            let mut wins = [0; 4];
            for index in 0..4_000 {
                let mut rng = Seed(1).stream("tournament", index);
                wins[population.tournament(size, Selection::Fitness, &mut rng).birth as usize] += 1;
            }
            wins
        };
        assert!(wins(1).iter().all(|count| (900..1_100).contains(count)), "{:?}", wins(1));
        // Of two draws with replacement the best wins 7/16, the next 5/16, 3/16 and 1/16.
        let [zero, one, invalid, half] = wins(2);
        assert!(one > half && half > zero && zero > invalid && invalid > 0, "{:?}", wins(2));
    }

    #[test]
    fn equals_leave_the_first_drawn_in_place() {
        let population = population(&[1.0; 50]);
        for index in 0..100 {
            let first = population
                .tournament(1, Selection::Fitness, &mut Seed(1).stream("tie", index))
                .birth;
            assert_eq!(
                population
                    .tournament(5, Selection::Fitness, &mut Seed(1).stream("tie", index))
                    .birth,
                first
            );
        }
    }
}
