//! `evo funnel`: the candidates of finished searches on stages of tasks that no search saw.

mod candidates;
mod files;
mod record;

use std::num::NonZeroUsize;
use std::path::Path;

use evo::{FunnelConfig, Gains, Race, StudiedTask, StudyConfig, load_funnel};

pub(super) use self::record::{Entry, StageRecord};
use super::place;
use super::studies::{self, Named};
use crate::args::FunnelArgs;
use crate::exit_code::ExitCode;
use crate::output;

pub(crate) fn run(args: &FunnelArgs) -> anyhow::Result<ExitCode> {
    let (config, loaded) = load_funnel(&args.config, &args.overrides)?;
    let mut left = candidates::of(&args.sources, config.candidates)?;
    let folder = studies::folder("funnel", &args.studies, &args.config);
    let threads = place::cores(args.studies.threads);
    let mut records = Vec::new();
    for (index, tasks) in loaded.iter().enumerate() {
        let stage = Stage { folder: &folder, tasks, threads, quiet: args.studies.quiet };
        let record = stage.run(&config, index, &mut left)?;
        records.push(record);
        if left.is_empty() {
            break;
        }
    }
    files::write(&folder, &config, &records, &left)?;
    output::print(&match args.studies.json {
        true => files::json(&config, &records)?,
        false => files::text(&records, &left),
    })?;
    if !args.studies.quiet {
        eprintln!("written to {}", folder.display());
    }
    Ok(if left.is_empty() { ExitCode::from(1) } else { ExitCode::SUCCESS })
}

/// A candidate with its gains so far, by task and seed.
type Racing = (Named, Vec<Option<Vec<f64>>>);

/// Of each candidate the one that it is the same as: with equal gains on every seed so far and no
/// longer, of several of one length the first.
fn same(racing: &[Racing]) -> Vec<Option<String>> {
    let rank = |place: &usize| (racing[*place].0.1.live_length(), *place);
    let like = |own: usize| {
        let (_, gains) = &racing[own];
        let trains = gains.iter().all(Option::is_some);
        let alike = (0..racing.len()).filter(|&other| trains && racing[other].1 == *gains);
        let first = alike.min_by_key(rank).filter(|&first| first != own)?;
        Some(racing[first].0.0.clone())
    };
    (0..racing.len()).map(like).collect()
}

/// What a stage works with.
struct Stage<'a> {
    folder: &'a Path,
    tasks: &'a [StudiedTask],
    threads: NonZeroUsize,
    quiet: bool,
}

impl Stage<'_> {
    /// Lets the candidates through a stage, task by task.
    fn run(
        &self,
        config: &FunnelConfig,
        index: usize,
        left: &mut Vec<Named>,
    ) -> anyhow::Result<StageRecord> {
        let stage = &config.stages[index];
        let race = Race {
            tasks: stage.studies.tasks.len(),
            keep: stage.keep.get(),
            error_rate: config.error_rate,
        };
        let mut racing: Vec<Racing> =
            std::mem::take(left).into_iter().map(|it| (it, Vec::new())).collect();
        let mut record = StageRecord::new(stage);
        for task in 0..race.tasks {
            self.study(&stage.studies, task, &mut racing)?;
            let same = same(&racing);
            let kept = racing.iter().zip(&same).filter(|(_, same)| same.is_none());
            let gains: Gains = kept.map(|((_, gains), _)| gains.clone()).collect();
            let mut dropped = race.dropped(&gains).into_iter().peekable();
            let (mut place, mut left) = (0, Vec::new());
            for (((name, program), gains), same_as) in racing.into_iter().zip(same) {
                // Places are those of the ones that are like no other.
                let is_out = same_as.is_none() && dropped.next_if_eq(&place).is_some();
                place += usize::from(same_as.is_none());
                if is_out || same_as.is_some() {
                    let dropped_behind = Some(task + 1);
                    record.entries.push(Entry { name, gains, dropped_behind, same_as });
                } else {
                    left.push(((name, program), gains));
                }
            }
            racing = left;
            if !self.quiet {
                let (stage, name) = (&stage.name, &stage.studies.tasks[task].name);
                eprintln!("{stage}, {name}: {} left", racing.len());
            }
        }
        let gains: Gains = racing.iter().map(|(_, gains)| gains.clone()).collect();
        let promoted = race.promoted(&gains);
        for (place, ((name, _), gains)) in racing.iter().enumerate() {
            let dropped_behind = (!promoted.contains(&place)).then_some(race.tasks);
            let (name, gains) = (name.clone(), gains.clone());
            record.entries.push(Entry { name, gains, dropped_behind, same_as: None });
        }
        *left = promoted.into_iter().map(|place| racing[place].0.clone()).collect();
        Ok(record)
    }

    /// Adds the gains of all that race on one task.
    fn study(
        &self,
        config: &StudyConfig,
        task: usize,
        racing: &mut [Racing],
    ) -> anyhow::Result<()> {
        let one = StudyConfig { tasks: vec![config.tasks[task].clone()], ..config.clone() };
        let programs =
            std::iter::once(studies::adamw()).chain(racing.iter().map(|(it, _)| it.clone()));
        let programs: Vec<Named> = programs.collect();
        let studied = (&one, &self.tasks[task..=task]);
        let studies = studies::of(self.folder, studied, &programs, self.threads, self.quiet)?;
        for ((_, gains), own) in racing.iter_mut().zip(&studies[1..]) {
            gains.push(own[0].gains_over(&studies[0][0]));
        }
        Ok(())
    }
}
