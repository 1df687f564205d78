//! What scores expressions: the data they are to fit, or the networks they are the activation of.
//!
//! Invariant: here and in [`ExpressionScorer`] is the only choice between the two; whatever else
//! searches expressions asks these. In a file the one key `activation` chooses networks, and the
//! keys of [`ExpressionConfig`] stand in `evaluation` itself.

use std::fmt;
use std::path::{Path, PathBuf};

use evo_domain::{DependsOn, Evaluator, Outcome, Trial};
use evo_dsl::{ExpressionProbe, Program};
use evo_evaluators::{
    ActivationConfig, ActivationEvaluator, ActivationJudges, EvaluatorError, ExpressionConfig,
    ExpressionData, ExpressionEvaluator, HeldOutPoints,
};
use evo_search::DeduplicationLevel;
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeSeed, Error, IntoDeserializer, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

/// How expressions are scored.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum ExpressionEvaluation {
    /// By their error on data.
    Data(ExpressionConfig),
    /// By the networks that train with them between their layers.
    Networks {
        /// The networks.
        activation: ActivationConfig,
    },
}

/// What an [`ExpressionEvaluation`] describes, with its data.
#[derive(Debug)]
pub enum ExpressionScorer {
    /// The error on data.
    Data(ExpressionEvaluator),
    /// The networks of the search, and those that judge its winner.
    Networks(ActivationJudges),
}

/// What of that no search sees, as one evaluator.
#[derive(Clone, Copy, Debug)]
pub enum ExpressionHeldOut<'a> {
    /// The error on the points held out.
    Data(HeldOutPoints<'a>),
    /// All networks held out.
    Networks(&'a ActivationEvaluator),
}

impl ExpressionEvaluation {
    pub(super) fn scorer(&self) -> Result<ExpressionScorer, EvaluatorError> {
        let base = Path::new("");
        Ok(match self {
            Self::Data(config) => ExpressionScorer::Data(ExpressionEvaluator::new(config, base)?),
            Self::Networks { activation } => {
                let judges = ActivationJudges::new(activation, base);
                ExpressionScorer::Networks(judges.map_err(|error| error.within("activation"))?)
            }
        })
    }

    /// Which duplicates are told where the configuration does not say.
    pub(super) fn level(&self) -> DeduplicationLevel {
        match self {
            Self::Data(config) if config.fit_constants > 0 => DeduplicationLevel::Structural,
            Self::Data(_) | Self::Networks { .. } => DeduplicationLevel::default(),
        }
    }

    /// Numbers of tasks after which a hurdle is tested.
    pub(super) fn stages(&self) -> &[usize] {
        match self {
            Self::Data(_) => &[],
            Self::Networks { activation } => &activation.stages,
        }
    }

    /// Every path of a data file, by its task's place in the lists and its number among the task's.
    pub(super) fn paths_mut(&mut self) -> Vec<((usize, usize), &mut PathBuf)> {
        let mut found = Vec::new();
        match self {
            Self::Data(config) => {
                for (index, task) in config.tasks.iter_mut().enumerate() {
                    if let ExpressionData::Csv { path, .. } = &mut task.data {
                        found.push(((index, 0), path));
                    }
                }
            }
            Self::Networks { activation } => {
                for (index, task) in activation.tasks_mut().enumerate() {
                    let paths = task.data.paths_mut().into_iter().enumerate();
                    found.extend(paths.map(|(number, path)| ((index, number), path)));
                }
            }
        }
        found
    }
}

impl ExpressionScorer {
    /// The evaluator of the search.
    pub fn evaluator(&self) -> &dyn Evaluator<Program> {
        match self {
            Self::Data(evaluator) => evaluator,
            Self::Networks(judges) => &judges.search,
        }
    }

    /// The evaluator of what is held out of the search, where something is.
    pub fn held_out(&self) -> Option<ExpressionHeldOut<'_>> {
        match self {
            Self::Data(evaluator) => evaluator.held_out().map(ExpressionHeldOut::Data),
            Self::Networks(judges) => {
                judges.held_out_together.as_ref().map(ExpressionHeldOut::Networks)
            }
        }
    }

    /// What can be held out, in words.
    pub(super) fn held_out_kind(&self) -> &'static str {
        match self {
            Self::Data(_) => "points held out of the task",
            Self::Networks(_) => "tasks in `evaluation.activation.held_out`",
        }
    }

    /// What expressions are for, in words.
    pub fn task(&self) -> String {
        match self {
            Self::Data(evaluator) => evaluator.task().to_owned(),
            Self::Networks(judges) => {
                let names: Vec<&str> = judges.search.tasks().collect();
                format!("an activation for {}", names.join(", "))
            }
        }
    }

    /// The number of inputs that expressions have here.
    pub fn inputs(&self) -> usize {
        match self {
            Self::Data(evaluator) => evaluator.inputs().len(),
            Self::Networks(_) => 1,
        }
    }

    /// The expression to start from where none is given.
    pub fn start(&self) -> Program {
        match self {
            Self::Data(evaluator) => evaluator.start(),
            Self::Networks(_) => ActivationEvaluator::start(),
        }
    }

    /// What behaviours are told apart by.
    pub fn probe(&self) -> ExpressionProbe {
        match self {
            Self::Data(evaluator) => evaluator.probe(),
            Self::Networks(_) => ActivationEvaluator::probe(),
        }
    }

    /// Hashes of all data, with what else decides an outcome and no configuration tells.
    pub fn fingerprint(&self) -> String {
        match self {
            Self::Data(evaluator) => evaluator.fingerprint().to_string(),
            Self::Networks(judges) => judges.fingerprints.join(" "),
        }
    }

    /// Whether networks are trained, whose losses hold to the bit on one kind of CPU alone.
    pub fn trains(&self) -> bool {
        matches!(self, Self::Networks(_))
    }

    /// Measures what a search compares with, so that errors come before it begins.
    ///
    /// # Errors
    /// Networks that cannot be trained with the activation they state.
    pub fn measure(&self) -> Result<(), EvaluatorError> {
        match self {
            Self::Data(_) => Ok(()),
            Self::Networks(judges) => judges.search.measure(),
        }
    }
}

