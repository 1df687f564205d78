//! The device that networks are trained on, by its name.
//!
//! Invariant: what cannot be used is an error that says what is missing and never a panic, though
//! candle panics where a library of CUDA is not found; so those are looked for first. A binary with
//! CUDA starts on a machine without it: libraries are opened when a device is asked for.

#[cfg(feature = "cuda")]
mod cuda;
#[cfg(feature = "cuda")]
mod update;

use evo_dsl::{Layout, Program};

use crate::EvaluatorError;
use crate::optimizer::lanes::update::LaneUpdate;

/// A device for training.
#[derive(Clone, Debug)]
pub struct Device {
    candle: candle_core::Device,
    #[cfg(feature = "cuda")]
    kernel: Option<update::UpdateKernel>,
}

/// A device by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Name {
    Cpu,
    Cuda(usize),
}

impl Name {
    fn parse(name: &str) -> Option<Name> {
        match name.split_once(':') {
            None if name == "cpu" => Some(Name::Cpu),
            None if name == "cuda" => Some(Name::Cuda(0)),
            Some(("cuda", ordinal)) => ordinal.parse().ok().map(Name::Cuda),
            _ => None,
        }
    }
}

impl Device {
    /// The processor that this program runs on.
    pub fn cpu() -> Device {
        Device {
            candle: candle_core::Device::Cpu,
            #[cfg(feature = "cuda")]
            kernel: None,
        }
    }

    /// Opens `cpu`, `cuda` or `cuda:N`, N being the number of a device from 0.
    ///
    /// # Errors
    /// [`EvaluatorError::Device`]: no such name, a binary built without CUDA, no driver, a library
    /// of CUDA that is missing, no device of this number.
    pub fn open(name: &str) -> Result<Device, EvaluatorError> {
        let refused = |message| EvaluatorError::Device { name: name.to_owned(), message };
        match Name::parse(name) {
            Some(Name::Cpu) => Ok(Device::cpu()),
            Some(Name::Cuda(ordinal)) => Device::open_cuda(ordinal).map_err(refused),
            None => Err(refused("not a device: `cpu`, `cuda` or `cuda:N`".to_owned())),
        }
    }

    /// Whether it is the processor that this program runs on.
    pub fn is_cpu(&self) -> bool {
        self.candle.is_cpu()
    }

    /// The device as candle has it.
    pub fn candle(&self) -> &candle_core::Device {
        &self.candle
    }

    #[cfg(not(feature = "cuda"))]
    fn open_cuda(_ordinal: usize) -> Result<Device, String> {
        Err("this binary was built without CUDA; `just gpu-build` builds one that has it"
            .to_owned())
    }

    #[cfg(feature = "cuda")]
    fn open_cuda(ordinal: usize) -> Result<Device, String> {
        let device = cuda::open(ordinal)?;
        let kernel = update::UpdateKernel::load(&device).map_err(|error| error.to_string())?;
        Ok(Device { candle: candle_core::Device::Cuda(device), kernel: Some(kernel) })
    }

    /// The update of a cohort on this device, every program at its first step; `None` for a device
    /// that has no kernel.
    ///
    /// # Errors
    /// The device has not enough memory, or refuses the kernel.
    #[cfg(feature = "cuda")]
    pub(crate) fn update(
        &self,
        layout: &Layout,
        programs: &[&Program],
    ) -> candle_core::Result<Option<Box<dyn LaneUpdate>>> {
        let Some(kernel) = &self.kernel else { return Ok(None) };
        Ok(Some(Box::new(update::CudaUpdate::new(kernel, layout, programs)?)))
    }

    /// No device without CUDA has a kernel.
    #[cfg(not(feature = "cuda"))]
    pub(crate) fn update(
        &self,
        _layout: &Layout,
        _programs: &[&Program],
    ) -> candle_core::Result<Option<Box<dyn LaneUpdate>>> {
        Ok(None)
    }
}

impl std::fmt::Display for Device {
    /// `cpu`, or the name its maker gave it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        #[cfg(feature = "cuda")]
        if let candle_core::Device::Cuda(device) = &self.candle {
            return f.write_str(&cuda::name(device));
        }
        f.write_str("cpu")
    }
}

#[cfg(all(test, feature = "cuda"))]
impl Device {
    /// The device of tests: `EVO_DEVICE`, or the first.
    pub(crate) fn of_tests() -> Device {
        let name = std::env::var("EVO_DEVICE").unwrap_or_else(|_| "cuda:0".to_owned());
        Device::open(&name).unwrap_or_else(|error| panic!("no device: {error}"))
    }
}

#[cfg(test)]
mod tests;
