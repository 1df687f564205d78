//! Restarts: when they come, what they carry over, and who is kept out.

use evo_domain::{Outcome, Score};
use evo_dsl::MutationConfig;
use evo_hashes::Seed;
use evo_search::{
    DeduplicationLevel, HeldOutConfig, HurdleConfig, Keep, NoiseConfig, RestartFrom, RestartReason,
    Restarts, Selection, Stopping, StrategyConfig,
};

use crate::driver::{
    Candidate, Search, SearchConfig, by_training, drive, hasher, new_search, result, scored,
};
use crate::quadratic;

const WINDOW: u64 = 16;

fn config(restarts: Restarts, candidates: u64) -> SearchConfig {
    SearchConfig {
        strategy: StrategyConfig::RegularizedEvolution { population: 20, tournament: 3 },
        mutation: MutationConfig { max_statements: 20, ..MutationConfig::default() },
        window: WINDOW,
        deduplication: DeduplicationLevel::Off.into(),
        restarts,
        hurdles: HurdleConfig::default(),
        noise: NoiseConfig::default(),
        held_out: HeldOutConfig::default(),
        keep: Keep::default(),
        selection: Selection::default(),
        stopping: Stopping { candidates: Some(candidates), ..Stopping::default() },
    }
}

fn search(config: &SearchConfig) -> Search {
    new_search(config, Seed(1), quadratic::start(), hasher()).expect("the settings are valid")
}

fn every(from: RestartFrom, every: u64) -> Restarts {
    Restarts { from, every: Some(every), ..Restarts::default() }
}

fn fitness(fitness: f64) -> Outcome {
    Outcome::Scored(Score::new(fitness, vec![]))
}

#[test]
fn a_schedule_restarts_at_its_multiples_whatever_the_window_and_the_order_of_telling() {
    for window in [0, 1, WINDOW, 99] {
        let run = |order| {
            let restarts = every(RestartFrom::Best, 100);
            let mut search = search(&SearchConfig { window, ..config(restarts, 401) });
            drive(&mut search, order, by_training);
            let restarts = search.restarts().iter();
            let births: Vec<_> =
                restarts.map(|it| (it.birth, it.reason, it.carried.birth)).collect();
            (result(&search), births)
        };
        let (_, births) = run(0);
        let expected = [100, 200, 300, 400].map(|birth| (birth, RestartReason::Every(100)));
        assert_eq!(births.iter().map(|it| (it.0, it.1)).collect::<Vec<_>>(), expected);
        assert_eq!(run(0), run(1));
    }
}

/// Whether a candidate is the start program but for one mutation.
fn is_near_the_start(candidate: &Candidate) -> bool {
    let (old, new) = (quadratic::start(), &candidate.program);
    let kept = new.statements().iter().filter(|statement| old.statements().contains(statement));
    kept.count() + 2 >= old.statements().len()
}

#[test]
fn births_bred_before_a_restart_from_the_start_never_enter_the_population_after_it() {
    let mut search = search(&config(every(RestartFrom::Start, 300), 341));
    // Younger is fitter, so those bred before the restart would win every tournament.
    let asked = drive(&mut search, 1, |candidate| fitness(candidate.birth as f64));
    let [restart] = search.restarts() else { panic!("{:?}", search.restarts()) };
    assert_eq!((restart.birth, restart.carried.birth), (300, 0));
    assert_eq!(restart.carried.fitness.to_bits(), 0.0_f64.to_bits());
    let window = WINDOW as usize;
    assert!(asked[300..=300 + window].iter().all(is_near_the_start));
    assert!(!asked[250..300].iter().any(is_near_the_start));
    let members = search.populations()[0].iter();
    assert!(members.map(|member| member.birth).eq(321..341));
    // Found before the restart, and kept.
    assert!(search.hall_of_fame().iter().any(|champion| champion.individual.birth < 300));
}

