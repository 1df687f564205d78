//! The size of a cache file, and what goes when it is too large.
//!
//! Invariant: what was written first goes first, whoever wrote it and however often it was found:
//! an order of use would have every lookup write. Nothing that goes changes a result. A tenth more
//! than needed goes at a time, so that not every commit has to. It goes on the way through a large
//! commit too: what a file has once grown to it keeps, and only fills again.

use rusqlite::Connection;

/// The bytes of a file that hold something; what has gone leaves room that is filled again.
pub(super) fn used(connection: &Connection) -> rusqlite::Result<u64> {
    let pragma = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let pages = pragma("page_count")? - pragma("freelist_count")?;
    Ok((pages * pragma("page_size")?) as u64)
}

/// Removes the oldest entries until a file has at most `limit` bytes.
pub(super) fn evict(connection: &Connection, limit: u64) -> rusqlite::Result<()> {
    // Pages that have become half empty count as full, so that once may not do.
    while evict_some(connection, limit)? > 0 {}
    Ok(())
}

/// Removes as many of the oldest entries of a file above `limit` bytes as should do; gives their
/// number.
pub(super) fn evict_some(connection: &Connection, limit: u64) -> rusqlite::Result<u64> {
    let used = used(connection)?;
    if used <= limit {
        return Ok(0);
    }
    let entries: i64 =
        connection.query_row("SELECT COUNT(*) FROM outcomes", [], |row| row.get(0))?;
    let kept = entries as f64 * 0.9 * limit as f64 / used as f64;
    let text = "DELETE FROM outcomes WHERE number IN
        (SELECT number FROM outcomes ORDER BY number LIMIT ?)";
    let evicted = connection.execute(text, [entries - kept as i64])?;
    Ok(evicted as u64)
}
