use super::*;

#[test]
fn devices_are_known_by_their_names() {
    assert_eq!(Name::parse("cpu"), Some(Name::Cpu));
    assert_eq!(Name::parse("cuda"), Some(Name::Cuda(0)));
    assert_eq!(Name::parse("cuda:3"), Some(Name::Cuda(3)));
    for name in ["", "gpu", "cuda:", "cuda:x", "cuda:-1", "cpu:0", "CUDA"] {
        assert_eq!(Name::parse(name), None, "{name}");
    }
    assert!(matches!(Device::open("cpu").expect("a CPU").candle(), candle_core::Device::Cpu));
    let error = Device::open("gpu").expect_err("not a name").to_string();
    assert_eq!(error, "device `gpu`: not a device: `cpu`, `cuda` or `cuda:N`");
}

#[test]
fn a_device_that_is_not_there_is_an_error_and_no_panic() {
    let error = Device::open("cuda:4096").expect_err("no machine has as many").to_string();
    let expected = if cfg!(feature = "cuda") {
        // Without a driver, without a library, without a device, or with too few.
        ["no NVIDIA driver", "LD_LIBRARY_PATH", "finds no device", "no device has this number"]
    } else {
        ["built without CUDA"; 4]
    };
    assert!(error.starts_with("device `cuda:4096`: "), "{error}");
    assert!(expected.iter().any(|part| error.contains(part)), "{error}");
}

#[cfg(feature = "cuda")]
mod cuda {
    use candle_core::{CudaDevice, Tensor, Var};
    use evo_dsl::{Executor, Layout, Op, Program, zoo};

    use super::Device;
    use crate::device::update::compile;
    use crate::optimizer::lanes::update::LaneUpdate;

    /// With `EVO_KERNEL_CODE`, a path, the code is written there, for a look by other tools.
    #[test]
    fn the_kernel_compiles_at_run_time() {
        for capability in [80, 90] {
            let code = compile(capability).unwrap_or_else(|error| panic!("{error}"));
            assert!(code.contains(".visible .entry evo_update("), "{code}");
            assert!(code.contains(&format!(".target sm_{capability}")), "{code}");
            let fused = code.lines().filter(|line| line.contains("fma.rn.f32"));
            assert_eq!(fused.count(), 0, "products and sums stay apart");
            if let Some(path) = std::env::var_os("EVO_KERNEL_CODE") {
                std::fs::write(path, code).expect("the path can be written to");
            }
        }
    }

    fn layout() -> Layout {
        Layout::new([vec![], vec![7], vec![5, 3], vec![4, 3, 2, 2], vec![150], vec![300, 40]])
    }

    fn numbers(layout: &Layout, offset: usize) -> Vec<f32> {
        let value = |index: usize| {
            let angle = (index * 37 + offset * 101) as f32;
            libm::sinf(angle) * [0.01, 0.1, 1.0, 10.0, 100.0][index % 5]
        };
        (0..layout.len()).map(value).collect()
    }

    /// For each leaf the numbers of all lanes.
    fn tensors(device: &Device, layout: &Layout, lanes: &[Vec<f32>]) -> Vec<Tensor> {
        let leaf = |leaf: &evo_dsl::Leaf| {
            let numbers: Vec<f32> =
                lanes.iter().flat_map(|flat| &flat[leaf.range()]).copied().collect();
            let shape = [&[lanes.len()], leaf.shape()].concat();
            Tensor::from_vec(numbers, shape, device.candle()).expect("a tensor fits")
        };
        layout.leaves().iter().map(leaf).collect()
    }

    /// The numbers of a lane, laid out flat.
    fn flat(tensors: &[Var], lane: usize) -> Vec<f32> {
        let of_leaf = |leaf: &Var| {
            let lane = leaf.get(lane).and_then(|leaf| leaf.flatten_all());
            lane.and_then(|leaf| leaf.to_vec1::<f32>()).expect("a tensor is read")
        };
        tensors.iter().flat_map(of_leaf).collect()
    }

    fn bits(values: &[f32]) -> Vec<u32> {
        let bits = |value: &f32| if value.is_nan() { u32::MAX } else { value.to_bits() };
        values.iter().map(bits).collect()
    }

    /// Programs in training: weights, their update and the number of steps made.
    struct Training {
        device: Device,
        layout: Layout,
        weights: Vec<Var>,
        update: Box<dyn LaneUpdate>,
        lanes: Vec<usize>,
        steps: usize,
    }

    impl Training {
        /// `lanes` holds the number of every lane, which its weights and gradients follow from.
        fn new(device: &Device, programs: &[&Program], lanes: &[usize]) -> Training {
            let layout = layout();
            let initial: Vec<_> = lanes.iter().map(|lane| numbers(&layout, *lane)).collect();
            let weights = tensors(device, &layout, &initial);
            let variable =
                |weights: &Tensor| Var::from_tensor(weights).expect("a variable is made");
            let update = device.update(&layout, programs).expect("the cohort is made");
            Training {
                device: device.clone(),
                weights: weights.iter().map(variable).collect(),
                update: update.expect("a CUDA device has a kernel"),
                lanes: lanes.to_vec(),
                layout,
                steps: 0,
            }
        }

        fn gradient(layout: &Layout, lane: usize, step: usize) -> Vec<f32> {
            numbers(layout, 1000 + 7 * lane + step)
        }

