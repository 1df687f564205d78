//! `Progress`: what the callback of `Search.run` is told, and when; work that an interrupt ends.
//!
//! Invariant: the callback looks on. A clock decides when it is called and when Python is asked for
//! an interrupt, and nothing of the search.
#![expect(clippy::disallowed_methods, reason = "a clock paces callbacks and reaches no result")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use evo::Counters;
use evo::hosted::{HostedChampion, RunView};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::champion::Champion;

/// Time between two looks for an interrupt.
const SIGNALS: Duration = Duration::from_millis(50);

/// Works without the interpreter lock, on a thread beside this one, which looks for interrupts
/// meanwhile; one sets what the work is handed, and is the error once the work has ended.
pub(crate) fn interruptible<R: Send>(work: impl FnOnce(&AtomicBool) -> R + Send) -> PyResult<R> {
    let cancel = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let (tell, told) = channel();
        let working = scope.spawn(|| {
            let tell = tell;
            // Nobody listens where this thread is gone, which waits for the word.
            tell.send(work(&cancel)).ok();
        });
        let mut interrupt = None;
        loop {
            match told.recv_timeout(SIGNALS) {
                Ok(result) => return interrupt.map_or(Ok(result), Err),
                Err(RecvTimeoutError::Timeout) if interrupt.is_none() => {
                    interrupt = Python::attach(|py| py.check_signals()).err();
                    cancel.store(interrupt.is_some(), Ordering::Relaxed);
                }
                Err(RecvTimeoutError::Timeout) => {}
                // It sends unless it panics.
                Err(RecvTimeoutError::Disconnected) => match working.join() {
                    Err(panic) => std::panic::resume_unwind(panic),
                    Ok(()) => unreachable!("it has sent its result"),
                },
            }
        }
    })
}

/// How far a run is.
#[pyclass(frozen, module = "evo_search")]
pub(crate) struct Progress {
    counters: Counters,
    best: Option<HostedChampion>,
    seconds: f64,
}

#[pymethods]
impl Progress {
    /// As `Search.counters`.
    #[getter]
    fn counters<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        counters(py, &self.counters)
    }

    /// The fittest so far.
    #[getter]
    fn best(&self) -> Option<Champion> {
        self.best.clone().map(Champion)
    }

    /// Since `run` began.
    #[getter]
    fn seconds(&self) -> f64 {
        self.seconds
    }
}

/// Counters by name.
pub(crate) fn counters<'py>(py: Python<'py>, it: &Counters) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    for (name, count) in [
        ("births", it.births),
        ("evaluations", it.evaluations),
        ("cached", it.cached),
        ("structural_hits", it.structural_hits),
        ("functional_hits", it.functional_hits),
        ("rechecked", it.rechecked),
        ("disagreed", it.disagreed),
        ("absorbed", it.absorbed),
        ("confirmed", it.confirmed),
        ("scored", it.scored),
        ("invalid", it.invalid),
        ("stopped", it.stopped),
        ("ended", it.ended),
        ("failed", it.failed),
    ] {
        dict.set_item(name, count)?;
    }
    Ok(dict)
}

/// Calls back now and then; the first exception, an interrupt among them, cancels the run.
pub(crate) struct Looking {
    callback: Option<Py<PyAny>>,
    every: Duration,
    cancel: Arc<AtomicBool>,
    started: Instant,
    called: Instant,
    asked: Instant,
    error: Option<PyErr>,
}

impl Looking {
    pub(crate) fn new(
        callback: Option<Py<PyAny>>,
        every: Duration,
        cancel: Arc<AtomicBool>,
    ) -> Looking {
        let now = Instant::now();
        Looking { callback, every, cancel, started: now, called: now, asked: now, error: None }
    }

    /// Behind an outcome.
    pub(crate) fn look(&mut self, view: &dyn RunView) {
        let due = self.callback.is_some() && self.called.elapsed() >= self.every;
        if self.error.is_some() || (!due && self.asked.elapsed() < SIGNALS) {
            return;
        }
        self.asked = Instant::now();
        let result = Python::attach(|py| {
            py.check_signals()?;
            if due { self.call(py, view) } else { Ok(()) }
        });
        if let Err(error) = result {
            self.cancel.store(true, Ordering::Relaxed);
            self.error = Some(error);
        }
    }

    fn call(&mut self, py: Python<'_>, view: &dyn RunView) -> PyResult<()> {
        self.called = Instant::now();
        let Some(callback) = &self.callback else { return Ok(()) };
        let seconds = self.started.elapsed().as_secs_f64();
        let (counters, best) = (view.counters(), view.best());
        callback.call1(py, (Progress { counters, best, seconds },))?;
        Ok(())
    }

    /// At the end of the run: the exception that ended it, or a last call.
    pub(crate) fn conclude(mut self, py: Python<'_>, view: &dyn RunView) -> PyResult<()> {
        match self.error.take() {
            Some(error) => Err(error),
            None => self.call(py, view),
        }
    }
}
