//! The compiled part of the Python package `evo_search`; `evo_search/_engine.pyi` is its contract.
//!
//! Invariant: nothing is decided here. Objects of Python become the types of `evo::hosted` and
//! back; whatever takes long is done without the interpreter lock, and a search is behind a lock of
//! its own, so any thread may call. The allocator is the system's, not the binary's mimalloc: that
//! takes half as much memory again, and has locks that a forked child may find held, and processes
//! of Python are forked by others, as by the loaders of PyTorch.
#![expect(clippy::needless_pass_by_value, reason = "PyO3 hands arguments over by value")]

mod candidate;
mod champion;
mod config;
mod errors;
mod evaluator;
mod functions;
mod outcome;
mod program;
mod running;
mod search;
mod stepper;

use pyo3::prelude::*;

/// The module.
#[pymodule(gil_used = false)]
fn _engine(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    pin_inner_threads(py)?;
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add("EvoError", py.get_type::<errors::EvoError>())?;
    for (name, exception) in errors::kinds(py)? {
        module.add(name, exception)?;
    }
    module.add_class::<program::Program>()?;
    module.add_class::<stepper::Stepper>()?;
    module.add_class::<outcome::Outcome>()?;
    module.add_class::<candidate::Candidate>()?;
    module.add_class::<champion::Champion>()?;
    module.add_class::<champion::Evaluation>()?;
    module.add_class::<search::Search>()?;
    module.add_class::<running::Progress>()?;
    module.add_class::<evaluator::Evaluator>()?;
    module.add_function(wrap_pyfunction!(functions::zoo, module)?)?;
    module.add_function(wrap_pyfunction!(functions::cpu, module)?)?;
    module.add_function(wrap_pyfunction!(functions::main, module)?)?;
    Ok(())
}

/// Keeps what is parallel inside an evaluation on the thread that evaluates, as the binary does.
/// Not by its means, an environment that all libraries of the process and its children would read:
/// the pool is this library's own, and the variable is candle's alone. Results do not depend on it.
fn pin_inner_threads(py: Python<'_>) -> PyResult<()> {
    // A second module of this process finds the pool that the first one made.
    rayon::ThreadPoolBuilder::new().num_threads(1).build_global().ok();
    py.import("os")?.getattr("environ")?.set_item("CANDLE_NUM_THREADS", "1")
}
