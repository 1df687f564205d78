//! The phases of training a cohort, the same program in every lane.

use candle_core::{Device, Result, Tensor};
use evo_dsl::Program;

use super::super::lanes::{Cohort, LaneTask, Lanes};
use super::super::proxy_task::{ProxyTask, Run};
use super::Phases;
use crate::proxies::Batch;

/// A cohort in training.
pub(super) struct InLanes<'a> {
    cohort: Cohort<'a>,
    device: &'a Device,
    made: u64,
    batch: Option<Batch>,
    losses: Option<Tensor>,
    gradients: Vec<Tensor>,
}

impl<'a> InLanes<'a> {
    pub(super) fn begin(
        task: &'a ProxyTask,
        lane_task: &'a LaneTask,
        run: &'a Run,
        program: &Program,
        lanes: &'a Lanes,
    ) -> Result<Self> {
        let programs = vec![program; lanes.count.get()];
        Ok(Self {
            cohort: Cohort::start(task, lane_task, run, &programs, lanes)?,
            device: lanes.device.candle(),
            made: 0,
            batch: None,
            losses: None,
            gradients: Vec::new(),
        })
    }
}

impl Phases for InLanes<'_> {
    fn draw(&mut self) -> Result<()> {
        self.batch = Some(self.cohort.draw()?);
        Ok(())
    }

    fn forward(&mut self) -> Result<()> {
        let batch = self.batch.as_ref().expect("a batch was drawn");
        self.losses = Some(self.cohort.forward(batch)?);
        Ok(())
    }

    fn backward(&mut self) -> Result<()> {
        let losses = self.losses.take().expect("the forward pass was made");
        self.gradients = self.cohort.backward(&losses)?;
        self.losses = Some(losses.detach());
        Ok(())
    }

    fn update(&mut self) -> Result<bool> {
        self.cohort.update(&std::mem::take(&mut self.gradients), self.made)?;
        self.made += 1;
        Ok(true)
    }

    fn loss(&self) -> Result<f64> {
        let losses = self.losses.as_ref().expect("the forward pass was made");
        Ok(f64::from(losses.get(0)?.to_scalar::<f32>()?))
    }

    fn validate(&self) -> Result<f64> {
        Ok(self.cohort.validate()?[0])
    }

    fn wait(&self) -> Result<()> {
        self.device.synchronize()
    }
}
