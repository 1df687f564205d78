//! Whole networks: every leaf gets a gradient, and it is the right one.

mod lanes;

use candle_core::{DType, Device, Var};
use evo_dsl::LeafRole;
use evo_hashes::Seed;

use super::*;
use crate::layers::Noted;
use crate::{DataConfig, GraphNetwork};

fn count(number: usize) -> std::num::NonZeroUsize {
    number.try_into().expect("not zero")
}

fn markov() -> DataConfig {
    DataConfig::Markov { symbols: count(5), order: count(1), length: count(400) }
}

fn transformer() -> ModelConfig {
    ModelConfig::transformer(count(8), count(2), count(2), count(6))
}

/// A batch with its numbers in f64.
fn wide(batch: Batch) -> Batch {
    let wider = |tensor: Tensor| tensor.to_dtype(DType::F64).expect("a wider type");
    match batch {
        Batch::Rows { features, labels } => Batch::Rows { features: wider(features), labels },
        Batch::Noise { mean } => Batch::Noise { mean: wider(mean) },
        tokens @ Batch::Tokens { .. } => tokens,
    }
}

/// Checks some entries of every leaf's gradient against central differences in f64.
fn check(model: &ModelConfig, data: &DataConfig) {
    let data = Dataset::load(data, ".".as_ref(), Seed(1), model.window()).expect("generated data");
    check_network(&Proxy::new(model, &data, Seed(1)).expect("model fits the data"), &data);
}

/// As [`check`], of a network at hand.
fn check_network(proxy: &Proxy, data: &Dataset) {
    let leaves = proxy.leaves();
    let batch = wide(Batch::draw(data, 3, &mut Seed(2).stream("batches", 0)).expect("a batch"));
    let weights: Vec<f64> = initial_weights(&leaves, &mut Seed(3).stream("weights", 0))
        .into_iter()
        .enumerate()
        // Zero biases would put relu exactly on its kink wherever an image is black.
        .map(|(index, weight)| f64::from(weight) + 0.02 * (index % 7) as f64 - 0.07)
        .collect();
    let parameters = Parameters::<f64>::new(&leaves).expect("leaf shapes");
    let loss = |weights: &[f64]| {
        parameters.load(weights).expect("sizes match");
        let loss = proxy.loss::<f64>(parameters.variables(), &batch);
        loss.expect("the network accepts its batch")
    };
    let mut gradient = vec![f64::NAN; weights.len()];
    let noted = Noted::of(|| Ok(loss(&weights))).expect("as above");
    parameters.differentiate(&noted, &mut gradient).expect("every leaf gets a gradient");
    assert!(noted.is_whole(), "something goes past the notes");
    let (mut candles, loss_alone) = (gradient.clone(), loss(&weights));
    let noted = Noted::of(|| Ok(loss_alone)).expect("as above");
    parameters.differentiate(&noted, &mut candles).expect("every leaf gets a gradient");
    assert_eq!(gradient, candles, "the two ways back");
    let mut start = 0;
    for leaf in &leaves {
        let size: usize = leaf.shape.iter().product();
        let all = &gradient[start..start + size];
        assert!(all.iter().any(|&g| g != 0.0), "{leaf:?} has a zero gradient");
        for index in (start..start + size).step_by(size.div_ceil(7)) {
            let at = |by: f64| {
                let mut weights = weights.clone();
                weights[index] += by;
                loss(&weights).to_scalar::<f64>().expect("a scalar")
            };
            let expected = (at(1e-5) - at(-1e-5)) / 2e-5;
            assert!(
                (gradient[index] - expected).abs() < 1e-6 * expected.abs().max(1.0),
                "{leaf:?}: {} is not {expected}",
                gradient[index]
            );
        }
        start += size;
    }
}

/// Checks a model written as in a configuration.
fn check_text(model: &str, data: &DataConfig) {
    check(&ron::from_str(model).expect("a well-formed model"), data);
}

/// The roles of a network's leaves that are not of few dimensions, in order.
fn roles(model: &ModelConfig, data: &DataConfig) -> Vec<LeafRole> {
    let data = Dataset::load(data, ".".as_ref(), Seed(1), model.window()).expect("generated data");
    let leaves = Proxy::new(model, &data, Seed(1)).expect("model fits the data").leaves();
    let of_vector = |leaf: &&Leaf| leaf.role == LeafRole::Vector;
    assert!(leaves.iter().filter(of_vector).all(|leaf| leaf.shape.len() < 2), "{leaves:?}");
    leaves.iter().map(|leaf| leaf.role).filter(|role| *role != LeafRole::Vector).collect()
}

#[test]
fn networks_know_the_roles_of_their_leaves() {
    use LeafRole::{Embedding, Hidden, Output};
    let text = |model: &str| ron::from_str(model).expect("the test's text is a model");
    assert_eq!(roles(&text("Mlp(hidden: [5, 4])"), &DataConfig::Digits), [Hidden, Hidden, Output]);
    assert_eq!(
        roles(&text("Conv(channels: [3, 4])"), &DataConfig::Digits),
        [Hidden, Hidden, Output]
    );
    let [table, positions, body @ .., head] = &roles(&transformer(), &markov())[..] else {
        panic!("a transformer has at least three matrices");
    };
    assert_eq!([*table, *positions, *head], [Embedding, Embedding, Output]);
    assert!(body.iter().all(|role| *role == Hidden));
}

#[test]
fn mlp_gradients_match_finite_differences() {
    check(&ModelConfig::mlp(vec![count(7), count(5)]), &DataConfig::Digits);
}

