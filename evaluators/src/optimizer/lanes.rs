//! Lanes: the networks of a cohort trained side by side.

pub(crate) mod update;
