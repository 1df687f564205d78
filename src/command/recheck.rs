//! `evo recheck`: how often functional hashing gave a birth an outcome that is not its own.
//!
//! Invariant: every functional hit of a run is judged by an evaluation of its own program, without
//! hurdles and by the run's own configuration; nothing that the run counted is believed. The hits
//! of a run that an earlier version made show what today's hash would have joined of them.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::path::Path;

use evo::{
    Config, Deduplication, Domain, DomainName, Evaluator, FunctionalHit, GraphSearch, Hash,
    Invalid, InvalidReason, Outcome, RECHECK_TOLERANCE, RecheckRate, SearchConfig, Store, Trial,
    outcomes_apart, parallel_map, shell_word,
};
use serde::Serialize;

use super::place::Place;
use super::run_directory::{self, CONFIG, STORE};
use crate::args::RecheckArgs;
use crate::exit_code::ExitCode;
use crate::output;

/// Fitness further apart than this is more than the noise of a fitness explains.
const FAR: f64 = 0.02;

/// What updates are multiplied by beside 1, to see what rounding does: twice the last place of a
/// float32.
const NUDGES: [f64; 2] = [1.0 / 4_194_304.0, -1.0 / 4_194_304.0];

/// What became of the functional hits of a run.
#[derive(Clone, Copy, Debug, Default, Serialize)]
struct Tally {
    hits: u64,
    /// One program trains and the other does not.
    valid_against_invalid: u64,
    /// As that, or more than [`FAR`] apart.
    far: u64,
    /// As that, or more than [`RECHECK_TOLERANCE`] apart.
    wrong: u64,
    /// Those of `far` whose own program is as far from itself when nudged: its fitness is what
    /// rounding makes of it, and no identity of behaviours can tell it.
    far_by_rounding: u64,
    /// The same of `wrong`.
    wrong_by_rounding: u64,
    /// Programs of hits that were right, each once: born again, a program is told by its structure,
    /// whatever the hash. Without those that are not finite at the first step of an evaluation:
    /// they have no functional identity, and to evaluate one costs that step.
    right: u64,
    /// Those of them that are hits by today's hash.
    right_today: u64,
    /// Hits that were wrong, and are hits by today's hash.
    wrong_today: u64,
}

/// A functional hit that was wrong.
#[derive(Debug, Serialize)]
struct Disagreement {
    birth: u64,
    /// The birth whose evaluation it shares.
    evaluation: u64,
    /// The fitness it was given; none without a score.
    given: Option<f64>,
    /// That of its own program.
    own: Option<f64>,
}

#[derive(Serialize)]
struct Row {
    run: String,
    #[serde(flatten)]
    tally: Tally,
    /// In order of birth.
    disagreements: Vec<Disagreement>,
}

pub(crate) fn run(args: &RecheckArgs) -> anyhow::Result<ExitCode> {
    let place = Place::open(&args.judging.device)?;
    let threads = place.threads(args.judging.threads);
    let mut rows = Vec::new();
    for directory in &args.run_directories {
        rows.push(recheck(directory, &place, threads)?);
    }
    if rows.len() > 1 {
        let tally = rows.iter().fold(Tally::default(), |all, row| all.plus(&row.tally));
        rows.push(Row { run: "all".to_owned(), tally, disagreements: Vec::new() });
    }
    output::print(&match args.judging.json {
        true => serde_json::to_string_pretty(&rows)? + "\n",
        false => table(&rows) + &worst(&rows),
    })?;
    let alarming = rows.last().is_some_and(|row| row.tally.rate().is_alarming());
    Ok(if alarming { ExitCode::from(1) } else { ExitCode::SUCCESS })
}

fn recheck(directory: &Path, place: &Place, threads: NonZeroUsize) -> anyhow::Result<Row> {
    let path = directory.join(CONFIG);
    let store = Store::read(&directory.join(STORE))?;
    let instead = "only that could evaluate its functional hits again";
    run_directory::refuse_objective(&store, directory, instead)?;
    if DomainName::stated_in(&path)? == DomainName::Graphs {
        let config = GraphSearch::load(&path, &[])?;
        check_is_exact(&config.settings, directory)?;
        let judges = config.judges()?;
        return row(directory, &config.domain(&judges)?, &judges.search, threads);
    }
    let config = Config::load_with_baselines(&path, &[])?;
    check_is_exact(&config.settings, directory)?;
    row(directory, &config.domain()?, &place.evaluator(&config)?, threads)
}

