//! The variables of a session: which cell made each, and why one is gone.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::redefinition::{Change, Definitions, variables};

/// Why a variable is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// A cell has changed this, which the variable held.
    Changed { name: String, cell: u64 },
    /// A cell has added a crate, and what the variable is made of was compiled anew for it.
    Recompiled { cell: u64 },
    /// The process ended in a cell.
    Ended { cell: u64 },
}

/// Which cells made the variables, and which variables are gone.
#[derive(Debug, Default)]
pub struct Variables {
    made: BTreeMap<String, u64>,
    gone: BTreeMap<String, (Option<u64>, Why)>,
}

impl Variables {
    /// A cell has made these.
    pub fn made(&mut self, names: &[String], cell: u64) {
        for name in names {
            self.made.insert(name.clone(), cell);
            self.gone.remove(name);
        }
    }

    /// This one is gone.
    pub fn gone(&mut self, name: &str, why: Why) {
        let cell = self.made.remove(name);
        self.gone.insert(name.to_owned(), (cell, why));
    }

    /// All are gone.
    pub fn all_gone(&mut self, why: &Why) {
        for name in self.made.keys().cloned().collect::<Vec<_>>() {
            self.gone(&name, why.clone());
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.made.is_empty()
    }

    /// The cell that made it.
    pub fn cell(&self, name: &str) -> Option<u64> {
        self.made.get(name).copied()
    }

    /// The cells that make all the variables again that the end of a process took.
    pub fn cells_of_the_lost(&self) -> Vec<u64> {
        let lost = self.gone.values();
        let cells = lost.filter(|(_, why)| matches!(why, Why::Ended { .. }));
        cells.filter_map(|(cell, _)| *cell).collect()
    }

    /// What to tell somebody who uses variables that are gone, or nothing if one of them never was.
    pub fn explain(&self, names: &[&str]) -> Option<String> {
        let known: Option<Vec<_>> = names.iter().map(|name| self.gone.get(*name)).collect();
        let known = known.filter(|known| !known.is_empty())?;
        let ended = known.iter().find_map(|(_, why)| match why {
            Why::Ended { cell } => Some(*cell),
            _ => None,
        });
        if let Some(cell) = ended {
            let again = run_again(&self.cells_of_the_lost());
            return Some(format!(
                "all variables are gone since cell [{cell}] ended its process{again}"
            ));
        }
        let (cell, why) = known[0];
        let again = run_again(&cell.iter().copied().collect::<Vec<_>>());
        let name = names[0];
        match why {
            Why::Changed { name: held, cell } => Some(format!(
                "`{name}` is gone since cell [{cell}] changed `{held}`{again}"
            )),
            Why::Recompiled { cell } => Some(format!(
                "`{name}` is gone since cell [{cell}] added a crate, for which what it is made of was compiled \
                 anew{again}"
            )),
            Why::Ended { .. } => None,
        }
    }

    /// What the reader is told when crates were compiled anew, and variables are gone by that.
    pub fn note_recompiled(&self, names: &[String]) -> String {
        let cells: Vec<u64> = names.iter().filter_map(|name| self.cell(name)).collect();
        let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        let (made, gone) = match names.len() {
            1 => ("was made of crates", "it is gone"),
            _ => ("were made of crates", "they are gone"),
        };
        format!(
            "{} {made} that have been compiled anew beside a new one: {gone}{}.\n",
            list(&quoted),
            run_again(&cells)
        )
    }
}

/// An advice, as the end of a sentence.
pub fn run_again(cells: &[u64]) -> String {
    let mut cells = cells.to_vec();
    cells.sort_unstable();
    cells.dedup();
    let mut spans: Vec<(u64, u64)> = Vec::new();
    for cell in cells {
        match spans.last_mut() {
            Some((_, last)) if *last + 1 == cell => *last = cell,
            _ => spans.push((cell, cell)),
        }
    }
    let spans: Vec<String> = spans
        .iter()
        .flat_map(|&(first, last)| match last - first {
            0 => vec![format!("[{first}]")],
            1 => vec![format!("[{first}]"), format!("[{last}]")],
            _ => vec![format!("[{first}] to [{last}]")],
        })
        .collect();
    match &spans[..] {
        [] => String::new(),
        [one] if !one.contains(" to ") => format!("; run cell {one} again"),
        spans => format!("; run cells {} again", list(spans)),
    }
}

/// `a`, `a and b`, `a, b and c`.
fn list(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// Variables that a cell would make unreadable.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Outdated {
    /// Those that are gone after it, each with the changed name that it held.
    lost: Vec<(String, String)>,
    /// Those that the cell itself makes anew, likewise.
    remade: Vec<(String, String)>,
    /// Whether their types can perhaps not be named any more.
    pub unnameable: bool,
}

impl Outdated {
    /// Compares the definitions before and after a cell; `listed` is what evcxr's `:vars` says.
    pub fn of(old: &Definitions, new: &Definitions, code: &str, listed: &str) -> Self {
        let change = Change::between(old, new);
        let own = variables(code);
        let mut outdated = Self {
            unnameable: change.takes_other_parameters(),
            ..Self::default()
        };
        for (name, type_name) in types(listed) {
            if let Some(cause) = change.cause_for(&type_name) {
                match own.contains(&name) {
                    true => outdated.remade.push((name, cause)),
                    false => outdated.lost.push((name, cause)),
                }
            }
        }
        outdated
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.lost.is_empty() && self.remade.is_empty()
    }

