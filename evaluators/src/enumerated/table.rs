//! The table of a space: a row for every structure, with the hash of its behaviour and its fitness.
//!
//! Invariant: a table knows what it was made of by a fingerprint, and is read for nothing else. It
//! is text, a line a row, numbers written so that they come back to the bit. Programs of one
//! structure share a row, since they give the same bits; the first of them stands for all.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::Path;

use evo_hashes::Hash;

use crate::{EvaluatorError, read_file};

/// What the first line begins with; the number rises with any change of what rows hold.
const FORMAT: &str = "evo-space 1";

/// The largest table that is read, in bytes.
const LARGEST: u64 = 1 << 30;

/// The programs of one structure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SpaceRow {
    /// The number of the first of them in the space.
    pub number: u64,
    /// How many they are.
    pub programs: u64,
    /// The hash of their structure.
    pub structure: Hash,
    /// The hash of their behaviour; none where that cannot be told.
    pub behaviour: Option<Hash>,
    /// Their fitness; none where they do not train.
    pub fitness: Option<f64>,
}

/// The table of a space.
#[derive(Clone, Debug, PartialEq)]
pub struct SpaceTable {
    fingerprint: Hash,
    rows: Vec<SpaceRow>,
    places: HashMap<Hash, usize>,
}

impl SpaceTable {
    /// A table of rows, each of another structure, in the order of their numbers.
    pub fn new(fingerprint: Hash, rows: Vec<SpaceRow>) -> SpaceTable {
        let places = rows.iter().enumerate().map(|(place, row)| (row.structure, place)).collect();
        SpaceTable { fingerprint, rows, places }
    }

    /// What it was made of.
    pub fn fingerprint(&self) -> Hash {
        self.fingerprint
    }

    /// All rows.
    pub fn rows(&self) -> &[SpaceRow] {
        &self.rows
    }

    /// The row of a structure.
    pub fn row(&self, structure: &Hash) -> Option<&SpaceRow> {
        self.places.get(structure).map(|place| &self.rows[*place])
    }

    /// The row of the highest fitness, among equals the first.
    pub fn best(&self) -> Option<&SpaceRow> {
        let scored = self.rows.iter().filter_map(|row| Some((row, row.fitness?)));
        scored.reduce(|a, b| if b.1 > a.1 { b } else { a }).map(|(row, _)| row)
    }

    /// The table as text.
    pub fn text(&self) -> String {
        let mut text = format!("{FORMAT} {}\n", self.fingerprint);
        for SpaceRow { number, programs, structure, behaviour, fitness } in &self.rows {
            let behaviour = behaviour.map_or("-".to_owned(), |it| it.to_string());
            let fitness = fitness.map_or("-".to_owned(), |it| format!("{it:?}"));
            writeln!(text, "{number} {programs} {structure} {behaviour} {fitness}")
                .expect("a string can always grow");
        }
        text
    }

    /// Reads a table that has this fingerprint.
    ///
    /// # Errors
    /// A file that cannot be read, is no table, or is one of something else.
    pub fn read(path: &Path, fingerprint: Hash) -> Result<SpaceTable, EvaluatorError> {
        let error = |message: String| EvaluatorError::Data {
            key: "table".to_owned(),
            path: path.to_owned(),
            message,
        };
        let bytes = read_file(path, LARGEST).map_err(error)?;
        let text = String::from_utf8(bytes).map_err(|_| error("not UTF-8 text".to_owned()))?;
        let mut lines = text.lines();
        let first = lines.next().unwrap_or_default();
        let stated = first.strip_prefix(FORMAT).map(str::trim);
        let stated = stated.ok_or_else(|| error(format!("line 1 must begin with `{FORMAT}`")))?;
        if stated != fingerprint.to_string() {
            let message = "was made of another space, other tasks, another hash or on another CPU";
            return Err(error(message.to_owned()));
        }
        let row = |(index, line): (usize, &str)| {
            read_row(line).ok_or_else(|| error(format!("line {}: no row of a table", index + 2)))
        };
        let rows = lines.enumerate().map(row).collect::<Result<Vec<SpaceRow>, _>>()?;
        if rows.is_empty() || !text.ends_with('\n') {
            return Err(error("is cut off".to_owned()));
        }
        Ok(SpaceTable::new(fingerprint, rows))
    }
}

fn read_row(line: &str) -> Option<SpaceRow> {
    let cells: Vec<&str> = line.split(' ').collect();
    let [number, programs, structure, behaviour, fitness] = cells[..] else { return None };
    let behaviour = if behaviour == "-" { None } else { Some(read_hash(behaviour)?) };
    let fitness = if fitness == "-" { None } else { Some(fitness.parse().ok()?) };
    Some(SpaceRow {
        number: number.parse().ok()?,
        programs: programs.parse().ok()?,
        structure: read_hash(structure)?,
        behaviour,
        fitness,
    })
}

fn read_hash(text: &str) -> Option<Hash> {
    let mut bytes = [0; 16];
    if text.len() != 2 * bytes.len() || !text.is_ascii() {
        return None;
    }
    for (place, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * place..2 * place + 2], 16).ok()?;
    }
    Some(Hash(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> SpaceTable {
        let row = |number: u64, fitness| SpaceRow {
            number,
            programs: number + 1,
            structure: Hash::of(&[number as u8]),
            behaviour: (number != 1).then_some(Hash([number as u8; 16])),
            fitness,
        };
        let fitness = [Some(0.1 + 0.2), None, Some(1.0 / 3.0), Some(1.0 / 3.0), Some(-1e-300)];
        let rows = (0..).zip(fitness).map(|(number, fitness)| row(number, fitness)).collect();
        SpaceTable::new(Hash::of(b"space"), rows)
    }

    #[test]
    fn a_table_comes_back_to_the_bit_and_only_for_what_it_was_made_of() {
        let scratch = tempfile::TempDir::new().expect("there is room");
        let path = scratch.path().join("table");
        let table = table();
        std::fs::write(&path, table.text()).expect("there is room");
        assert_eq!(SpaceTable::read(&path, Hash::of(b"space")).expect("it is sound"), table);
        let error = SpaceTable::read(&path, Hash::of(b"other")).expect_err("it is of another");
        assert!(error.to_string().contains("another space"), "{error}");
        let text = table.text();
        let cases = [
            (text.replacen(" - ", " ? ", 1), "line 3"),
            (text[..text.len() - 1].to_owned(), "cut off"),
            (String::new(), "line 1"),
        ];
        for (damaged, words) in cases {
            std::fs::write(&path, &damaged).expect("there is room");
            let error = SpaceTable::read(&path, Hash::of(b"space")).expect_err("it is damaged");
            assert!(error.to_string().contains(words), "{error}");
        }
    }

    #[test]
    fn the_best_is_the_first_of_the_highest_fitness() {
        assert_eq!(table().best().map(|row| row.number), Some(2));
        let row = *table().row(&Hash::of(&[3])).expect("it is there");
        assert_eq!(row.programs, 4);
        assert!(table().row(&Hash::of(&[9])).is_none());
    }
}
