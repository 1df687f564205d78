//! `Candidate`.

use evo::DependsOn;
use evo::hosted::HostedCandidate;
use pyo3::prelude::*;

use crate::program::Program;

/// A program to evaluate, as `Search.ask` gives it.
#[pyclass(frozen, module = "evo_search", from_py_object)]
#[derive(Clone, Debug)]
pub(crate) struct Candidate(pub(crate) HostedCandidate);

/// The word for what outcomes depend on.
pub(crate) fn depends_word(depends_on: DependsOn) -> &'static str {
    match depends_on {
        DependsOn::Behaviour => "behaviour",
        DependsOn::Structure => "structure",
        DependsOn::Text => "text",
    }
}

#[pymethods]
impl Candidate {
    #[new]
    #[pyo3(signature = (id, program, hurdles = Vec::new(), repeat = 0, held_out = false))]
    fn new(id: u64, program: Program, hurdles: Vec<f64>, repeat: u32, held_out: bool) -> Candidate {
        let (birth, program, hurdles) = (id, program.0, hurdles.into());
        Candidate(HostedCandidate { birth, program, hurdles, repeat, held_out })
    }

    /// The number of its birth, to tell its outcome by.
    #[getter]
    fn id(&self) -> u64 {
        self.0.birth
    }

    /// The program.
    #[getter]
    fn program(&self) -> Program {
        Program(self.0.program.clone())
    }

    /// The least fitness with which to go on behind each stage.
    #[getter]
    fn hurdles(&self) -> Vec<f64> {
        self.0.hurdles.to_vec()
    }

    /// Which evaluation of its behaviour it is, from 0.
    #[getter]
    fn repeat(&self) -> u32 {
        self.0.repeat
    }

    /// Whether the outcome on what is held out of the search is asked for.
    #[getter]
    fn held_out(&self) -> bool {
        self.0.held_out
    }

    /// Whether the evaluation ends behind this stage, from 0, with this fitness so far.
    fn stops(&self, stage: usize, fitness: f64) -> bool {
        evo::Trial { program: &(), hurdles: &self.0.hurdles, repeat: self.0.repeat }
            .stops(stage, fitness)
    }

    fn __repr__(&self) -> String {
        let HostedCandidate { birth, repeat, held_out, .. } = &self.0;
        let held_out = if *held_out { ", held out" } else { "" };
        format!("<Candidate {birth}, repeat {repeat}{held_out}>")
    }

    #[expect(clippy::type_complexity, reason = "what pickle is handed is a tuple")]
    fn __reduce__<'py>(
        slf: &Bound<'py, Self>,
    ) -> PyResult<(Bound<'py, PyAny>, (u64, Program, Vec<f64>, u32, bool))> {
        let it = &slf.get().0;
        let program = Program(it.program.clone());
        let parts = (it.birth, program, it.hurdles.to_vec(), it.repeat, it.held_out);
        Ok((slf.get_type().into_any(), parts))
    }
}
