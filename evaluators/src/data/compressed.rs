//! Data files that may be gzipped, as MNIST is handed out, and those that are compiled in.
//!
//! Invariant: the first two bytes decide, not the name, and a compressed file counts at its full
//! size: a small one that unpacks into more than [`LARGEST_FILE`] is refused before it fills the
//! memory.

use std::io::Read;
use std::path::Path;

use flate2::read::MultiGzDecoder;

use super::LARGEST_FILE;

/// What every gzipped file starts with (RFC 1952).
const MAGIC: [u8; 2] = [0x1f, 0x8b];

/// The bytes of a file, unpacked where it is gzipped.
///
/// # Errors
/// Why it cannot be read, for a person.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, String> {
    let bytes = crate::read_file(path, LARGEST_FILE)?;
    if bytes.starts_with(&MAGIC) { unpack(&bytes, LARGEST_FILE) } else { Ok(bytes) }
}

/// The bytes of a gzipped file that is compiled in.
pub(super) fn embedded(packed: &[u8]) -> Vec<u8> {
    unpack(packed, LARGEST_FILE).expect("an embedded file is whole")
}

fn unpack(packed: &[u8], limit: u64) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let mut unpacked = MultiGzDecoder::new(packed).take(limit + 1);
    unpacked
        .read_to_end(&mut bytes)
        .map_err(|error| format!("damaged or truncated gzip data: {error}"))?;
    if bytes.len() as u64 > limit {
        return Err(format!("it unpacks into more than {limit} bytes, the most that are read"));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{fashion, letter, shakespeare};
    use flate2::{Compression, write::GzEncoder};
    use std::io::Write;

    fn packed(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).expect("memory can be written");
        encoder.finish().expect("memory can be written")
    }

    #[test]
    fn gzipped_and_plain_files_hold_the_same_bytes() {
        let folder = tempfile::tempdir().expect("a writable temporary folder");
        let path = folder.path().join("data");
        let bytes: Vec<u8> = (0..5000_u32).map(|i| (i * i % 251) as u8).collect();
        for file in [bytes.clone(), packed(&bytes)] {
            std::fs::write(&path, file).expect("a writable temporary folder");
            assert_eq!(read(&path).as_ref(), Ok(&bytes));
        }
    }

    /// Fingerprints know embedded data by name alone: others have to raise their version.
    #[test]
    fn embedded_data_are_those_that_baselines_were_measured_on() {
        for (packed, hash) in [
            (fashion::PACKED, "d434842b1962302e85d7d09001788610"),
            (letter::PACKED, "83d508d8e51faf4ad7004f00abec11ba"),
            (shakespeare::PACKED, "0175442779b020b24021bfb810ec5b4f"),
        ] {
            assert_eq!(evo_hashes::Hash::of(&embedded(packed)).to_string(), hash);
        }
    }

    #[test]
    fn truncated_and_endless_gzip_data_are_refused() {
        let zeros = packed(&[0; 5000]);
        assert_eq!(unpack(&zeros, 5000).map(|bytes| bytes.len()), Ok(5000));
        let error = unpack(&zeros, 4999).expect_err("too long");
        assert!(error.contains("more than 4999 bytes"), "{error}");
        let error = unpack(&zeros[..zeros.len() - 9], 5000).expect_err("truncated");
        assert!(error.starts_with("damaged or truncated gzip data"), "{error}");
    }
}
