//! The embedded plays of Shakespeare (origin and licence: `data/README.md` of this crate).
//!
//! Invariant: 426,778 symbols, one a byte of the text, numbered in the order of the 69 bytes that
//! occur. All 256, as of any other file, would give small networks an embedding and an output layer
//! of which three quarters are never trained. A contiguous fifth is set aside as of all text, so
//! validation may be another play than most of training.

use super::compressed::embedded;

pub(super) const PACKED: &[u8] = include_bytes!("../../data/shakespeare.txt.gz");

/// Bytes that occur.
pub(super) const SYMBOLS: usize = 69;

/// The text as symbols.
pub(super) fn tokens() -> Vec<u32> {
    let text = embedded(PACKED);
    let mut occurs = [false; 256];
    text.iter().for_each(|&byte| occurs[usize::from(byte)] = true);
    let mut symbols = [0; 256];
    for (symbol, byte) in (0..=u8::MAX).filter(|&byte| occurs[usize::from(byte)]).enumerate() {
        symbols[usize::from(byte)] = symbol as u32;
    }
    text.into_iter().map(|byte| symbols[usize::from(byte)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbols_stand_for_the_bytes_of_the_plays_and_each_occurs() {
        let (tokens, text) = (tokens(), embedded(PACKED));
        assert_eq!((tokens.len(), text.len()), (426_778, 426_778));
        let mut bytes = [None; SYMBOLS];
        for (&token, &byte) in tokens.iter().zip(&text) {
            let known = bytes[token as usize].get_or_insert(byte);
            assert_eq!(*known, byte);
        }
        let bytes: Vec<u8> = bytes.into_iter().flatten().collect();
        assert_eq!(bytes.len(), SYMBOLS);
        assert!(bytes.is_sorted());
    }

    #[test]
    fn nothing_but_the_plays_is_in_it() {
        let text = String::from_utf8(embedded(PACKED)).expect("it is ASCII");
        assert!(text.starts_with("ACT I.\n\nScene I. Elsinore."));
        assert_eq!(text.matches("\nACT V.\n").count(), 3);
        let lower = text.to_lowercase();
        for word in ["gutenberg", "etext", "copyright", "www", "http", "@"] {
            assert!(!lower.contains(word), "{word}");
        }
    }
}
