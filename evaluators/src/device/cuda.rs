//! Opening a CUDA device.
//!
//! Invariant: everything on a device runs on one stream of its own, in the order in which it was
//! asked for. So nothing has to wait for an event of another stream, and none are recorded.

use candle_core::CudaDevice;
use candle_core::backend::BackendDevice as _;
use candle_core::cuda_backend::cudarc::{cublas, curand, driver, nvrtc};

/// Opens the device of this number.
pub(super) fn open(ordinal: usize) -> Result<CudaDevice, String> {
    find_libraries()?;
    let count = driver::CudaContext::device_count()
        .map_err(|error| format!("the NVIDIA driver finds no device: {error}"))?;
    if usize::try_from(count).is_ok_and(|count| ordinal >= count) {
        return Err(format!("no device has this number; the driver finds {count}, counted from 0"));
    }
    open_stream(ordinal).map_err(|error| error.to_string())
}

#[allow(unsafe_code)]
fn open_stream(ordinal: usize) -> candle_core::Result<CudaDevice> {
    let device = CudaDevice::new_with_stream(ordinal)?;
    // SAFETY: tensors of this device are used on its one stream alone, which keeps the order of
    // allocation, use and release by itself.
    unsafe { device.disable_event_tracking() };
    device.synchronize()?;
    Ok(device)
}

/// What its maker calls a device, or its number where the driver does not tell.
pub(super) fn name(device: &CudaDevice) -> String {
    let stream = device.cuda_stream();
    let context = stream.context();
    context.name().unwrap_or_else(|_| format!("cuda:{}", context.ordinal()))
}

/// The libraries that candle opens, and would panic without.
#[allow(unsafe_code)]
fn find_libraries() -> Result<(), String> {
    // SAFETY: opening these libraries runs their initialisers, which candle is about to run anyway.
    let (driver, others) = unsafe {
        let others = [
            ("libcublas", cublas::sys::is_culib_present()),
            ("libcurand", curand::sys::is_culib_present()),
            ("libnvrtc", nvrtc::sys::is_culib_present()),
        ];
        (driver::sys::is_culib_present(), others)
    };
    if !driver {
        return Err("no NVIDIA driver: libcuda.so.1 is not found".to_owned());
    }
    let missing: Vec<&str> =
        others.iter().filter(|(_, present)| !present).map(|(name, _)| *name).collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(format!(
        "{} not found; the folder of CUDA's libraries belongs in LD_LIBRARY_PATH",
        missing.join(" and ")
    ))
}
