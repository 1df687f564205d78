//! The evaluators of compute graphs: the search's, and the one that judges what it finds.
//!
//! Invariant: what is held out shares nothing with the search but the images that both train on:
//! it trains from other weights on other batches, and counts on images that are set aside.

use std::path::Path;
use std::sync::Arc;

use evo_hashes::{Hash, Seed};

use super::evaluator::images;
use super::{CellProbe, GraphConfig, GraphEvaluator};
use crate::EvaluatorError;
use crate::data::{Dataset, Rows};
use crate::proxies::Batch;

/// The evaluators of a [`GraphConfig`].
#[derive(Clone, Debug)]
pub struct GraphJudges {
    /// What is searched for, in words.
    pub name: String,
    /// Of the search: its repeats, on the validation images.
    pub search: GraphEvaluator,
    /// Of fresh repeats, on the images that are set aside.
    pub held_out: GraphEvaluator,
    config: GraphConfig,
    fingerprint: Hash,
}

impl GraphJudges {
    /// Loads the images and trains nothing; relative paths start at `base_dir`.
    ///
    /// # Errors
    /// [`EvaluatorError::Config`] or [`EvaluatorError::Data`], with a key path that starts in
    /// `config`.
    pub fn new(config: &GraphConfig, base_dir: &Path) -> Result<GraphJudges, EvaluatorError> {
        config.check()?;
        let seed = Seed(config.data_seed).derive("images");
        // Images are read one at a time; a window is what networks for text read.
        let mut data = Dataset::load(&config.data, base_dir, seed, 1)?;
        let (image, classes) = images(&data)?;
        config.check_size(image, classes)?;
        let Dataset::Rows(rows) = &mut data else { unreachable!("images are rows") };
        let aside = rows.set_aside(config.held_out_share).ok_or_else(|| {
            EvaluatorError::config("held_out_share", "leaves no images to train on")
        })?;
        let fingerprint = fingerprint(&[&rows.train, &rows.validation, &aside]);
        let size = config.validation_batch(image, classes);
        let (validation, data) = (Batch::validation(&data, size)?, Arc::new(data));
        let [repeats, fresh] = config.repeats();
        Ok(GraphJudges {
            name: config.name(),
            search: GraphEvaluator::new(config, &data, validation, repeats)?,
            held_out: GraphEvaluator::new(config, &data, Batch::all(&aside, size)?, fresh)?,
            config: config.clone(),
            fingerprint,
        })
    }

    /// A hash of all images and labels.
    pub fn fingerprint(&self) -> Hash {
        self.fingerprint
    }

    /// What graphs of this configuration are compared by, `mantissa_bits` of each number counting;
    /// `None` unless that is 1 to 23.
    pub fn probe(&self, mantissa_bits: u32) -> Option<CellProbe> {
        let (image, classes) = self.search.reads();
        CellProbe::new(self.config.network, image, classes, mantissa_bits)
    }
}

fn fingerprint(parts: &[&Rows; 3]) -> Hash {
    let mut bytes = b"graph images, 1".to_vec();
    let mut row = Vec::new();
    for part in parts {
        bytes.extend((part.labels.len() as u64).to_le_bytes());
        for (index, label) in part.labels.iter().enumerate() {
            row.clear();
            part.append_row(index, &mut row);
            // One row at a time: all at once would be a copy of the whole data.
            let numbers: Vec<u8> = row.iter().flat_map(|number| number.to_le_bytes()).collect();
            bytes.extend(Hash::of(&numbers).0);
            bytes.extend(label.to_le_bytes());
        }
    }
    Hash::of(&bytes)
}