    /// What the reader is told, a line for each changed name.
    pub fn note(&self, made: &Variables) -> String {
        let mut by_cause = BTreeMap::<&str, Vec<&str>>::new();
        for (name, cause) in &self.lost {
            by_cause.entry(cause).or_default().push(name);
        }
        let mut note = String::new();
        for (cause, names) in by_cause {
            let cells: Vec<u64> = names.iter().filter_map(|name| made.cell(name)).collect();
            let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
            let (held, gone) = match names.len() {
                1 => ("was made with", "it is gone"),
                _ => ("were made with", "they are gone"),
            };
            note += &format!(
                "{} {held} the former `{cause}`, which this cell changes: {gone}{}.\n",
                list(&quoted),
                run_again(&cells)
            );
        }
        note
    }
}

/// Names and types in what evcxr's `:vars` prints; a type may take several lines.
pub fn types(listed: &str) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    for line in listed.lines() {
        let is_name = |name: &str| name.chars().all(|c| c.is_alphanumeric() || c == '_');
        match line.split_once(": ") {
            Some((name, type_name)) if !name.is_empty() && is_name(name) => {
                found.push((name.to_owned(), type_name.to_owned()));
            }
            _ => {
                if let Some((_, type_name)) = found.last_mut() {
                    type_name.push(' ');
                    type_name.push_str(line);
                }
            }
        }
    }
    found
}

/// The short values of variables that the prelude has written down after the last cell.
pub fn values(folder: &Path) -> BTreeMap<String, String> {
    let text = fs::read_to_string(folder.join("values")).unwrap_or_default();
    text.lines()
        .filter_map(|line| line.split_once(' '))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// The order to the reader's process to drop variables at the next thing that evcxr runs.
///
/// Given as files in the side channel's folder, which the prelude looks for when a cell has been
/// compiled and is about to run; so nothing is lost for a cell that doesn't compile.
#[derive(Debug)]
pub struct Order<'a> {
    outdated: &'a Outdated,
    first: PathBuf,
    next: PathBuf,
}

impl<'a> Order<'a> {
    /// Gives it.
    ///
    /// # Errors
    /// If the files can't be written.
    pub fn give(folder: &Path, outdated: &'a Outdated, note: &str) -> io::Result<Self> {
        let order = Self {
            outdated,
            first: folder.join("forget"),
            next: folder.join("forget.next"),
        };
        // A cell that makes a variable anew is accepted without it, and sent again.
        let lost = file("lost", &outdated.lost, note);
        let remade = file("anew", &outdated.remade, "");
        match (outdated.lost.is_empty(), outdated.remade.is_empty()) {
            (false, true) => fs::write(&order.first, lost)?,
            (true, _) => fs::write(&order.first, remade)?,
            (false, false) => {
                fs::write(&order.next, remade)?;
                fs::write(&order.first, lost)?;
            }
        }
        Ok(order)
    }

    /// Gives it for all variables at once, whatever the cell makes.
    ///
    /// # Errors
    /// If the file can't be written.
    pub fn give_all(&self, note: &str) -> io::Result<()> {
        let _ = fs::remove_file(&self.next);
        let all = [&self.outdated.lost[..], &self.outdated.remade[..]].concat();
        fs::write(&self.first, file("lost", &all, note))
    }

    /// Whether nothing of it was done.
    pub fn is_untouched(&self) -> bool {
        let two = !self.outdated.lost.is_empty() && !self.outdated.remade.is_empty();
        self.first.exists() && (!two || self.next.exists())
    }

    /// Whether all of it was done.
    pub fn is_done(&self) -> bool {
        !self.first.exists()
    }

    /// Whether the cell must be sent again.
    pub fn wants_another_turn(&self) -> bool {
        self.is_done() && !self.outdated.remade.is_empty()
    }

