//! A history as a table: what the curves show, in numbers.

use crate::train::{EpochRecord, History};
use notebook_live::{Bundle, Rich, display};

/// Epochs shown at the beginning and at the end of a long table.
const FIRST: usize = 3;
const LAST: usize = 12;

impl Rich for History {
    /// A row an epoch, a column for each term on the training data and one on the test data; of a long history the
    /// first and the last epochs.
    fn rich(&self) -> Bundle {
        let Some(last) = self.last() else {
            return Bundle::text("an empty history: no epoch has been trained");
        };
        let rows = rows(self, last);
        Bundle::html(html(&rows), text(&rows))
    }
}

impl History {
    /// Shows the table (evcxr calls this).
    pub fn evcxr_display(&self) {
        display(self);
    }
}

fn rows(history: &History, last: &EpochRecord) -> Vec<Vec<String>> {
    let tested = last.test.is_some();
    let mut header = vec!["epoch".to_owned()];
    for name in last.train.names() {
        if tested {
            header.extend([format!("{name}, train"), format!("{name}, test")]);
        } else {
            header.push(name.to_owned());
        }
    }
    header.push("seconds".into());
    let row = |record: &EpochRecord| {
        let mut cells = vec![record.epoch.to_string()];
        for name in last.train.names() {
            cells.push(number(record.train.get(name)));
            if tested {
                cells.push(number(
                    record.test.as_ref().and_then(|means| means.get(name)),
                ));
            }
        }
        cells.push(format!("{:.1}", record.seconds + record.evaluation_seconds));
        cells
    };
    let epochs = &history.epochs;
    let mut rows = vec![header];
    if epochs.len() > FIRST + LAST {
        rows.extend(epochs[..FIRST].iter().map(row));
        rows.push(vec!["…".to_owned(); rows[0].len()]);
        rows.extend(epochs[epochs.len() - LAST..].iter().map(row));
    } else {
        rows.extend(epochs.iter().map(row));
    }
    rows
}

fn number(value: Option<f64>) -> String {
    match value {
        None => String::new(),
        Some(value) if value.abs() < 1.0 => format!("{value:.4}"),
        Some(value) => format!("{value:.2}"),
    }
}

fn text(rows: &[Vec<String>]) -> String {
    let columns = rows.first().map_or(0, Vec::len);
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let widths: Vec<usize> = (0..columns)
        .map(|column| width(column).unwrap_or(0))
        .collect();
    let lines = rows.iter().map(|row| {
        let cells: Vec<_> = row
            .iter()
            .zip(&widths)
            .map(|(cell, &width)| format!("{cell:>width$}"))
            .collect();
        cells.join("  ")
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn html(rows: &[Vec<String>]) -> String {
    let line = |row: &Vec<String>, tag: &str| {
        let cells: String = row
            .iter()
            .map(|cell| format!("<{tag}>{}</{tag}>", escaped(cell)))
            .collect();
        format!("<tr>{cells}</tr>")
    };
    let (head, body) = rows.split_at(1.min(rows.len()));
    let head: String = head.iter().map(|row| line(row, "th")).collect();
    let body: String = body.iter().map(|row| line(row, "td")).collect();
    format!("<table><thead>{head}</thead><tbody>{body}</tbody></table>")
}

/// Names of terms are the reader's.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::TermMeans;

    fn history(epochs: usize, test: bool) -> History {
        let means = |value| TermMeans(vec![("a<b".into(), value), ("total".into(), 0.5)]);
        let record = |epoch| EpochRecord {
            epoch,
            train: means(100.0 - epoch as f64),
            test: test.then(|| means(f64::NAN)),
            seconds: 2.0,
            evaluation_seconds: 0.25,
        };
        History {
            epochs: (1..=epochs).map(record).collect(),
        }
    }

    #[test]
    fn a_history_is_a_table_in_text_and_in_html() {
        let bundle = history(2, false).rich();
        assert_eq!(
            bundle.as_text(),
            "epoch    a<b   total  seconds\n    1  99.00  0.5000      2.2\n    2  98.00  0.5000      2.2"
        );
        let html = bundle.data()["text/html"].to_string();
        assert!(
            html.contains("<th>a&lt;b</th>") && html.contains("<td>98.00</td>"),
            "{html}"
        );
        let both = history(1, true).rich();
        assert!(
            both.as_text().contains("a<b, train  a<b, test"),
            "{}",
            both.as_text()
        );
        assert!(both.as_text().contains("NaN"));
    }

    #[test]
    fn a_long_history_shows_both_ends() {
        let text = history(100, false).rich().as_text().to_owned();
        assert_eq!(text.lines().count(), 1 + FIRST + 1 + LAST);
        assert!(text.contains("\n  100  "), "{text}");
        assert!(History::default().rich().as_text().contains("empty"));
    }
}
