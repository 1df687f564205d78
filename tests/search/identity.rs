//! Whose outcome a birth has: rechecks, claims to the hall of fame, hurdles that came down, and
//! evaluators that look at more than what a program does.

use std::sync::Arc;

use evo_domain::{DependsOn, Evaluator, Outcome, Score, Trial};
use evo_dsl::{FunctionalHasher, Probe, Program, structural_hash};
use evo_hashes::{Hash, Observations, Seed};
use evo_search::{RunOptions, run};

use crate::driver::{
    Candidate, Search, SearchConfig, by_training, drive, hasher, new_search, result,
};
use crate::hurdles::staged;
use crate::quadratic;

fn config(more: &str, candidates: u64) -> SearchConfig {
    let text = format!(
        "(strategy: RegularizedEvolution(population: 30, tournament: 4), window: 16, {more}
          mutation: (max_statements: 16), stopping: (candidates: Some({candidates})))"
    );
    ron::from_str(&text).expect("the text is a configuration")
}

/// Takes all programs for one.
#[derive(Debug)]
struct Blind;

impl Probe for Blind {
    fn name(&self) -> &str {
        "blind"
    }

    fn observe(&self, _: &evo_dsl::Dataflow, _: &mut Observations) -> bool {
        true
    }
}

fn blind() -> FunctionalHasher {
    FunctionalHasher::with_probe(8, Arc::new(Blind)).expect("8 is between 1 and 23")
}

fn search(config: &SearchConfig, hasher: FunctionalHasher) -> Search {
    new_search(config, Seed(3), quadratic::start(), hasher).expect("the settings are valid")
}

#[test]
fn a_share_of_functional_hits_is_evaluated_whatever_the_order_of_telling() {
    let config = config("deduplication: (recheck: 0.25),", 2_000);
    let run = |order| {
        let mut search = search(&config, blind());
        drive(&mut search, order, by_training);
        (result(&search), search.digest())
    };
    let (first, digest) = run(0);
    let counters = first.1;
    let share = counters.rechecked as f64 / (counters.rechecked + counters.functional_hits) as f64;
    assert!((0.2..0.3).contains(&share), "{counters:?}");
    // The blind probe is wrong nearly always, and the run says so.
    assert!(10 * counters.disagreed > 8 * counters.rechecked, "{counters:?}");
    assert_eq!(counters.evaluations, counters.rechecked + 1, "the start program and rechecks");
    for order in 1..4 {
        assert_eq!(run(order), (first.clone(), digest));
    }
}

#[test]
fn a_rechecked_program_has_its_own_outcome_and_so_has_its_structure_from_then_on() {
    let config = config("deduplication: (recheck: 1.0),", 1_000);
    let mut search = search(&config, blind());
    let asked = drive(&mut search, 1, by_training);
    assert_eq!(search.counters().functional_hits, 0);
    let mut structures: Vec<Hash> = asked.iter().map(|it| structural_hash(&it.program)).collect();
    structures.sort_unstable();
    structures.dedup();
    assert_eq!(structures.len(), asked.len(), "no structure was evaluated twice");
    for member in search.populations()[0].iter() {
        let own = quadratic::outcome(&member.program).fitness();
        assert_eq!(member.fitness.to_bits(), own.to_bits());
    }
}

#[test]
fn every_row_of_the_hall_of_fame_is_what_its_very_program_scores() {
    for (recheck, hasher) in [(0.0, blind()), (0.0, hasher()), (0.1, blind())] {
        let config = config(&format!("deduplication: (recheck: {recheck:?}),"), 1_500);
        let mut search = search(&config, hasher);
        drive(&mut search, 2, by_training);
        assert!(search.is_finished() && search.hall_of_fame().iter().len() > 1);
        for champion in search.hall_of_fame().iter() {
            let own = quadratic::outcome(&champion.individual.program).fitness();
            assert_eq!(champion.individual.fitness.to_bits(), own.to_bits());
        }
    }
}