        fn step(&mut self) {
            let gradient = |lane: &usize| Training::gradient(&self.layout, *lane, self.steps);
            let gradients: Vec<_> = self.lanes.iter().map(gradient).collect();
            let gradients = tensors(&self.device, &self.layout, &gradients);
            self.update.step(&self.weights, &gradients, 0.5).expect("a step is made");
            self.steps += 1;
        }
    }

    /// The zoo, and every op on trees, small values and constants.
    fn programs() -> Vec<Program> {
        let arguments = ["g", "rows", "s", "0.7"];
        let mut programs: Vec<Program> =
            zoo::entries().iter().map(|entry| entry.program()).collect();
        for op in Op::all() {
            for index in 0..arguments.len().pow(op.arity() as u32) {
                let args: Vec<&str> = (0..op.arity())
                    .map(|slot| {
                        arguments[index / arguments.len().pow(slot as u32) % arguments.len()]
                    })
                    .collect();
                let call = match op.infix() {
                    Some(symbol) => format!("{} {symbol} {}", args[0], args[1]),
                    None => format!("{}({})", op.info().name, args.join(", ")),
                };
                programs.extend(Program::parse(&format!(
                    "def train(w, g, m, lr):\n  rows = row_mean(g)\n  s = dot(w, g)\n  x = {call}\n  u = x * 0.01\n  m = interp(g, m, 0.9)\n  u = u + m\n  return u, m\n"
                )));
            }
        }
        programs
    }

    /// As on the host: the order of summation hardly ever shows in a float32, and the functions of
    /// float64 are the device's. So nearly all programs give the executor's bits.
    #[test]
    #[ignore = "needs a device"]
    fn on_a_device_programs_move_weights_as_the_executor_does() {
        let (device, programs) = (Device::of_tests(), programs());
        let mut other = Vec::new();
        for cohort in programs.chunks(64) {
            let all: Vec<&Program> = cohort.iter().collect();
            let lanes: Vec<usize> = (0..all.len()).collect();
            let mut training = Training::new(&device, &all, &lanes);
            (0..10).for_each(|_| training.step());
            let first_non_finite = training.update.first_non_finite().expect("it is read");
            for (lane, program) in cohort.iter().enumerate() {
                let layout = layout();
                let mut executor = Executor::new(program, &layout);
                let (mut weights, mut broken) = (numbers(&layout, lane), None);
                for step in 0..10 {
                    let gradient = Training::gradient(&layout, lane, step);
                    let finite = executor.step(&mut weights, &gradient, 0.5);
                    if !finite && broken.is_none() {
                        broken = Some(step as u64 + 1);
                    }
                }
                let found = flat(&training.weights, lane);
                if bits(&found) != bits(&weights) || first_non_finite[lane] != broken {
                    let far =
                        found.iter().zip(&weights).map(|(a, b)| (a - b).abs() / b.abs().max(1.0));
                    other.push((far.fold(0.0, f32::max), program.to_string()));
                }
            }
        }
        println!("{} of {} programs differ from the executor", other.len(), programs.len());
        other.iter().for_each(|(far, program)| println!("{far:e} by\n{program}"));
        assert!(other.len() * 100 <= programs.len(), "more than one in a hundred");
        assert!(other.iter().all(|(far, _)| *far < 1e-3), "one of them by far");
    }

    #[test]
    #[ignore = "needs a device"]
    fn on_a_device_a_lane_depends_neither_on_its_neighbours_nor_on_its_place() {
        let (device, programs) = (Device::of_tests(), programs());
        let all: Vec<&Program> = programs.iter().take(60).collect();
        let weights = |programs: &[&Program], lanes: &[usize]| {
            let mut training = Training::new(&device, programs, lanes);
            (0..5).for_each(|_| training.step());
            (0..lanes.len()).map(|lane| bits(&flat(&training.weights, lane))).collect::<Vec<_>>()
        };
        let lanes: Vec<usize> = (0..all.len()).collect();
        let together = weights(&all, &lanes);
        assert_eq!(weights(&all, &lanes), together, "again");
        let (backwards, turned): (Vec<_>, Vec<_>) =
            all.iter().copied().zip(lanes.iter().copied()).rev().unzip();
        let mut other_places = weights(&backwards, &turned);
        other_places.reverse();
        assert_eq!(other_places, together);
        for (lane, program) in all.into_iter().enumerate() {
            assert_eq!(weights(&[program], &[lane])[0], together[lane], "alone:\n{program}");
        }
    }

    #[test]
    #[ignore = "needs a device"]
    fn on_a_device_tensors_that_do_not_fit_are_refused() {
        let device = Device::of_tests();
        let _: &CudaDevice = device.candle().as_cuda_device().expect("it is a CUDA device");
        let sgd = zoo::get("sgd").expect("it is in the zoo").program();
        let mut training = Training::new(&device, &[&sgd, &sgd], &[0, 1]);
        let few = tensors(&device, &training.layout, &[numbers(&training.layout, 0)]);
        assert!(training.update.step(&training.weights, &few, 1.0).is_err(), "one lane of two");
        assert!(training.update.step(&training.weights, &few[1..], 1.0).is_err(), "too few leaves");
        training.step();
    }
}
