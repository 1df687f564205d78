//! The crew: who takes jobs from one queue.
//!
//! Invariant: a job that was handed over is taken once, in order. A worker who finds none goes home,
//! and so does one of too many, but never the last while there is a job: whoever is not of the crew
//! and waits relies on that where there is a worker, and takes the job where there is none. So a
//! worker fetches its next job itself, however short the last one was, and nobody has to be woken.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Jobs that nobody has taken yet, and those who take them.
pub(super) struct Crew<J> {
    state: Mutex<State<J>>,
}

struct State<J> {
    jobs: VecDeque<J>,
    /// Workers that are at work.
    workers: usize,
    /// How many there may be.
    most: usize,
}

impl<J> Crew<J> {
    pub(super) fn new() -> Crew<J> {
        Crew { state: Mutex::new(State { jobs: VecDeque::new(), workers: 0, most: 0 }) }
    }

    /// Adds a job, for at most so many workers; whether one more has to be sent for, to
    /// [`Crew::work`].
    pub(super) fn hand_over(&self, job: J, most: usize) -> bool {
        let mut state = self.state();
        state.jobs.push_back(job);
        state.most = most;
        let more = state.workers < most;
        state.workers += usize::from(more);
        more
    }

    /// The next job for one who is not of the crew, if it suits them or nobody else is there.
    pub(super) fn take_if(&self, suits: impl FnOnce(&J) -> bool) -> Option<J> {
        let mut state = self.state();
        let alone = state.workers == 0;
        state.jobs.pop_front_if(|job| alone || suits(job))
    }

    /// Does one job after another, until none is left or there are more workers than may be.
    pub(super) fn work(&self, mut each: impl FnMut(J)) {
        while let Some(job) = self.next() {
            each(job);
        }
    }

    fn next(&self) -> Option<J> {
        let mut state = self.state();
        let job = match state.workers <= state.most.max(1) {
            true => state.jobs.pop_front(),
            false => None,
        };
        state.workers -= usize::from(job.is_none());
        job
    }

    fn state(&self) -> MutexGuard<'_, State<J>> {
        // Nothing that may panic is done while it is held.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_takes_job_after_job_and_nobody_else_is_sent_for_meanwhile() {
        let crew = Crew::new();
        assert!(crew.hand_over(0, 1));
        assert!(!crew.hand_over(1, 1));
        let mut done = Vec::new();
        crew.work(|job| {
            done.push(job);
            // What is handed over meanwhile is theirs as well.
            if job == 0 {
                assert!(!crew.hand_over(2, 1));
            }
        });
        assert_eq!(done, [0, 1, 2]);
        assert!(crew.hand_over(3, 1), "they have gone home");
    }

    #[test]
    fn a_job_is_left_to_the_workers_unless_it_suits_or_there_are_none() {
        let crew = Crew::new();
        assert!(crew.hand_over(0, 1));
        assert_eq!(crew.take_if(|_| false), None);
        assert_eq!(crew.take_if(|job| *job == 0), Some(0));
        crew.work(|_| unreachable!("nothing is left"));
        assert!(!crew.hand_over(1, 0));
        assert_eq!(crew.take_if(|_| false), Some(1));
    }

    #[test]
    fn the_last_worker_leaves_no_job_behind() {
        let crew = Crew::new();
        assert!(crew.hand_over(0, 1));
        let mut done = Vec::new();
        crew.work(|job| {
            done.push(job);
            // Nobody is to be at work any more, and this does not suit who is not of the crew.
            if job == 0 {
                assert!(!crew.hand_over(1, 0));
                assert_eq!(crew.take_if(|_| false), None);
            }
        });
        assert_eq!(done, [0, 1]);
    }

    #[test]
    fn workers_that_are_too_many_leave_the_jobs_to_the_others() {
        let crew = Crew::new();
        assert!(crew.hand_over(0, 2) && crew.hand_over(1, 2));
        assert!(!crew.hand_over(2, 1));
        // Two are at work, and one may be.
        crew.work(|_| unreachable!("there are too many"));
        let mut done = Vec::new();
        crew.work(|job| done.push(job));
        assert_eq!(done, [0, 1, 2]);
    }
}