#[test]
fn what_is_confirmed_at_the_end_depends_on_no_order_and_changes_nothing_that_is_bred() {
    let settings = config("deduplication: (recheck: 0.1),", 1_500);
    let run = |order| {
        let mut search = search(&settings, blind());
        drive(&mut search, order, by_training);
        search
    };
    let (one, two) = (run(0), run(5));
    assert!(one.counters().confirmed > 0, "{:?}", one.counters());
    assert_eq!((result(&one), one.digest()), (result(&two), two.digest()));
    // A longer run has the same births in front.
    let mut longer = search(&config("deduplication: (recheck: 0.1),", 1_600), blind());
    let asked = drive(&mut longer, 0, by_training);
    let mut shorter = search(&settings, blind());
    let before = drive(&mut shorter, 0, by_training);
    let bred = |asked: &[Candidate], evaluations: u64| -> Vec<(u64, String)> {
        let births = asked.iter().take(evaluations as usize);
        births.map(|it| (it.birth, it.program.to_string())).collect()
    };
    let (all, first) =
        (bred(&asked, longer.counters().evaluations), shorter.counters().evaluations);
    assert_eq!(all[..first as usize], bred(&before, first));
}

#[test]
fn a_duplicate_of_a_stopped_program_is_evaluated_where_its_own_hurdles_would_let_it_pass() {
    let hurdles = "hurdles: (percentile: Some(60.0), history: 30, warm_up: 10),
        restarts: (every: Some(150)), deduplication: (recheck: 0.0),";
    let mut search = search(&config(hurdles, 3_000), hasher());
    let mut again = 0;
    let mut stopped: Vec<(u64, Hash, f64)> = Vec::new();
    let asked = drive(&mut search, 0, |candidate| {
        let outcome = staged(candidate);
        let structure = structural_hash(&candidate.program);
        // Of what was in flight when it was bred, the outcome was not known.
        let absorbed = candidate.birth.saturating_sub(16);
        let before = stopped.iter().find(|it| it.0 < absorbed && it.1 == structure);
        if let Some((_, _, fitness)) = before {
            assert!(!candidate.trial().stops(0, *fitness), "it would have been stopped again");
            again += 1;
        }
        if let Outcome::Stopped(it) = &outcome {
            stopped.push((candidate.birth, structure, it.fitness));
        }
        outcome
    });
    assert!(again > 5, "{again} of {}: hurdles come down at a restart", asked.len());
}

/// Prefers long programs, by one measure of length or another.
struct Longest(DependsOn);

impl Evaluator<Program> for Longest {
    fn evaluate(&self, cohort: &[Trial<'_, Program>]) -> Vec<Outcome> {
        let length = |program: &Program| match self.0 {
            DependsOn::Text => program.statements().len(),
            _ => program.live_length(),
        };
        let score = |length: usize| Outcome::Scored(Score::new(length as f64, vec![0.0]));
        cohort.iter().map(|trial| score(length(trial.program))).collect()
    }

    fn depends_on(&self) -> DependsOn {
        self.0
    }
}

#[test]
fn an_evaluator_is_not_served_duplicates_for_which_it_might_give_another_outcome() {
    use DependsOn::{Behaviour, Structure, Text};
    let levels = [("Functional", Behaviour), ("Structural", Structure), ("Text", Text)];
    for (level, _) in levels {
        for (_, depends_on) in levels {
            let config = config(&format!("deduplication: (level: {level}),"), 400);
            let mut search = search(&config, hasher());
            let evaluator = Longest(depends_on);
            let ended = run(&mut search, &evaluator, &mut (), &RunOptions::default());
            let suits = matches!(
                (level, depends_on),
                (_, Behaviour) | ("Structural" | "Text", Structure) | ("Text", Text)
            );
            match ended {
                Ok(_) => assert!(suits, "{level} {depends_on:?}"),
                Err(error) => {
                    let message = error.to_string();
                    assert!(!suits && message.starts_with("deduplication.level: "), "{message}");
                    assert_eq!(search.counters().births, 0);
                    continue;
                }
            }
            if depends_on != Behaviour {
                for member in search.populations()[0].iter() {
                    let own = evaluator.evaluate(&[Trial::of(&member.program)])[0].fitness();
                    assert_eq!(member.fitness, own, "{level} {depends_on:?}");
                }
            }
        }
    }
}
