//! Image and label files in the IDX format of MNIST, gzipped or not.
//!
//! Format (big-endian): images are `0x00000803`, count, height, width, then one byte a pixel;
//! labels are `0x00000801`, count, then one byte a label. Invariant: a file whose length does not
//! match its header is refused, so a truncated download is never trained on.

use std::path::Path;

use super::rows::{ImageShape, LabelledRows, Rows};
use crate::EvaluatorError;

const IMAGES_KEY: &str = "data.images";
const LABELS_KEY: &str = "data.labels";

/// All examples in file order, pixels scaled to [0, 1].
///
/// # Errors
/// [`EvaluatorError::Data`] naming the file and `data.images` or `data.labels`.
pub(super) fn rows(images: &Path, labels: &Path) -> Result<LabelledRows, EvaluatorError> {
    let ([count, height, width], pixels) = read::<3>(images, IMAGES_KEY, 0x0803, "image")?;
    let ([label_count], label_bytes) = read::<1>(labels, LABELS_KEY, 0x0801, "label")?;
    if count != label_count {
        return Err(damaged(
            labels,
            LABELS_KEY,
            format!("{label_count} labels for the {count} images of {}", images.display()),
        ));
    }
    if height * width == 0 {
        return Err(damaged(images, IMAGES_KEY, "images without pixels".into()));
    }
    let classes = label_bytes.iter().max().map_or(0, |&label| usize::from(label) + 1);
    Ok(LabelledRows {
        rows: Rows {
            features: pixels.iter().map(|&pixel| f32::from(pixel) / 255.0).collect(),
            width: height * width,
            labels: label_bytes.iter().map(|&label| u32::from(label)).collect(),
        },
        classes,
        image: Some(ImageShape { height, width, channels: 1 }),
    })
}

/// Reads the `N` sizes of a header and the bytes that follow it.
fn read<const N: usize>(
    path: &Path,
    key: &str,
    magic: u32,
    kind: &str,
) -> Result<([usize; N], Vec<u8>), EvaluatorError> {
    let mut bytes = super::compressed::read(path)
        .map_err(|error| damaged(path, key, format!("expected an IDX {kind} file: {error}")))?;
    let header = 4 * (N + 1);
    if bytes.len() < header || word(&bytes, 0) != magic {
        return Err(damaged(
            path,
            key,
            format!("expected an IDX {kind} file, which starts with {magic:#010x}"),
        ));
    }
    let sizes = std::array::from_fn(|axis| word(&bytes, axis + 1) as usize);
    let expected = sizes.iter().product::<usize>();
    let found = bytes.len() - header;
    if found != expected {
        let what = if found < expected { "truncated" } else { "too long" };
        return Err(damaged(
            path,
            key,
            format!("{what}: its header {sizes:?} promises {expected} bytes, {found} follow"),
        ));
    }
    bytes.drain(..header);
    Ok((sizes, bytes))
}

fn word(bytes: &[u8], index: usize) -> u32 {
    let word = bytes[4 * index..][..4].try_into();
    u32::from_be_bytes(word.expect("a slice of four bytes"))
}

fn damaged(path: &Path, key: &str, message: String) -> EvaluatorError {
    EvaluatorError::Data { key: key.into(), path: path.into(), message }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    fn write(name: &str, words: &[u32], payload: &[u8]) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().expect("a writable temporary folder");
        let path = folder.path().join(name);
        let mut bytes: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).collect();
        bytes.extend_from_slice(payload);
        std::fs::write(&path, bytes).expect("a writable temporary folder");
        (folder, path)
    }

    #[test]
    fn images_and_labels_are_read() {
        let (_keep, images) = write("images", &[0x0803, 2, 1, 3], &[0, 51, 255, 1, 2, 3]);
        let (_keep_too, labels) = write("labels", &[0x0801, 2], &[7, 1]);
        let data = rows(&images, &labels).expect("well-formed files");
        assert_eq!(data.rows.row(0), [0.0, 0.2, 1.0]);
        assert_eq!(data.rows.labels, [7, 1]);
        assert_eq!(data.classes, 8);
    }

    #[test]
    fn gzipped_files_are_read_and_truncated_ones_refused() {
        let (_keep, plain) = write("images", &[0x0803, 2, 1, 3], &[0, 51, 255, 1, 2, 3]);
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        let bytes = std::fs::read(&plain).expect("just written");
        std::io::Write::write_all(&mut encoder, &bytes).expect("memory can be written");
        let packed = encoder.finish().expect("memory can be written");
        let (_keep_too, labels) = write("labels", &[0x0801, 2], &[7, 1]);
        let (_keep_three, images) = write("images.gz", &[], &packed);
        let (found, expected) = (rows(&images, &labels), rows(&plain, &labels));
        assert_eq!(found.expect("well-formed").rows, expected.expect("well-formed").rows);
        let (_keep_four, images) = write("images.gz", &[], &packed[..packed.len() - 9]);
        let error = rows(&images, &labels).map(|_| ()).expect_err("truncated").to_string();
        assert!(error.contains("expected an IDX image file: damaged or truncated gzip"), "{error}");
    }

    #[test]
    fn damaged_files_are_refused_with_key_path_and_expectation() {
        let (_keep, images) = write("images", &[0x0803, 2, 1, 3], &[0, 51, 255, 1, 2]);
        let (_keep_too, labels) = write("labels", &[0x0801, 3], &[7, 1, 1]);
        let error = rows(&images, &labels).map(|_| ()).expect_err("truncated");
        let text = error.to_string();
        assert!(text.starts_with("data.images: "), "{text}");
        assert!(text.contains("promises 6 bytes, 5 follow"), "{text}");
        assert!(text.contains(&images.display().to_string()), "{text}");

        let (_keep, images) = write("images", &[0x0803, 2, 1, 1], &[0, 1]);
        let error = rows(&images, &labels).map(|_| ()).expect_err("counts differ");
        assert!(error.to_string().contains("3 labels for the 2 images"), "{error}");
        let error = rows(&labels, &labels).map(|_| ()).expect_err("wrong kind");
        assert!(error.to_string().contains("0x00000803"), "{error}");
        let missing = images.with_file_name("absent");
        let error = rows(&images, &missing).map(|_| ()).expect_err("no such file");
        assert!(error.to_string().starts_with("data.labels: "), "{error}");
    }
}
