//! The phases of training one candidate.

use candle_core::Result;
use evo_dsl::{Executor, Program};

use super::super::proxy_task::{ProxyTask, Run};
use super::super::training::Training;
use super::Phases;
use crate::layers::Noted;
use crate::proxies::Batch;

/// One candidate in training.
pub(super) struct Alone<'a> {
    run: &'a Run,
    training: Training<'a>,
    executor: Executor,
    made: u64,
    batch: Option<Batch>,
    graph: Option<Noted>,
    loss: f64,
}

impl<'a> Alone<'a> {
    pub(super) fn begin(task: &'a ProxyTask, run: &'a Run, program: &Program) -> Result<Self> {
        Ok(Self {
            run,
            training: Training::start(task, run)?,
            executor: Executor::new(&run.program(program), &task.layout),
            made: 0,
            batch: None,
            graph: None,
            loss: f64::NAN,
        })
    }
}

impl Phases for Alone<'_> {
    fn draw(&mut self) -> Result<()> {
        self.batch = Some(self.training.draw()?);
        Ok(())
    }

    fn forward(&mut self) -> Result<()> {
        let batch = self.batch.as_ref().expect("a batch was drawn");
        self.graph = Some(self.training.forward(batch)?);
        Ok(())
    }

    fn backward(&mut self) -> Result<()> {
        let graph = self.graph.take().expect("the forward pass was made");
        self.loss = self.training.backward(&graph)?;
        Ok(())
    }

    fn update(&mut self) -> Result<bool> {
        let learning_rate = self.run.learning_rate(self.made);
        self.made += 1;
        let finite = self.training.update(&mut self.executor, learning_rate);
        Ok(finite && self.loss.is_finite())
    }

    fn loss(&self) -> Result<f64> {
        Ok(self.loss)
    }

    fn validate(&self) -> Result<f64> {
        self.training.validate(&self.executor)
    }

    fn wait(&self) -> Result<()> {
        Ok(())
    }
}
