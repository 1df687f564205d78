//! `evo cache prune`: outcomes that are wanted no more.

use anyhow::bail;
use evo::{CacheContents, CacheKey, Pruned, Pruning};
use serde_json::json;

use crate::args::CachePruneArgs;
use crate::exit_code::ExitCode;
use crate::output;

pub(crate) fn run(args: &CachePruneArgs) -> anyhow::Result<ExitCode> {
    let keys = keys(args)?;
    let pruning = Pruning { damaged: args.damaged, keys, to_bytes: args.to };
    let Pruned { removed, left, bytes } = pruning.prune(&args.file)?;
    output::print(&match args.json {
        true => json!({ "removed": removed, "left": left, "bytes": bytes }).to_string() + "\n",
        false => format!(
            "{}: {removed} entries removed, {left} left, {} KiB\n",
            args.file.display(),
            bytes >> 10
        ),
    })?;
    Ok(ExitCode::SUCCESS)
}

/// The evaluators whose outcomes go: all that fit everything that was said of them.
fn keys(args: &CachePruneArgs) -> anyhow::Result<Vec<CacheKey>> {
    let CachePruneArgs { fingerprints, domain, structure_version, .. } = args;
    if fingerprints.is_empty() && domain.is_none() && structure_version.is_none() {
        return Ok(Vec::new());
    }
    let evaluators = CacheContents::read(&args.file)?.evaluators()?;
    let all: Vec<CacheKey> = evaluators.into_iter().map(|it| it.key).collect();
    let begins = |key: &CacheKey, text: &String| key.fingerprint().to_string().starts_with(text);
    for text in fingerprints {
        match all.iter().filter(|key| begins(key, text)).count() {
            1 => {}
            0 => bail!("--fingerprint {text}: {} has none of it", args.file.display()),
            several => bail!("--fingerprint {text}: {several} fingerprints begin so"),
        }
    }
    let fits = |key: &CacheKey| {
        (fingerprints.is_empty() || fingerprints.iter().any(|text| begins(key, text)))
            && domain.as_ref().is_none_or(|name| key.domain() == name)
            && structure_version.is_none_or(|version| key.structure_version() == version)
    };
    let keys: Vec<CacheKey> = all.into_iter().filter(fits).collect();
    if keys.is_empty() {
        bail!("{}: it holds no outcomes of that kind", args.file.display());
    }
    Ok(keys)
}
