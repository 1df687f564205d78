//! The key of a search's outcomes in a cache: everything that decides an outcome but the program.
//!
//! Invariant: two configurations have one key only if every program has the same outcome by both,
//! to the bit. Fingerprints of tasks are in it, with the bytes of their data, and beside them what
//! fingerprints leave out for the sake of baselines and of runs that go on: learning rates,
//! baseline losses, stages and stated steps. So whole settings are hashed and what does not matter
//! is taken out of them, which lets a setting that is added count from its first day. Too much in
//! it costs evaluations; too little would serve wrong outcomes.

use std::path::Path;

use evo_domain::Domain;
use evo_dsl::{Expressions, Learners, Optimizers};
use evo_evaluators::{GraphJudges, LearnerJudges};
use evo_graphs::Graphs;
use evo_hashes::Hash;
use evo_search::CacheKey;

use super::{
    Config, ConfigError, ExpressionEvaluation, ExpressionScorer, ExpressionSearch, GraphSearch,
    LearnerSearch,
};

/// Changes whenever an evaluator gives any program another outcome for the same fingerprints.
const VERSION: u8 = 2;

impl Config {
    /// The key of outcomes at a place: the device, its kind of CPU, the cohorts; whatever the bits
    /// of a loss depend on there.
    ///
    /// # Errors
    /// Data that cannot be read, or a task whose baseline cannot be measured.
    pub fn cache_key(&self, place: &str) -> Result<CacheKey, ConfigError> {
        let mut evaluation = self.resolved()?.evaluation;
        evaluation.held_out.clear();
        evaluation.fresh_repeats = 0;
        let fingerprint = |task| evaluation.fingerprint(task, Path::new(""));
        let fingerprints = evaluation.tasks.iter().map(fingerprint).collect::<Result<Vec<_>, _>>();
        let fingerprints = fingerprints.map_err(ConfigError::from_evaluator)?;
        // Where files lie does not count; their bytes are in the fingerprints.
        let paths = evaluation.tasks.iter_mut().flat_map(|task| task.data.paths_mut());
        paths.for_each(|path| path.clear());
        let names: Vec<&str> = evaluation.tasks.iter().map(|task| task.name.as_str()).collect();
        let settings = in_ron(&evaluation);
        // Where hurdles stand decides what stages an outcome has; how high they are does not.
        let places = match self.partial_places() {
            [] => None,
            places => Some(in_ron(&places)),
        };
        let (fingerprints, places) = (text_of(&fingerprints), places.iter().map(String::as_str));
        let parts: Vec<&str> =
            [place, &fingerprints, &settings].into_iter().chain(places).collect();
        Ok(key::<Optimizers>(&format!("{}, on {place}", names.join(", ")), &parts))
    }
}

impl ExpressionSearch {
    /// As [`Config::cache_key`]; the place counts where networks are trained.
    pub fn cache_key(&self, scorer: &ExpressionScorer, place: &str) -> CacheKey {
        match (&self.evaluation, scorer) {
            (ExpressionEvaluation::Networks { activation }, ExpressionScorer::Networks(judges)) => {
                let mut settings = activation.clone();
                settings.held_out.clear();
                settings.fresh_repeats = std::num::NonZeroU32::MIN;
                let paths = settings.tasks.iter_mut().flat_map(|task| task.data.paths_mut());
                paths.for_each(|path| path.clear());
                let fingerprints = judges.fingerprints[..settings.tasks.len()].join(" ");
                let parts = ["activations", place, &fingerprints, &in_ron(&settings)];
                key::<Expressions>(&format!("{}, on {place}", scorer.task()), &parts)
            }
            (ExpressionEvaluation::Data(config), ExpressionScorer::Data(_)) => {
                let loss = in_ron(&config.loss);
                let parts = ["data", &scorer.task(), &scorer.fingerprint(), &loss];
                key::<Expressions>(&scorer.task(), &parts)
            }
            _ => unreachable!("a scorer is of the kind that its configuration describes"),
        }
    }
}

impl LearnerSearch {
    /// As [`Config::cache_key`]; learners have the same bits at every place.
    pub fn cache_key(&self, judges: &LearnerJudges) -> CacheKey {
        // Of all three sets, and so more than the search's outcomes depend on.
        let fingerprint = judges.fingerprint().to_string();
        let seed = self.evaluation.data_seed.to_string();
        key::<Learners>(&judges.name, &[&judges.name, &seed, &fingerprint])
    }
}

impl GraphSearch {
    /// As [`Config::cache_key`].
    pub fn cache_key(&self, judges: &GraphJudges, place: &str) -> CacheKey {
        let mut settings = self.evaluation.clone();
        settings.fresh_repeats = std::num::NonZeroU32::MIN;
        settings.data.paths_mut().into_iter().for_each(|path| path.clear());
        let parts = [place, &judges.fingerprint().to_string(), &in_ron(&settings)];
        key::<Graphs>(&format!("{}, on {place}", judges.name), &parts)
    }
}

