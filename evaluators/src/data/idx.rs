//! Image and label files in the IDX format of MNIST, gzipped or not.
//!
//! Format (big-endian): two zero bytes, the type of the numbers, how many dimensions there are, the
//! size of each, then the numbers. Images are bytes in three dimensions (count, height, width) or
//! four (channels last); labels are bytes or, for more than 256 classes, integers of 16 or 32 bits.
//! Invariant: a file whose length does not match its header is refused, so a truncated download is
//! never trained on.

use std::path::Path;

use super::Features;
use super::rows::{ImageShape, LabelledRows, Rows};
use crate::EvaluatorError;

const IMAGES_KEY: &str = "data.images";
const LABELS_KEY: &str = "data.labels";

/// A header: type and dimensions. The sizes of the dimensions follow it.
const GREY_IMAGES: u32 = 0x0803;
const COLOUR_IMAGES: u32 = 0x0804;
const BYTE_LABELS: u32 = 0x0801;
const SHORT_LABELS: u32 = 0x0b01;
const LONG_LABELS: u32 = 0x0c01;

/// Labels from here on are a slip, or a network nobody wants.
const MOST_CLASSES: u32 = 1 << 16;

/// All examples in file order, pixels scaled to [0, 1].
///
/// # Errors
/// [`EvaluatorError::Data`] naming the file and `data.images` or `data.labels`.
pub(super) fn rows(images: &Path, labels: &Path) -> Result<LabelledRows, EvaluatorError> {
    let pixels = File::read(images, IMAGES_KEY, &[GREY_IMAGES, COLOUR_IMAGES], "image")?;
    let (count, image) = match pixels.sizes[..] {
        [count, height, width] => (count, ImageShape { height, width, channels: 1 }),
        [count, height, width, channels] => (count, ImageShape { height, width, channels }),
        _ => unreachable!("image files have three or four dimensions"),
    };
    let kinds = [BYTE_LABELS, SHORT_LABELS, LONG_LABELS];
    let label_file = File::read(labels, LABELS_KEY, &kinds, "label")?;
    let label_count = label_file.sizes[0];
    if count != label_count {
        return Err(damaged(
            labels,
            LABELS_KEY,
            format!("{label_count} labels for the {count} images of {}", images.display()),
        ));
    }
    let features = image.height * image.width * image.channels;
    if features == 0 {
        return Err(damaged(images, IMAGES_KEY, "images without pixels".into()));
    }
    let label_numbers = label_file.labels();
    let most = label_numbers.iter().max().copied().unwrap_or(0);
    if most >= MOST_CLASSES {
        let message = format!("expected labels below {MOST_CLASSES}; there is {most}");
        return Err(damaged(labels, LABELS_KEY, message));
    }
    Ok(LabelledRows {
        rows: Rows {
            features: Features::Bytes(pixels.bytes),
            width: features,
            labels: label_numbers,
        },
        classes: most as usize + 1,
        image: Some(image),
    })
}

/// A file whose length matches its header.
struct File {
    kind: u32,
    sizes: Vec<usize>,
    bytes: Vec<u8>,
}

impl File {
    /// Reads a file of one of these kinds.
    fn read(path: &Path, key: &str, kinds: &[u32], name: &str) -> Result<Self, EvaluatorError> {
        let mut bytes = super::compressed::read(path)
            .map_err(|error| damaged(path, key, format!("expected an IDX {name} file: {error}")))?;
        let kind = bytes.first_chunk().map_or(0, |&kind| u32::from_be_bytes(kind));
        let dimensions = (kind & 0xff) as usize;
        let header = 4 * (dimensions + 1);
        if !kinds.contains(&kind) || bytes.len() < header {
            let kinds: Vec<_> = kinds.iter().map(|kind| format!("{kind:#010x}")).collect();
            let message =
                format!("expected an IDX {name} file, which starts with {}", kinds.join(" or "));
            return Err(damaged(path, key, message));
        }
        let sizes: Vec<_> = (1..=dimensions).map(|axis| word(&bytes, axis) as usize).collect();
        let sized = sizes.iter().try_fold(number_bytes(kind), |size, &axis| size.checked_mul(axis));
        let expected = sized.unwrap_or(usize::MAX);
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
        Ok(Self { kind, sizes, bytes })
    }

    /// The numbers of a label file; a negative one becomes large.
    fn labels(&self) -> Vec<u32> {
        let size = number_bytes(self.kind);
        let number =
            |bytes: &[u8]| bytes.iter().fold(0, |number, &byte| number << 8 | u32::from(byte));
        self.bytes.chunks_exact(size).map(number).collect()
    }
}

/// Bytes of a number in files of a kind.
fn number_bytes(kind: u32) -> usize {
    match kind {
        SHORT_LABELS => 2,
        LONG_LABELS => 4,
        _ => 1,
    }
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
    fn colours_and_wide_labels_are_read() {
        let (_keep, images) = write("images", &[0x0804, 1, 1, 2, 3], &[0, 51, 255, 1, 2, 3]);
        for (magic, payload) in [(0x0b01, vec![3, 232]), (0x0c01, vec![0, 0, 3, 232])] {
            let (_keep_too, labels) = write("labels", &[magic, 1], &payload);
            let data = rows(&images, &labels).expect("well-formed files");
            assert_eq!(data.image, Some(ImageShape { height: 1, width: 2, channels: 3 }));
            assert_eq!(
                (data.rows.width, &data.rows.labels[..], data.classes),
                (6, &[1000][..], 1001)
            );
        }
        let (_keep_three, labels) = write("labels", &[0x0c01, 1], &[255, 255, 255, 255]);
        let error = rows(&images, &labels).map(|_| ()).expect_err("a negative label").to_string();
        assert!(error.contains("expected labels below 65536"), "{error}");
    }

    #[test]
    fn sizes_beyond_all_numbers_are_refused() {
        let (_keep, images) = write("images", &[0x0804, u32::MAX, u32::MAX, u32::MAX, 3], &[1, 2]);
        let error = rows(&images, &images).map(|_| ()).expect_err("absurd sizes").to_string();
        assert!(error.contains("truncated"), "{error}");
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
