//! The zoo: known optimizers as program text, in `zoo/*.py`.
//!
//! Invariant: every entry parses, and its first line is a comment with its source. Learning rates
//! are constants of the programs, so that an incoming learning rate of 1 is the usual setting.

use crate::Program;

/// A known optimizer.
#[derive(Clone, Copy, Debug)]
pub struct ZooEntry {
    /// Its name, as in `zoo:NAME`.
    pub name: &'static str,
    /// What it is called in prose, and as a class where it is exported.
    pub title: &'static str,
    /// Its text, comments included.
    pub text: &'static str,
}

macro_rules! entries {
    ($($name:literal $title:literal)*) => {
        [$(ZooEntry {
            name: $name,
            title: $title,
            text: include_str!(concat!("../zoo/", $name, ".py")),
        }),*]
    };
}

/// By family: plain gradients, moments, signs, matrices, and what the Lion search found.
#[rustfmt::skip]
const ENTRIES: [ZooEntry; 49] = entries![
    "sgd" "SGD" "momentum" "Momentum" "nesterov" "Nesterov" "rms_momentum" "RMSMomentum"
    "adagrad" "Adagrad" "rmsprop" "RMSprop" "adadelta" "Adadelta" "adam" "Adam" "adamw" "AdamW"
    "adamw_uncorrected" "UncorrectedAdamW" "cautious_adamw" "CautiousAdamW"
    "cautious_decay" "CautiousDecayAdamW" "amsgrad" "AMSGrad" "nadam" "NAdam" "nadamw" "NAdamW"
    "radam" "RAdam" "adabelief" "AdaBelief" "adan" "Adan" "adopt" "ADOPT" "laprop" "LaProp"
    "ademamix" "AdEMAMix" "mars_adamw" "MARSAdamW" "grokfast_adamw" "GrokfastAdamW"
    "adamw_ema" "AveragedAdamW" "schedule_free_adamw" "ScheduleFreeAdamW"
    "grams" "Grams" "adam_mini" "AdamMini" "adafactor" "Adafactor" "lamb" "LAMB"
    "signsgd" "SignSGD" "signum" "Signum" "powersign" "PowerSign" "addsign" "AddSign" "tiger" "Tiger"
    "lion" "Lion" "cautious_lion" "CautiousLion"
    "muon" "Muon" "muon_adamw" "MuonAdamW" "polar_muon_adamw" "PolarMuonAdamW"
    "normuon_adamw" "NorMuonAdamW" "adamuon" "AdaMuon"
    "muon_squared" "MuonSquared" "muon_hyperball" "MuonHyperball" "contra_muon" "ContraMuon"
    "lion_discovered" "DiscoveredLion" "lion_raw" "RawLion" "discovered_decay" "DiscoveredDecay"
    "discovered_adagrad" "DiscoveredAdagrad" "discovered_belief" "DiscoveredBelief"
];

impl ZooEntry {
    /// What it is, where it comes from and with which constants: its first line, for lists.
    pub fn description(&self) -> &'static str {
        let first = self.text.lines().next().unwrap_or_default();
        first.trim_start_matches(['#', ' '])
    }

    /// The program.
    pub fn program(&self) -> Program {
        Program::parse(self.text).expect("a test parses every entry")
    }
}

/// All entries, in a fixed order, those of one family together.
pub fn entries() -> &'static [ZooEntry] {
    &ENTRIES
}

/// The entry of this name; case does not matter.
pub fn get(name: &str) -> Option<&'static ZooEntry> {
    ENTRIES.iter().find(|entry| entry.name.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_entry_parses_prints_back_and_names_its_source() {
        for entry in entries() {
            let printed = entry.program().to_string();
            let again = Program::parse(&printed).expect("printed text parses");
            assert_eq!(again.to_string(), printed, "{}", entry.name);
            assert!(entry.description().len() > 20, "{}", entry.name);
            assert!(entry.text.starts_with("# "), "{}", entry.name);
        }
    }
}
