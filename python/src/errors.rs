//! Exceptions: what of the engine's errors reaches Python.
//!
//! Invariant: the message is that of the command line. A bad configuration or program is a
//! `ValueError` too, a run that cannot go on a `RuntimeError`, so that code which knows nothing of
//! this package handles them; for that they have two bases, which the macro of PyO3 cannot give.

use evo::hosted::{HostError, HostErrorKind};
use pyo3::exceptions::{PyException, PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyType};

pyo3::create_exception!(
    evo_search,
    EvoError,
    PyException,
    "Anything the engine refuses or fails at, with the message of the command line."
);

static CONFIG: PyOnceLock<Py<PyType>> = PyOnceLock::new();
static PROGRAM: PyOnceLock<Py<PyType>> = PyOnceLock::new();
static SEARCH: PyOnceLock<Py<PyType>> = PyOnceLock::new();

/// The exceptions with two bases, by name.
pub(crate) fn kinds(py: Python<'_>) -> PyResult<[(&'static str, Bound<'_, PyType>); 3]> {
    Ok([
        ("ConfigError", kind(py, HostErrorKind::Config)?),
        ("ProgramError", kind(py, HostErrorKind::Program)?),
        ("SearchError", kind(py, HostErrorKind::Search)?),
    ])
}

fn kind(py: Python<'_>, kind: HostErrorKind) -> PyResult<Bound<'_, PyType>> {
    let base = py.get_type::<EvoError>();
    let (cell, name, doc, builtin) = match kind {
        HostErrorKind::Other => return Ok(base),
        HostErrorKind::Config => (
            &CONFIG,
            "ConfigError",
            "A configuration that cannot be used; the message names file, line and key.",
            py.get_type::<PyValueError>(),
        ),
        HostErrorKind::Program => (
            &PROGRAM,
            "ProgramError",
            "A program that cannot be read or used for what was asked.",
            py.get_type::<PyValueError>(),
        ),
        HostErrorKind::Search => (
            &SEARCH,
            "SearchError",
            "A run that cannot be begun, gone on with or stored.",
            py.get_type::<PyRuntimeError>(),
        ),
    };
    let made = cell.get_or_try_init(py, || {
        let content = PyDict::new(py);
        content.set_item("__module__", "evo_search")?;
        content.set_item("__doc__", doc)?;
        let made = py.get_type::<PyType>().call1((name, (base, builtin), content))?;
        Ok::<_, PyErr>(made.cast_into::<PyType>()?.unbind())
    })?;
    Ok(made.bind(py).clone())
}

/// The exception of an error.
pub(crate) fn raised(py: Python<'_>, error: &HostError) -> PyErr {
    match kind(py, error.kind) {
        Ok(kind) => PyErr::from_type(kind, error.message.clone()),
        Err(error) => error,
    }
}

/// An error that Python code hears of.
pub(crate) trait Raise<T> {
    fn raise(self, py: Python<'_>) -> PyResult<T>;
}

impl<T, E: Into<HostError>> Raise<T> for Result<T, E> {
    fn raise(self, py: Python<'_>) -> PyResult<T> {
        self.map_err(|error| raised(py, &error.into()))
    }
}

/// An exception of a kind with a message.
pub(crate) fn refuse(py: Python<'_>, kind: HostErrorKind, message: impl Into<String>) -> PyErr {
    raised(py, &HostError::new(kind, message))
}
