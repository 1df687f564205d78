//! The cache of a run: opened before the run begins, told of at its end.
//!
//! Invariant: what is wrong with the file is an error as long as nothing of the run is there, and
//! a warning afterwards: a run needs no cache to go on.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::bail;
use evo::{
    CacheKey, CacheUse, ConfigError, Deduplication, DeduplicationLevel, Domain, OutcomeCache,
    Search, shell_path,
};

use crate::args::CacheArgs;

/// The size of a cache unless told otherwise: some million outcomes of small searches.
const LIMIT: u64 = 1 << 30;

/// A cache that a run looks into and adds to.
pub(crate) struct Attached {
    path: PathBuf,
    cache: Arc<OutcomeCache>,
}

impl Attached {
    /// Opens the cache that was asked for, if one was.
    pub(crate) fn open(
        args: &CacheArgs,
        deduplication: Deduplication,
        key: impl FnOnce() -> Result<CacheKey, ConfigError>,
    ) -> anyhow::Result<Option<Attached>> {
        let Some(path) = args.cache.clone() else { return Ok(None) };
        if deduplication.level == DeduplicationLevel::Off {
            bail!(
                "--cache: `deduplication.level` is Off, so no program is compared with another, \
                 nor with those in {}",
                path.display()
            );
        }
        let limit = args.cache_limit.unwrap_or(LIMIT);
        let cache = OutcomeCache::open(&path, key()?, Some(limit))?;
        Ok(Some(Attached { path, cache: Arc::new(cache) }))
    }

    /// The search, looking into the cache, where there is one.
    pub(crate) fn to<D: Domain>(cache: Option<&Attached>, search: Search<D>) -> Search<D> {
        match cache {
            Some(attached) => search.with_cache(Arc::clone(&attached.cache)),
            None => search,
        }
    }

    /// What a command needs to use the same cache, with a space in front.
    pub(crate) fn arguments(args: &CacheArgs) -> String {
        let Some(path) = &args.cache else { return String::new() };
        let limit = args.cache_limit.map(|limit| format!(" --cache-limit {limit}"));
        format!(" --cache {}{}", shell_path(path), limit.unwrap_or_default())
    }

    /// Has everything written; what there is to say of it, and what there is to warn of.
    pub(crate) fn conclude(&self) -> (String, Option<String>) {
        let used = self.cache.flush().expect("it was opened over a file");
        let CacheUse { lookups, hits, written, skipped, trouble } = used;
        let path = self.path.display();
        let told = format!("{path}: {hits} of {lookups} lookups found, {written} outcomes added");
        let skipped = (skipped > 0).then(|| {
            format!("{path}: {skipped} outcomes were not added: the file was busy for too long")
        });
        let trouble = trouble.map(|trouble| format!("{trouble}; the run did without it"));
        (told, trouble.or(skipped))
    }
}
