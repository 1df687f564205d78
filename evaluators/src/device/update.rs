//! The update of a cohort on a CUDA device: all programs in one launch.
//!
//! Invariant: a step asks for no wait. It uploads where weights and gradients lie and the small
//! values of the step, some kilobytes, and launches the kernel, both on candle's stream, behind the
//! backward pass that made the gradients. Only [`LaneUpdate::first_non_finite`] waits.
//!
//! The kernel is compiled once for a device, from the text that `evo-dsl` has, and interprets
//! whatever programs it is given.

use candle_core::cuda_backend::cudarc::driver::sys::CUfunction_attribute_enum::CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES as SHARED_LIMIT;
use candle_core::cuda_backend::cudarc::driver::{
    CudaFunction, CudaSlice, DevicePtr as _, DeviceRepr, LaunchConfig, PushKernelArg as _,
    ValidAsZeroBits,
};
use candle_core::cuda_backend::cudarc::nvrtc::{CompileOptions, compile_ptx_with_opts};
use candle_core::{CudaDevice, Result, Storage, StorageRef, Tensor, Var, bail};
use evo_dsl::{DEVICE_THREADS, DeviceCohort, Layout, Program, device_kernel};

use crate::optimizer::lanes::update::LaneUpdate;

/// Name of the kernel's function, and of its module in candle's table.
const NAME: &str = "evo_update";

/// Bytes of shared memory that a launch may have unasked.
const SHARED_UNASKED: u32 = 48 << 10;

/// The kernel's machine code in PTX for devices of this compute capability (90 for Hopper) and
/// later ones.
///
/// # Errors
/// The run-time compiler refuses the text.
pub(super) fn compile(capability: i32) -> Result<String> {
    let options = CompileOptions {
        // Contraction to fused multiply-adds would move the last bits away from the executor's.
        fmad: Some(false),
        ftz: Some(false),
        prec_sqrt: Some(true),
        prec_div: Some(true),
        options: vec![format!("--gpu-architecture=compute_{capability}")],
        name: Some(format!("{NAME}.cu")),
        ..CompileOptions::default()
    };
    Ok(compile_ptx_with_opts(device_kernel(), options).map_err(candle_core::Error::wrap)?.to_src())
}

/// The kernel, loaded on a device.
#[derive(Clone, Debug)]
pub(crate) struct UpdateKernel {
    device: CudaDevice,
    function: CudaFunction,
}

impl UpdateKernel {
    /// Compiles and loads the kernel.
    ///
    /// # Errors
    /// The compiler or the driver refuses it.
    pub(super) fn load(device: &CudaDevice) -> Result<UpdateKernel> {
        let (major, minor) = device
            .cuda_stream()
            .context()
            .compute_capability()
            .map_err(candle_core::Error::wrap)?;
        let code = compile(10 * major + minor)?;
        let function = device.get_or_load_custom_func(NAME, NAME, &code)?.into_cuda_function();
        Ok(UpdateKernel { device: device.clone(), function })
    }
}

/// The programs of a cohort on a device, with all they keep from step to step.
pub(crate) struct CudaUpdate {
    kernel: UpdateKernel,
    cohort: DeviceCohort,
    /// Elements of each leaf, over all lanes.
    lengths: Vec<usize>,
    words: CudaSlice<u32>,
    small: CudaSlice<f64>,
    trees: CudaSlice<f32>,
    partials: CudaSlice<f64>,
    scratch: CudaSlice<f32>,
    values: CudaSlice<u64>,
    first_non_finite: CudaSlice<u32>,
    /// What is uploaded with a step.
    upload: Vec<u64>,
}

impl CudaUpdate {
    /// Programs at their first step, states zero, for parameters of this layout.
    ///
    /// # Errors
    /// The cohort is too large for one launch or for the device's memory.
    pub(super) fn new(
        kernel: &UpdateKernel,
        layout: &Layout,
        programs: &[&Program],
    ) -> Result<CudaUpdate> {
        let cohort = DeviceCohort::new(layout, programs).map_err(candle_core::Error::wrap)?;
        let (device, memory) = (&kernel.device, cohort.memory());
        if memory.shared_bytes > SHARED_UNASKED {
            let bytes = i32::try_from(memory.shared_bytes).expect("a block has few registers");
            let set = kernel.function.set_attribute(SHARED_LIMIT, bytes);
            set.map_err(candle_core::Error::wrap)?;
        }
        let values = 2 * layout.leaves().len() + cohort.step_values();
        let lengths = layout.leaves().iter().map(|leaf| leaf.range().len() * programs.len());
        Ok(CudaUpdate {
            lengths: lengths.collect(),
            words: device.clone_htod(cohort.words())?,
            small: upload(device, cohort.small_values())?,
            trees: zeros(device, memory.trees)?,
            partials: zeros(device, memory.partials)?,
            scratch: zeros(device, memory.scratch)?,
            values: zeros(device, values)?,
            first_non_finite: zeros(device, programs.len())?,
            upload: Vec::with_capacity(values),
            kernel: kernel.clone(),
            cohort,
        })
    }

