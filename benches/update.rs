//! An AdamW update three ways: the executor, a hand-written fused loop, candle tensors op by op.
//! And one with bias corrections, Lion and Muon two ways: the executor, and by hand.
//!
//! The bound is the divider and, at 100,000 weights, memory beside it: the fused loop reads 16
//! bytes and writes 12 an element, and spends one square root and one division on it. The executor
//! does all of it in one pass too, and looks whether the weights are finite. Targets: at most 1.5
//! times the fused loop, at most a third of candle. Lion's loop reads 12 bytes and writes 8. Muon
//! by hand is two such loops with candle's matrix products between, which are nearly all of it.

use std::hint::black_box;

use candle_core::{Device, Tensor};
use criterion::{Bencher, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use evo::{Executor, Layout, zoo};

/// The state of one optimizer run.
struct Buffers {
    w: Vec<f32>,
    g: Vec<f32>,
    m: Vec<f32>,
    v: Vec<f32>,
}

impl Buffers {
    fn new(len: usize) -> Buffers {
        let g = (0..len).map(|index| ((index * 37 % 101) as f32 - 50.0) / 50.0).collect();
        Buffers { w: vec![0.5; len], g, m: vec![0.0; len], v: vec![0.0; len] }
    }
}

/// What the averages are multiplied by, in a step with bias corrections.
type Corrections = Option<(f32, f32)>;

fn corrections(step: u32) -> Corrections {
    let of = |beta: f64| (1.0 / (1.0 - libm::pow(beta, f64::from(step)))) as f32;
    Some((of(0.9), of(0.999)))
}

#[inline(always)]
fn fused_body(buffers: &mut Buffers, corrections: Corrections) {
    let Buffers { w, g, m, v } = buffers;
    for (((w, g), m), v) in w.iter_mut().zip(&*g).zip(m.iter_mut()).zip(v.iter_mut()) {
        *m = 0.1 * g + 0.9 * *m;
        *v = 0.001 * (g * g) + 0.999 * *v;
        let (m, v) = corrections.map_or((*m, *v), |(of_m, of_v)| (*m * of_m, *v * of_v));
        *w -= (m / (v.sqrt() + 1e-8) + *w * 0.01) * 0.001;
    }
}

/// A loop for the widest vectors the executor uses.
fn widest(buffers: &mut Buffers, body: impl Fn(&mut Buffers)) {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        #[target_feature(enable = "avx2")]
        fn with_avx2(buffers: &mut Buffers, body: impl Fn(&mut Buffers)) {
            body(buffers);
        }
        #[allow(unsafe_code)]
        // SAFETY: the CPU was just found to have AVX2, the one feature the callee needs.
        return unsafe { with_avx2(buffers, body) };
    }
    body(buffers);
}

/// With corrections, or without: what is compiled is known.
fn fused(buffers: &mut Buffers, corrections: Corrections) {
    match corrections {
        Some(it) => widest(buffers, |buffers| fused_body(buffers, Some(it))),
        None => widest(buffers, |buffers| fused_body(buffers, None)),
    }
}

/// The same update with one candle operation after the other.
fn candle(w: &mut Tensor, g: &Tensor, m: &mut Tensor, v: &mut Tensor) -> candle_core::Result<()> {
    *m = ((g * 0.1)? + (&*m * 0.9)?)?;
    *v = ((g.sqr()? * 0.001)? + (&*v * 0.999)?)?;
    let update = m.div(&(v.sqrt()? + 1e-8)?)?;
    let update = ((update + (&*w * 0.01)?)? * 0.001)?;
    *w = (&*w - update)?;
    Ok(())
}

const LENGTHS: [usize; 3] = [2_410, 10_000, 100_000];

fn update(criterion: &mut Criterion) {
    evo::pin_inner_threads();
    let mut group = criterion.benchmark_group("update");
    for len in LENGTHS {
        group.throughput(Throughput::Elements(len as u64));
        let mut buffers = Buffers::new(len);
        group.bench_function(BenchmarkId::new("fused loop", len), |bencher| {
            bencher.iter(|| fused(black_box(&mut buffers), None));
        });
        group.bench_function(BenchmarkId::new("executor", len), |bencher| {
            executor("adamw_uncorrected", len, bencher);
        });
        let tensor = |values: Vec<f32>| {
            Tensor::from_vec(values, len, &Device::Cpu).expect("the length fits")
        };
        let Buffers { w, g, m, v } = Buffers::new(len);
        let (mut w, g, mut m, mut v) = (tensor(w), tensor(g), tensor(m), tensor(v));
        group.bench_function(BenchmarkId::new("candle op by op", len), |bencher| {
            bencher.iter(|| candle(&mut w, &g, &mut m, &mut v).expect("the shapes fit"));
        });
    }
    group.finish();
}

