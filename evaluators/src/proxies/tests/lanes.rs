//! Every family with lanes: each lane's loss and gradients are those of the network alone.

use super::*;
use crate::layers::Noted;

/// Initial weights of a lane, biases moved off the kinks of relu.
fn weights(leaves: &[Leaf], lane: u64) -> Vec<f64> {
    initial_weights(leaves, &mut Seed(3).stream("weights", lane))
        .into_iter()
        .enumerate()
        .map(|(index, weight)| f64::from(weight) + 0.02 * (index % 7) as f64 - 0.07)
        .collect()
}

#[track_caller]
fn close(found: &[f64], expected: &[f64], what: &str) {
    assert_eq!(found.len(), expected.len());
    let size = expected.iter().fold(0.0_f64, |size, number| size.max(number.abs()));
    for (found, expected) in found.iter().zip(expected) {
        let error = (found - expected).abs();
        assert!(error <= 1e-10 * expected.abs().max(1e-3 * size), "{what}: {found}, {expected}");
    }
}

/// Compares the lanes of a model written as in a configuration with the network alone, in f64.
#[track_caller]
fn check(model: &str, data: &DataConfig) {
    let model: ModelConfig = ron::from_str(model).expect("a well-formed model");
    let data = Dataset::load(data, ".".as_ref(), Seed(1), model.window()).expect("generated data");
    let proxy = Proxy::new(&model, &data, Seed(1)).expect("model fits the data");
    let leaves = proxy.leaves();
    let batch = wide(Batch::draw(&data, 3, &mut Seed(2).stream("batches", 0)).expect("a batch"));
    for lanes in [1, 3] {
        let all: Vec<Vec<f64>> = (0..lanes).map(|lane| weights(&leaves, lane)).collect();
        let mut start = 0;
        let mut variables = Vec::new();
        for leaf in &leaves {
            let end = start + leaf.shape.iter().product::<usize>();
            let numbers: Vec<f64> =
                all.iter().flat_map(|lane| lane[start..end].iter().copied()).collect();
            let shape = [&[lanes as usize], leaf.shape.as_slice()].concat();
            variables.push(Var::from_vec(numbers, shape, &Device::Cpu).expect("sizes match"));
            start = end;
        }
        let given: Vec<Tensor> = variables.iter().map(|v| v.as_tensor().clone()).collect();
        let losses = proxy.loss::<f64>(&given, &batch).expect("the network accepts its batch");
        let gradients = losses.backward().expect("the network has a backward pass");
        let losses = losses.to_vec1::<f64>().expect("a loss for each lane");
        for (lane, weights) in all.iter().enumerate() {
            let alone = Parameters::<f64>::new(&leaves).expect("leaf shapes");
            alone.load(weights).expect("sizes match");
            let loss = Noted::of(|| proxy.loss::<f64>(alone.variables(), &batch));
            let loss = loss.expect("as above");
            let mut expected = vec![f64::NAN; weights.len()];
            alone.differentiate(&loss, &mut expected).expect("every leaf gets a gradient");
            let loss = loss.loss().to_scalar::<f64>().expect("a scalar");
            close(&[losses[lane]], &[loss], "loss");
            let mut rest = &expected[..];
            for (variable, leaf) in variables.iter().zip(&leaves) {
                let gradient = gradients.get(variable).expect("every leaf gets a gradient");
                let own = gradient.get(lane).and_then(|own| own.flatten_all()?.to_vec1::<f64>());
                let (head, tail) = rest.split_at(leaf.shape.iter().product());
                close(&own.expect("f64"), head, &format!("lane {lane}, {leaf:?}"));
                rest = tail;
            }
        }
    }
}

#[test]
fn fully_connected_networks() {
    check("Mlp(hidden: [7, 5])", &DataConfig::Digits);
    check("Mlp(hidden: [7, 5], activation: Gelu, normalisation: Layer)", &DataConfig::Digits);
    check("Mlp(hidden: [7], activation: Silu, normalisation: Rms)", &DataConfig::Digits);
    check("Mlp(hidden: [7], activation: Tanh)", &DataConfig::Digits);
    check("ResidualMlp(width: 6, depth: 2)", &DataConfig::Digits);
    check("ResidualMlp(width: 6, depth: 2, normalisation: None)", &DataConfig::Digits);
    check("Autoencoder(hidden: [7, 3])", &DataConfig::Digits);
    check("Autoencoder(hidden: [7, 3], normalisation: Layer)", &DataConfig::Digits);
}

#[test]
fn networks_of_images() {
    check("Conv(channels: [2, 3])", &DataConfig::Digits);
    check("Conv(channels: [2, 3], activation: Silu, normalisation: Layer)", &DataConfig::Digits);
    check("VisionTransformer(patch: 4, width: 6, layers: 2, heads: 2)", &DataConfig::Digits);
    let styled = "VisionTransformer(patch: 4, width: 6, layers: 1, heads: 2, normalisation: Layer)";
    check(styled, &DataConfig::Digits);
}

#[test]
fn networks_of_tokens() {
    let modular = DataConfig::Modular { modulus: count(5), operation: crate::Operation::Multiply };
    for data in [&markov(), &modular] {
        check("Transformer(width: 8, layers: 2, heads: 2, context: 6)", data);
        let styled = "activation: Gelu, normalisation: None";
        let styled = format!("Transformer(width: 8, layers: 1, heads: 2, context: 6, {styled})");
        check(&styled, data);
        check("Recurrent(width: 5, layers: 2, context: 6, cell: Elman)", data);
        check("Recurrent(width: 5, layers: 2, context: 6, cell: Gated)", data);
    }
}

#[test]
fn quadratics() {
    for rotated in [false, true] {
        let model = format!(
            "Quadratic(dimension: 9, smallest: 0.01, largest: 2.0, rotated: {rotated}, noise: 0.5)"
        );
        check(&model, &DataConfig::None);
    }
}

#[test]
fn lanes_start_alike_and_only_matrices_are_read_in_the_type_of_products() {
    let leaves = [Leaf::normal([2, 2], 1.0), Leaf::zeros([3])];
    let flat = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0];
    let parameters = LaneParameters::new(&leaves, &flat, 2, DType::BF16, &Device::Cpu);
    let parameters = parameters.expect("leaf shapes");
    let [matrix, vector] = parameters.variables() else { panic!("there are two leaves") };
    let matrix = matrix.to_vec3::<f32>().expect("three dimensions");
    assert_eq!(matrix[0], [[1.0, 2.0], [3.0, 4.0]]);
    assert_eq!(matrix[0], matrix[1]);
    assert_eq!(vector.to_vec2::<f32>().expect("two dimensions"), [[5.0, 6.0, 7.0]; 2]);
    for weights in [parameters.trained(), parameters.fixed()] {
        let types: Vec<DType> = weights.expect("casts").iter().map(Tensor::dtype).collect();
        assert_eq!(types, [DType::BF16, DType::F32]);
    }
    let fixed = parameters.fixed().expect("casts");
    assert!(fixed.iter().all(|weight| !weight.track_op()));
}

#[test]
fn a_leaf_without_a_gradient_in_lanes_is_an_error() {
    let leaves = [Leaf::ones([2]), Leaf::ones([3])];
    let parameters = LaneParameters::new(&leaves, &[1.0; 5], 2, DType::F32, &Device::Cpu);
    let parameters = parameters.expect("leaf shapes");
    let losses = parameters.variables()[0].sum(1).expect("two dimensions");
    let error = parameters.gradients(&losses).expect_err("leaf 1 is unused").to_string();
    assert!(error.contains("leaf 1 got no gradient"), "{error}");
}
