//! The update on the host: an executor for each lane, on copies of its weights and gradients.
//!
//! Invariant: a lane's update is that of its candidate alone, to the bit. It works for every device
//! and is fast on none but a CPU; elsewhere it is what a device's own update is checked against.

use candle_core::{Device, Result, Tensor, Var};
use evo_dsl::{Executor, Layout, Program};

use super::update::LaneUpdate;
use crate::layers::values;

/// One executor for each lane.
pub(super) struct HostUpdate {
    lanes: Vec<Lane>,
    layout: Layout,
    steps: u64,
}

/// A lane with its weights and gradient laid end to end.
struct Lane {
    executor: Executor,
    weights: Vec<f32>,
    gradient: Vec<f32>,
    non_finite: Option<u64>,
}

impl HostUpdate {
    /// Lanes with these programs, in order.
    pub(super) fn new(programs: &[&Program], layout: &Layout) -> Self {
        let lane = |program: &&Program| Lane {
            executor: Executor::new(program, layout),
            weights: vec![0.0; layout.len()],
            gradient: vec![0.0; layout.len()],
            non_finite: None,
        };
        Self { lanes: programs.iter().map(lane).collect(), layout: layout.clone(), steps: 0 }
    }

    /// Copies one leaf of every lane to where `place` is in the lane.
    fn collect(
        &mut self,
        index: usize,
        tensor: &Tensor,
        place: impl Fn(&mut Lane) -> &mut Vec<f32>,
    ) -> Result<()> {
        let range = self.layout.leaves()[index].range();
        let tensor = tensor.to_device(&Device::Cpu)?;
        let all = values::<f32>(&tensor)?;
        for (lane, own) in self.lanes.iter_mut().zip(all.chunks_exact(range.len())) {
            place(lane)[range.clone()].copy_from_slice(own);
        }
        Ok(())
    }
}

impl LaneUpdate for HostUpdate {
    fn step(&mut self, weights: &[Var], gradients: &[Tensor], learning_rate: f64) -> Result<()> {
        self.steps += 1;
        for (index, (weights, gradients)) in weights.iter().zip(gradients).enumerate() {
            self.collect(index, weights.as_tensor(), |lane| &mut lane.weights)?;
            self.collect(index, gradients, |lane| &mut lane.gradient)?;
        }
        // What happens to a lane after that does not matter.
        for lane in self.lanes.iter_mut().filter(|lane| lane.non_finite.is_none()) {
            if !lane.executor.step(&mut lane.weights, &lane.gradient, learning_rate) {
                lane.non_finite = Some(self.steps);
            }
        }
        for (leaf, weights) in self.layout.leaves().iter().zip(weights) {
            let moved = self.lanes.iter().flat_map(|lane| &lane.weights[leaf.range()]);
            let moved: Vec<f32> = moved.copied().collect();
            weights.set(&Tensor::from_vec(moved, weights.shape(), weights.device())?)?;
        }
        Ok(())
    }

    fn readouts(&self) -> Result<Vec<Option<Vec<f32>>>> {
        let readout = |lane: &Lane| lane.executor.readout().map(<[f32]>::to_vec);
        Ok(self.lanes.iter().map(readout).collect())
    }

    fn first_non_finite(&self) -> Result<Vec<Option<u64>>> {
        Ok(self.lanes.iter().map(|lane| lane.non_finite).collect())
    }
}