    /// Takes back what was not done, and returns what is gone, each with the changed name.
    pub fn withdraw(self) -> Vec<(String, String)> {
        match (self.is_untouched(), self.is_done()) {
            (true, _) => Vec::new(),
            (_, true) => [&self.outdated.lost[..], &self.outdated.remade[..]].concat(),
            _ => self.outdated.lost.clone(),
        }
    }
}

impl Drop for Order<'_> {
    /// Whatever has come between, no later cell may be taken for the one it was meant for.
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.next);
        let _ = fs::remove_file(&self.first);
    }
}

fn file(kind: &str, names: &[(String, String)], note: &str) -> String {
    let names: Vec<&str> = names.iter().map(|(name, _)| name.as_str()).collect();
    format!("{kind}\n{}\n{note}", names.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outdated(code: &str, listed: &str) -> Outdated {
        let old = Definitions::default().with("struct P { a: i64 }");
        Outdated::of(&old, &old.with(code), code, listed)
    }

    #[test]
    fn what_the_cell_makes_anew_is_not_complained_about() {
        let mut made = Variables::default();
        made.made(&["p".into(), "q".into(), "r".into()], 4);
        made.made(&["q".into()], 6);
        let listed =
            "p: P\nq: Vec<P>\nr: std::collections::HashMap<\n    String,\n    P\n>\nn: i64\n";
        let found = outdated("struct P { a: f64 }\nlet p = P { a: 1.0 };", listed);
        assert_eq!(
            found.note(&made),
            "`q` and `r` were made with the former `P`, which this cell changes: they are gone; \
             run cells [4] and [6] again.\n"
        );
        assert!(outdated("struct P { a: i64 }", listed).is_empty());
    }

    #[test]
    fn only_what_was_done_is_lost() -> io::Result<()> {
        let folder = tempfile::tempdir()?;
        let found = outdated("struct P { a: f64 }\nlet p = 1;", "p: P\nq: P\n");
        let [p, q] = ["p", "q"].map(|name| (name.to_owned(), "P".to_owned()));
        for done in 0..=2 {
            let order = Order::give(folder.path(), &found, "note")?;
            // As the prelude takes its orders.
            let (first, next) = (
                folder.path().join("forget"),
                folder.path().join("forget.next"),
            );
            for turn in 0..done {
                let expected = ["lost\nq\nnote", "anew\np\n"][turn];
                assert_eq!(fs::read_to_string(&first)?, expected);
                if fs::rename(&next, &first).is_err() {
                    fs::remove_file(&first)?;
                }
            }
            assert_eq!(
                (order.is_untouched(), order.is_done()),
                (done == 0, done == 2)
            );
            let expected = [vec![], vec![q.clone()], vec![q.clone(), p.clone()]];
            assert_eq!(order.withdraw(), expected[done]);
            assert_eq!(fs::read_dir(folder.path())?.count(), 0);
        }
        Ok(())
    }

    #[test]
    fn one_line_says_what_to_run_again() {
        let mut variables = Variables::default();
        for (cell, name) in ["a", "b", "c", "d"].iter().enumerate() {
            variables.made(&[(*name).to_owned()], cell as u64 + 1);
        }
        variables.gone(
            "a",
            Why::Changed {
                name: "P".into(),
                cell: 7,
            },
        );
        let said = variables.explain(&["a"]).unwrap_or_default();
        assert_eq!(
            said,
            "`a` is gone since cell [7] changed `P`; run cell [1] again"
        );
        assert_eq!(variables.explain(&["a", "b"]), None, "`b` is not gone");
        variables.all_gone(&Why::Ended { cell: 8 });
        let said = variables.explain(&["c"]).unwrap_or_default();
        assert_eq!(
            said,
            "all variables are gone since cell [8] ended its process; run cells [2] to [4] again"
        );
        variables.made(&["c".into()], 9);
        assert_eq!(variables.explain(&["c"]), None);
        variables.made(&["d".into()], 10);
        let told = variables.note_recompiled(&["c".into(), "d".into()]);
        assert!(
            told.ends_with("they are gone; run cells [9] and [10] again.\n"),
            "{told}"
        );
        variables.gone("d", Why::Recompiled { cell: 11 });
        let said = variables.explain(&["d"]).unwrap_or_default();
        assert!(
            said.starts_with("`d` is gone since cell [11] added a crate"),
            "{said}"
        );
        assert_eq!(
            run_again(&[9, 1, 2, 5, 5]),
            "; run cells [1], [2], [5] and [9] again"
        );
    }
}