fn in_ron(settings: &impl serde::Serialize) -> String {
    ron::to_string(settings).expect("settings have no value that RON cannot write")
}

fn text_of(fingerprints: &[Hash]) -> String {
    fingerprints.iter().map(Hash::to_string).collect::<Vec<_>>().join(" ")
}

fn key<D: Domain>(description: &str, parts: &[&str]) -> CacheKey {
    let mut bytes = vec![b'k', VERSION];
    for part in [env!("CARGO_PKG_VERSION")].iter().chain(parts) {
        // Its length keeps neighbours apart.
        bytes.extend((part.len() as u64).to_le_bytes());
        bytes.extend(part.as_bytes());
    }
    CacheKey::of::<D>(Hash::of(&bytes), description)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TASK: &str = "name: \"task\", model: Mlp(hidden: [8]), data: Digits, batch_size: 16, \
        steps: 20, learning_rate: 3.0, baseline_loss: 0.5";

    fn optimizers(task: &str, more: &str) -> Config {
        let text = format!(
            "(start: \"zoo:adamw\", strategy: RegularizedEvolution(population: 4, tournament: 2),
              evaluation: (tasks: [({task}), ({TASK}, schedule: Linear())], {more}),
              stopping: (candidates: 4))"
        );
        let options = ron::Options::default()
            .with_default_extension(ron::extensions::Extensions::IMPLICIT_SOME);
        options.from_str(&text.replacen("name: \"task\"", "name: \"first\"", 1)).expect(&text)
    }

    fn of(config: &Config) -> Hash {
        config.cache_key("a cpu").expect("no file is read").fingerprint()
    }

    #[test]
    fn whatever_moves_an_outcome_changes_the_key_and_nothing_else_does() {
        let base = optimizers(TASK, "");
        for (field, other) in [
            ("steps: 20", "steps: 21"),
            ("Digits", "Letter"),
            ("learning_rate: 3.0", "learning_rate: 3.5"),
            ("baseline_loss: 0.5", "baseline_loss: 0.6"),
        ] {
            assert!(TASK.contains(field));
            assert_ne!(of(&optimizers(&TASK.replacen(field, other, 1), "")), of(&base), "{other}");
        }
        for more in [
            "stages: [1]",
            "loss_at: [0.5]",
            "data_seed: 1",
            "divergence: 5.0",
            "repeats: 2",
            "learning_rate_multiples: [1.0]",
            "scoring: (rates: Best)",
        ] {
            assert_ne!(of(&optimizers(TASK, more)), of(&base), "{more}");
        }
        let held_out = format!("held_out: [({}, data_fraction: 0.5)]", TASK.replace("task", "h"));
        for more in ["fresh_repeats: 3", &held_out] {
            assert_eq!(of(&optimizers(TASK, more)), of(&base), "{more}");
        }
        assert_eq!(of(&Config { seed: 9, ..base.clone() }), of(&base));
        let elsewhere = base.cache_key("another cpu").expect("no file is read");
        assert_ne!(elsewhere.fingerprint(), of(&base));
    }

    #[test]
    fn files_count_by_what_they_hold_and_not_by_where_they_lie() {
        const MODEL: &str = "Transformer(width: 8, layers: 1, heads: 1, context: 4)";
        let folder = tempfile::TempDir::new().expect("a place for temporary files");
        let of = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text.repeat(500)).expect("it can be written");
            let task = TASK.replacen("Digits", &format!("Text(path: {path:?})"), 1).replacen(
                "Mlp(hidden: [8])",
                MODEL,
                1,
            );
            self::of(&optimizers(&task, ""))
        };
        let one = of("a", "some text ");
        assert_eq!(of("b", "some text "), one);
        assert_ne!(of("a", "other text "), one);
    }

    #[test]
    fn expressions_and_learners_have_a_key_for_every_task_and_measure() {
        let expressions = |evaluation: &str| {
            let text = format!(
                "(domain: Expressions, strategy: RegularizedEvolution(population: 4, tournament: 2),
                  evaluation: ({evaluation}), stopping: (candidates: Some(4)))"
            );
            let config: ExpressionSearch = ron::from_str(&text).expect(&text);
            let scorer = config.scorer().expect("its data are built in");
            config.cache_key(&scorer, "a cpu").fingerprint()
        };
        let activation = "(name: \"a\", model: Mlp(hidden: [4]), data: Digits, batch_size: 8,
            steps: 5, learning_rate: Some(2.0))";
        let network = |more: &str| format!("activation: (tasks: [{activation}], {more})");
        let evaluations = [
            "tasks: [(data: Nguyen(1))]".to_owned(),
            "tasks: [(data: Nguyen(2))]".to_owned(),
            "tasks: [(data: Nguyen(1))], loss: Normalised".to_owned(),
            "tasks: [(data: Nguyen(1))], fit_constants: 3".to_owned(),
            "tasks: [(data: Nguyen(1))], data_seed: 3".to_owned(),
            network(""),
            network("repeats: 2"),
        ];
        let keys = evaluations.map(|it| expressions(&it));
        for (index, key) in keys.iter().enumerate() {
            assert!(!keys[..index].contains(key), "{index}");
        }
        let two = "tasks: [(data: Nguyen(1)), (data: Nguyen(2))]";
        assert_eq!(expressions(two), keys[0], "the others that could be chosen do not count");
        let learners = |more: &str| {
            let set = "(tasks: 2, examples: 8, validation: 8)";
            let text = format!(
                "(domain: Learners, strategy: RegularizedEvolution(population: 4, tournament: 2),
                  evaluation: (problem: Linear, features: 4, search: {set}, select: {set},
                    final: {set}, {more}), stopping: (candidates: Some(4)))"
            );
            let config: LearnerSearch = ron::from_str(&text).expect(&text);
            config.cache_key(&config.judges().expect("they can be made")).fingerprint()
        };
        assert_eq!(learners(""), learners(""));
        assert_ne!(learners(""), learners("data_seed: 1"));
        assert_ne!(learners(""), learners("most_error: 10.0"));
    }

    #[test]
    fn graphs_have_a_key_for_all_that_their_training_is_of() {
        let of = |more: &str, place: &str| {
            let text = format!(
                "(domain: Graphs, strategy: RegularizedEvolution(population: 4, tournament: 2),
                  evaluation: (data: Digits, batch_size: 16, steps: 5, learning_rate: 1.0, {more}),
                  stopping: (candidates: Some(4)))"
            );
            let config: GraphSearch = ron::from_str(&text).expect(&text);
            config.cache_key(&config.judges().expect("they are built in"), place).fingerprint()
        };
        let base = of("", "a cpu");
        assert_eq!(of("fresh_repeats: 9", "a cpu"), base);
        assert_ne!(of("", "another cpu"), base);
        for more in ["repeats: 2", "data_seed: 1", "network: (width: 4)", "held_out_share: 0.5"] {
            assert_ne!(of(more, "a cpu"), base, "{more}");
        }
    }

    /// Of what has the same bits on every CPU; of training, `optimizer/fingerprint.rs` has a
    /// version of its own. Where this fails, programs have other outcomes than caches keep for
    /// them: raise `VERSION` or the one in the evaluator's fingerprint, and then write the new
    /// hashes here.
    #[test]
    fn outcomes_are_those_that_caches_know_by_their_version() {
        let hash = |outcomes: Vec<evo_domain::Outcome>| {
            Hash::of(ron::to_string(&outcomes).expect("they are plain data").as_bytes()).to_string()
        };
        let of_expressions = |evaluation: &str| {
            let text = format!(
                "(domain: Expressions, strategy: RegularizedEvolution(population: 4, tournament: 2),
                  evaluation: ({evaluation}), stopping: (candidates: Some(4)))"
            );
            let config: ExpressionSearch = ron::from_str(&text).expect(&text);
            let texts = ["x + x * x", "sin(x) * 0.7 + 0.1", "x / (x - x)", "exp(x) - x * 0.5"];
            let read = |it| {
                let text = format!("def f(x):\n  z = {it}\n  return z\n");
                evo_dsl::Program::parse_expression(&text).expect("it is an expression")
            };
            let programs = texts.map(read);
            let trials = programs.each_ref().map(evo_domain::Trial::of);
            hash(config.scorer().expect("built in").evaluator().evaluate(&trials))
        };
        let set = "(tasks: 2, examples: 50, validation: 20)";
        let text = format!(
            "(domain: Learners, strategy: RegularizedEvolution(population: 4, tournament: 2),
              evaluation: (problem: Affine, features: 4, search: {set}, select: {set},
                final: {set}), stopping: (candidates: Some(4)))"
        );
        let config: LearnerSearch = ron::from_str(&text).expect(&text);
        let learners = ["linear_learner", "affine_learner", "network_learner"];
        let learners = learners.map(|name| {
            let entry = evo_dsl::LearnerZooEntry::named(name).expect("the zoo has it");
            evo_dsl::LearnerProgram::parse(entry.text).expect("the zoo's texts parse")
        });
        let judges = config.judges().expect("they can be made");
        let trials = learners.each_ref().map(evo_domain::Trial::of);
        let of_learners = evo_domain::Evaluator::evaluate(&judges.search, &trials);
        let found = [
            of_expressions("tasks: [(data: Nguyen(1))]"),
            of_expressions("tasks: [(data: Nguyen(1))], fit_constants: 3"),
            hash(of_learners),
        ];
        let known = [
            "721fd98ebea6de8b2c2dd1e55ce3572d",
            "d78e4b09219e162b4255836537e3bc61",
            "ac37bce429cd19aca6a1f309ccff5a49",
        ];
        assert_eq!((VERSION, found), (2, known.map(str::to_owned)));
    }
}
