//! The functional hash: programs that behave alike on a probe have one hash (Unified Functional
//! Hashing, arXiv 2302.05433).
//!
//! Invariant: the hash is a function of what the probe observes, rounding taken off: it sees
//! neither text, nor dead code, nor how states are kept. Programs that differ only where no probe
//! goes are joined (a false hit), and equal ones are split where rounding falls on a boundary (a
//! miss). How often a hit is false is not assumed but measured: a search rechecks a share of them.

use std::fmt;
use std::sync::Arc;

use evo_hashes::{Hash, Observations};

use crate::{Dataflow, OptimizerProbe, Program};

/// What a functional hash runs programs on.
pub trait Probe: fmt::Debug + Send + Sync {
    /// The name of what is observed, with a version that rises when any of it changes: part of
    /// every hash.
    fn name(&self) -> &str;

    /// Runs a program and notes what it does; false for one that is not finite there, whose
    /// behaviour says nothing.
    fn observe(&self, flow: &Dataflow, seen: &mut Observations) -> bool;
}

/// Hashes programs by what they do.
#[derive(Clone, Debug)]
pub struct FunctionalHasher {
    mantissa_bits: u32,
    probe: Arc<dyn Probe>,
}

impl FunctionalHasher {
    /// A hasher with the probe of optimizers at its default, [`OptimizerProbe`], that keeps
    /// `mantissa_bits` of the 23 bits of each float32's mantissa; `None` unless it is 1 to 23.
    pub fn new(mantissa_bits: u32) -> Option<FunctionalHasher> {
        FunctionalHasher::with_probe(mantissa_bits, Arc::new(OptimizerProbe::default()))
    }

    /// As [`FunctionalHasher::new`], with another probe.
    pub fn with_probe(mantissa_bits: u32, probe: Arc<dyn Probe>) -> Option<FunctionalHasher> {
        (1..=23).contains(&mantissa_bits).then_some(FunctionalHasher { mantissa_bits, probe })
    }

    /// The name of the probe, its version included.
    pub fn probe_name(&self) -> &str {
        self.probe.name()
    }

    /// The functional hash of a program; `None` for one whose behaviour says nothing, because it is
    /// not finite on the probe: it is known by its structure alone.
    pub fn hash(&self, program: &Program) -> Option<Hash> {
        self.hash_of(&Dataflow::of(program))
    }

    /// As [`FunctionalHasher::hash`], for those who have the dataflow of a program at hand.
    pub fn hash_of(&self, flow: &Dataflow) -> Option<Hash> {
        let seen = Observations::new(self.probe.name(), self.mantissa_bits);
        let mut seen = seen.expect("the number of bits was checked");
        self.probe.observe(flow, &mut seen).then(|| seen.hash())
    }
}

impl Default for FunctionalHasher {
    /// With 8 bits of each mantissa.
    fn default() -> FunctionalHasher {
        FunctionalHasher::new(8).expect("8 is between 1 and 23")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mantissa_bits_are_checked() {
        assert!(FunctionalHasher::new(0).is_none() && FunctionalHasher::new(24).is_none());
    }
}
