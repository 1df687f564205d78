//! A run that a host owns: asked and told, or driven to its end.
//!
//! Invariant: between two calls the driver is put aside, so that the run is one owner of search,
//! observers and store; every call takes it up again. A run directory is kept up to date by the
//! observers of the command line, and concluded by its report.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use anyhow::{Context, bail};
use evo_domain::{Domain, Outcome};
use evo_search::{
    Aside, Candidate, Champion, Counters, Driver, Observer, RunOptions, Search, SearchError,
    StopReason, run_with,
};
use serde_json::json;

use super::judge::Judge;
use super::program::Hostable;
use super::{
    About, AnyProgram, HostError, HostErrorKind, HostedCandidate, HostedChampion, HostedEvaluation,
    HostedRun, RunView,
};
use crate::command::conclusion::Report;
use crate::command::events::Events;
use crate::command::progress::Progress;
use crate::command::run_directory::RunDirectory;

/// What looks on at a run with a directory.
type Watchers = Option<(Progress, Events)>;

pub(crate) struct Owned<D: Domain> {
    search: Search<D>,
    judge: Option<Box<dyn Judge<D>>>,
    directory: Option<RunDirectory>,
    watchers: Watchers,
    /// The driver between two calls, once there was one.
    aside: Option<Aside>,
    asked: BTreeMap<u64, Candidate<D::Program>>,
    /// Why it ended, once its results are written.
    concluded: Option<StopReason>,
    about: About,
}

impl<D: Hostable> Owned<D> {
    pub(crate) fn begin(
        mut search: Search<D>,
        judge: Option<Box<dyn Judge<D>>>,
        directory: Option<RunDirectory>,
        about: About,
    ) -> anyhow::Result<Owned<D>> {
        search.deduplication().check_suits(about.depends_on)?;
        // A run that has come to its end is looked at, and asked for nothing.
        if let Some(reason) = search.stop_reason() {
            search.stop(reason)?;
        }
        let watchers = match &directory {
            None => None,
            Some(directory) => {
                let events = Events::open(&directory.path().join("events.jsonl"))?;
                Some((Progress::new(directory, true), events))
            }
        };
        let (aside, asked, concluded) = (None, BTreeMap::new(), None);
        Ok(Owned { search, judge, directory, watchers, aside, asked, concluded, about })
    }

    /// Takes the driver up for a while.
    fn drive<R>(
        &mut self,
        work: impl FnOnce(&mut Driver<'_, D>) -> Result<R, SearchError>,
    ) -> Result<R, SearchError> {
        let mut watching = Watching(&mut self.watchers, None);
        let (search, cancel) = (&mut self.search, Some(&*self.about.cancel));
        let mut driver = match self.aside {
            Some(aside) => aside.go_on(search, &mut watching, cancel),
            None => Driver::begin(search, &mut watching, self.about.depends_on, cancel)?,
        };
        let result = work(&mut driver);
        self.aside = Some(driver.put_aside());
        result
    }

    /// What went wrong with files that a run does without.
    fn check_watchers(&mut self) -> anyhow::Result<()> {
        let Some((progress, events)) = &mut self.watchers else { return Ok(()) };
        match progress.save_error.take().or(events.error.take()) {
            Some(error) => bail!("the results could not be saved: {error:#}"),
            None => Ok(()),
        }
    }

    fn run_to_the_end(
        &mut self,
        threads: NonZeroUsize,
        look: &mut dyn FnMut(&dyn RunView),
    ) -> anyhow::Result<StopReason> {
        let Some(judge) = &self.judge else {
            let name = self.about.objective.as_deref().unwrap_or_default();
            bail!("the outcomes of this run are told by the objective `{name}`: ask and tell");
        };
        if !self.asked.is_empty() {
            bail!("{} candidates are in flight, whose outcomes are told", self.asked.len());
        }
        let (search, watchers) = (&mut self.search, &mut self.watchers);
        let cohort = NonZeroUsize::MIN;
        let options = RunOptions { threads, cohort, cancel: Some(&*self.about.cancel) };
        let mut reason = None;
        judge.with(&mut |evaluators| {
            let mut watching = Watching(watchers, Some(look));
            reason = Some(run_with(search, evaluators, &mut watching, &options));
        });
        let reason = reason.context("a judge works with its evaluators")??;
        self.report(reason, threads)?;
        self.concluded = (reason != StopReason::Cancelled).then_some(reason);
        Ok(reason)
    }

    /// Writes what a run in a directory came to that has ended.
    fn report(&mut self, reason: StopReason, threads: NonZeroUsize) -> anyhow::Result<()> {
        self.check_watchers()?;
        let (Some(directory), Some(best)) = (&self.directory, self.search.best()) else {
            return Ok(());
        };
        if reason == StopReason::Cancelled {
            return Ok(());
        }
        let verdict = match &self.judge {
            Some(judge) => judge.verdict(&self.search, best, directory, threads)?,
            None => json!({ "objective": self.about.objective }),
        };
        let About { seed, keeps_births, .. } = self.about;
        Report::of(directory, seed, keeps_births, &self.search, verdict)?.write(directory)?;
        Ok(())
    }

    fn conclude(&mut self, threads: NonZeroUsize) -> anyhow::Result<StopReason> {
        if let Some(reason) = self.concluded {
            return Ok(reason);
        }
        // A run that nobody has asked yet is begun by this.
        self.drive(|driver| driver.commit())?;
        let mut watching = Watching(&mut self.watchers, None);
        let aside = self.aside.take().context("a driver has just been put aside")?;
        let driver = aside.go_on(&mut self.search, &mut watching, Some(&self.about.cancel));
        let reason = driver.finish()?;
        self.report(reason, threads)?;
        self.concluded = (reason != StopReason::Cancelled).then_some(reason);
        Ok(reason)
    }
}

fn champion<D: Hostable>(search: &Search<D>, it: &Champion<D::Program>) -> HostedChampion {
    let Champion { length, individual, losses, .. } = it;
    let points = search.held_out().points();
    let held_out = points.iter().find(|point| point.birth == individual.birth);
    HostedChampion {
        birth: individual.birth,
        program: D::wrap(Arc::clone(&individual.program)).live(),
        fitness: individual.fitness,
        held_out_fitness: held_out.and_then(|point| point.held_out_fitness),
        length: *length,
        states: individual.states,
        losses: losses.clone(),
    }
}

impl<D: Hostable> RunView for Search<D> {
    fn counters(&self) -> Counters {
        *Search::counters(self)
    }

