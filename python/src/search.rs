//! `Search`.
//!
//! Invariant: the lock of a run is waited for without that of the interpreter, so neither waits for
//! the other. A callback runs while its run is held: it may cancel, and is refused anything else
//! of the search, where it would wait for itself.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::ThreadId;
use std::time::Duration;

use evo::hosted::{
    About, BeginOptions, HostErrorKind, HostedCandidate, HostedRun, Out, ResumeOptions, begin,
    cores, evaluator, resume,
};
use evo::{ConfigText, DependsOn, StopReason};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict};

use crate::candidate::{Candidate, depends_word};
use crate::champion::{Champion, Evaluation};
use crate::config;
use crate::errors::{Raise, refuse};
use crate::evaluator::Evaluator;
use crate::outcome::Outcome;
use crate::program::word;
use crate::running::{Looking, counters};

type Held<'a> = MutexGuard<'a, Option<Box<dyn HostedRun>>>;

/// A run. Ask it for candidates, evaluate them anywhere, tell their outcomes in any order; or have
/// `run` do so with the evaluator that the configuration states.
#[pyclass(frozen, module = "evo_search", weakref)]
pub(crate) struct Search {
    run: Mutex<Option<Box<dyn HostedRun>>>,
    about: About,
    /// The process that opened it.
    process: u32,
    /// The thread in `run`.
    runs: Mutex<Option<ThreadId>>,
}

impl Search {
    fn new(run: Box<dyn HostedRun>) -> Search {
        let about = run.about().clone();
        let process = std::process::id();
        Search { run: Mutex::new(Some(run)), about, process, runs: Mutex::new(None) }
    }

    fn runner(&self) -> MutexGuard<'_, Option<ThreadId>> {
        self.runs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether this process is a copy of the one that opened it, and would write to its store.
    fn is_forked(&self) -> bool {
        self.process != std::process::id()
    }

    /// Refuses a candidate of another search whose birth is awaited here too.
    fn check_own(&self, py: Python<'_>, candidate: &Candidate) -> PyResult<()> {
        let HostedCandidate { birth, program, .. } = &candidate.0;
        let awaited = self.with(py, |run| run.awaited(*birth))?;
        if awaited.is_none_or(|awaited| awaited == *program) {
            return Ok(());
        }
        let message = format!("birth {birth} has another program here: of another search?");
        Err(refuse(py, HostErrorKind::Search, message))
    }

    /// Works with the run, without the interpreter lock.
    fn with<R: Send>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&mut dyn HostedRun) -> R + Send,
    ) -> PyResult<R> {
        if *self.runner() == Some(std::thread::current().id()) {
            let message = "a callback looks at the Progress it is given, and not at the search";
            return Err(refuse(py, HostErrorKind::Search, message));
        }
        if self.is_forked() {
            let message = "a search is used by the process that opened it, and by no fork of it: \
                           evaluate in others, and tell here";
            return Err(refuse(py, HostErrorKind::Search, message));
        }
        let result = py.detach(|| {
            let mut held: Held<'_> = self.run.lock().unwrap_or_else(PoisonError::into_inner);
            held.as_mut().map(|run| work(&mut **run))
        });
        result.ok_or_else(|| refuse(py, HostErrorKind::Search, "the search has been closed"))
    }
}

/// Where a run is kept that is given a folder, or true.
fn out_of(given: &Bound<'_, PyAny>) -> PyResult<Out> {
    if given.cast::<PyBool>().is_ok_and(|it| it.is_true()) {
        return Ok(Out::Named);
    }
    let out: PyResult<PathBuf> = given.extract();
    if out.as_ref().is_ok_and(|path| path.as_os_str().is_empty()) {
        return Err(PyValueError::new_err("`out` is empty: name a folder, or leave it out"));
    }
    out.map(Out::At).map_err(|_| {
        let kind = given.get_type();
        PyTypeError::new_err(format!("`out` is a folder, or True for runs/NAME-seedN, not {kind}"))
    })
}

fn reason_text(reason: StopReason) -> String {
    reason.to_string()
}

fn depends_on_of(word: &str) -> PyResult<DependsOn> {
    let all = [DependsOn::Behaviour, DependsOn::Structure, DependsOn::Text];
    all.into_iter().find(|it| depends_word(*it) == word).ok_or_else(|| {
        PyValueError::new_err(format!(
            "depends_on is \"behaviour\", \"structure\" or \"text\", not {word:?}"
        ))
    })
}

