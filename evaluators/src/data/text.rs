//! Text files read as bytes.
//!
//! Invariant: a token is one byte, so any file is valid text and the vocabulary is always 256. A
//! learned tokenizer would make two files incomparable and add a file format to keep.

use std::path::Path;

use crate::EvaluatorError;

/// The bytes of the file at `path`.
///
/// # Errors
/// [`EvaluatorError::Data`] naming the file and `data.path`.
pub(super) fn tokens(path: &Path) -> Result<Vec<u32>, EvaluatorError> {
    let refused = |error: String| EvaluatorError::Data {
        key: "data.path".into(),
        path: path.into(),
        message: format!("expected a readable text file: {error}"),
    };
    let bytes = crate::read_file(path, super::LARGEST_FILE).map_err(refused)?;
    // Four times the file, which is as large as files may be.
    let mut tokens = Vec::new();
    tokens.try_reserve_exact(bytes.len()).map_err(|error| refused(error.to_string()))?;
    tokens.extend(bytes.into_iter().map(u32::from));
    Ok(tokens)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_file_is_named_with_its_key() {
        let error = tokens(Path::new("no/such/file")).expect_err("no such file");
        assert!(error.to_string().starts_with("data.path: no/such/file: expected"), "{error}");
    }
}