    fn best(&self) -> Option<HostedChampion> {
        Search::best(self).map(|it| champion(self, it))
    }
}

impl<D: Hostable> RunView for Owned<D> {
    fn counters(&self) -> Counters {
        RunView::counters(&self.search)
    }

    fn best(&self) -> Option<HostedChampion> {
        RunView::best(&self.search)
    }
}

impl<D: Hostable> HostedRun for Owned<D> {
    fn ask(&mut self, most: usize) -> Result<Vec<HostedCandidate>, HostError> {
        let candidates = self.drive(|driver| driver.ask(most))?;
        let hosted = candidates.iter().map(|it| HostedCandidate {
            birth: it.birth,
            program: D::wrap(Arc::clone(&it.program)),
            hurdles: Arc::clone(&it.hurdles),
            repeat: it.repeat,
            held_out: it.held_out,
        });
        let hosted = hosted.collect();
        self.asked.extend(candidates.into_iter().map(|it| (it.birth, it)));
        Ok(hosted)
    }

    fn awaited(&self, birth: u64) -> Option<AnyProgram> {
        self.asked.get(&birth).map(|it| D::wrap(Arc::clone(&it.program)))
    }

    fn tell(&mut self, birth: u64, outcome: Outcome) -> Result<(), HostError> {
        let Some(candidate) = self.asked.remove(&birth) else {
            let message = format!("no outcome is awaited for birth {birth}");
            return Err(HostError::new(HostErrorKind::Search, message));
        };
        Ok(self.drive(|driver| driver.tell(&candidate, outcome))?)
    }

    fn commit(&mut self) -> Result<(), HostError> {
        Ok(self.drive(|driver| driver.commit())?)
    }

    fn run(
        &mut self,
        threads: NonZeroUsize,
        look: &mut dyn FnMut(&dyn RunView),
    ) -> Result<StopReason, HostError> {
        self.run_to_the_end(threads, look).map_err(|error| HostError::from(error).of_run())
    }

    fn finish(&mut self, threads: NonZeroUsize) -> Result<StopReason, HostError> {
        self.conclude(threads).map_err(|error| HostError::from(error).of_run())
    }

    fn in_flight(&self) -> usize {
        self.asked.len()
    }

    fn window(&self) -> usize {
        self.search.width()
    }

    fn is_finished(&self) -> bool {
        self.search.is_finished()
    }

    fn stop_reason(&self) -> Option<StopReason> {
        if self.search.is_finished() {
            return self.search.stop_reason();
        }
        self.about.cancel.load(Ordering::Relaxed).then_some(StopReason::Cancelled)
    }

    fn hall_of_fame(&self) -> Vec<HostedChampion> {
        self.search.hall_of_fame().iter().map(|it| champion(&self.search, it)).collect()
    }

    fn evaluations(&self) -> Result<Vec<HostedEvaluation>, HostError> {
        let Some(store) = self.search.store() else {
            let message = "a run without a directory keeps no evaluations";
            return Err(HostError::new(HostErrorKind::Search, message));
        };
        let read = |(birth, text, outcome): (u64, String, Outcome)| {
            let program = AnyProgram::parse(self.about.domain, &text)?;
            Ok(HostedEvaluation { birth, program, outcome })
        };
        store.outcomes()?.into_iter().map(read).collect()
    }

    fn digest(&self) -> String {
        self.search.digest().to_string()
    }

    fn view(&self) -> &dyn RunView {
        self
    }

    fn about(&self) -> &About {
        &self.about
    }
}

/// Called behind every outcome.
type Look<'l> = dyn FnMut(&dyn RunView) + 'l;

/// The observers of a run, and whoever looks on from outside.
struct Watching<'a, 'l>(&'a mut Watchers, Option<&'a mut Look<'l>>);

impl<D: Hostable> Observer<D> for Watching<'_, '_> {
    fn on_start(&mut self, search: &Search<D>) {
        if let Some(watchers) = self.0 {
            watchers.on_start(search);
        }
    }

    fn on_outcome(
        &mut self,
        search: &Search<D>,
        candidate: &Candidate<D::Program>,
        outcome: &Outcome,
    ) {
        if let Some(watchers) = self.0 {
            watchers.on_outcome(search, candidate, outcome);
        }
        if let Some(look) = &mut self.1 {
            look(search);
        }
    }

    fn on_new_best(&mut self, search: &Search<D>, best: &Champion<D::Program>) {
        if let Some(watchers) = self.0 {
            watchers.on_new_best(search, best);
        }
    }

    fn on_finish(&mut self, search: &Search<D>, reason: StopReason) {
        if let Some(watchers) = self.0 {
            watchers.on_finish(search, reason);
        }
    }
}