fn row<D: Domain>(
    directory: &Path,
    domain: &D,
    evaluator: &dyn Evaluator<D::Program>,
    threads: NonZeroUsize,
) -> anyhow::Result<Row> {
    let behaviour_of = |program: &D::Program| domain.behaviour(program, &domain.analyse(program));
    let hits = Store::read(&directory.join(STORE))?.functional_hits(domain)?;
    let structure_of = |program: &D::Program| domain.structure(program, &domain.analyse(program));
    let hits: Vec<(Hash, &FunctionalHit<D::Program>)> =
        hits.iter().map(|hit| (structure_of(&hit.program), hit)).collect();
    let programs = hits.iter().map(|(structure, hit)| (*structure, &hit.program)).collect();
    let outcomes = outcomes_of(&programs, evaluator, threads);
    let (mut tally, mut disagreements) = (Tally::default(), Vec::new());
    let (mut seen, mut wrong) = (BTreeSet::new(), Vec::new());
    for (structure, hit) in hits {
        let (own, first) = (&outcomes[&structure], seen.insert((structure, hit.evaluation)));
        if let Outcome::Failed { message } = own {
            anyhow::bail!("birth {} of {}: {message}", hit.birth, directory.display());
        }
        if tally.note(hit, first, own, behaviour_of) {
            let fitness = |outcome: &Outcome| Some(outcome.fitness()).filter(|it| it.is_finite());
            let (given, own) = (fitness(&hit.outcome), fitness(own));
            let &FunctionalHit { birth, evaluation, .. } = hit;
            disagreements.push(Disagreement { birth, evaluation, given, own });
            wrong.push((structure, hit));
        }
    }
    let nudged = NUDGES.map(|by| nudged_outcomes(&wrong, by, domain, evaluator, threads));
    for (structure, hit) in wrong {
        let nudged = nudged.iter().filter_map(|outcomes| outcomes.get(&structure));
        tally.note_rounding(hit, &outcomes[&structure], nudged);
    }
    Ok(Row { run: directory.display().to_string(), tally, disagreements })
}

/// Refuses a run whose outcomes no evaluation of the program alone comes to.
fn check_is_exact<M>(settings: &SearchConfig<M>, directory: &Path) -> anyhow::Result<()> {
    let Deduplication { aggregate, forget, forget_every, .. } = settings.deduplication;
    let repeats = aggregate > 1 || forget > 0.0 || forget_every.is_some();
    let noisy = settings.noise.sd > 0.0;
    if repeats || noisy {
        let what = if noisy { "noise" } else { "repeats" };
        let of = directory.display();
        anyhow::bail!("{of}: its outcomes have {what}, which an evaluation now would not have");
    }
    Ok(())
}

/// The outcome of every program by its structure, each evaluated once.
fn outcomes_of<P: Sync>(
    programs: &BTreeMap<Hash, &P>,
    evaluator: &dyn Evaluator<P>,
    threads: NonZeroUsize,
) -> BTreeMap<Hash, Outcome> {
    let programs: Vec<(&Hash, &&P)> = programs.iter().collect();
    let evaluate = |&(hash, program): &(&Hash, &&P)| {
        let outcome = evaluator.evaluate(&[Trial::of(*program)]).pop();
        (*hash, outcome.expect("one outcome for one program"))
    };
    parallel_map(threads, &programs, evaluate).into_iter().collect()
}

/// The outcomes of the programs of hits, nudged, by the structure that they had; of none where
/// the domain cannot nudge.
fn nudged_outcomes<D: Domain>(
    hits: &[(Hash, &FunctionalHit<D::Program>)],
    by: f64,
    domain: &D,
    evaluator: &dyn Evaluator<D::Program>,
    threads: NonZeroUsize,
) -> BTreeMap<Hash, Outcome> {
    let nudged = |hit: &FunctionalHit<D::Program>| domain.nudged(&hit.program, by);
    let nudged: BTreeMap<Hash, D::Program> =
        hits.iter().filter_map(|(structure, hit)| Some((*structure, nudged(hit)?))).collect();
    let programs = nudged.iter().map(|(structure, program)| (*structure, program)).collect();
    outcomes_of(&programs, evaluator, threads)
}

fn is_not_finite_at_once(outcome: &Outcome) -> bool {
    let at_once = |it: &Invalid| it.reason == InvalidReason::NonFinite && it.step == 1;
    matches!(outcome, Outcome::Invalid(invalid) if at_once(invalid))
}

impl Tally {
    /// Counts a hit, the `first` of its program or not; true if it was wrong.
    fn note<P>(
        &mut self,
        hit: &FunctionalHit<P>,
        first: bool,
        own: &Outcome,
        behaviour_of: impl Fn(&P) -> Option<Hash>,
    ) -> bool {
        let Some(apart) = outcomes_apart(own, &hit.outcome) else { return false };
        let wrong = apart > RECHECK_TOLERANCE;
        self.hits += 1;
        self.valid_against_invalid += u64::from(apart.is_infinite());
        self.far += u64::from(apart > FAR);
        self.wrong += u64::from(wrong);
        let today = behaviour_of(&hit.program);
        let today = u64::from(today.is_some() && today == behaviour_of(&hit.evaluated));
        if wrong {
            self.wrong_today += today;
        } else if first && !is_not_finite_at_once(own) {
            self.right += 1;
            self.right_today += today;
        }
        wrong
    }

