//! Every layer with lanes against the same layer for a single candidate, lane by lane, and against
//! itself beside other lanes.

use std::sync::Arc;

use candle_core::{DType, Device, Result, Tensor, Var};
use evo_hashes::Seed;
use rand::RngExt;

use super::super::*;
use crate::Cell;
use crate::task::Between;

/// An operand: of every lane, or data that all lanes share.
#[derive(Clone, Copy)]
enum Operand<'a> {
    Lane(&'a [usize]),
    Shared(&'a [usize]),
}

use Operand::{Lane, Shared};

fn random(count: usize, operand: usize, lane: usize) -> Vec<f64> {
    let mut rng = Seed(operand as u64).stream("lanes", lane as u64);
    (0..count).map(|_| rng.random_range(-1.0..1.0)).collect()
}

/// Results and, of every operand of lanes, gradients, one vector for each lane.
type Found = Vec<Vec<Vec<f64>>>;

/// The numbers of `tensor`, one vector for each of `lanes`.
fn by_lane(tensor: &Tensor, lanes: usize) -> Vec<Vec<f64>> {
    let numbers = tensor.to_dtype(DType::F64).and_then(|tensor| tensor.flatten_all());
    let numbers = numbers.and_then(|numbers| numbers.to_vec1::<f64>()).expect("numbers");
    numbers.chunks_exact(numbers.len() / lanes).map(<[f64]>::to_vec).collect()
}

/// Runs `layer` on `operands`, whose numbers are `numbers(operand, lane)`, for the lanes `lanes`
/// together, or, for `None`, for one candidate.
fn run(
    operands: &[Operand<'_>],
    number: DType,
    lanes: Option<&[usize]>,
    numbers: impl Fn(usize, usize) -> Vec<f64>,
    layer: impl Fn(&[Tensor]) -> Result<Tensor>,
) -> Found {
    let one = [0];
    let places = lanes.unwrap_or(&one);
    let tensor = |(operand, kind): (usize, &Operand<'_>)| {
        let (all, shape) = match *kind {
            Shared(shape) => (numbers(operand, 0), shape.to_vec()),
            Lane(shape) => {
                let all = places.iter().flat_map(|&lane| numbers(operand, lane)).collect();
                let front = lanes.map(|lanes| lanes.len());
                (all, front.into_iter().chain(shape.iter().copied()).collect())
            }
        };
        let tensor = Tensor::from_vec(all, shape, &Device::Cpu);
        tensor.and_then(|tensor| tensor.to_dtype(number)).expect("sizes match")
    };
    let data: Vec<Tensor> = operands.iter().enumerate().map(tensor).collect();
    let variables: Vec<Option<Var>> = operands
        .iter()
        .zip(&data)
        .map(|(kind, tensor)| {
            matches!(kind, Lane(_)).then(|| Var::from_tensor(tensor).expect("a copy"))
        })
        .collect();
    let given: Vec<Tensor> = variables
        .iter()
        .zip(&data)
        .map(|(variable, data)| match variable {
            Some(variable) => variable.as_tensor().clone(),
            None => data.clone(),
        })
        .collect();
    let results = layer(&given).expect("the layer accepts these shapes");
    let size = results.elem_count() / places.len();
    let weights = random(size, 99, 0).repeat(places.len());
    let weights = Tensor::from_vec(weights, results.shape(), &Device::Cpu);
    let weights =
        weights.and_then(|weights| weights.to_dtype(results.dtype())).expect("sizes match");
    let scalar = (&results * weights).and_then(|weighted| weighted.sum_all()).expect("sizes match");
    let gradients = scalar.backward().expect("there is a backward pass");
    let of = |variable: &Var| {
        let gradient = gradients.get(variable).expect("every operand gets a gradient");
        assert_eq!(gradient.shape(), variable.shape());
        by_lane(gradient, places.len())
    };
    let mut found = vec![by_lane(&results, places.len())];
    found.extend(variables.iter().flatten().map(of));
    found
}

#[track_caller]
fn close(found: &[f64], expected: &[f64], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (index, (found, expected)) in found.iter().zip(expected).enumerate() {
        let error = (found - expected).abs();
        assert!(error <= 1e-11 * expected.abs().max(1.0), "{what}[{index}]: {found}, {expected}");
    }
}

/// Compares lanes with single candidates in f64, and with the same lane alone, elsewhere and beside
/// a lane of NaN to the bit, in f32 as well.
#[track_caller]
fn check(operands: &[Operand<'_>], layer: impl Fn(&[Tensor]) -> Result<Tensor>) {
    let size = |operand: usize| match operands[operand] {
        Lane(shape) | Shared(shape) => shape.iter().product(),
    };
    let numbers = |operand: usize, lane: usize| random(size(operand), operand, lane);
    for lanes in [&[0][..], &[0, 1, 2]] {
        let together = run(operands, DType::F64, Some(lanes), numbers, &layer);
        for (place, &lane) in lanes.iter().enumerate() {
            let own = |operand: usize, _: usize| match operands[operand] {
                Lane(_) => numbers(operand, lane),
                Shared(_) => numbers(operand, 0),
            };
            let alone = run(operands, DType::F64, None, own, &layer);
            for (index, (found, expected)) in together.iter().zip(&alone).enumerate() {
                close(&found[place], &expected[0], &format!("lane {lane}, part {index}"));
            }
        }
    }
    let broken = |operand: usize, lane: usize| match operands[operand] {
        Lane(_) if lane == 9 => vec![f64::NAN; size(operand)],
        _ => numbers(operand, lane),
    };
    for number in [DType::F64, DType::F32] {
        let alone = run(operands, number, Some(&[2]), numbers, &layer);
        let among = run(operands, number, Some(&[0, 9, 1, 2, 9]), broken, &layer);
        for (alone, among) in alone.iter().zip(&among) {
            assert_eq!(alone[0], among[3], "a lane depends on others");
        }
        assert!(among[0][1].iter().all(|number| number.is_nan()), "NaN got lost");
    }
}

const BOTH: [Activation; 2] = [Activation::Identity, Activation::Relu];

#[test]
fn dense_layers() {
    for activation in BOTH {
        for x in [Lane(&[5, 4]), Shared(&[5, 4])] {
            check(&[x, Lane(&[4, 3]), Lane(&[3])], |t| {
                dense::<f64>(&t[0], &t[1], &t[2], activation)
            });
            check(&[x, Lane(&[4, 3])], |t| project::<f64>(&t[0], &t[1], activation));
        }
    }
    check(&[Lane(&[5, 3]), Lane(&[5, 4]), Lane(&[4, 3])], |t| {
        project_onto::<f64>(&t[0], &t[1], &t[2])
    });
}

#[test]
fn dense_layers_of_many_rows() {
    // Beyond the sizes a product is made of in one piece.
    check(&[Shared(&[70, 33]), Lane(&[33, 41]), Lane(&[41])], |t| {
        dense::<f64>(&t[0], &t[1], &t[2], Activation::Relu)
    });
}

#[test]
fn activations() {
    use crate::Activation::{Gelu, Relu, Silu, Tanh};
    for activation in [Relu, Tanh, Gelu, Silu] {
        check(&[Lane(&[5, 4])], |t| activate::<f64>(&t[0], &Between::Known(activation)));
        // Far out, where exponentials overflow.
        check(&[Lane(&[5, 4])], |t| {
            activate::<f64>(&(&t[0] * 900.0)?, &Between::Known(activation))
        });
    }
}

#[test]
fn normalisations() {
    check(&[Lane(&[4, 11]), Lane(&[11])], |t| RmsNorm::of::<f64>(&t[0], &t[1]));
    check(&[Lane(&[4, 11]), Lane(&[11]), Lane(&[11])], |t| {
        LayerNorm::of::<f64>(&t[0], &t[1], &t[2])
    });
}

#[test]
fn convolutions() {
    for stride in [1, 2] {
        for activation in BOTH {
            let rest = [Lane(&[3, 3, 2, 3]), Lane(&[3])];
            for x in [Lane(&[2, 5, 4, 2]), Shared(&[2, 5, 4, 2]), Lane(&[2, 1, 1, 2])] {
                check(&[&[x], &rest[..]].concat(), |t| {
                    Convolution::of::<f64>(&t[0], &t[1], &t[2], stride, activation)
                });
            }
        }
    }
}

#[test]
fn tokens() {
    let tokens: Arc<[u32]> = [1, 0, 4, 4, 2, 1].into();
    check(&[Lane(&[5, 3]), Lane(&[3, 3])], |t| Embedding::of::<f64>(&t[0], &t[1], &tokens));
    check(&[Lane(&[5, 3])], |t| lookup::<f64>(&t[0], &tokens));
    check(&[Lane(&[6, 4]), Lane(&[3, 4])], |t| add_positions::<f64>(&t[0], &t[1]));
    check(&[Lane(&[6, 4])], |t| token_mean(&t[0], 3));
}

#[test]
fn attention_under_both_masks() {
    for mask in [Mask::Causal, Mask::None] {
        check(&[Lane(&[6, 12])], |t| Attention::of::<f64>(&t[0], 3, 2, mask));
    }
}

#[test]
fn recurrences() {
    for (cell, blocks) in [(Cell::Elman, 1), (Cell::Gated, 3)] {
        for context in [1, 4] {
            let (p, u) = ([8, 3 * blocks], [3, 3 * blocks]);
            check(&[Lane(&p), Lane(&u)], |t| Recurrence::of::<f64>(&t[0], &t[1], context, cell));
        }
    }
}

#[test]
fn losses() {
    for targets in [[0, 3, 1, 3, 2], [0, IGNORED, 1, IGNORED, 2]] {
        let targets: Arc<[u32]> = targets.into();
        check(&[Lane(&[5, 4])], |t| CrossEntropy::of::<f64>(&t[0], &targets));
        check(&[Lane(&[5, 4])], |t| CrossEntropy::of::<f64>(&(&t[0] * 1e4)?, &targets));
    }
    check(&[Lane(&[4, 3]), Shared(&[4, 3])], |t| squared_error::<f64>(&t[0], &t[1]));
}

#[test]
fn quadratic_bowls() {
    let shared = [Shared(&[5]), Shared(&[5])];
    check(&[&[Lane(&[5])], &shared[..]].concat(), |t| {
        Bowl { eigenvalues: &t[1], rotation: None, centre: &t[2] }.height::<f64>(&t[0])
    });
    check(&[&[Lane(&[5])], &shared[..], &[Shared(&[5, 5])]].concat(), |t| {
        Bowl { eigenvalues: &t[1], rotation: Some(&t[3]), centre: &t[2] }.height::<f64>(&t[0])
    });
}

fn lanes_of(numbers: &[f64], shape: &[usize]) -> Var {
    Var::from_slice(numbers, shape, &Device::Cpu).expect("sizes match")
}

#[test]
fn rows_that_do_not_count_reach_neither_loss_nor_gradient() {
    let logits = lanes_of(&[1.0, 2.0, f64::NAN, f64::INFINITY, 3.0, 0.5], &[1, 3, 2]);
    let loss = CrossEntropy::of::<f64>(&logits, &[0, IGNORED, 1].into()).expect("valid");
    let gradient = loss.backward().expect("differentiable");
    let gradient = by_lane(gradient.get(&logits).expect("of the logits"), 3);
    assert!(loss.to_vec1::<f64>().expect("a vector")[0].is_finite());
    assert_eq!(gradient[1], [0.0, 0.0]);
    assert!(gradient[0][0] < 0.0 && gradient[2][1] < 0.0);
    let none = CrossEntropy::of::<f64>(&logits, &[IGNORED; 3].into()).expect("valid");
    assert_eq!(none.to_vec1::<f64>().expect("a vector"), [0.0]);
}

#[test]
fn relu_keeps_nan_and_infinity_and_stops_the_gradient_at_zero() {
    let numbers = [-1.0, 0.0, 2.0, f64::NAN, f64::NEG_INFINITY, f64::INFINITY];
    let z = lanes_of(&numbers, &[1, 2, 3]);
    let y = activate::<f64>(&z, &Between::Known(crate::Activation::Relu)).expect("valid");
    let gradient = y.backward().expect("differentiable");
    let gradient = by_lane(gradient.get(&z).expect("of the sums"), 1).remove(0);
    let y = by_lane(&y, 1).remove(0);
    assert_eq!(y[..3], [0.0, 0.0, 2.0]);
    assert!(y[3].is_nan() && y[4] == 0.0 && y[5] == f64::INFINITY);
    assert_eq!(gradient, [0.0, 0.0, 1.0, 0.0, 0.0, 1.0]);
}

#[test]
fn nothing_is_copied_where_nothing_is_trained() {
    let x = Tensor::ones((2, 3), DType::F64, &Device::Cpu).expect("ones");
    let w = Tensor::ones((4, 3, 2), DType::F64, &Device::Cpu).expect("ones");
    let y = project::<f64>(&x, &w, Activation::Identity).expect("valid");
    assert!(!y.track_op());
    assert_eq!(y.dims(), [4, 2, 2]);
}

#[test]
fn products_of_bf16_weights_are_rounded_and_come_back_wide() {
    let close = |a: &Tensor, b: &Tensor| {
        let (a, b) = (by_lane(a, 1).remove(0), by_lane(b, 1).remove(0));
        let apart = a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(apart > 0.0 && apart < 0.03, "{apart}");
    };
    let x = lanes_of(&random(20, 0, 0), &[1, 5, 4]).to_dtype(DType::F32).expect("narrower");
    let x = Var::from_tensor(&x).expect("a copy");
    let w = lanes_of(&random(12, 1, 0), &[1, 4, 3]).to_dtype(DType::F32).expect("narrower");
    let w = Var::from_tensor(&w).expect("a copy");
    let rounded = w.to_dtype(DType::BF16).expect("narrower");
    let plain = project::<f32>(&x, &w, Activation::Identity).expect("valid");
    let mixed = project::<f32>(&x, &rounded, Activation::Identity).expect("valid");
    assert_eq!(mixed.dtype(), DType::F32);
    close(&mixed, &plain);
    let (plain, mixed) = (plain.backward(), mixed.backward());
    let (plain, mixed) = (plain.expect("differentiable"), mixed.expect("differentiable"));
    for operand in [&x, &w] {
        let mixed = mixed.get(operand).expect("of both operands");
        assert_eq!(mixed.dtype(), DType::F32);
        close(mixed, plain.get(operand).expect("of both operands"));
    }
}
