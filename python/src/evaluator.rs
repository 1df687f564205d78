//! `Evaluator`.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use evo::hosted::{HostedCandidate, HostedEvaluator, evaluator};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;

use crate::candidate::{Candidate, depends_word};
use crate::config;
use crate::errors::Raise;
use crate::outcome::Outcome;
use crate::program::{Program, word};
use crate::running::interruptible;

/// What measures the programs of a configuration.
#[pyclass(frozen, module = "evo_search")]
pub(crate) struct Evaluator(Arc<dyn HostedEvaluator>);

impl Evaluator {
    /// Of one that was made.
    pub(crate) fn of(made: Box<dyn HostedEvaluator>) -> Evaluator {
        Evaluator(made.into())
    }
}

/// A candidate as it is, a program as the first trial of it.
fn trial(given: &Bound<'_, PyAny>) -> PyResult<HostedCandidate> {
    if let Ok(candidate) = given.cast::<Candidate>() {
        return Ok(candidate.get().0.clone());
    }
    let Ok(program) = given.cast::<Program>() else {
        let kind = given.get_type();
        let message = format!("a Program or a Candidate is evaluated, not {kind}");
        return Err(PyTypeError::new_err(message));
    };
    let program = program.get().0.clone();
    let hurdles = Arc::new([]);
    Ok(HostedCandidate { birth: 0, program, hurdles, repeat: 0, held_out: false })
}

#[pymethods]
impl Evaluator {
    #[new]
    #[pyo3(signature = (config, *, overrides = Vec::new(), base = None))]
    pub(crate) fn new(
        config: &Bound<'_, PyAny>,
        overrides: Vec<String>,
        base: Option<PathBuf>,
    ) -> PyResult<Evaluator> {
        let py = config.py();
        let text = config::text_of(config, base)?;
        let made = py.detach(|| evaluator(&text, &overrides)).raise(py)?;
        Ok(Evaluator(made.into()))
    }

    /// One outcome each, in order; none depends on its neighbours or on `threads`.
    #[pyo3(signature = (programs, *, threads = NonZeroUsize::MIN))]
    fn evaluate(
        &self,
        py: Python<'_>,
        programs: Vec<Bound<'_, PyAny>>,
        threads: NonZeroUsize,
    ) -> PyResult<Vec<Outcome>> {
        let trials = programs.iter().map(trial).collect::<PyResult<Vec<_>>>()?;
        let outcomes = py.detach(|| {
            interruptible(|cancel: &AtomicBool| self.0.evaluate(&trials, threads, cancel))
        })?;
        let outcomes = outcomes.raise(py)?;
        Ok(outcomes.into_iter().map(Outcome).collect())
    }

    /// The domain of its programs.
    #[getter]
    fn domain(&self) -> &'static str {
        word(self.0.domain())
    }

    /// What of a program its outcomes depend on.
    #[getter]
    fn depends_on(&self) -> &'static str {
        depends_word(self.0.depends_on())
    }

    /// Of all that decides an outcome but for the program and the CPU.
    #[getter]
    fn fingerprint(&self) -> &str {
        self.0.fingerprint()
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<(Bound<'py, PyAny>, (String,))> {
        Ok((slf.get_type().into_any(), (slf.get().0.config_text().to_owned(),)))
    }
}