    /// Counts a hit that was wrong as one that rounding explains, if it does.
    fn note_rounding<'a, P>(
        &mut self,
        hit: &FunctionalHit<P>,
        own: &Outcome,
        nudged: impl Iterator<Item = &'a Outcome>,
    ) {
        let moved = nudged.filter_map(|outcome| outcomes_apart(own, outcome));
        let moved = moved.fold(0.0, f64::max);
        let far = outcomes_apart(own, &hit.outcome).is_some_and(|apart| apart > FAR);
        self.far_by_rounding += u64::from(far && moved > FAR);
        self.wrong_by_rounding += u64::from(moved > RECHECK_TOLERANCE);
    }

    fn plus(&self, other: &Tally) -> Tally {
        Tally {
            hits: self.hits + other.hits,
            valid_against_invalid: self.valid_against_invalid + other.valid_against_invalid,
            far: self.far + other.far,
            wrong: self.wrong + other.wrong,
            far_by_rounding: self.far_by_rounding + other.far_by_rounding,
            wrong_by_rounding: self.wrong_by_rounding + other.wrong_by_rounding,
            right: self.right + other.right,
            right_today: self.right_today + other.right_today,
            wrong_today: self.wrong_today + other.wrong_today,
        }
    }

    fn rate(&self) -> RecheckRate {
        RecheckRate { rechecked: self.hits, disagreed: self.wrong }
    }
}

fn table(rows: &[Row]) -> String {
    let headings = [
        "",
        "functional hits",
        "valid/invalid",
        "or > 0.02 apart",
        "by rounding",
        "or > 0.001 apart",
        "by rounding",
        "95% interval",
        "right programs, hit today",
        "wrong, hit today",
    ];
    let share = |part: u64, of: u64| match of {
        0 => "-".to_owned(),
        _ => format!("{part} ({:.2}%)", 100.0 * part as f64 / of as f64),
    };
    let row = |Row { run, tally, .. }: &Row| {
        let (low, high) = tally.rate().interval();
        vec![
            run.clone(),
            tally.hits.to_string(),
            share(tally.valid_against_invalid, tally.hits),
            share(tally.far, tally.hits),
            share(tally.far_by_rounding, tally.far),
            share(tally.wrong, tally.hits),
            share(tally.wrong_by_rounding, tally.wrong),
            format!("{:.2} to {:.2}%", 100.0 * low, 100.0 * high),
            share(tally.right_today, tally.right),
            share(tally.wrong_today, tally.wrong),
        ]
    };
    let headings = headings.map(str::to_owned).to_vec();
    output::table(&std::iter::once(headings).chain(rows.iter().map(row)).collect::<Vec<_>>())
}

/// Hits of a run that are named where they are not right.
const NAMED: usize = 5;

/// The first births of every run whose hits were wrong, as `evo show` and `evo evaluate` take them.
fn worst(rows: &[Row]) -> String {
    let fitness = |it: Option<f64>| it.map_or("none".to_owned(), |it| format!("{it:+.4}"));
    let mut text = String::new();
    for Row { run, disagreements, .. } in rows {
        for it in disagreements.iter().take(NAMED) {
            let &Disagreement { birth, evaluation, given, own } = it;
            let (given, own) = (fitness(given), fitness(own));
            let run = shell_word(run);
            text += &format!("{run}:{birth} has {own}, and was given {given} of {evaluation}\n");
        }
        let more = disagreements.len().saturating_sub(NAMED);
        if more > 0 {
            text += &format!("{more} more of {run}; --json lists all\n");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use evo::Score;

    #[test]
    fn a_hit_is_wrong_by_rounding_where_its_program_is_as_far_from_itself() {
        let scored = |fitness| Outcome::Scored(Score::new(fitness, vec![]));
        let invalid = Outcome::Invalid(Invalid {
            reason: InvalidReason::Diverged,
            task: "task".to_owned(),
            step: 1,
            stages: vec![],
        });
        let by_rounding = |given: f64, nudged: &[Outcome]| {
            let (birth, evaluation, program, evaluated) = (1, 0, (), ());
            let outcome = scored(given);
            let hit = FunctionalHit { birth, evaluation, program, evaluated, outcome };
            let mut tally = Tally::default();
            tally.note_rounding(&hit, &scored(0.5), nudged.iter());
            (tally.far_by_rounding, tally.wrong_by_rounding)
        };
        let [near, off, far] = [0.5001, 0.51, 0.6].map(scored);
        assert_eq!(by_rounding(0.9, &[near.clone(), far.clone()]), (1, 1));
        assert_eq!(by_rounding(0.9, &[near.clone(), off]), (0, 1));
        assert_eq!(by_rounding(0.51, &[near.clone(), far]), (0, 1));
        assert_eq!(by_rounding(0.9, &[near.clone(), invalid]), (1, 1));
        assert_eq!(by_rounding(0.9, &[near]), (0, 0));
        assert_eq!(by_rounding(0.9, &[]), (0, 0), "where nothing can be nudged");
    }
}