#[test]
fn conv_net_gradients_match_finite_differences() {
    check(&ModelConfig::conv(vec![count(2), count(3)]), &DataConfig::Digits);
}

#[test]
fn gradients_match_finite_differences_in_every_style() {
    for style in ["activation: Tanh", "activation: Gelu", "activation: Silu, normalisation: Rms"] {
        check_text(&format!("Mlp(hidden: [7, 5], {style})"), &DataConfig::Digits);
        check_text(&format!("Conv(channels: [2, 3], {style})"), &DataConfig::Digits);
    }
    for model in ["Mlp(hidden: [7, 5]", "Conv(channels: [2, 3]", "Autoencoder(hidden: [7, 5]"] {
        let style = "normalisation: Layer, weight_scale: 0.7";
        check_text(&format!("{model}, {style})"), &DataConfig::Digits);
    }
}

#[test]
fn residual_mlp_gradients_match_finite_differences() {
    for normalisation in ["None", "Layer", "Rms"] {
        let model = format!("ResidualMlp(width: 6, depth: 2, normalisation: {normalisation})");
        check_text(&model, &DataConfig::Digits);
    }
}

#[test]
fn autoencoder_gradients_match_finite_differences() {
    check_text("Autoencoder(hidden: [7, 3], activation: Tanh)", &DataConfig::Digits);
    check_text("Autoencoder(hidden: [3])", &DataConfig::Digits);
}

#[test]
fn vision_transformer_gradients_match_finite_differences() {
    let model = "VisionTransformer(patch: 4, width: 6, layers: 2, heads: 2)";
    check_text(model, &DataConfig::Digits);
}

#[test]
fn transformer_gradients_match_finite_differences() {
    check(&transformer(), &markov());
}

#[test]
fn transformer_gradients_match_finite_differences_in_every_style() {
    for style in [
        "activation: Gelu, normalisation: Layer, weight_scale: 0.8",
        "activation: Silu",
        "activation: Tanh, normalisation: None",
    ] {
        let text = format!("Transformer(width: 6, layers: 2, heads: 2, context: 6, {style})");
        check_text(&text, &markov());
        let image = format!("VisionTransformer(patch: 4, width: 6, layers: 1, heads: 2, {style})");
        check_text(&image, &DataConfig::Digits);
    }
}

#[test]
fn the_default_style_of_a_transformer_may_be_left_out() {
    let stated = "Transformer(width: 8, layers: 2, heads: 2, context: 6, activation: Relu, \
                  normalisation: Rms, weight_scale: 1.0)";
    let stated: ModelConfig = ron::from_str(stated).expect("a well-formed model");
    assert_eq!(stated, transformer());
    let written = ron::to_string(&stated).expect("it can be written");
    assert_eq!(written, "Transformer(width:8,layers:2,heads:2,context:6)");
}

#[test]
fn recurrent_gradients_match_finite_differences() {
    for cell in ["Elman", "Gated"] {
        let model = format!("Recurrent(width: 5, layers: 2, context: 6, cell: {cell})");
        check_text(&model, &markov());
        let model = model.replace("cell", "weight_scale: 0.7, cell");
        check_text(&model, &markov());
    }
}

#[test]
fn gradients_match_finite_differences_where_only_answers_count() {
    let modular = DataConfig::Modular { modulus: count(5), operation: crate::Operation::Multiply };
    check(&transformer(), &modular);
    check_text("Recurrent(width: 5, context: 6)", &modular);
}

#[test]
fn quadratic_gradients_match_finite_differences() {
    for rotated in [false, true] {
        let model = format!(
            "Quadratic(dimension: 9, smallest: 0.01, largest: 2.0, rotated: {rotated}, noise: 0.5)"
        );
        check_text(&model, &DataConfig::None);
    }
}

#[test]
fn a_leaf_without_a_gradient_is_an_error() {
    let leaves = [Leaf::ones([2]), Leaf::ones([3])];
    let parameters = Parameters::<f32>::new(&leaves).expect("leaf shapes");
    let unrelated = Var::zeros(2, DType::F32, &Device::Cpu).expect("zeros");
    let loss = (&parameters.variables()[0] * unrelated.as_tensor())
        .and_then(|product| product.sum_all())
        .expect("same shapes");
    let loss = Noted::of(|| Ok(loss)).expect("a loss");
    let error = parameters.differentiate(&loss, &mut [0.0; 5]);
    let text = error.expect_err("leaf 1 is unused").to_string();
    assert!(text.contains("leaf 1 got no gradient"), "{text}");
}

#[test]
fn cells() {
    let data = DataConfig::Textures {
        side: count(5),
        channels: count(2),
        classes: count(3),
        examples: count(40),
    };
    let data = Dataset::load(&data, ".".as_ref(), Seed(1), 1).expect("generated data");
    let image = ImageShape { height: 5, width: 5, channels: 2 };
    let cell = "def cell(x):\n a = conv3x3(x)\n b = maxpool3x3(x + a)\n c = conv1x1(x + a + b)\n \
                return concat(x, b, c)";
    let wiring = evo_graphs::Graph::parse(cell).expect("a cell").wiring();
    for cells in [1, 2] {
        let sizes =
            GraphNetwork { width: count(3), cells: count(cells), ..GraphNetwork::default() };
        check_network(&Proxy::Cell(CellNet::new(wiring.clone(), sizes, image, 3)), &data);
    }
}