#[test]
fn a_restart_from_the_best_carries_it_over_with_its_fitness() {
    let mut search = search(&config(every(RestartFrom::Best, 200), 217));
    drive(&mut search, 1, |candidate| scored(candidate.birth, 3));
    let best = (0..200 - WINDOW).map(|birth| scored(birth, 3).fitness()).fold(0.0, f64::max);
    let [restart] = search.restarts() else { panic!("{:?}", search.restarts()) };
    assert_eq!(restart.carried.fitness.to_bits(), best.to_bits());
    assert_eq!(scored(restart.carried.birth, 3).fitness().to_bits(), best.to_bits());
    // Three of the births since then have come in beside the copies.
    let carried = |birth: &u64| *birth == restart.carried.birth;
    let births: Vec<u64> = search.populations()[0].iter().map(|member| member.birth).collect();
    assert_eq!(births.iter().filter(|birth| carried(birth)).count(), 3);
}

#[test]
fn a_plateau_is_counted_from_the_last_improvement_and_from_the_last_restart() {
    let restarts = Restarts { plateau: Some(50), ..Restarts::default() };
    let mut search = search(&config(restarts, 300));
    drive(&mut search, 1, |candidate| fitness(candidate.birth.min(30) as f64));
    let found: Vec<_> = search.restarts().iter().map(|it| (it.birth, it.reason)).collect();
    // The last improvement is birth 30, so birth 80 is the fiftieth without one and 97 the first
    // bred after it. 97 itself beats the start, 98 to 147 do not beat 97, and so on.
    let expected = [97, 164, 231, 298].map(|birth| (birth, RestartReason::Plateau(50)));
    assert_eq!(found, expected);
}

#[test]
fn whichever_of_schedule_and_plateau_comes_first_restarts_and_both_begin_anew() {
    let restarts = Restarts { plateau: Some(50), ..every(RestartFrom::Best, 90) };
    let mut search = search(&config(restarts, 300));
    let best_early = |candidate: &Candidate| fitness(-(candidate.birth.abs_diff(60) as f64));
    drive(&mut search, 1, best_early);
    let found: Vec<_> = search.restarts().iter().map(|it| (it.birth, it.reason)).collect();
    let (every, plateau) = (RestartReason::Every(90), RestartReason::Plateau(50));
    assert_eq!(found, [(90, every), (156, plateau), (222, plateau), (288, plateau)]);
}

#[test]
fn every_strategy_with_individuals_restarts() {
    let islands = StrategyConfig::Islands {
        islands: 3,
        population: 5,
        tournament: 2,
        migration_every: 10,
        migrants: 1,
    };
    let tuning = StrategyConfig::ConstantTuning { population: 9, tournament: 2 };
    for strategy in [islands, tuning, StrategyConfig::OnePlusLambda { lambda: 4 }] {
        let restarts = every(RestartFrom::Start, 100);
        let config = SearchConfig { strategy, ..config(restarts, 101) };
        let mut search = search(&config);
        // Birth 100 is the only one bred since, and worse than the start.
        drive(&mut search, 1, |candidate| fitness((candidate.birth % 100) as f64 - 1.0));
        assert_eq!(search.restarts().len(), 1);
        let members: Vec<u64> =
            search.populations().iter().flat_map(|it| it.iter().map(|it| it.birth)).collect();
        assert!(members.iter().all(|birth| [0, 100].contains(birth)), "{members:?}");
    }
}

#[test]
fn restarts_that_make_no_sense_are_refused_by_key() {
    let random = StrategyConfig::RandomSearch { mutations: 5 };
    let plateau = |plateau| Restarts { plateau: Some(plateau), ..Restarts::default() };
    for (config, key) in [
        (config(every(RestartFrom::Start, WINDOW), 1), "restarts.every"),
        (config(plateau(0), 1), "restarts.plateau"),
        (SearchConfig { strategy: random, ..config(plateau(9), 1) }, "restarts:"),
    ] {
        let error = new_search(&config, Seed(1), quadratic::start(), hasher());
        let message = error.err().map(|error| error.to_string()).unwrap_or_default();
        assert!(message.contains(key), "{message:?} does not name {key}");
    }
}
