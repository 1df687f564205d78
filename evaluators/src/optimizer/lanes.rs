//! Lanes: the networks of a cohort trained side by side.

#[cfg_attr(not(test), allow(dead_code, reason = "for the evaluator of cohorts"))]
pub(crate) mod update;
