//! `Champion` and `Evaluation`: what a run tells of its programs.

use evo::hosted::{HostedChampion, HostedEvaluation};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::outcome::Outcome;
use crate::program::Program;

/// A member of the hall of fame: the fittest of its length.
#[pyclass(frozen, module = "evo_search")]
#[derive(Clone, Debug)]
pub(crate) struct Champion(pub(crate) HostedChampion);

#[pymethods]
impl Champion {
    /// Of its parts; what pickle calls.
    #[new]
    fn new(
        birth: u64,
        program: Program,
        fitness: f64,
        held_out_fitness: Option<f64>,
        length: usize,
        states: usize,
        losses: Vec<f64>,
    ) -> Champion {
        let program = program.0;
        Champion(HostedChampion {
            birth,
            program,
            fitness,
            held_out_fitness,
            length,
            states,
            losses,
        })
    }

    /// The number of its birth.
    #[getter]
    fn birth(&self) -> u64 {
        self.0.birth
    }

    /// Its program without what has no effect.
    #[getter]
    fn program(&self) -> Program {
        Program(self.0.program.clone())
    }

    /// Higher is better.
    #[getter]
    fn fitness(&self) -> f64 {
        self.0.fitness
    }

    /// That on what is held out, if it was asked for.
    #[getter]
    fn held_out_fitness(&self) -> Option<f64> {
        self.0.held_out_fitness
    }

    /// Live statements.
    #[getter]
    fn length(&self) -> usize {
        self.0.length
    }

    /// Live state slots.
    #[getter]
    fn states(&self) -> usize {
        self.0.states
    }

    /// On each task.
    #[getter]
    fn losses(&self) -> Vec<f64> {
        self.0.losses.clone()
    }

    /// Flat, the program as its text.
    pub(crate) fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let it = &self.0;
        let dict = PyDict::new(py);
        dict.set_item("birth", it.birth)?;
        dict.set_item("fitness", it.fitness)?;
        dict.set_item("held_out_fitness", it.held_out_fitness)?;
        dict.set_item("length", it.length)?;
        dict.set_item("states", it.states)?;
        dict.set_item("losses", it.losses.clone())?;
        dict.set_item("program", it.program.text())?;
        Ok(dict)
    }

    fn __repr__(&self) -> String {
        let HostedChampion { birth, fitness, length, .. } = &self.0;
        format!("<Champion {birth}, fitness {fitness}, length {length}>")
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let it = &slf.get().0;
        let program = Program(it.program.clone());
        let parts = (
            it.birth,
            program,
            it.fitness,
            it.held_out_fitness,
            it.length,
            it.states,
            it.losses.clone(),
        );
        let whole = (slf.get_type(), parts).into_pyobject(slf.py())?;
        Ok(whole.into_any())
    }
}

/// An evaluation of a run, from its store.
#[pyclass(frozen, module = "evo_search")]
#[derive(Clone, Debug)]
pub(crate) struct Evaluation(pub(crate) HostedEvaluation);

#[pymethods]
impl Evaluation {
    /// Of its parts; what pickle calls.
    #[new]
    fn new(birth: u64, program: Program, outcome: Outcome) -> Evaluation {
        Evaluation(HostedEvaluation { birth, program: program.0, outcome: outcome.0 })
    }

    /// The birth that was evaluated.
    #[getter]
    fn birth(&self) -> u64 {
        self.0.birth
    }

    /// The program, as it was evaluated.
    #[getter]
    fn program(&self) -> Program {
        Program(self.0.program.clone())
    }

    /// What came of it.
    #[getter]
    fn outcome(&self) -> Outcome {
        Outcome(self.0.outcome.clone())
    }

    fn __repr__(&self) -> String {
        format!("<Evaluation of birth {}>", self.0.birth)
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let it = slf.get();
        let parts = (it.birth(), it.program(), it.outcome());
        let whole = (slf.get_type(), parts).into_pyobject(slf.py())?;
        Ok(whole.into_any())
    }
}
