//! `Program`.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;

use evo::hosted::{AnyProgram, HostErrorKind};
use evo::{DomainName, Rounding};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::errors::{Raise, refuse};
use crate::stepper::Stepper;

/// The word for a domain in Python.
pub(crate) fn word(domain: DomainName) -> &'static str {
    match domain {
        DomainName::Optimizers | DomainName::Enumerated => "optimizers",
        DomainName::Expressions => "expressions",
        DomainName::Learners => "learners",
        DomainName::Graphs => "graphs",
    }
}

/// The domain of a word.
pub(crate) fn domain_of(word: &str) -> PyResult<DomainName> {
    Ok(match word {
        "optimizers" => DomainName::Optimizers,
        "expressions" => DomainName::Expressions,
        "learners" => DomainName::Learners,
        "graphs" => DomainName::Graphs,
        other => {
            let known = "optimizers, expressions, learners, graphs";
            return Err(PyValueError::new_err(format!("no domain `{other}`; there are {known}")));
        }
    })
}

/// A program of one of the domains. It is immutable, compared and hashed by text and domain, and
/// pickled as these.
#[pyclass(frozen, module = "evo_search", from_py_object)]
#[derive(Clone, Debug)]
pub(crate) struct Program(pub(crate) AnyProgram);

impl Program {
    /// What two equal programs have in common.
    fn key(&self) -> (&'static str, String) {
        (word(self.0.domain()), self.0.text())
    }
}

#[pymethods]
impl Program {
    /// Reads a program from its text.
    #[staticmethod]
    #[pyo3(signature = (text, domain = "optimizers"))]
    fn parse(py: Python<'_>, text: &str, domain: &str) -> PyResult<Program> {
        Ok(Program(AnyProgram::parse(domain_of(domain)?, text).raise(py)?))
    }

    /// A program that ships with the engine, as "lion".
    #[staticmethod]
    #[pyo3(signature = (name, domain = "optimizers"))]
    fn zoo(py: Python<'_>, name: &str, domain: &str) -> PyResult<Program> {
        Ok(Program(AnyProgram::load(domain_of(domain)?, &format!("zoo:{name}")).raise(py)?))
    }

    /// From "zoo:NAME", a file, a run directory (its best) or "RUN:BIRTH".
    #[staticmethod]
    #[pyo3(signature = (source, domain = "optimizers"))]
    fn load(py: Python<'_>, source: PathBuf, domain: &str) -> PyResult<Program> {
        let source = source.to_string_lossy().into_owned();
        Ok(Program(AnyProgram::load(domain_of(domain)?, &source).raise(py)?))
    }

    /// The domain, as "optimizers".
    #[getter]
    fn domain(&self) -> &'static str {
        word(self.0.domain())
    }

    /// Live statements (of a graph: layers).
    #[getter]
    fn length(&self) -> usize {
        self.0.length()
    }

    /// Without what has no effect.
    fn live(&self) -> Program {
        Program(self.0.live())
    }

    /// Hexadecimal; equal ones mean outcomes equal to the bit.
    fn structural_hash(&self) -> String {
        self.0.structural_hash().to_string()
    }

    /// Hexadecimal; of what the program does on the domain's standard probe.
    fn functional_hash(&self, py: Python<'_>) -> PyResult<Option<String>> {
        let hash = py.detach(|| self.0.functional_hash()).raise(py)?;
        Ok(hash.map(|hash| hash.to_string()))
    }

    /// The shortest equal program that is found; `rounding` allows rules that are equal but for
    /// rounding.
    #[pyo3(signature = (*, rounding = false))]
    fn simplify(&self, py: Python<'_>, rounding: bool) -> PyResult<Program> {
        let rounding = if rounding { Rounding::Allow } else { Rounding::Exact };
        Ok(Program(py.detach(|| self.0.simplified(rounding)).raise(py)?))
    }

    /// The compiled rule for tensors of these shapes; optimizers only.
    fn optimizer(&self, py: Python<'_>, shapes: Vec<Vec<usize>>) -> PyResult<Stepper> {
        let AnyProgram::Optimizer(program) = &self.0 else {
            let message = format!("a program of {} takes no steps", word(self.0.domain()));
            return Err(refuse(py, HostErrorKind::Program, message));
        };
        Stepper::new(program, shapes)
    }

    /// The program as code: "torch", "optax", "python", "rust", "latex" or "dot"; of learners
    /// "numpy", "rust" or "latex".
    #[pyo3(signature = (target, *, name = None))]
    fn export(&self, py: Python<'_>, target: &str, name: Option<&str>) -> PyResult<String> {
        self.0.export(target, name.unwrap_or("Evolved")).raise(py)
    }

    /// A `torch.optim.Optimizer` with this rule for these parameters.
    #[pyo3(signature = (params, lr = None, **settings))]
    fn to_torch<'py>(
        slf: &Bound<'py, Self>,
        params: &Bound<'py, PyAny>,
        lr: Option<f64>,
        settings: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let settings = settings.map_or_else(|| Ok(PyDict::new(slf.py())), |it| it.copy())?;
        if let Some(lr) = lr {
            settings.set_item("lr", lr)?;
        }
        Self::torch_class(slf)?.call((params,), Some(&settings))
    }

    /// The class of `to_torch`.
    fn torch_class<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        slf.py().import("evo_search._exported")?.call_method1("torch_class", (slf,))
    }

    /// An `optax.GradientTransformation` with this rule.
    #[pyo3(signature = (**settings))]
    fn to_optax<'py>(
        slf: &Bound<'py, Self>,
        settings: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let made = slf.py().import("evo_search._exported")?;
        made.call_method1("optax_function", (slf,))?.call((), settings)
    }

    fn __eq__(&self, other: &Program) -> bool {
        self.0 == other.0
    }

    fn __hash__(&self) -> u64 {
        // Only equal programs need equal hashes, and a hash of Python is of one process.
        let mut hasher = DefaultHasher::new();
        self.key().hash(&mut hasher);
        hasher.finish()
    }

    fn __str__(&self) -> String {
        self.0.text()
    }

    fn __repr__(&self) -> String {
        format!("<Program of {}, length {}>", word(self.0.domain()), self.0.length())
    }

    fn __reduce__<'py>(
        slf: &Bound<'py, Self>,
    ) -> PyResult<(Bound<'py, PyAny>, (String, &'static str))> {
        let program = slf.get();
        let parse = slf.get_type().getattr("parse")?;
        Ok((parse, (program.0.text(), word(program.0.domain()))))
    }
}
