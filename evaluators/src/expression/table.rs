//! Tables of numbers: comma-separated files whose first line names the columns.
//!
//! Invariant: a table that is read is complete, every field of it that is asked for a finite
//! number. What is wrong is told by file, line and column, since tables are made by other programs.

use std::path::Path;

use crate::{EvaluatorError, read_file};

/// The largest table that is read, in bytes.
const LARGEST: u64 = 1 << 28;

/// Columns of a table: inputs by name, and the target.
#[derive(Debug)]
pub(super) struct Table {
    pub names: Vec<String>,
    pub inputs: Vec<Vec<f64>>,
    pub target: Vec<f64>,
}

impl Table {
    /// Reads a target and the inputs of these names, all other columns where there are none.
    pub(super) fn read(
        path: &Path,
        target: &str,
        inputs: &[String],
    ) -> Result<Table, EvaluatorError> {
        let wrong = |key: &str, message: String| EvaluatorError::Data {
            key: format!("data.{key}"),
            path: path.to_owned(),
            message,
        };
        let bytes = read_file(path, LARGEST).map_err(|message| wrong("path", message))?;
        let mut reader =
            csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(bytes.as_slice());
        let header = reader.headers().map_err(|error| wrong("path", error.to_string()))?.clone();
        let place = |name: &str, key: &str| {
            header.iter().position(|other| other == name).ok_or_else(|| {
                let columns: Vec<&str> = header.iter().collect();
                let hint = match evo_dsl::nearest_name(name, columns.iter().copied()) {
                    Some(nearest) => format!("did you mean `{nearest}`?"),
                    None => format!("there are {}", columns.join(", ")),
                };
                wrong(key, format!("line 1 has no column `{name}`; {hint}"))
            })
        };
        if let Some(name) = twice(&header) {
            return Err(wrong("path", format!("line 1 has two columns called `{name}`")));
        }
        let goal = place(target, "target")?;
        let mut columns = Vec::new();
        for (index, name) in inputs.iter().enumerate() {
            let key = format!("inputs[{index}]");
            let column = place(name, &key)?;
            if column == goal {
                return Err(wrong(&key, format!("`{name}` is the target")));
            }
            if columns.contains(&column) {
                return Err(wrong(&key, format!("`{name}` is named twice")));
            }
            columns.push(column);
        }
        if inputs.is_empty() {
            columns = (0..header.len()).filter(|column| *column != goal).collect();
        }
        let names = columns.iter().map(|column| header[*column].to_owned()).collect();
        let mut table =
            Table { names, inputs: vec![Vec::new(); columns.len()], target: Vec::new() };
        for record in reader.records() {
            let record = record.map_err(|error| wrong("path", error.to_string()))?;
            let number = |column: usize| {
                number(&record, &header, column).map_err(|message| wrong("path", message))
            };
            for (values, column) in table.inputs.iter_mut().zip(&columns) {
                values.push(number(*column)?);
            }
            table.target.push(number(goal)?);
        }
        Ok(table)
    }
}

/// A name that two columns have.
fn twice(header: &csv::StringRecord) -> Option<&str> {
    let again = |(place, name): &(usize, &str)| header.iter().take(*place).any(|it| it == *name);
    header.iter().enumerate().find(again).map(|(_, name)| name)
}

/// The number in a column of a record.
fn number(
    record: &csv::StringRecord,
    header: &csv::StringRecord,
    column: usize,
) -> Result<f64, String> {
    let text = &record[column];
    let parsed = text.parse().ok().filter(|value: &f64| (*value as f32).is_finite());
    parsed.ok_or_else(|| {
        let line = record.position().map_or(0, csv::Position::line);
        let name = &header[column];
        format!("line {line}, column `{name}`: `{text}` is no number that float32 can hold")
    })
}
