//! The functions of the module.

use std::ffi::OsString;

use evo::hosted::{AnyProgram, cpu as description};
use pyo3::prelude::*;

use crate::program::domain_of;

/// The names of the programs that ship with the engine.
#[pyfunction]
#[pyo3(signature = (domain = "optimizers"))]
pub(crate) fn zoo(domain: &str) -> PyResult<Vec<&'static str>> {
    Ok(AnyProgram::zoo(domain_of(domain)?))
}

/// The kind of CPU, all that the bits of an outcome depend on here but for the program.
#[pyfunction]
pub(crate) fn cpu() -> String {
    description()
}

/// The command line `evo`; `argv` without the program's name, `sys.argv` unless given.
#[pyfunction]
#[pyo3(signature = (argv = None))]
pub(crate) fn main(py: Python<'_>, argv: Option<Vec<OsString>>) -> PyResult<u8> {
    let argv = match argv {
        Some(argv) => argv,
        None => {
            let argv: Vec<OsString> = py.import("sys")?.getattr("argv")?.extract()?;
            argv.into_iter().skip(1).collect()
        }
    };
    let whole = std::iter::once("evo".into()).chain(argv);
    Ok(py.detach(|| evo::command_line(whole)).number())
}