    /// Launches the kernel on what was uploaded.
    #[allow(unsafe_code)]
    fn launch(&mut self, step: u32) -> Result<()> {
        let memory = self.cohort.memory();
        let lanes = u32::try_from(self.cohort.lanes()).expect("the words count them");
        let stream = self.kernel.device.cuda_stream();
        let mut launch = stream.launch_builder(&self.kernel.function);
        launch
            .arg(&self.words)
            .arg(&mut self.small)
            .arg(&mut self.trees)
            .arg(&mut self.partials)
            .arg(&mut self.scratch)
            .arg(&self.values)
            .arg(&mut self.first_non_finite)
            .arg(&step)
            .arg(&memory.shared_registers);
        let config = LaunchConfig {
            grid_dim: (lanes, 1, 1),
            block_dim: (DEVICE_THREADS, 1, 1),
            shared_mem_bytes: memory.shared_bytes,
        };
        // SAFETY: the arguments are those of the kernel, in its order; the buffers have the sizes
        // that the cohort asks for; weights and gradients, whose places were uploaded, have one
        // number for each element of each lane and outlive the launch, being released on the same
        // stream.
        unsafe { launch.launch(config) }.map_err(candle_core::Error::wrap)?;
        Ok(())
    }
}

impl LaneUpdate for CudaUpdate {
    fn step(&mut self, weights: &[Var], gradients: &[Tensor], learning_rate: f64) -> Result<()> {
        let leaves = self.lengths.len();
        if (weights.len(), gradients.len()) != (leaves, leaves) {
            bail!(
                "{} weights and {} gradients for {leaves} leaves",
                weights.len(),
                gradients.len()
            );
        }
        if self.cohort.lanes() == 0 {
            return Ok(());
        }
        self.upload.clear();
        let tensors = weights.iter().map(Var::as_tensor).chain(gradients);
        for (tensor, length) in tensors.zip(self.lengths.iter().chain(&self.lengths)) {
            let place = place(&self.kernel.device, tensor, *length)?;
            self.upload.push(place);
        }
        let step = self.cohort.begin_step(learning_rate, &mut self.upload);
        let step = u32::try_from(step).map_err(candle_core::Error::wrap)?;
        self.kernel.device.memcpy_htod(&self.upload, &mut self.values)?;
        self.launch(step)
    }

    fn readouts(&self) -> Result<Vec<Option<Vec<f32>>>> {
        let places = (0..self.cohort.lanes()).map(|lane| self.cohort.readout(lane));
        let places: Vec<_> = places.collect();
        if places.iter().all(Option::is_none) {
            return Ok(vec![None; places.len()]);
        }
        let trees = self.kernel.device.clone_dtoh(&self.trees)?;
        Ok(places.into_iter().map(|place| place.map(|place| trees[place].to_vec())).collect())
    }

    fn first_non_finite(&self) -> Result<Vec<Option<u64>>> {
        if self.cohort.lanes() == 0 {
            return Ok(Vec::new());
        }
        let steps = self.kernel.device.clone_dtoh(&self.first_non_finite)?;
        Ok(steps.into_iter().map(|step| (step > 0).then_some(u64::from(step))).collect())
    }
}

/// Where the numbers of a tensor lie in the device's memory.
///
/// # Errors
/// The tensor is not of this device, not contiguous, not float32 or not of this length.
fn place(device: &CudaDevice, tensor: &Tensor, length: usize) -> Result<u64> {
    let (storage, layout): (StorageRef<'_>, _) = tensor.storage_and_layout();
    let (Storage::Cuda(cuda), Some((start, end))) = (&*storage, layout.contiguous_offsets()) else {
        bail!("an update needs contiguous tensors on a CUDA device");
    };
    if end - start != length || cuda.device.id() != device.id() {
        bail!("an update of {length} numbers on {device:?} was given {:?}", tensor.shape());
    }
    let numbers = cuda.as_cuda_slice::<f32>()?;
    // The guard would record an event for other streams; there are none.
    let stream = device.cuda_stream();
    let (pointer, _guard) = numbers.device_ptr(&stream);
    Ok(pointer + (start * size_of::<f32>()) as u64)
}

/// A buffer of zeros; of one number where none is needed, since a device has no empty ones.
fn zeros<T: DeviceRepr + ValidAsZeroBits>(
    device: &CudaDevice,
    count: usize,
) -> Result<CudaSlice<T>> {
    device.alloc_zeros(count.max(1))
}

fn upload(device: &CudaDevice, numbers: &[f64]) -> Result<CudaSlice<f64>> {
    if numbers.is_empty() { zeros(device, 0) } else { device.clone_htod(numbers) }
}