fn executor(name: &str, len: usize, bencher: &mut Bencher<'_>) {
    let program = zoo::get(name).expect("it is in the zoo").program();
    let mut executor = Executor::new(&program, &Layout::new([vec![len]]));
    let mut buffers = Buffers::new(len);
    bencher.iter(|| executor.step(black_box(&mut buffers.w), &buffers.g, 1.0));
}

fn corrected_update(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("update with bias corrections");
    for len in LENGTHS {
        group.throughput(Throughput::Elements(len as u64));
        let (mut buffers, mut step) = (Buffers::new(len), 0);
        group.bench_function(BenchmarkId::new("fused loop", len), |bencher| {
            bencher.iter(|| {
                step += 1;
                fused(black_box(&mut buffers), corrections(step));
            });
        });
        group.bench_function(BenchmarkId::new("executor", len), |bencher| {
            executor("adamw", len, bencher);
        });
    }
    group.finish();
}

#[inline(always)]
fn lion_body(Buffers { w, g, m, .. }: &mut Buffers) {
    for ((w, g), m) in w.iter_mut().zip(&*g).zip(m.iter_mut()) {
        let ahead = 0.1 * g + 0.9 * *m;
        *m = 0.01 * g + 0.99 * *m;
        let not_above = if ahead < 0.0 { -1.0 } else { ahead };
        let sign = if ahead > 0.0 { 1.0 } else { not_above };
        *w -= (sign + *w * 0.1) * 0.0001;
    }
}

fn lion_update(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("update of lion");
    for len in LENGTHS {
        group.throughput(Throughput::Elements(len as u64));
        let mut buffers = Buffers::new(len);
        group.bench_function(BenchmarkId::new("fused loop", len), |bencher| {
            bencher.iter(|| widest(black_box(&mut buffers), lion_body));
        });
        group.bench_function(BenchmarkId::new("executor", len), |bencher| {
            executor("lion", len, bencher);
        });
    }
    group.finish();
}

/// Muon of one matrix, its five iterations by candle's products.
fn muon(buffers: &mut Buffers, shape: (usize, usize)) -> candle_core::Result<()> {
    let Buffers { w, g, m, .. } = buffers;
    m.iter_mut().zip(&*g).for_each(|(m, g)| *m = 0.05 * g + 0.95 * *m);
    let ahead: Vec<f32> = m.iter().zip(&*g).map(|(m, g)| 0.05 * g + 0.95 * m).collect();
    let norm = ahead.iter().map(|x| f64::from(x * x)).sum::<f64>().sqrt();
    let mut x = (Tensor::from_vec(ahead, shape, &Device::Cpu)? / norm)?;
    let tall = shape.0 > shape.1;
    if tall {
        x = x.t()?.contiguous()?;
    }
    for _ in 0..5 {
        let gram = x.matmul(&x.t()?)?;
        let polynomial = ((&gram * -4.775)? + (gram.matmul(&gram)? * 2.0315)?)?;
        x = ((&x * 3.4445)? + polynomial.matmul(&x)?)?;
    }
    let x = if tall { x.t()?.contiguous()? } else { x };
    let scale = (shape.0 as f32 / shape.1 as f32).max(1.0).sqrt();
    let update: Vec<f32> = x.flatten_all()?.to_vec1()?;
    w.iter_mut().zip(update).for_each(|(w, x)| *w -= (x * scale + *w * 0.01) * 0.02);
    Ok(())
}

const SHAPES: [(usize, usize); 3] = [(50, 48), (100, 100), (400, 250)];

fn muon_update(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("update of muon");
    let program = zoo::get("muon").expect("it is in the zoo").program();
    for (rows, columns) in SHAPES {
        let name = format!("{rows} by {columns}");
        let mut buffers = Buffers::new(rows * columns);
        group.bench_function(BenchmarkId::new("by hand", &name), |bencher| {
            bencher.iter(|| muon(black_box(&mut buffers), (rows, columns)).expect("shapes fit"));
        });
        let mut executor = Executor::new(&program, &Layout::new([vec![rows, columns]]));
        let mut buffers = Buffers::new(rows * columns);
        group.bench_function(BenchmarkId::new("executor", &name), |bencher| {
            bencher.iter(|| executor.step(black_box(&mut buffers.w), &buffers.g, 1.0));
        });
    }
    group.finish();
}

criterion_group!(benches, update, corrected_update, lion_update, muon_update);
criterion_main!(benches);
