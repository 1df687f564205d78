//! Options: where lanes are trained and how many there are.

use std::num::NonZeroUsize;

use candle_core::{DType, Result};
use evo_dsl::{Layout, Program};

use super::host::HostUpdate;
use super::update::LaneUpdate;
use crate::Device;

/// How cohorts are trained with lanes.
#[derive(Clone, Debug)]
pub struct Lanes {
    /// Where.
    pub device: Device,
    /// Lanes of a cohort, fewer candidates being filled up. Losses on devices other than CPUs
    /// depend on it, to rounding.
    pub count: NonZeroUsize,
    /// Make the products of the forward and backward passes in bf16; weights, sums and updates stay
    /// float32.
    pub bf16: bool,
}

impl Lanes {
    /// Lanes with float32 products.
    pub fn new(device: Device, count: NonZeroUsize) -> Lanes {
        Lanes { device, count, bf16: false }
    }

    /// The update for lanes with these programs, in order: the device's own, else one on the host.
    pub(super) fn update(
        &self,
        programs: &[&Program],
        layout: &Layout,
    ) -> Result<Box<dyn LaneUpdate>> {
        Ok(match self.device.update(layout, programs)? {
            Some(update) => update,
            None => Box::new(HostUpdate::new(programs, layout)),
        })
    }

    /// The type of products.
    pub(super) fn products(&self) -> DType {
        if self.bf16 { DType::BF16 } else { DType::F32 }
    }
}
