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

    /// The weights, leaf by leaf those of all lanes.
    pub(crate) fn all_weights(&self) -> Vec<f32> {
        self.weights.concat()
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

    /// What a lane's weights before the last step have to be less by, to validate with.
    pub(crate) fn readout(&self, lane: usize) -> Option<&[f32]> {
        self.programs.readout(lane).map(|range| &self.trees[range])
    }

    /// The step after which a weight of a lane was not finite, 0 for none.
    pub(crate) fn first_non_finite(&self, lane: usize) -> u32 {
        self.first_non_finite[lane]
    }
}

/// Threads of a block when they are threads of the host: two warps, as waiting for each other is
/// what takes the time.
const HOST_THREADS: u32 = 64;

/// Trains a cohort with a thread of the host for each of a block's, under a race detector, and
/// gives the bits of its weights, leaf by leaf those of all lanes. `steps` holds each step's
/// gradients of all lanes.
pub(crate) fn train_in_threads(
    layout: &Layout,
    programs: &[&Program],
    weights: &[Vec<f32>],
    steps: &[(Vec<Vec<f32>>, f64)],
) -> Vec<u32> {
    let mut cohort = DeviceCohort::new(layout, programs).expect("a small cohort fits");
    let memory = cohort.memory();
    let sizes = [
        programs.len(),
        layout.leaves().len(),
        layout.len(),
        steps.len(),
        cohort.words().len(),
        cohort.small_values().len(),
        memory.trees,
        memory.partials,
        memory.scratch,
        memory.shared_registers as usize,
        cohort.step_values(),
    ];
    let mut file: Vec<u8> = sizes.iter().flat_map(|size| (*size as u32).to_ne_bytes()).collect();
    let numbers = |lanes: &[Vec<f32>]| {
        let leaves = by_leaf(layout, lanes);
        leaves.iter().flatten().flat_map(|number| number.to_ne_bytes()).collect::<Vec<u8>>()
    };
    file.extend(cohort.words().iter().flat_map(|word| word.to_ne_bytes()));
    file.extend(cohort.small_values().iter().flat_map(|number| number.to_ne_bytes()));
    file.extend(numbers(weights));
    for (gradients, learning_rate) in steps {
        file.extend(numbers(gradients));
        let mut values = Vec::new();
        cohort.begin_step(*learning_rate, &mut values);
        file.extend(values.iter().flat_map(|value| value.to_ne_bytes()));
    }
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let path = |name: &str| folder.join(format!("threads_{}_{name}", std::process::id()));
    let (cases, source, binary) = (path("cases"), path("source.c"), path("binary"));
    std::fs::write(&cases, file).expect("the folder for tests can be written to");
    let text = "#define HOST_THREADS\n".to_owned() + &device_kernel() + include_str!("threads.c");
    let threads = |count: u32| format!("#define THREADS {count}u\n");
    let fewer = text.replace(&threads(evo_dsl::DEVICE_THREADS), &threads(HOST_THREADS));
    assert_ne!(fewer, text, "the number of threads is defined");
    std::fs::write(&source, fewer).expect("the folder for tests can be written to");
    let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".to_owned());
    let mut command = Command::new(&compiler);
    command.args(["-std=gnu99", "-O1", "-g", "-ffp-contract=off", "-fsanitize=thread", "-pthread"]);
    command.arg("-o").arg(&binary).arg(&source).arg("-lm");
    let run = |command: &mut Command| {
        let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{command:?}: {}: {said}", output.status);
        String::from_utf8(output.stdout).expect("it prints numbers")
    };
    run(&mut command);
    let printed = run(Command::new(&binary).arg(&cases).env("TSAN_OPTIONS", "halt_on_error=1"));
    for file in [cases, source, binary] {
        std::fs::remove_file(file).expect("what was written can be removed");
    }
    let bits = |line: &str| u32::from_str_radix(line, 16).expect("it prints bits");
    printed.lines().map(bits).collect()
}

/// For each leaf its elements of all lanes, from the flat vectors of the lanes.
fn by_leaf(layout: &Layout, lanes: &[Vec<f32>]) -> Vec<Vec<f32>> {
    let leaves = layout.leaves().iter().map(|leaf| leaf.range());
    leaves
        .map(|range| lanes.iter().flat_map(|flat| &flat[range.clone()]).copied().collect())
        .collect()
}
