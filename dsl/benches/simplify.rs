//! What the canonical form and the simplifier cost: AdamW, and a program of 40 statements such as a
//! search leaves behind.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use evo_dsl::{Dataflow, Program, Rounding, simplify, zoo};

/// All 40 statements are live.
const EVOLVED: &str = "def train(w, g, m, v, s, lr):
  g = clip(g, 1.5)
  a = g * 1.0
  b = square(a)
  c = a * a
  d = b + c
  d = d * 0.5
  m = interp(g, m, 0.9)
  n = interp(a, m, 0.99)
  v = interp(d, v, 0.999)
  s = interp(b, s, 0.999)
  e = sqrt(v)
  f = abs(s)
  f = sqrt(f)
  h = e + f
  h = h * 0.5
  i = negative(m)
  j = n - i
  j = j * 0.5
  k = j / h
  l = global_norm(k)
  o = k / l
  p = sign(n)
  q = abs(n)
  q = n / q
  r = p + q
  r = r * 0.25
  u = max(o, -1.0)
  u = min(u, 1.0)
  x = u + r
  y = w * 0.01
  z = w * 0.02
  y = y + z
  x = x + y
  aa = lr * 0.1
  ab = lr * 0.01
  ac = aa - ab
  ad = ac * 2.0
  ae = x * ad
  af = tanh(ae)
  update = af * 0.1
  return update, m, v, s
";

fn cost(criterion: &mut Criterion) {
    let evolved = Program::parse(EVOLVED).expect("the benchmark's text parses");
    assert_eq!(evolved.live_length(), 40);
    let adamw = zoo::get("adamw_uncorrected").expect("it is in the zoo").program();
    for (name, program) in [("adamw_uncorrected", &adamw), ("evolved40", &evolved)] {
        let flow = Dataflow::of(program);
        criterion.bench_function(&format!("canonical_bytes/{name}"), |bencher| {
            bencher.iter(|| black_box(&flow).canonical_bytes());
        });
        criterion.bench_function(&format!("canonical/{name}"), |bencher| {
            bencher.iter(|| black_box(program).canonical());
        });
        criterion.bench_function(&format!("simplify_exact/{name}"), |bencher| {
            bencher.iter(|| simplify(black_box(program), Rounding::Exact));
        });
        criterion.bench_function(&format!("simplify_allow/{name}"), |bencher| {
            bencher.iter(|| simplify(black_box(program), Rounding::Allow));
        });
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20);
    targets = cost
}
criterion_main!(benches);
