use evo_dsl::zoo;
use evo_evaluators::*;
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
fn count(n: usize) -> std::num::NonZeroUsize { n.try_into().unwrap() }
#[allow(clippy::disallowed_methods)]
fn main() {
    pin_inner_threads();
    let program = zoo::get("adamw").unwrap().program();
    let args: Vec<String> = std::env::args().collect();
    let mut steps = match args[1].as_str() {
        "t" => Steps::on_tokens(&ModelConfig::Transformer { width: count(64), layers: count(2), heads: count(4), context: count(32) },
            &DataConfig::Markov { symbols: count(64), order: count(1), length: count(20_000) }, 32, 16, &program).unwrap(),
        "c16" => Steps::on_images(&ModelConfig::conv(vec![count(16), count(32)]), [16, 16, 3], 32, &program).unwrap(),
        "c8" => Steps::on_images(&ModelConfig::conv(vec![count(8), count(16)]), [8, 8, 1], 64, &program).unwrap(),
        _ => Steps::on_images(&ModelConfig::mlp(vec![count(32)]), [8, 8, 1], 64, &program).unwrap(),
    };
    let mut best = [f64::INFINITY; 5];
    let mut all = vec![];
    let n: usize = args[2].parse().unwrap();
    for _ in 0..n {
        let t0 = std::time::Instant::now();
        steps.draw().unwrap();
        let t1 = std::time::Instant::now();
        steps.forward().unwrap();
        let t2 = std::time::Instant::now();
        steps.backward().unwrap();
        let t3 = std::time::Instant::now();
        steps.update().unwrap();
        let t4 = std::time::Instant::now();
        let us = |a: std::time::Instant, b: std::time::Instant| 1e6 * (b - a).as_secs_f64();
        for (b, v) in best.iter_mut().zip([us(t0,t1), us(t1,t2), us(t2,t3), us(t3,t4), us(t0,t4)]) { *b = b.min(v); }
        all.push(us(t0,t4));
    }
    all.sort_by(f64::total_cmp);
    println!("min data {:.1} fwd {:.1} bwd {:.1} upd {:.1} whole {:.1}; median {:.1} p10 {:.1}", best[0], best[1], best[2], best[3], best[4], all[n/2], all[n/10]);
}
