//! What Python gives as a configuration: a path, a text or a dict.
//!
//! Invariant: a text is told from a path by how it begins, since no path that is a configuration
//! begins with a bracket or a comment; a dict is read as JSON, whose names are those of RON.

use std::path::PathBuf;

use evo::ConfigText;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use crate::errors::Raise;

/// Reads what was given; paths in a text or a dict are relative to `base`.
pub(crate) fn text_of(given: &Bound<'_, PyAny>, base: Option<PathBuf>) -> PyResult<ConfigText> {
    let py = given.py();
    let base = base.unwrap_or_default();
    if let Ok(text) = given.cast::<PyString>() {
        let text = text.to_str()?;
        let start = text.trim_start_matches('\u{feff}').trim_start();
        if start.starts_with('(') || start.starts_with("//") || start.starts_with("#!") {
            return ConfigText::in_memory(text, &base).raise(py);
        }
    }
    if let Ok(mapping) = py.import("collections.abc")?.getattr("Mapping")
        && given.is_instance(&mapping)?
    {
        let json = json_of(given)?;
        return ConfigText::from_json(&json, &base).raise(py);
    }
    let path: PathBuf = given.extract().map_err(|_| {
        let kind = given.get_type();
        PyTypeError::new_err(format!("a configuration is a path, a text or a dict, not {kind}"))
    })?;
    ConfigText::read(&path).raise(py)
}

fn json_of(given: &Bound<'_, PyAny>) -> PyResult<String> {
    let py = given.py();
    let options = PyDict::new(py);
    options.set_item("default", py.import("evo_search._json")?.getattr("plain")?)?;
    options.set_item("allow_nan", false)?;
    py.import("json")?.call_method("dumps", (given,), Some(&options))?.extract()
}
