//! What users of a class may set, and where an update finds it.
//!
//! Invariant: the decay rates of two or more moving averages are one setting, `betas`, of which the
//! first is that of the gradient: where PyTorch's schedulers look for a momentum to cycle.

use evo_dsl::Purpose;

use crate::listing::Listing;
use crate::wording::{self, Setting};

/// Whether the decay rates are one setting.
fn has_betas(listing: &Listing) -> bool {
    betas(listing) > 1
}

/// How many decay rates of moving averages there are.
pub(super) fn betas(listing: &Listing) -> usize {
    listing.hyperparameters.iter().filter(|setting| setting.purpose == Purpose::Beta).count()
}

/// The settings, the learning rate aside, in their order.
pub(super) fn all(listing: &Listing) -> Vec<Setting> {
    let (mut all, mut betas) = (Vec::new(), Vec::new());
    let mut place = 0;
    for (index, setting) in wording::settings(listing).into_iter().enumerate() {
        if !is_beta(listing, index) {
            all.push(setting);
            continue;
        }
        if betas.is_empty() {
            place = all.len();
        }
        betas.push(setting.default);
    }
    if has_betas(listing) {
        let (name, default) = ("betas".to_owned(), format!("({})", betas.join(", ")));
        let description = "decay rates of moving averages, the gradient's first";
        all.insert(place, Setting { name, default, description });
    }
    all
}

/// The names that the update functions have for them, each with where a group has it.
pub(super) fn in_group(listing: &Listing) -> Vec<(String, String)> {
    let mut betas = 0..;
    let all = wording::settings(listing).into_iter().enumerate();
    all.map(|(index, setting)| {
        let place = match is_beta(listing, index).then(|| betas.next()).flatten() {
            Some(beta) => format!("group[\"betas\"][{beta}]"),
            None => format!("group[\"{}\"]", setting.name),
        };
        (setting.name, place)
    })
    .collect()
}

/// Whether a setting is one of several decay rates.
fn is_beta(listing: &Listing, index: usize) -> bool {
    let setting = listing.hyperparameters.get(index);
    has_betas(listing) && setting.is_some_and(|setting| setting.purpose == Purpose::Beta)
}
