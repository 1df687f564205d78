//! Performance profiles: on what share of the tasks a program is within a factor of the fastest
//! one (Dolan and Moré, "Benchmarking optimization software with performance profiles", arXiv
//! cs/0102001), scored as AlgoPerf does (mlcommons/algorithmic-efficiency,
//! `docs/DOCUMENTATION.md`, "Benchmark score using performance profiles").
//!
//! Invariant: every ratio is at least 1, and infinite for a task that the program does not reach.
//! A profile is relative to the programs in it: with one more, the ratios and scores of all may
//! change. Times are not averaged over tasks, as one long task would decide, nor their ratios, as
//! one miss would.

use serde::Serialize;
use thiserror::Error;

/// Why there is no profile of some times.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum ProfileError {
    /// There is no task, so no share of them.
    #[error("a performance profile needs a task")]
    NoTasks,
    /// A row is shorter or longer than the first.
    #[error("program {program} has times on {given} tasks, program 0 on {expected}")]
    Uneven {
        /// The row.
        program: usize,
        /// Its length.
        given: usize,
        /// That of the first.
        expected: usize,
    },
    /// A time is NaN or negative.
    #[error("program {program} on task {task}: {time} is no time")]
    Time {
        /// The row.
        program: usize,
        /// The column.
        task: usize,
        /// What stands there.
        time: f64,
    },
}

/// A place where a profile rises: from ratio `tau` on, up to the next step, it is `share`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ProfileStep {
    /// The ratio, finite and at least 1.
    pub tau: f64,
    /// The share of tasks at or below it.
    pub share: f64,
}

/// The performance profiles of programs on the same tasks, by the programs' places.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Profile {
    ratios: Vec<Vec<f64>>,
}

impl Profile {
    /// The ratio up to which a score counts, AlgoPerf's r_max: who takes longer gets nothing.
    pub const LARGEST: f64 = 4.0;

    /// Profiles from times to a target, in any unit (steps, seconds): a row for each program, in
    /// it a column for each task. `None`, or an infinite time, is a miss; a task that nobody
    /// reaches is one of all, and counts. A best time of 0 leaves the others infinitely far
    /// behind.
    pub fn of(times: &[Vec<Option<f64>>]) -> Result<Profile, ProfileError> {
        let tasks = check(times)?;
        let time = |program: usize, task: usize| times[program][task].unwrap_or(f64::INFINITY);
        let best: Vec<f64> = (0..tasks)
            .map(|task| (0..times.len()).map(|row| time(row, task)).fold(f64::INFINITY, f64::min))
            .collect();
        let ratio = |time: f64, best: f64| match time {
            f64::INFINITY => f64::INFINITY,
            // 0 / 0 too is a first place.
            time if time == best => 1.0,
            time => time / best,
        };
        let ratios = (0..times.len())
            .map(|row| (0..tasks).map(|task| ratio(time(row, task), best[task])).collect());
        Ok(Profile { ratios: ratios.collect() })
    }

    /// How many programs have a profile.
    pub fn programs(&self) -> usize {
        self.ratios.len()
    }

    /// A program's time over the best one, by task: 1 where it is the fastest, infinite where it
    /// misses. Panics, as all that follow, if there is no such program.
    pub fn ratios(&self, program: usize) -> &[f64] {
        &self.ratios[program]
    }

    /// ρ(τ): the share of all tasks on which a program's ratio is at most `tau`, which is finite.
    pub fn share(&self, program: usize, tau: f64) -> f64 {
        let ratios = &self.ratios[program];
        let within = ratios.iter().filter(|&&ratio| ratio.is_finite() && ratio <= tau).count();
        within as f64 / ratios.len() as f64
    }

    /// AlgoPerf's benchmark score, from 0 to 1 and higher is better: the mean of ρ over τ from 1
    /// to 4. A task whose ratio is r adds 4 - r to the integral, if anything, so it is exact.
    pub fn score(&self, program: usize) -> f64 {
        let ratios = &self.ratios[program];
        let gained: f64 = ratios.iter().map(|ratio| (Profile::LARGEST - ratio).max(0.0)).sum();
        gained / (Profile::LARGEST - 1.0) / ratios.len() as f64
    }

    /// The steps of a program's profile in order of τ, for plotting; before the first it is 0.
    pub fn steps(&self, program: usize) -> Vec<ProfileStep> {
        let mut finite: Vec<f64> = self.ratios[program].clone();
        finite.retain(|ratio| ratio.is_finite());
        finite.sort_by(f64::total_cmp);
        finite.dedup();
        finite.into_iter().map(|tau| ProfileStep { tau, share: self.share(program, tau) }).collect()
    }
}

