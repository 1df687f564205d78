//! What the configuration of a run says of it, whichever domain it searches.
//!
//! Invariant: a configuration that is not understood, of an earlier version or of a domain of
//! somebody's own, is shown as it is; it is no error.

use evo::{
    Config, ExpressionEvaluation, ExpressionSearch, GraphSearch, LearnerProblem, LearnerSearch,
    StrategyConfig,
};

/// Part of a configuration.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Configured {
    pub seed: u64,
    /// The name of the strategy.
    pub strategy: String,
    /// What the run began with.
    pub starts: Vec<String>,
    /// How fitness is defined: for an axis, and in a sentence.
    pub fitness: &'static str,
    pub fitness_means: &'static str,
}

/// Of networks trained with a program.
const TRAINED: (&str, &str) = (
    "fitness, ln(baseline / loss)",
    "Fitness is the mean over tasks of ln(baseline loss / loss), at most 2 for each: 0 equals the \
     baseline, tuned AdamW or the activation that a network states.",
);

/// Of expressions on data.
const FITTED: (&str, &str) = (
    "fitness, −ln(error / variance)",
    "Fitness is −ln(mean squared error / variance of the targets): 0 equals the best constant.",
);

/// Of learners on regression tasks.
const REGRESSION: (&str, &str) = (
    "fitness, 1 − (2 / π) arctan(error)",
    "Fitness is the mean over tasks of 1 − (2 / π) arctan(root mean squared error): 1 is without \
     error.",
);

/// Of learners on pairs of classes.
const CLASSES: (&str, &str) = (
    "fitness, accuracy",
    "Fitness is the mean over tasks of the share of examples whose class is told: 0.5 is chance.",
);

/// Of compute graphs on images.
const IMAGES: (&str, &str) = (
    "fitness, −loss in nats",
    "Fitness is minus the validation loss, a cross-entropy in nats: 0 is certainty of every label.",
);

impl Configured {
    pub(super) fn of(text: &str) -> Option<Configured> {
        if let Ok(config) = ron::from_str::<Config>(text) {
            let starts = config.start.iter().map(str::to_owned).collect();
            return Some(Configured::new(config.seed, &config.settings.strategy, starts, TRAINED));
        }
        if let Ok(config) = ron::from_str::<GraphSearch>(text) {
            let starts = config.start.iter().flat_map(|it| it.iter()).map(str::to_owned).collect();
            return Some(Configured::new(config.seed, &config.settings.strategy, starts, IMAGES));
        }
        if let Ok(config) = ron::from_str::<LearnerSearch>(text) {
            let fitness = match config.evaluation.problem {
                LearnerProblem::Classes { .. } => CLASSES,
                _ => REGRESSION,
            };
            let stated = config.start.iter().flat_map(|it| it.iter()).map(str::to_owned);
            return Some(Configured::new(
                config.seed,
                &config.settings.strategy,
                stated.collect(),
                fitness,
            ));
        }
        let config: ExpressionSearch = ron::from_str(text).ok()?;
        let fitness = match config.evaluation {
            ExpressionEvaluation::Data(_) => FITTED,
            ExpressionEvaluation::Networks { .. } => TRAINED,
        };
        let starts = config.start.iter().flat_map(|it| it.iter()).map(str::to_owned).collect();
        Some(Configured::new(config.seed, &config.settings.strategy, starts, fitness))
    }

    fn new(
        seed: u64,
        strategy: &StrategyConfig,
        starts: Vec<String>,
        (fitness, fitness_means): (&'static str, &'static str),
    ) -> Configured {
        Configured { seed, strategy: name(strategy), starts, fitness, fitness_means }
    }
}

/// The name of a strategy as a configuration has it.
fn name(strategy: &StrategyConfig) -> String {
    let text = ron::to_string(strategy).unwrap_or_default();
    text.split('(').next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn configurations_of_every_domain_are_understood_and_others_are_none() {
        let configs = concat!(env!("CARGO_MANIFEST_DIR"), "/configs/");
        for (name, strategy, fitness) in [
            ("quickstart.ron", "RegularizedEvolution", TRAINED),
            ("expression_nguyen.ron", "RegularizedEvolution", FITTED),
            ("activation.ron", "RegularizedEvolution", TRAINED),
            ("learner_linear.ron", "RegularizedEvolution", REGRESSION),
            ("graph_digits.ron", "RegularizedEvolution", IMAGES),
        ] {
            let text = std::fs::read_to_string(format!("{configs}{name}")).expect("it is there");
            // As a run writes it.
            let text = format!("#![enable(implicit_some)]\n{text}");
            let configured = Configured::of(&text).unwrap_or_else(|| panic!("{name}"));
            assert_eq!(configured.strategy, strategy, "{name}");
            assert_eq!((configured.fitness, configured.fitness_means), fitness, "{name}");
        }
        assert_eq!(Configured::of("(domain: Mine, seed: 3)"), None);
    }
}
