//! Image files in the binary format of CIFAR-10 and CIFAR-100, gzipped or not.
//!
//! Format: records of one or two label bytes (of two, the second is the finer class) and 3 planes
//! of 32×32 bytes, red, green, blue. Invariant: a file that is not whole records, or has a label
//! out of range, is refused. Planes are interleaved into pixels here once, which is how the layers
//! read.

use std::path::{Path, PathBuf};

use super::Features;
use super::rows::{ImageShape, LabelledRows, Rows};
use crate::EvaluatorError;

const SIDE: usize = 32;
const PLANE: usize = SIDE * SIDE;
const CHANNELS: usize = 3;

/// All examples of `files` in order, pixels scaled to [0, 1].
///
/// `key` is the list the files stand in, such as `data.files`.
///
/// # Errors
/// [`EvaluatorError::Data`] naming the file and its place in the list.
pub(super) fn rows(
    files: &[PathBuf],
    base_dir: &Path,
    key: &str,
    label_bytes: usize,
) -> Result<LabelledRows, EvaluatorError> {
    let classes = if label_bytes == 1 { 10 } else { 100 };
    let (mut pixels, mut labels) = (Vec::new(), Vec::new());
    for (index, file) in files.iter().enumerate() {
        let path = base_dir.join(file);
        add_file(&mut pixels, &mut labels, &path, label_bytes, classes).map_err(|message| {
            EvaluatorError::Data { key: format!("{key}[{index}]"), path, message }
        })?;
    }
    let image = Some(ImageShape { height: SIDE, width: SIDE, channels: CHANNELS });
    let rows = Rows { features: Features::Bytes(pixels), width: CHANNELS * PLANE, labels };
    Ok(LabelledRows { rows, classes: classes as usize, image })
}

fn add_file(
    pixels: &mut Vec<u8>,
    all_labels: &mut Vec<u32>,
    path: &Path,
    label_bytes: usize,
    classes: u8,
) -> Result<(), String> {
    let bytes = super::compressed::read(path)
        .map_err(|error| format!("expected a CIFAR batch file: {error}"))?;
    if (pixels.len() + bytes.len()) as u64 > super::LARGEST_FILE {
        let most = super::LARGEST_FILE;
        return Err(format!("with those before it more than {most} bytes, the most that are read"));
    }
    let record = label_bytes + CHANNELS * PLANE;
    if bytes.is_empty() || bytes.len() % record != 0 {
        return Err(format!(
            "expected a CIFAR batch file, records of {record} bytes with `label_bytes` \
             {label_bytes}; {} bytes are not whole records",
            bytes.len()
        ));
    }
    pixels.reserve(bytes.len() / record * CHANNELS * PLANE);
    for (index, record) in bytes.chunks_exact(record).enumerate() {
        let (labels, planes) = record.split_at(label_bytes);
        let label = labels[label_bytes - 1];
        if label >= classes {
            return Err(format!("expected labels below {classes}; image {index} has {label}"));
        }
        all_labels.push(u32::from(label));
        for pixel in 0..PLANE {
            pixels.extend((0..CHANNELS).map(|channel| planes[channel * PLANE + pixel]));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A record whose planes are constant.
    fn record(labels: &[u8], planes: [u8; 3]) -> Vec<u8> {
        let mut record = labels.to_vec();
        record.extend(planes.iter().flat_map(|&value| [value; PLANE]));
        record
    }

    fn read(contents: &[&[u8]], label_bytes: usize) -> Result<LabelledRows, EvaluatorError> {
        let folder = tempfile::tempdir().expect("a writable temporary folder");
        let name = |index: usize| PathBuf::from(format!("batch_{index}"));
        for (index, bytes) in contents.iter().enumerate() {
            std::fs::write(folder.path().join(name(index)), bytes).expect("a writable folder");
        }
        let files: Vec<PathBuf> = (0..contents.len()).map(name).collect();
        rows(&files, folder.path(), "data.files", label_bytes)
    }

    #[test]
    fn batches_are_joined_and_planes_interleaved() {
        let first = record(&[3], [0, 51, 255]);
        let second = record(&[9], [255, 0, 0]);
        let data = read(&[&first, &second], 1).expect("well-formed files");
        assert_eq!(data.rows.labels, [3, 9]);
        assert_eq!(data.rows.row(0)[..6], [0.0, 0.2, 1.0, 0.0, 0.2, 1.0]);
        assert_eq!(data.rows.row(1)[3069..], [1.0, 0.0, 0.0]);
        assert_eq!(data.classes, 10);
    }

    #[test]
    fn the_finer_of_two_labels_counts() {
        let data = read(&[&record(&[19, 99], [0; 3])], 2).expect("a well-formed file");
        assert_eq!((data.rows.labels, data.classes), (vec![99], 100));
    }

    #[test]
    fn damaged_files_are_refused_with_place_path_and_expectation() {
        let good = record(&[3], [0; 3]);
        for (bytes, expected) in [
            (&good[1..], "3072 bytes are not whole records"),
            (&[], "0 bytes are not whole records"),
            (&record(&[10], [0; 3]), "expected labels below 10; image 0 has 10"),
        ] {
            let error = read(&[&good, bytes], 1).map(|_| ()).expect_err("damaged").to_string();
            assert!(error.starts_with("data.files[1]: "), "{error}");
            assert!(error.contains("batch_1") && error.contains(expected), "{error}");
        }
        let missing = rows(&["absent".into()], Path::new("."), "data.validation_files", 1);
        let error = missing.map(|_| ()).expect_err("no such file").to_string();
        assert!(error.starts_with("data.validation_files[0]: ./absent: expected"), "{error}");
    }
}
