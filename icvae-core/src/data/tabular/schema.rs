//! The columns of a file as its documentation gives them, and the file read by them.

use crate::Result;
use crate::data::DataError;

/// A column of a file.
pub(super) struct Field {
    pub(super) name: &'static str,
    /// The values it may take, each as its code in the file, and after a space the words for it where the code is
    /// none; none for a number.
    pub(super) levels: &'static [&'static str],
}

/// A file of values in lines.
pub(super) struct Schema {
    pub(super) fields: &'static [Field],
    /// What stands between two values; `None` for white space.
    pub(super) separator: Option<char>,
    /// Lines that begin so are no rows.
    pub(super) remark: &'static str,
    /// What may stand behind the last value.
    pub(super) end: &'static str,
}

/// The rows of a file: for each, a number for each field, which counts the levels where the field has some.
pub(super) struct Parsed {
    pub(super) rows: Vec<Vec<f64>>,
    /// Rows with a value that is not known, `?`, which are left out.
    pub(super) left_out: usize,
}

/// The code of a level, as the file has it.
fn code(level: &str) -> &str {
    level.split_once(' ').map_or(level, |(code, _)| code)
}

/// A level in words.
pub(super) fn words(level: &str) -> &str {
    level.split_once(' ').map_or(level, |(_, words)| words)
}

impl Schema {
    /// Reads a file; errors call it `name`.
    ///
    /// # Errors
    /// One sentence that names the line, if one has another number of values, or a value is none of its field.
    pub(super) fn parse(&self, name: &str, content: &[u8]) -> Result<Parsed> {
        let text = std::str::from_utf8(content).map_err(|_| {
            DataError::file(name, "is no text: replace it by a whole copy of UCI's file")
        })?;
        let mut parsed = Parsed {
            rows: Vec::new(),
            left_out: 0,
        };
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.trim();
            let is_remark = !self.remark.is_empty() && line.starts_with(self.remark);
            if line.is_empty() || is_remark {
                continue;
            }
            let values: Vec<&str> = match self.separator {
                Some(separator) => line.split(separator).map(str::trim).collect(),
                None => line.split_whitespace().collect(),
            };
            match self.row(&values) {
                Ok(Some(row)) => parsed.rows.push(row),
                Ok(None) => parsed.left_out += 1,
                Err(problem) => {
                    let problem = format!(
                        "can't be read: line {number} {problem}; replace it by a whole copy of UCI's file"
                    );
                    return Err(DataError::file(name, problem).into());
                }
            }
        }
        if parsed.rows.is_empty() {
            let problem = "holds no complete row: replace it by a whole copy of UCI's file";
            return Err(DataError::file(name, problem).into());
        }
        Ok(parsed)
    }

    /// A row, or none where a value is not known, or what is wrong with it.
    fn row(&self, values: &[&str]) -> Result<Option<Vec<f64>>, String> {
        if values.len() != self.fields.len() {
            return Err(format!(
                "has {} values instead of {}",
                values.len(),
                self.fields.len()
            ));
        }
        if values.contains(&"?") {
            return Ok(None);
        }
        let last = self.fields.len() - 1;
        let mut row = Vec::with_capacity(values.len());
        for (i, (field, value)) in self.fields.iter().zip(values).enumerate() {
            let value = if i == last && !self.end.is_empty() {
                value.strip_suffix(self.end).unwrap_or(value)
            } else {
                value
            };
            let number = if field.levels.is_empty() {
                value.parse().ok().filter(|number: &f64| number.is_finite())
            } else {
                let at = field.levels.iter().position(|level| code(level) == value);
                at.map(|at| at as f64)
            };
            row.push(number.ok_or_else(|| {
                let kind = if field.levels.is_empty() {
                    "is no number"
                } else {
                    "its documentation doesn't know"
                };
                // What a file holds may be of any length.
                let value: String = value.chars().take(40).collect();
                format!("has the {} {value:?}, which {kind}", field.name)
            })?);
        }
        Ok(Some(row))
    }

    /// Where a field of that name stands.
    pub(super) fn position(&self, name: &str) -> usize {
        let at = self.fields.iter().position(|field| field.name == name);
        at.expect("the schemas and their tasks are written together")
    }
}
