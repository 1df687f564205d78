//! To be written.

use super::listing::Listing;

/// The program as text.
pub(super) fn emit(listing: &Listing, name: &str) -> String {
    let _ = (listing, name);
    String::new()
}
