//! The engine searching optimizers, one file for each part that is tested.

mod breeding;
mod cache;
mod cache_damage;
mod config;
mod crossover;
mod damage;
mod domains;
mod driver;
mod ended;
mod engine;
mod expressions;
mod held_out;
mod hurdles;
mod identity;
mod kill;
mod landscape;
mod learners;
mod limits;
mod quadratic;
mod reading;
mod restarts;
mod runner;
mod selection;
mod starts;
mod store;
mod strategies;
