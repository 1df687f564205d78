//! The integration tests of this crate, one file for each part that is tested.

mod config;
mod engine;
mod mutation;
mod quadratic;
mod runner;
