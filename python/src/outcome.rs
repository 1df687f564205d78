//! `Outcome`.
//!
//! Invariant: it is the engine's outcome, and its text is the engine's JSON. JSON has no infinity,
//! so what is not finite is refused where it comes in: of a score that is another kind of outcome.

use evo::{Ended, Invalid, InvalidReason, Outcome as Inner, Score, Stopped};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// What evaluating a program led to. Immutable, comparable, pickled as its text.
#[pyclass(frozen, eq, module = "evo_search", from_py_object)]
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Outcome(pub(crate) Inner);

/// A reason by the name that it has in texts.
fn named<T: DeserializeOwned>(name: &str) -> PyResult<T> {
    let read = serde_json::from_value(json!(name));
    read.map_err(|error| PyValueError::new_err(format!("no such reason: {error}")))
}

fn finite(what: &str, numbers: &[f64]) -> PyResult<()> {
    match numbers.iter().find(|number| !number.is_finite()) {
        None => Ok(()),
        Some(number) => Err(PyValueError::new_err(format!(
            "{what} must be finite, not {number}; a program without a score is \
             Outcome.invalid(\"NonFinite\")"
        ))),
    }
}

impl Outcome {
    /// Of an outcome, or a number: a score where it is finite.
    pub(crate) fn of(given: &Bound<'_, PyAny>) -> PyResult<Inner> {
        if let Ok(outcome) = given.cast::<Outcome>() {
            return Ok(outcome.get().0.clone());
        }
        let fitness: f64 = given.extract().map_err(|_| {
            let kind = given.get_type();
            PyTypeError::new_err(format!("an outcome is an Outcome or a number, not {kind}"))
        })?;
        Ok(match fitness.is_finite() {
            true => Inner::Scored(Score::new(fitness, Vec::new())),
            false => Inner::Invalid(Invalid {
                reason: InvalidReason::NonFinite,
                task: "objective".to_owned(),
                step: 0,
                stages: Vec::new(),
            }),
        })
    }

    fn text(&self) -> String {
        serde_json::to_string(&self.0).expect("an outcome has no value JSON cannot write")
    }

    fn read(text: &str) -> PyResult<Outcome> {
        let read = serde_json::from_str(text);
        read.map(Outcome).map_err(|error| PyValueError::new_err(format!("no outcome: {error}")))
    }
}

#[pymethods]
impl Outcome {
    /// A score; higher is better. `stages` is the fitness so far behind each stage.
    #[staticmethod]
    #[pyo3(signature = (fitness, losses = Vec::new(), stages = Vec::new()))]
    fn scored(fitness: f64, losses: Vec<f64>, stages: Vec<f64>) -> PyResult<Outcome> {
        finite("a fitness", &[fitness])?;
        finite("losses", &losses)?;
        finite("stages", &stages)?;
        Ok(Outcome(Inner::Scored(Score { stages, ..Score::new(fitness, losses) })))
    }

    /// The program is at fault.
    #[staticmethod]
    #[pyo3(signature = (reason = "NonFinite", task = "", step = 0, stages = Vec::new()))]
    fn invalid(reason: &str, task: &str, step: u64, stages: Vec<f64>) -> PyResult<Outcome> {
        finite("stages", &stages)?;
        let (reason, task) = (named(reason)?, task.to_owned());
        Ok(Outcome(Inner::Invalid(Invalid { reason, task, step, stages })))
    }

    /// A hurdle was not cleared: behind this stage, from 0, with this fitness so far.
    #[staticmethod]
    #[pyo3(signature = (stage, fitness, cleared = Vec::new()))]
    fn stopped(stage: usize, fitness: f64, cleared: Vec<f64>) -> PyResult<Outcome> {
        finite("a fitness", &[fitness])?;
        finite("stages", &cleared)?;
        Ok(Outcome(Inner::Stopped(Stopped { stage, fitness, cleared, whole: None })))
    }

    /// Broken off from outside, or by an exception: a property of the program, never evaluated
    /// again.
    #[staticmethod]
    fn ended(reason: &str, message: &str) -> PyResult<Outcome> {
        let (reason, message) = (named(reason)?, message.to_owned());
        Ok(Outcome(Inner::Ended(Ended { reason, message })))
    }

    /// Not the program's fault: not remembered as its property.
    #[staticmethod]
    fn failed(message: &str) -> Outcome {
        Outcome(Inner::Failed { message: message.to_owned() })
    }

