//! The rules of the simplifier.
//!
//! Invariant: no two rules have the same two sides, and every rule is tested on all types its
//! variables can have, with zeros, subnormals, infinities and NaN among the values where it claims
//! every bit.

mod exact;
mod rounding;
#[cfg(test)]
mod tests;

use std::sync::LazyLock;

use super::rule::{Agreement, Compiled, Rule, commutations};

/// Every rule, the strictest first.
pub(super) fn all() -> impl Iterator<Item = Rule> {
    let rules = commutations().chain(exact::RULES.iter().copied());
    rules.chain(rounding::RULES.iter().copied())
}

/// The rules that agree at least as well as that, ready to be applied.
pub(super) fn compiled(agreement: Agreement) -> impl Iterator<Item = &'static Compiled> {
    static COMPILED: LazyLock<Vec<Compiled>> = LazyLock::new(|| all().map(Compiled::new).collect());
    COMPILED.iter().filter(move |compiled| compiled.rule.agreement <= agreement)
}
