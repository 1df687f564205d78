//! An AdamW update three ways: the executor, a hand-written fused loop, candle tensors op by op.
//!
//! The bound is memory: the fused loop reads 16 bytes and writes 12 an element, and spends one
//! square root and one division on it. The executor reads and writes blocks in the L1 cache as well,
//! once for each average, and divides as it moves the weights. Targets: at most 1.5 times the fused
//! loop, at most a third of candle.

use std::hint::black_box;

use candle_core::{Device, Tensor};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
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

#[inline(always)]
fn fused_body(buffers: &mut Buffers) {
    let Buffers { w, g, m, v } = buffers;
    for (((w, g), m), v) in w.iter_mut().zip(&*g).zip(m.iter_mut()).zip(v.iter_mut()) {
        *m = 0.1 * g + 0.9 * *m;
        *v = 0.001 * (g * g) + 0.999 * *v;
        *w -= (*m / (v.sqrt() + 1e-8) + *w * 0.01) * 0.001;
    }
}

/// The fused loop for the widest vectors the executor uses.
fn fused(buffers: &mut Buffers) {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        #[target_feature(enable = "avx2")]
        fn with_avx2(buffers: &mut Buffers) {
            fused_body(buffers);
        }
        #[allow(unsafe_code)]
        // SAFETY: the CPU was just found to have AVX2, the one feature the callee needs.
        return unsafe { with_avx2(buffers) };
    }
    fused_body(buffers);
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

fn update(criterion: &mut Criterion) {
    evo::pin_inner_threads();
    let program = zoo::get("adamw_uncorrected").expect("it is in the zoo").program();
    let mut group = criterion.benchmark_group("update");
    for len in [2_410, 10_000, 100_000] {
        group.throughput(Throughput::Elements(len as u64));
        let mut buffers = Buffers::new(len);
        group.bench_function(BenchmarkId::new("fused loop", len), |bencher| {
            bencher.iter(|| fused(black_box(&mut buffers)));
        });
        let mut buffers = Buffers::new(len);
        let mut executor = Executor::new(&program, &Layout::new([vec![len]]));
        group.bench_function(BenchmarkId::new("executor", len), |bencher| {
            bencher.iter(|| executor.step(black_box(&mut buffers.w), &buffers.g, 1.0));
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

criterion_group!(benches, update);
criterion_main!(benches);