    /// "scored", "invalid", "stopped", "ended" or "failed".
    #[getter]
    fn kind(&self) -> &'static str {
        match &self.0 {
            Inner::Scored(_) => "scored",
            Inner::Invalid(_) => "invalid",
            Inner::Stopped(_) => "stopped",
            Inner::Ended(_) => "ended",
            Inner::Failed { .. } => "failed",
        }
    }

    /// Minus infinity without a score.
    #[getter]
    fn fitness(&self) -> f64 {
        self.0.fitness()
    }

    /// Of a scored one.
    #[getter]
    fn losses(&self) -> Vec<f64> {
        match &self.0 {
            Inner::Scored(score) => score.losses.clone(),
            _ => Vec::new(),
        }
    }

    /// The fitness so far behind each stage that was reached.
    #[getter]
    fn stages(&self) -> Vec<f64> {
        self.0.stages().collect()
    }

    /// Of an invalid or ended one: as given, "Hung" or "NonFinite".
    #[getter]
    fn reason(&self) -> Option<String> {
        match &self.0 {
            Inner::Invalid(invalid) => Some(format!("{:?}", invalid.reason)),
            Inner::Ended(ended) => Some(format!("{:?}", ended.reason)),
            _ => None,
        }
    }

    /// Of an ended, failed or invalid one, for a person to read.
    #[getter]
    fn message(&self) -> Option<String> {
        match &self.0 {
            Inner::Invalid(Invalid { reason, task, step, .. }) => {
                let task = if task.is_empty() { String::new() } else { format!(" on {task}") };
                let step = if *step == 0 { String::new() } else { format!(" in step {step}") };
                Some(format!("{reason}{task}{step}"))
            }
            Inner::Ended(ended) => Some(ended.message.clone()),
            Inner::Failed { message } => Some(message.clone()),
            Inner::Scored(_) | Inner::Stopped(_) => None,
        }
    }

    /// What it is under these hurdles: itself, or stopped.
    fn stopped_by(&self, hurdles: Vec<f64>) -> Outcome {
        let stopped = self.0.stopped_by(&hurdles).map(Inner::Stopped);
        Outcome(stopped.unwrap_or_else(|| self.0.clone()))
    }

    /// The parts by name.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let (kind, value) = match serde_json::to_value(&self.0) {
            Ok(Value::Object(object)) => object.into_iter().next().expect("it has one kind"),
            _ => unreachable!("an outcome is an object of its kind"),
        };
        let mut flat = json!({ "kind": kind.to_lowercase() });
        if let (Value::Object(flat), Value::Object(parts)) = (&mut flat, value) {
            flat.extend(parts);
        }
        py.import("json")?.call_method1("loads", (flat.to_string(),))
    }

    /// Of the parts by name.
    #[staticmethod]
    fn from_dict(outcome: &Bound<'_, PyAny>) -> PyResult<Outcome> {
        let py = outcome.py();
        let parts = PyDict::new(py);
        parts.call_method1("update", (outcome,))?;
        let kind: String = match parts.get_item("kind")? {
            Some(kind) => kind.extract()?,
            None => return Err(PyValueError::new_err("no outcome: `kind` is missing")),
        };
        parts.del_item("kind")?;
        let name = ["Scored", "Invalid", "Stopped", "Ended", "Failed"]
            .into_iter()
            .find(|name| name.to_lowercase() == kind);
        let name = name.ok_or_else(|| PyValueError::new_err(format!("no outcome is `{kind}`")))?;
        let whole = PyDict::new(py);
        whole.set_item(name, parts)?;
        let text: String = py.import("json")?.call_method1("dumps", (whole,))?.extract()?;
        Outcome::read(&text)
    }

    /// JSON; every number survives to the bit.
    fn to_text(&self) -> String {
        self.text()
    }

    /// Of its text.
    #[staticmethod]
    fn from_text(text: &str) -> PyResult<Outcome> {
        Outcome::read(text)
    }

    fn __repr__(&self) -> String {
        match &self.0 {
            Inner::Scored(score) => format!("<Outcome scored {}>", score.fitness),
            _ => {
                let told = self.message().map(|it| format!(": {it}")).unwrap_or_default();
                format!("<Outcome {}{told}>", self.kind())
            }
        }
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<(Bound<'py, PyAny>, (String,))> {
        Ok((slf.get_type().getattr("from_text")?, (slf.get().text(),)))
    }
}
