//! What a candidate costs before anything is trained: mutation, check and both hashes.
//!
//! The bound for a program of 20 statements: the probe takes 83 steps of about 13 live statements
//! over 236 elements, some 1,100 kernel calls on 1 KiB each, a gradient of a net of as many weights
//! in each, and blake3 hashes 13 KiB. The target is 150 microseconds for a program of usual ops on
//! one core, against an evaluation of 10,000 and more.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use evo::{FunctionalHasher, MutationConfig, Program, Seed, structural_hash};
use evo_dsl::Mutator;

/// As in the binary: a candidate is some fifty small allocations.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A program of 20 statements as a search breeds them: Lion's ancestor with dead statements
/// (after program 8 of arXiv 2302.06675).
const TWENTY: &str = "def train(w, g, m, v, lr):
  g = clip(g, lr)
  a = sqrt(0.627)
  b = sign(v)
  b = v - v
  g = arcsin(g)
  m = interp(g, v, 0.9)
  c = m * m
  v = interp(g, m, 1.109)
  a = tanh(a)
  lr = lr * 0.00022
  update = m * lr
  c = sqrt(c)
  update = update / c
  d = lr * 0.46
  c = square(c)
  d = d * w
  m = cosh(update)
  lr = tan(1.457)
  update = update + d
  lr = cos(a)
  return update, m, v
";

fn candidate(criterion: &mut Criterion) {
    let parent = Program::parse(TWENTY).expect("it is a program");
    let mutator = Mutator::new(&MutationConfig::default()).expect("the defaults are valid");
    let hasher = FunctionalHasher::new(8).expect("8 is between 1 and 23");
    let streams = Seed(1).purpose("bench");
    let mut birth = 0;
    let mut group = criterion.benchmark_group("candidate");
    group.bench_function("mutation + check + both hashes", |bencher| {
        bencher.iter(|| {
            birth += 1;
            let child = mutator.mutate(&parent, &mut streams.stream(birth));
            black_box((structural_hash(&child), hasher.hash(&child)))
        });
    });
    group.bench_function("mutation + check", |bencher| {
        bencher.iter(|| {
            birth += 1;
            black_box(mutator.mutate(&parent, &mut streams.stream(birth)))
        });
    });
    group.bench_function("structural hash", |bencher| {
        bencher.iter(|| black_box(structural_hash(black_box(&parent))));
    });
    let of_zoo = ["sgd", "adamw", "lion", "muon"].map(|name| {
        let entry = evo::zoo::get(name).expect("it is in the zoo");
        (name, entry.program())
    });
    for (name, program) in [("twenty", parent)].into_iter().chain(of_zoo) {
        group.bench_function(format!("functional hash, {name}"), |bencher| {
            bencher.iter(|| black_box(hasher.hash(black_box(&program))));
        });
    }
    group.finish();
}

criterion_group!(benches, candidate);
criterion_main!(benches);
