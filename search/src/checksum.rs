//! The checksum of a row: SQLite finds a damaged page, not a damaged value on a sound one.

/// 64 bits of blake3 over all values of a row.
#[derive(Debug, Default)]
pub(crate) struct Checksum(blake3::Hasher);

impl Checksum {
    /// Adds a value; its length keeps neighbours apart.
    pub(crate) fn bytes(mut self, bytes: &[u8]) -> Checksum {
        self.0.update(&(bytes.len() as u64).to_le_bytes()).update(bytes);
        self
    }

    /// Adds a text that may be missing.
    pub(crate) fn text(self, text: Option<&str>) -> Checksum {
        match text {
            Some(text) => self.bytes(text.as_bytes()),
            None => self.number(-1),
        }
    }

    pub(crate) fn number(mut self, number: i64) -> Checksum {
        self.0.update(&number.to_le_bytes());
        self
    }

    pub(crate) fn value(self) -> i64 {
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&self.0.finalize().as_bytes()[..8]);
        i64::from_le_bytes(bytes)
    }
}
