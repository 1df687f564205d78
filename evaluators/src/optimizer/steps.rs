//! Steps: training of one network taken apart, for measuring what a step costs.
//!
//! Invariant: a step is the one of [`train`](super::training::train), on made-up data. It is public for the
//! benchmark alone and hidden from the documentation: an evaluation has no use for it.

use std::path::Path;

use candle_core::Tensor;
use evo_dsl::{Executor, Layout, Program};
use evo_hashes::{Seed, StreamRng};
use rand::RngExt;

use crate::data::{Dataset, Features, ImageShape, RowData, Rows};
use crate::layers::{Product, values};
use crate::proxies::{Batch, Parameters, Proxy, initial_weights};
use crate::{DataConfig, EvaluatorError, ModelConfig};

/// Examples of made-up row data.
const EXAMPLES: usize = 1500;

/// Classes of made-up row data.
const CLASSES: u32 = 10;

/// Training of one network, step by step and each step in four parts.
pub struct Steps {
    data: Dataset,
    batch_size: usize,
    proxy: Proxy,
    parameters: Parameters<f32>,
    weights: Vec<f32>,
    gradient: Vec<f32>,
    batches: StreamRng,
    executor: Executor,
    batch: Option<Batch>,
    loss: Option<Tensor>,
}

impl Steps {
    /// Training on random images of this height, width and number of channels.
    ///
    /// # Errors
    /// The model does not read rows, or candle refuses an operation.
    pub fn on_images(
        model: &ModelConfig,
        image: [usize; 3],
        batch_size: usize,
        program: &Program,
    ) -> Result<Self, EvaluatorError> {
        let [height, width, channels] = image;
        let mut rng = Seed(0).stream("images", 0);
        let features = height * width * channels;
        let rows = Rows {
            features: Features::Numbers(
                (0..EXAMPLES * features).map(|_| rng.random_range(-1.0..1.0)).collect(),
            ),
            width: features,
            labels: (0..EXAMPLES).map(|_| rng.random_range(0..CLASSES)).collect(),
        };
        let data = RowData {
            train: rows.clone(),
            validation: rows,
            classes: CLASSES as usize,
            image: Some(ImageShape { height, width, channels }),
        };
        Self::on(Dataset::Rows(data), model, batch_size, program)
    }

    /// Training on the tokens of `data`, in windows of `context` inputs.
    ///
    /// # Errors
    /// The model does not read tokens, the data are too few, or candle refuses an operation.
    pub fn on_tokens(
        model: &ModelConfig,
        data: &DataConfig,
        context: usize,
        batch_size: usize,
        program: &Program,
    ) -> Result<Self, EvaluatorError> {
        let data = Dataset::load(data, Path::new("."), Seed(0), context + 1)?;
        Self::on(data, model, batch_size, program)
    }

    fn on(
        data: Dataset,
        model: &ModelConfig,
        batch_size: usize,
        program: &Program,
    ) -> Result<Self, EvaluatorError> {
        let proxy = Proxy::new(model, &data, Seed(0))?;
        let leaves = proxy.leaves();
        let layout = Layout::new(leaves.iter().map(|leaf| leaf.shape.clone()));
        let weights = initial_weights(&leaves, &mut Seed(0).stream("weights", 0));
        Ok(Self {
            data,
            batch_size,
            proxy,
            parameters: Parameters::new(&leaves)?,
            gradient: vec![0.0; weights.len()],
            weights,
            batches: Seed(0).stream("batches", 0),
            executor: Executor::new(program, &layout),
            batch: None,
            loss: None,
        })
    }

    /// Parameters of the network.
    pub fn parameters(&self) -> usize {
        self.weights.len()
    }

    /// The weights, leaf after leaf.
    pub fn weights(&self) -> &[f32] {
        &self.weights
    }

    /// Features and labels of the training rows, where there are rows.
    pub fn rows(&self) -> Option<(Vec<f32>, &[u32])> {
        match &self.data {
            Dataset::Rows(rows) => {
                let mut features = Vec::new();
                (0..rows.train.labels.len())
                    .for_each(|index| rows.train.append_row(index, &mut features));
                Some((features, &rows.train.labels))
            }
            _ => None,
        }
    }

    /// The stream that the next batches are drawn from, as it is now.
    pub fn batches(&self) -> StreamRng {
        self.batches.clone()
    }

    /// Draws a batch.
    ///
    /// # Errors
    /// As for [`Steps::forward`].
    pub fn draw(&mut self) -> Result<(), EvaluatorError> {
        self.batch = Some(Batch::draw(&self.data, self.batch_size, &mut self.batches)?);
        Ok(())
    }

    /// Computes the loss of the batch.
    ///
    /// # Errors
    /// Candle refused an operation.
    pub fn forward(&mut self) -> Result<(), EvaluatorError> {
        let batch = self.batch.as_ref().expect("a batch was drawn");
        self.parameters.load(&self.weights)?;
        self.loss = Some(self.proxy.loss::<f32>(self.parameters.variables(), batch)?);
        Ok(())
    }

    /// Computes the gradient of the loss.
    ///
    /// # Errors
    /// As for [`Steps::forward`].
    pub fn backward(&mut self) -> Result<(), EvaluatorError> {
        let loss = self.loss.as_ref().expect("the forward pass was made");
        Ok(self.parameters.differentiate(loss, &mut self.gradient)?)
    }

    /// Moves the weights and drops the graph; the loss, or `None` where it or a weight is not finite.
    ///
    /// # Errors
    /// As for [`Steps::forward`].
    pub fn update(&mut self) -> Result<Option<f64>, EvaluatorError> {
        let loss = self.loss.take().expect("the forward pass was made");
        let loss = f64::from(values::<f32>(&loss)?[0]);
        self.batch = None;
        let finite = self.executor.step(&mut self.weights, &self.gradient, 1.0);
        Ok((loss.is_finite() && finite).then_some(loss))
    }
}

/// One matrix product of given sizes as the layers make it, for measuring the rate it runs at.
pub struct Multiplication {
    sizes: [usize; 3],
    product: Product,
    a: Vec<f32>,
    b: Vec<f32>,
    out: Vec<f32>,
}

impl Multiplication {
    /// A product of a rows × inner by an inner × columns matrix.
    pub fn new(product: Product, sizes: [usize; 3]) -> Self {
        let [rows, inner, columns] = sizes;
        let numbers = |count: usize| (0..count).map(|index| (index % 17) as f32 / 17.0).collect();
        Self {
            sizes,
            product,
            a: numbers(rows * inner),
            b: numbers(inner * columns),
            out: vec![0.0; rows * columns],
        }
    }

    /// Floating-point operations of [`Multiplication::run`].
    pub fn operations(&self) -> f64 {
        2.0 * self.sizes.iter().product::<usize>() as f64
    }

    /// Multiplies once.
    pub fn run(&mut self) {
        self.product.run(self.sizes, &self.a, &self.b, &mut self.out);
    }
}