/// The number of tasks, if all rows have times on them.
fn check(times: &[Vec<Option<f64>>]) -> Result<usize, ProfileError> {
    let expected = times.first().map_or(0, Vec::len);
    if expected == 0 {
        return Err(ProfileError::NoTasks);
    }
    for (program, row) in times.iter().enumerate() {
        if row.len() != expected {
            return Err(ProfileError::Uneven { program, given: row.len(), expected });
        }
        for (task, &time) in row.iter().enumerate() {
            if let Some(time) = time.filter(|time| time.is_nan() || *time < 0.0) {
                return Err(ProfileError::Time { program, task, time });
            }
        }
    }
    Ok(expected)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile(times: &[&[Option<f64>]]) -> Profile {
        let times: Vec<Vec<Option<f64>>> = times.iter().map(|row| row.to_vec()).collect();
        Profile::of(&times).expect("rows are even and hold times")
    }

    #[test]
    fn ratios_are_to_the_best_and_a_miss_is_infinite() {
        let profile = profile(&[
            &[Some(10.0), Some(30.0), None, Some(f64::INFINITY), Some(0.0)],
            &[Some(20.0), Some(20.0), Some(7.0), None, Some(3.0)],
        ]);
        let missed = f64::INFINITY;
        assert_eq!(profile.programs(), 2);
        assert_eq!(profile.ratios(0), [1.0, 1.5, missed, missed, 1.0]);
        assert_eq!(profile.ratios(1), [2.0, 1.0, 1.0, missed, missed]);
        assert_eq!([1.0, 1.5, 1e300].map(|tau| profile.share(0, tau)), [0.4, 0.6, 0.6]);
        assert_eq!([0.9, 1.0, 2.0].map(|tau| profile.share(1, tau)), [0.0, 0.4, 0.6]);
        let step = |tau, share| ProfileStep { tau, share };
        assert_eq!(profile.steps(0), [step(1.0, 0.4), step(1.5, 0.6)]);
    }

    #[test]
    fn a_score_counts_ratios_up_to_four() {
        let always_first = profile(&[&[Some(5.0), Some(7.0)]]);
        assert_eq!(always_first.score(0), 1.0);
        let never = profile(&[&[None, None]]);
        assert_eq!((never.score(0), never.steps(0)), (0.0, Vec::new()));
        let four = profile(&[
            &[Some(1.0), Some(1.0), Some(1.0), None],
            &[Some(2.5), Some(4.0), Some(9.0), Some(1.0)],
        ]);
        assert_eq!((four.score(0), four.score(1)), (0.75, (0.5 + 0.0 + 0.0 + 1.0) / 4.0));
    }

    #[test]
    fn a_score_is_the_area_under_the_steps() {
        let profile = profile(&[
            &[Some(1.0), Some(3.0), Some(2.0), Some(8.0), None],
            &[Some(1.75), Some(1.0), Some(2.0), Some(1.0), Some(6.0)],
            &[Some(3.9), Some(2.0), Some(7.0), Some(1.5), Some(5.0)],
        ]);
        for program in 0..profile.programs() {
            let steps = profile.steps(program);
            let ends = steps.iter().skip(1).map(|step| step.tau).chain([Profile::LARGEST]);
            let area: f64 = steps
                .iter()
                .zip(ends)
                .map(|(step, end)| step.share * (end.min(Profile::LARGEST) - step.tau).max(0.0))
                .sum();
            assert!((profile.score(program) - area / 3.0).abs() < 1e-15);
        }
    }

    #[test]
    fn the_unit_of_a_task_does_not_matter() {
        let times = [[3.0, 5.0], [4.0, 2.0]].map(|row| row.map(Some).to_vec());
        let mut scaled = times.clone();
        scaled.iter_mut().for_each(|row| row[1] = row[1].map(|time| 1024.0 * time));
        assert_eq!(Profile::of(&times), Profile::of(&scaled));
    }

    #[test]
    fn what_has_no_profile_says_why() {
        assert_eq!(Profile::of(&[]), Err(ProfileError::NoTasks));
        assert_eq!(Profile::of(&[vec![], vec![]]), Err(ProfileError::NoTasks));
        let uneven = Profile::of(&[vec![Some(1.0)], vec![]]).expect_err("a row is short");
        assert_eq!(uneven.to_string(), "program 1 has times on 0 tasks, program 0 on 1");
        let negative = Profile::of(&[vec![None, Some(-1.0)]]).expect_err("a time is negative");
        assert_eq!(negative.to_string(), "program 0 on task 1: -1 is no time");
        assert!(Profile::of(&[vec![Some(f64::NAN)]]).is_err());
    }
}
