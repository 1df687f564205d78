//! The device that networks are trained on, by its name.
//!
//! Invariant: what cannot be used is an error that says what is missing and never a panic, though
//! candle panics where a library of CUDA is not found; so those are looked for first. A binary with
//! CUDA starts on a machine without it: libraries are opened when a device is asked for.

#[cfg(feature = "cuda")]
mod cuda;
#[cfg(feature = "cuda")]
#[cfg_attr(not(test), allow(dead_code, reason = "for the evaluator of cohorts"))]
mod update;

use crate::EvaluatorError;

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
    /// [`EvaluatorError::Device`]: no such name, a binary built without CUDA, no driver, a library of
    /// CUDA that is missing, no device of this number.
    pub fn open(name: &str) -> Result<Device, EvaluatorError> {
        let refused = |message| EvaluatorError::Device { name: name.to_owned(), message };
        match Name::parse(name) {
            Some(Name::Cpu) => Ok(Device::cpu()),
            Some(Name::Cuda(ordinal)) => Device::open_cuda(ordinal).map_err(refused),
            None => Err(refused("not a device: `cpu`, `cuda` or `cuda:N`".to_owned())),
        }
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

    /// The update of a cohort on this device, every program at its first step; `None` for a device that
    /// has no kernel.
    ///
    /// # Errors
    /// The device has not enough memory, or refuses the kernel.
    #[cfg(feature = "cuda")]
    #[cfg_attr(not(test), allow(dead_code, reason = "for the evaluator of cohorts"))]
    pub(crate) fn update(
        &self,
        layout: &evo_dsl::Layout,
        programs: &[&evo_dsl::Program],
    ) -> candle_core::Result<Option<update::CudaUpdate>> {
        let of_kernel = |kernel| update::CudaUpdate::new(kernel, layout, programs);
        self.kernel.as_ref().map(of_kernel).transpose()
    }
}

#[cfg(test)]
mod tests;
