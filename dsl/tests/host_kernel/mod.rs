//! The kernel for devices, compiled by the system's C compiler and run on the host.

use std::path::{Path, PathBuf};
use std::process::Command;

use evo_dsl::{DeviceCohort, DeviceMemory, Layout, Op, Program, Real, device_kernel};
use libloading::Library;

/// In which order a kernel adds up, and whose functions of float64 it calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// The executor's: its bits are expected for every program.
    Executor,
    /// A device's, and the C library's functions.
    Device,
}

type Update = unsafe extern "C" fn(
    lanes: u32,
    turned: u32,
    near: *mut f32,
    words: *const u32,
    small: *mut f64,
    trees: *mut f32,
    partials: *mut f64,
    scratch: *mut f32,
    values: *const u64,
    first_non_finite: *mut u32,
    step: u32,
    shared_registers: u32,
);

/// The compiled kernel.
pub(crate) struct Kernel {
    library: Library,
    order: Order,
}

impl Kernel {
    /// Compiles it with `$CC`, or `cc`.
    #[allow(unsafe_code)]
    pub(crate) fn compile(order: Order) -> Kernel {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let file = |extension: &str| -> PathBuf {
            folder.join(format!("kernel_{}_{order:?}.{extension}", std::process::id()))
        };
        let (source, library) = (file("c"), file("so"));
        std::fs::write(&source, device_kernel()).expect("the folder for tests can be written to");
        let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".to_owned());
        let mut command = Command::new(&compiler);
        command.args([
            "-std=c99",
            "-O2",
            "-Wall",
            "-Wextra",
            "-ffp-contract=off",
            "-fPIC",
            "-shared",
        ]);
        if order == Order::Executor {
            command.arg("-DEXECUTOR_ORDER");
        }
        command.arg("-o").arg(&library).arg(&source).arg("-lm");
        let output = command.output().unwrap_or_else(|error| panic!("{compiler}: {error}"));
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && said.is_empty(), "{compiler}: {said}");
        // SAFETY: the library has no initialisers, being the text above and nothing else.
        let loaded = unsafe { Library::new(&library) }.expect("what was compiled can be loaded");
        for file in [source, library] {
            std::fs::remove_file(file).expect("what was written can be removed");
        }
        let kernel = Kernel { library: loaded, order };
        if order == Order::Executor {
            type Use = unsafe extern "C" fn(extern "C" fn(u32, f64, f64) -> f64);
            // SAFETY: the text defines it with this signature.
            unsafe {
                let use_function = kernel.library.get::<Use>("use_small_function");
                use_function.expect("the text defines it")(small_function);
            }
        }
        kernel
    }

    pub(crate) fn order(&self) -> Order {
        self.order
    }
}

/// The executor's functions of float64.
extern "C" fn small_function(op: u32, a: f64, b: f64) -> f64 {
    let op = Op::all().find(|known| *known as u32 == op).expect("a number of the table");
    if op.arity() == 1 { f64::unary(op, a) } else { f64::binary(op, a, b) }
}

/// A cohort in training, with the memory that a device would give it.
pub(crate) struct Cohort<'a> {
    kernel: &'a Kernel,
    layout: Layout,
    programs: DeviceCohort,
    small: Vec<f64>,
    trees: Vec<f32>,
    partials: Vec<f64>,
    scratch: Vec<f32>,
    near: Vec<f32>,
    shared_registers: u32,
    /// For each leaf the weights of all lanes.
    weights: Vec<Vec<f32>>,
    first_non_finite: Vec<u32>,
    /// Lanes are run from the last to the first.
    pub turned: bool,
}

impl<'a> Cohort<'a> {
    /// `weights` holds those of every lane, laid out flat.
    pub(crate) fn new(
        kernel: &'a Kernel,
        layout: &Layout,
        programs: &[&Program],
        weights: &[Vec<f32>],
    ) -> Cohort<'a> {
        let programs = DeviceCohort::new(layout, programs).expect("a small cohort fits");
        let DeviceMemory { trees, partials, scratch, shared_registers, shared_bytes } =
            programs.memory();
        Cohort {
            kernel,
            layout: layout.clone(),
            small: programs.small_values().to_vec(),
            trees: vec![0.0; trees],
            // What is read before it is written shows.
            partials: vec![f64::NAN; partials],
            scratch: vec![f32::NAN; scratch],
            near: vec![f32::NAN; shared_bytes as usize / size_of::<f32>()],
            shared_registers,
            weights: by_leaf(layout, weights),
            first_non_finite: vec![0; programs.lanes()],
            programs,
            turned: false,
        }
    }

    /// One step of all lanes on their gradients, laid out flat.
    #[allow(unsafe_code)]
    pub(crate) fn step(&mut self, gradients: &[Vec<f32>], learning_rate: f64) {
        let gradients = by_leaf(&self.layout, gradients);
        let weights = self.weights.iter_mut().map(|leaf| leaf.as_mut_ptr() as u64);
        let mut values: Vec<u64> = weights.collect();
        values.extend(gradients.iter().map(|leaf| leaf.as_ptr() as u64));
        let step = self.programs.begin_step(learning_rate, &mut values);
        self.near.fill(f32::NAN);
        // SAFETY: the buffers have the sizes that the cohort asked for, and are alive and not
        // borrowed otherwise during the call; the signature is that of the text.
        unsafe {
            let update =
                self.kernel.library.get::<Update>("evo_update").expect("the text defines it");
            update(
                self.programs.lanes() as u32,
                self.turned.into(),
                self.near.as_mut_ptr(),
                self.programs.words().as_ptr(),
                self.small.as_mut_ptr(),
                self.trees.as_mut_ptr(),
                self.partials.as_mut_ptr(),
                self.scratch.as_mut_ptr(),
                values.as_ptr(),
                self.first_non_finite.as_mut_ptr(),
                step as u32,
                self.shared_registers,
            );
        }
    }

    /// The weights of a lane, laid out flat.
    pub(crate) fn weights(&self, lane: usize) -> Vec<f32> {
        let leaves = self.layout.leaves().iter().zip(&self.weights);
        let of_lane = leaves.flat_map(|(leaf, weights)| {
            let len = leaf.range().len();
            &weights[lane * len..(lane + 1) * len]
        });
        of_lane.copied().collect()
    }

    /// The step after which a weight of a lane was not finite, 0 for none.
    pub(crate) fn first_non_finite(&self, lane: usize) -> u32 {
        self.first_non_finite[lane]
    }
}

/// For each leaf its elements of all lanes, from the flat vectors of the lanes.
fn by_leaf(layout: &Layout, lanes: &[Vec<f32>]) -> Vec<Vec<f32>> {
    let leaves = layout.leaves().iter().map(|leaf| leaf.range());
    leaves
        .map(|range| lanes.iter().flat_map(|flat| &flat[range.clone()]).copied().collect())
        .collect()
}