#[pymethods]
impl Search {
    #[new]
    #[pyo3(signature = (
        config, *, seed = None, out = None, overrides = Vec::new(), base = None, objective = None,
        depends_on = "behaviour"
    ))]
    fn begin(
        config: &Bound<'_, PyAny>,
        seed: Option<u64>,
        out: Option<Bound<'_, PyAny>>,
        mut overrides: Vec<String>,
        base: Option<PathBuf>,
        objective: Option<String>,
        depends_on: &str,
    ) -> PyResult<Search> {
        let py = config.py();
        let depends_on = depends_on_of(depends_on)?;
        if objective.as_deref() == Some("") {
            return Err(PyValueError::new_err("an objective has a name, by which a run knows it"));
        }
        let text = config::text_of(config, base)?;
        overrides.extend(seed.map(|seed| format!("seed={seed}")));
        let objective = objective.map(|name| (name, depends_on));
        let out = out.map_or(Ok(Out::Nothing), |it| out_of(&it))?;
        let options = BeginOptions { overrides, out, objective };
        Ok(Search::new(py.detach(|| begin(&text, &options)).raise(py)?))
    }

    /// Goes on with a run directory where it was.
    #[staticmethod]
    #[pyo3(signature = (
        directory, *, overrides = Vec::new(), accept_cpu = false, objective = None
    ))]
    fn resume(
        py: Python<'_>,
        directory: PathBuf,
        overrides: Vec<String>,
        accept_cpu: bool,
        objective: Option<String>,
    ) -> PyResult<Search> {
        let options = ResumeOptions { overrides, accept_cpu, objective };
        Ok(Search::new(py.detach(|| resume(&directory, &options)).raise(py)?))
    }

    /// Up to `n` candidates; with none in flight, none at all means that the run is over.
    #[pyo3(signature = (n = 1))]
    fn ask(&self, py: Python<'_>, n: usize) -> PyResult<Vec<Candidate>> {
        let asked = self.with(py, |run| run.ask(n))?.raise(py)?;
        Ok(asked.into_iter().map(Candidate).collect())
    }

    /// Takes in an outcome, by candidate or its id, in any order.
    fn tell(
        &self,
        py: Python<'_>,
        candidate: &Bound<'_, PyAny>,
        outcome: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        let birth = match candidate.cast::<Candidate>() {
            Ok(candidate) => {
                self.check_own(py, candidate.get())?;
                candidate.get().0.birth
            }
            Err(_) => candidate.extract()?,
        };
        let outcome = Outcome::of(outcome)?;
        self.with(py, |run| run.tell(birth, outcome))?.raise(py)
    }

    /// Makes what was told durable; to be called before waiting for others.
    fn commit(&self, py: Python<'_>) -> PyResult<()> {
        self.with(py, |run| run.commit())?.raise(py)
    }

    /// Candidates asked and not yet told.
    #[getter]
    fn in_flight(&self, py: Python<'_>) -> PyResult<usize> {
        self.with(py, |run| run.in_flight())
    }

    /// How many births may be under way at once.
    #[getter]
    fn window(&self, py: Python<'_>) -> PyResult<usize> {
        self.with(py, |run| run.window())
    }

    /// Nothing in flight, nothing left to ask for.
    #[getter]
    fn done(&self, py: Python<'_>) -> PyResult<bool> {
        self.with(py, |run| run.in_flight() == 0 && run.stop_reason().is_some())
    }

    /// Why the run ended, in words; None while it goes on.
    #[getter]
    fn stop_reason(&self, py: Python<'_>) -> PyResult<Option<String>> {
        Ok(self.with(py, |run| run.stop_reason())?.map(reason_text))
    }

    /// Breed no more. May be called from any thread, during `run` too.
    fn cancel(&self) {
        self.about.cancel.store(true, Ordering::Relaxed);
    }

    /// Whether it was cancelled.
    #[getter]
    fn cancelled(&self) -> bool {
        self.about.cancel.load(Ordering::Relaxed)
    }

    /// Searches to the end with the evaluator that the configuration states.
    #[pyo3(signature = (callback = None, *, threads = None, every = 0.5))]
    fn run(
        &self,
        py: Python<'_>,
        callback: Option<Py<PyAny>>,
        threads: Option<NonZeroUsize>,
        every: f64,
    ) -> PyResult<String> {
        let every = Duration::try_from_secs_f64(every)
            .map_err(|_| PyValueError::new_err("`every` is a number of seconds"))?;
        let threads = cores(threads);
        let mut looking = Looking::new(callback, every, self.about.cancel.clone());
        let result = self.with(py, |run| {
            *self.runner() = Some(std::thread::current().id());
            let result = run.run(threads, &mut |view| looking.look(view));
            let told = Python::attach(|py| match &result {
                Ok(_) => looking.conclude(py, run.view()),
                Err(_) => Ok(()),
            });
            *self.runner() = None;
            result.map(|reason| (reason, told))
        })?;
        let (reason, told) = result.raise(py)?;
        told?;
        Ok(reason_text(reason))
    }

    /// Ends the run, has its results written, and gives the reason.
    fn finish(&self, py: Python<'_>) -> PyResult<String> {
        let threads = cores(None);
        Ok(reason_text(self.with(py, |run| run.finish(threads))?.raise(py)?))
    }

    /// Lets the store go, what was told made durable. A second call does nothing.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        if self.closed(py) {
            return Ok(());
        }
        // What a fork holds is not its own to write.
        let committed = if self.is_forked() { Ok(()) } else { self.with(py, |run| run.commit())? };
        py.detach(|| drop(self.run.lock().unwrap_or_else(PoisonError::into_inner).take()));
        committed.raise(py)
    }

    /// Whether it was closed.
    #[getter]
    fn closed(&self, py: Python<'_>) -> bool {
        py.detach(|| self.run.lock().unwrap_or_else(PoisonError::into_inner).is_none())
    }

    /// The domain, as "optimizers".
    #[getter]
    fn domain(&self) -> &'static str {
        word(self.about.domain)
    }

    /// The seed.
    #[getter]
    fn seed(&self) -> u64 {
        self.about.seed
    }

    /// The run directory.
    #[getter]
    fn directory(&self) -> Option<&str> {
        self.about.directory.as_deref()
    }

    /// The name of an evaluator that is not the engine's.
    #[getter]
    fn objective(&self) -> Option<&str> {
        self.about.objective.as_deref()
    }

    /// What of a program its outcomes depend on.
    #[getter]
    fn depends_on(&self) -> &'static str {
        depends_word(self.about.depends_on)
    }

    /// Whether candidates are asked for on what is held out.
    #[getter]
    fn holds_out(&self) -> bool {
        self.about.holds_out
    }

    /// The configuration with everything written out.
    #[getter]
    fn config_text(&self) -> &str {
        &self.about.config_text
    }

    /// How much has been done, by name.
    #[getter]
    fn counters<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let it = self.with(py, |run| run.counters())?;
        counters(py, &it)
    }

    /// The fittest so far.
    #[getter]
    fn best(&self, py: Python<'_>) -> PyResult<Option<Champion>> {
        Ok(self.with(py, |run| run.best())?.map(Champion))
    }

    /// By length, the shortest first.
    #[getter]
    fn hall_of_fame(&self, py: Python<'_>) -> PyResult<Vec<Champion>> {
        Ok(self.with(py, |run| run.hall_of_fame())?.into_iter().map(Champion).collect())
    }

    /// The hall of fame as a `pandas.DataFrame`.
    fn to_pandas<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let champions = self.hall_of_fame(py)?;
        let rows = champions.iter().map(|it| it.to_dict(py)).collect::<PyResult<Vec<_>>>()?;
        py.import("pandas")?.call_method1("DataFrame", (rows,))
    }

    /// Every evaluation absorbed, in order of birth.
    fn evaluations(&self, py: Python<'_>) -> PyResult<Vec<Evaluation>> {
        let found = self.with(py, |run| run.evaluations())?.raise(py)?;
        Ok(found.into_iter().map(Evaluation).collect())
    }

    /// The hash of everything a run is judged by.
    fn digest(&self, py: Python<'_>) -> PyResult<String> {
        self.with(py, |run| run.digest())
    }

    /// The evaluator that the configuration states.
    fn evaluator(&self, py: Python<'_>) -> PyResult<Evaluator> {
        if let Some(name) = &self.about.objective {
            let message = format!("the outcomes are told by the objective `{name}`");
            return Err(refuse(py, HostErrorKind::Search, message));
        }
        let text = ConfigText::in_memory(&self.about.config_text, "".as_ref()).raise(py)?;
        Ok(Evaluator::of(py.detach(|| evaluator(&text, &[])).raise(py)?))
    }

    fn __enter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    #[pyo3(signature = (*_exception))]
    fn __exit__(&self, py: Python<'_>, _exception: &Bound<'_, PyAny>) -> PyResult<()> {
        self.close(py)
    }

    fn __repr__(&self) -> String {
        let place = self.about.directory.as_ref().map(|it| format!(" in {it}"));
        let (domain, seed) = (word(self.about.domain), self.about.seed);
        format!("<Search of {domain}, seed {seed}{}>", place.unwrap_or_default())
    }
}
