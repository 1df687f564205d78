//! `Stepper`: an optimizer at work on NumPy arrays.
//!
//! Invariant: every step gives the bits of the executor, which works on one flat vector; arrays are
//! copied in and the weights out again. They are checked before anything is touched, and two that
//! overlap are refused by NumPy's borrow checking rather than torn.

use std::sync::{Arc, Mutex, PoisonError};

use evo::{Executor, Layout, Program};
use numpy::{PyReadonlyArrayDyn, PyReadwriteArrayDyn, PyUntypedArrayMethods};
use pyo3::exceptions::{PyMemoryError, PyTypeError, PyValueError};
use pyo3::prelude::*;

/// What a step works on.
struct Work {
    executor: Executor,
    weights: Vec<f32>,
    gradients: Vec<f32>,
    steps: u64,
}

impl Work {
    fn new(program: &Program, layout: &Layout) -> Work {
        let zeros = vec![0.0; layout.len()];
        let executor = Executor::new(program, layout);
        Work { executor, weights: zeros.clone(), gradients: zeros, steps: 0 }
    }
}

/// An optimizer at work on arrays: its state, and the steps behind it.
#[pyclass(frozen, module = "evo_search")]
pub(crate) struct Stepper {
    program: Arc<Program>,
    shapes: Vec<Vec<usize>>,
    layout: Layout,
    work: Mutex<Work>,
}

impl Stepper {
    pub(crate) fn new(program: &Arc<Program>, shapes: Vec<Vec<usize>>) -> PyResult<Stepper> {
        check_size(&shapes)?;
        let layout = Layout::new(shapes.clone());
        let work = Mutex::new(Work::new(program, &layout));
        Ok(Stepper { program: Arc::clone(program), shapes, layout, work })
    }

    /// Refuses arrays of other shapes than the layout's.
    fn check(&self, what: &str, given: &[&[usize]]) -> PyResult<()> {
        let (count, needed) = (given.len(), self.shapes.len());
        if count != needed {
            let message = format!("{needed} arrays of {what} are needed, and {count} were given");
            return Err(PyValueError::new_err(message));
        }
        for (index, (given, needed)) in given.iter().zip(&self.shapes).enumerate() {
            if given != needed {
                let message = format!("{what}[{index}] has shape {given:?}, not {needed:?}");
                return Err(PyValueError::new_err(message));
            }
        }
        Ok(())
    }
}

#[pymethods]
impl Stepper {
    /// One step, the weights changed in place.
    #[pyo3(signature = (weights, gradients, learning_rate = 1.0))]
    fn step(
        &self,
        py: Python<'_>,
        weights: Vec<Bound<'_, PyAny>>,
        gradients: Vec<Bound<'_, PyAny>>,
        learning_rate: f64,
    ) -> PyResult<()> {
        let mut weights = weights.into_iter().map(writable).collect::<PyResult<Vec<_>>>()?;
        let gradients = gradients.into_iter().map(readable).collect::<PyResult<Vec<_>>>()?;
        self.check("weights", &weights.iter().map(|it| it.shape()).collect::<Vec<_>>())?;
        self.check("gradients", &gradients.iter().map(|it| it.shape()).collect::<Vec<_>>())?;
        let mut into = Vec::with_capacity(weights.len());
        for array in &mut weights {
            into.push(array.as_slice_mut().map_err(|_| not_contiguous("weights"))?);
        }
        let from = gradients.iter().map(|it| it.as_slice());
        let from = from.collect::<Result<Vec<_>, _>>().map_err(|_| not_contiguous("gradients"))?;
        py.detach(|| {
            let mut work = self.work.lock().unwrap_or_else(PoisonError::into_inner);
            let Work { executor, weights, gradients, steps } = &mut *work;
            for (leaf, (w, g)) in self.layout.leaves().iter().zip(into.iter().zip(&from)) {
                weights[leaf.range()].copy_from_slice(w);
                gradients[leaf.range()].copy_from_slice(g);
            }
            executor.step(weights, gradients, learning_rate);
            *steps += 1;
            for (leaf, w) in self.layout.leaves().iter().zip(&mut into) {
                w.copy_from_slice(&weights[leaf.range()]);
            }
        });
        Ok(())
    }

    /// Steps taken.
    #[getter]
    fn steps(&self) -> u64 {
        self.work.lock().unwrap_or_else(PoisonError::into_inner).steps
    }

    /// Back to no step and zero states.
    fn reset(&self) {
        let mut work = self.work.lock().unwrap_or_else(PoisonError::into_inner);
        *work = Work::new(&self.program, &self.layout);
    }
}

/// How many numbers there are in arrays of these shapes; `None` beyond all addresses.
fn numbers_of(shapes: &[Vec<usize>]) -> Option<usize> {
    shapes.iter().try_fold(0_usize, |all, shape| {
        let numbers = shape.iter().try_fold(1_usize, |numbers, it| numbers.checked_mul(*it));
        all.checked_add(numbers?)
    })
}

/// Refuses shapes for whose numbers there is no room: to fail at it would end the interpreter.
fn check_size(shapes: &[Vec<usize>]) -> PyResult<()> {
    let Some(numbers) = numbers_of(shapes) else {
        return Err(PyValueError::new_err(
            "the shapes have more numbers than memory has addresses",
        ));
    };
    let floats = numbers.saturating_mul(VECTORS);
    Vec::<f32>::new().try_reserve_exact(floats).map_err(|_| {
        PyMemoryError::new_err(format!("no room for {VECTORS} vectors of {numbers} numbers"))
    })
}

/// Vectors as long as the weights that there are at most, for a start: weights, gradients, states.
const VECTORS: usize = 6;

fn writable(given: Bound<'_, PyAny>) -> PyResult<PyReadwriteArrayDyn<'_, f32>> {
    given.extract().map_err(|_| not_an_array("weights"))
}

fn readable(given: Bound<'_, PyAny>) -> PyResult<PyReadonlyArrayDyn<'_, f32>> {
    given.extract().map_err(|_| not_an_array("gradients"))
}

fn not_an_array(what: &str) -> PyErr {
    PyTypeError::new_err(format!(
        "{what} must be arrays of float32 that nobody else works on, weights writable"
    ))
}

fn not_contiguous(what: &str) -> PyErr {
    PyValueError::new_err(format!("{what} must be contiguous, in C order"))
}
