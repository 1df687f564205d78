//! The place: where networks are trained, and how many candidates at a time.
//!
//! Invariant: on a CPU the size of a cohort only decides how many candidates travel together. On
//! other devices a cohort is one batched network, and losses depend on the device and the cohort's
//! size to rounding; so both belong to the description that a run is resumed by.

use std::num::NonZeroUsize;

use anyhow::bail;
use evo::{Config, Device, HeldOutConfig, Judges, Lanes, OptimizerEvaluator, Workload};

use super::cpu;
use crate::args::DeviceArgs;

/// Candidates trained at a time on a device, unless told otherwise.
const COHORT: NonZeroUsize = NonZeroUsize::new(256).expect("not zero");

/// Where networks are trained.
pub(crate) struct Place {
    device: Device,
    cohort: NonZeroUsize,
    /// On other devices than CPUs.
    lanes: Option<Lanes>,
}

impl Place {
    /// Opens the device that was asked for.
    pub(crate) fn open(args: &DeviceArgs) -> anyhow::Result<Place> {
        let device = Device::open(&args.device)?;
        if device.is_cpu() {
            if args.bf16 {
                bail!("--bf16: for a GPU; a CPU is faster in float32");
            }
            return Ok(Place {
                device,
                cohort: args.cohort.unwrap_or(NonZeroUsize::MIN),
                lanes: None,
            });
        }
        let cohort = args.cohort.unwrap_or(COHORT);
        let lanes = Lanes { bf16: args.bf16, ..Lanes::new(device.clone(), cohort) };
        Ok(Place { device, cohort, lanes: Some(lanes) })
    }

    /// A CPU, for what needs no device: `what` is evaluated there.
    pub(crate) fn cpu(args: &DeviceArgs, what: &str) -> anyhow::Result<Place> {
        let place = Place::open(args)?;
        if !place.device().is_cpu() {
            bail!("--device {}: {what} are evaluated on the CPU", args.device);
        }
        if args.cohort.is_some() {
            bail!("--cohort: {what} are evaluated one at a time");
        }
        Ok(place)
    }

    /// The evaluator of a configuration, training here.
    pub(crate) fn evaluator(&self, config: &Config) -> anyhow::Result<OptimizerEvaluator> {
        let evaluator = config.evaluator()?;
        Ok(match &self.lanes {
            Some(lanes) => evaluator.with_lanes(lanes.clone())?,
            None => evaluator,
        })
    }

    /// The judges of a configuration, the search's evaluator training here.
    pub(crate) fn judges(&self, config: &Config) -> anyhow::Result<Judges> {
        let judges = config.judges()?;
        Ok(match &self.lanes {
            Some(lanes) => judges.with_lanes(lanes.clone())?,
            None => judges,
        })
    }

    /// A workload, training here.
    pub(crate) fn workload(&self, workload: Workload) -> anyhow::Result<Workload> {
        Ok(match &self.lanes {
            Some(lanes) => workload.with_lanes(lanes.clone())?,
            None => workload,
        })
    }

    /// Candidates handed over at a time.
    pub(crate) fn cohort(&self) -> NonZeroUsize {
        self.cohort
    }

    /// Worker threads: as asked, or one for each core; a device that does the work trains one
    /// cohort at a time.
    pub(crate) fn threads(&self, asked: Option<NonZeroUsize>) -> NonZeroUsize {
        match self.lanes {
            Some(_) => NonZeroUsize::MIN,
            None => cores(asked),
        }
    }

    /// All that the bits of a loss depend on here: two places of one description give the same. A
    /// search that holds something out depends on the CPU too, where incumbents are evaluated.
    pub(crate) fn description(&self, settings: &HeldOutConfig) -> String {
        let Some(lanes) = &self.lanes else { return cpu::description() };
        let numbers = if lanes.bf16 { ", bf16" } else { "" };
        let incumbents = settings.every.map(|_| format!(", incumbents on {}", cpu::description()));
        let incumbents = incumbents.unwrap_or_default();
        format!("{}, cohorts of {}{numbers}{incumbents}", self.device, self.cohort)
    }

    /// What a command needs to go on here, with a space in front; nothing on a CPU.
    pub(crate) fn arguments(&self, args: &DeviceArgs) -> String {
        let Some(lanes) = &self.lanes else { return String::new() };
        let numbers = if lanes.bf16 { " --bf16" } else { "" };
        format!(" --device {} --cohort {}{numbers}", args.device, self.cohort)
    }

    /// The device in words.
    pub(crate) fn device(&self) -> &Device {
        &self.device
    }
}

/// Threads as asked, or one for each core.
#[expect(
    clippy::disallowed_methods,
    reason = "cores decide how long a run takes, which is reported, and nothing else"
)]
pub(crate) fn cores(asked: Option<NonZeroUsize>) -> NonZeroUsize {
    asked.or_else(|| std::thread::available_parallelism().ok()).unwrap_or(NonZeroUsize::MIN)
}