impl ExpressionHeldOut<'_> {
    /// Measures what is compared with, as [`ExpressionScorer::measure`] does.
    ///
    /// # Errors
    /// Networks that cannot be trained with the activation they state.
    pub fn measure(&self) -> Result<(), EvaluatorError> {
        match self {
            Self::Data(_) => Ok(()),
            Self::Networks(evaluator) => evaluator.measure(),
        }
    }

    fn evaluator(&self) -> &dyn Evaluator<Program> {
        match self {
            Self::Data(evaluator) => evaluator,
            Self::Networks(evaluator) => *evaluator,
        }
    }
}

impl Evaluator<Program> for ExpressionHeldOut<'_> {
    fn evaluate(&self, cohort: &[Trial<'_, Program>]) -> Vec<Outcome> {
        self.evaluator().evaluate(cohort)
    }

    fn depends_on(&self) -> DependsOn {
        self.evaluator().depends_on()
    }
}

/// Every key of either form.
const KEYS: &[&str] = &["activation", "tasks", "task", "loss", "fit_constants", "data_seed"];

/// Not derived: serde would try one form after the other, and tell of neither where it is wrong.
impl<'de> Deserialize<'de> for ExpressionEvaluation {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_struct("ExpressionEvaluation", KEYS, Choice)
    }
}

struct Choice;

impl<'de> Visitor<'de> for Choice {
    type Value = ExpressionEvaluation;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("tasks with data, or an activation")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ExpressionEvaluation, A::Error> {
        let first: Option<Key> = map.next_key()?;
        if let Some(Key(unknown)) = first.as_ref().filter(|key| !KEYS.contains(&key.0.as_str())) {
            return Err(A::Error::unknown_field(unknown, KEYS));
        }
        if first.as_ref().is_none_or(|key| key.0 != "activation") {
            let all = MapAccessDeserializer::new(Replayed { first, rest: map });
            return ExpressionConfig::deserialize(all).map(ExpressionEvaluation::Data);
        }
        let activation = map.next_value()?;
        match map.next_key::<Key>()? {
            Some(Key(other)) => Err(A::Error::unknown_field(&other, &["activation"])),
            None => Ok(ExpressionEvaluation::Networks { activation }),
        }
    }
}

/// The name of a key.
struct Key(String);

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Key, D::Error> {
        from.deserialize_identifier(Key(String::new()))
    }
}

impl Visitor<'_> for Key {
    type Value = Key;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<Key, E> {
        Ok(Key(key.to_owned()))
    }
}

/// A map whose first key has been read already.
struct Replayed<A> {
    first: Option<Key>,
    rest: A,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Replayed<A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, A::Error> {
        match self.first.take() {
            Some(Key(key)) => seed.deserialize(key.into_deserializer()).map(Some),
            None => self.rest.next_key_seed(seed),
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        self.rest.next_value_seed(seed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again_in_either_form() {
        for text in [
            "(tasks:[(data:Nguyen(1))],fit_constants:3)",
            "(task:Some(\"a\"),tasks:[(name:\"a\",data:Nguyen(2))])",
            "(activation:(tasks:[(name:\"a\",model:Mlp(hidden:[4]),data:Digits,batch_size:8,\
             steps:5,learning_rate:Some(2.0))],repeats:2))",
        ] {
            let read: ExpressionEvaluation = ron::from_str(text).expect(text);
            let written = ron::to_string(&read).expect("it can be written");
            assert_eq!(written.contains("activation:("), text.contains("activation:("));
            assert_eq!(ron::from_str::<ExpressionEvaluation>(&written).expect(&written), read);
            let json = serde_json::to_string(&read).expect("it can be written");
            assert_eq!(serde_json::from_str::<ExpressionEvaluation>(&json).expect(&json), read);
        }
    }
}
