//! Standings: what the studies of several programs on the same tasks say of each.
//!
//! Invariant: everything is paired by seed, the initial weights and batches being the same for all,
//! and everything follows from the studies: nothing is trained here. A program of which a run was
//! stopped has no figure on that task, and none over all tasks: leaving out what failed would pay
//! for failing.

mod duel;

use evo_evaluators::{Setting, Study};
use evo_hashes::Seed;
use evo_statistics::{Bootstrap, Estimate, Profile};
use serde::Serialize;

pub use duel::{Duel, DuelOnTask, Verdict, fewest_seeds};

/// A program with its studies.
#[derive(Clone, Debug)]
pub struct Compared {
    /// Where it comes from; one that begins with `zoo:` is a rule to be measured by.
    pub name: String,
    /// One for each task, in the order of the tasks.
    pub studies: Vec<Study>,
}

/// Programs beside each other; the first is the reference.
#[derive(Clone, Debug, Serialize)]
pub struct Standings {
    /// Names of the tasks.
    pub tasks: Vec<String>,
    /// A standing for each program, in the order given.
    pub programs: Vec<Standing>,
}

/// What is said of one program.
#[derive(Clone, Debug, Serialize)]
pub struct Standing {
    /// The program.
    pub name: String,
    /// Against the reference.
    pub reference: Duel,
    /// Against the rule of the zoo that has the lowest loss on each task, itself aside; `None`
    /// where no rule trains one of them.
    pub best_rules: Option<Duel>,
    /// The score of its performance profile over all programs given, the time being the steps to
    /// the reference's final loss.
    pub profile_score: f64,
    /// Its own figures on each task.
    pub on_tasks: Vec<OnTask>,
}

/// A program's own figures on a task.
#[derive(Clone, Debug, Serialize)]
pub struct OnTask {
    /// The mean final loss of the reported runs.
    pub loss: Option<Estimate>,
    /// Runs that were stopped.
    pub stopped: usize,
    /// The setting that tuning chose.
    pub setting: Setting,
    /// Whether a better learning rate may lie beyond those tried.
    pub at_edge: bool,
    /// Learning rates tried with all else as it is, rising, and the losses of tuning.
    pub by_rate: Vec<(f64, Option<f64>)>,
}

impl Standings {
    /// The standings of programs with a study for each of these tasks.
    ///
    /// # Panics
    /// If there is no program, no task, or a program with another number of studies.
    pub fn of(tasks: &[String], programs: &[Compared]) -> Standings {
        let [reference, ..] = programs else { panic!("a comparison has a reference") };
        let bootstrap = Bootstrap::new(Seed(0).derive("standings"));
        let scores = profile_scores(reference, programs);
        let standing = |(index, program): (usize, &Compared)| {
            assert_eq!(program.studies.len(), tasks.len(), "a study for each task");
            let reference: Vec<&Study> = reference.studies.iter().collect();
            let rivals = best_rules(programs, index, tasks.len());
            Standing {
                name: program.name.clone(),
                reference: Duel::of(tasks, &program.studies, &reference, &bootstrap),
                best_rules: rivals
                    .map(|rivals| Duel::of(tasks, &program.studies, &rivals, &bootstrap)),
                profile_score: scores[index],
                on_tasks: program.studies.iter().map(|it| OnTask::of(it, &bootstrap)).collect(),
            }
        };
        let programs = programs.iter().enumerate().map(standing).collect();
        Standings { tasks: tasks.to_vec(), programs }
    }
}

/// The studies of the best rule of the zoo on each task, a program itself aside.
fn best_rules(programs: &[Compared], own: usize, tasks: usize) -> Option<Vec<&Study>> {
    let others = programs.iter().enumerate();
    let rules: Vec<&Compared> = others
        .filter(|(index, it)| *index != own && it.name.starts_with("zoo:"))
        .map(|(_, it)| it)
        .collect();
    let best = |task: usize| {
        let trained = rules.iter().map(|rule| &rule.studies[task]);
        let trained = trained.filter_map(|study| Some((study.loss()?, study)));
        trained.min_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, study)| study)
    };
    (0..tasks).map(best).collect()
}

fn profile_scores(reference: &Compared, programs: &[Compared]) -> Vec<f64> {
    let times = |program: &Compared| {
        let pairs = program.studies.iter().zip(&reference.studies);
        let time = pairs.map(|(own, rival)| {
            let steps = own.steps_to(rival.loss()?, &every_seed(own))?;
            Some(steps as f64)
        });
        time.collect::<Vec<Option<f64>>>()
    };
    let times: Vec<Vec<Option<f64>>> = programs.iter().map(times).collect();
    let profile = Profile::of(&times).expect("every program has a time, or none, on every task");
    (0..programs.len()).map(|index| profile.score(index)).collect()
}

/// The seeds of a study's runs.
fn every_seed(study: &Study) -> Vec<usize> {
    (0..study.runs.len()).collect()
}

impl OnTask {
    fn of(study: &Study, bootstrap: &Bootstrap) -> OnTask {
        let losses: Option<Vec<f64>> = study.runs.iter().map(|run| run.loss).collect();
        let own = &study.tried[0].setting;
        // With all else as it is: those that only learning rates were drawn for.
        let alone = study.tried.iter().filter(|it| {
            it.setting.weight_decay == own.weight_decay
                && it.setting.hyperparameters == own.hyperparameters
        });
        let mut by_rate: Vec<(f64, Option<f64>)> =
            alone.map(|it| (it.setting.learning_rate, it.loss)).collect();
        by_rate.sort_by(|a, b| a.0.total_cmp(&b.0));
        OnTask {
            loss: losses.and_then(|losses| bootstrap.mean(&losses)),
            stopped: study.runs.iter().filter(|run| run.loss.is_none()).count(),
            setting: study.tried[study.best].setting.clone(),
            at_edge: study.at_edge,
            by_rate,
        }
    }
}

#[cfg(test)]
mod tests;
