//! A representation of one's own that is no program at all: necklaces of 24 black and white beads.
//! One `impl` gets it the engine, the store, resuming, duplicates and the hall of fame.
//!
//! Run it with `cargo run --release --example own_domain -- necklaces.db`; again, and it goes on.

use evo::{
    DependsOn, Domain, Evaluator, Hash, Outcome, RunOptions, Score, Search, SearchConfig, Seed,
    Size, Stopping, Store, StrategyConfig, StreamRng, Trial,
};
use rand::RngExt;

/// Bead by bead; a necklace has no first one.
type Necklace = u32;

const BEADS: u32 = 24;

#[derive(Clone, Debug)]
pub(crate) struct Necklaces;

fn turned(necklace: Necklace, by: u32) -> Necklace {
    (necklace >> by | necklace << (BEADS - by)) & ((1 << BEADS) - 1)
}

impl Domain for Necklaces {
    type Program = Necklace;
    type Analysis = ();

    const NAME: &'static str = "necklaces";

    fn analyse(&self, _: &Necklace) {}

    fn structure(&self, necklace: &Necklace, (): &()) -> Hash {
        Hash::of(&necklace.to_le_bytes())
    }

    /// The necklace turned so that it is the least number.
    fn behaviour(&self, necklace: &Necklace, (): &()) -> Option<Hash> {
        let least = (0..BEADS).map(|by| turned(*necklace, by)).min()?;
        Some(Hash::of(format!("turned {least}").as_bytes()))
    }

    fn probe(&self) -> &str {
        "all turns of a necklace"
    }

    fn size(&self, necklace: &Necklace, (): &()) -> Size {
        Size { length: necklace.count_ones() as usize, states: 0 }
    }

    fn mutations(&self) -> &'static [&'static str] {
        &["recolour", "swap"]
    }

    fn mutate(&self, parent: &Necklace, rng: &mut StreamRng) -> (Necklace, Option<usize>) {
        let (kind, bead) = (rng.random_range(0..2), rng.random_range(0..BEADS - 1));
        let pair = if parent >> bead & 1 == parent >> (bead + 1) & 1 { 0b00 } else { 0b11 };
        let child = parent ^ if kind == 0 { 1 << bead } else { pair << bead };
        (child, Some(kind))
    }

    fn encode(&self, necklace: &Necklace) -> Vec<u8> {
        necklace.to_le_bytes().to_vec()
    }

    fn decode(&self, bytes: &[u8], _: &Necklace) -> Option<Necklace> {
        bytes.try_into().ok().map(Necklace::from_le_bytes)
    }

    fn text(&self, necklace: &Necklace) -> String {
        format!("{necklace:024b}")
    }

    fn read(&self, text: &str) -> Result<Necklace, String> {
        Necklace::from_str_radix(text, 2).map_err(|error| error.to_string())
    }
}

/// Likes necklaces that look different from themselves at every turn (a low autocorrelation).
pub(crate) struct Restless;

impl Evaluator<Necklace> for Restless {
    fn evaluate(&self, cohort: &[Trial<'_, Necklace>]) -> Vec<Outcome> {
        let alike = |it: Necklace, by| {
            (BEADS as f64 / 2.0 - (it ^ turned(it, by)).count_ones() as f64).abs()
        };
        let score = |trial: &Trial<'_, Necklace>| {
            let worst = (1..BEADS).map(|by| alike(*trial.program, by)).fold(0.0, f64::max);
            Outcome::Scored(Score::new(-worst, vec![worst]))
        };
        cohort.iter().map(score).collect()
    }

    fn depends_on(&self) -> DependsOn {
        DependsOn::Behaviour
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let config: SearchConfig = SearchConfig::new(
        StrategyConfig::RegularizedEvolution { population: 100, tournament: 5 },
        Stopping { candidates: Some(20_000), ..Stopping::default() },
    );
    let mut search = Search::new(&config, Seed(1), Necklaces, 0)?;
    if let Some(path) = std::env::args_os().nth(1).map(std::path::PathBuf::from) {
        let store = match path.exists() {
            true => Store::open(&path, &Necklaces)?,
            false => Store::create(&path, &[])?,
        };
        search = search.with_store(store)?;
    }
    let reason = evo::run(&mut search, &Restless, &mut (), &RunOptions::default())?;
    search.hall_of_fame().write_csv(&Necklaces, std::io::stdout())?;
    println!("{reason}; {:?}", search.counters());
    Ok(())
}
