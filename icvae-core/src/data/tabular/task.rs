//! What is to be predicted, and what is to be forgotten.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// A data set, the outcome y in it that is to be predicted, and the group c that is to be forgotten.
///
/// The column that names the group is not in x. What else gives it away stays there, as a table of people is: that
/// is what there is to forget.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// Adult: y = an income above 50,000 $, c = the sex (1: male). `relationship` says husband and wife.
    Adult,
    /// The same, where `relationship` says spouse instead of husband and wife.
    AdultSpouses,
    /// German credit: y = a good credit, c = an age above 25. The age is not in x.
    GermanAge,
    /// German credit: y = a good credit, c = the sex (1: male). The column *personal status and sex* is not in x.
    GermanSex,
}

/// A data set, as its authors gave it.
pub(super) struct About {
    pub(super) name: &'static str,
    pub(super) citation: &'static str,
    pub(super) outcome: &'static str,
    pub(super) group: &'static str,
    pub(super) files: &'static [&'static str],
}

impl Task {
    /// All tasks.
    pub const ALL: [Self; 4] = [
        Self::Adult,
        Self::AdultSpouses,
        Self::GermanAge,
        Self::GermanSex,
    ];

    pub(super) fn about(self) -> About {
        let adult = About {
            name: "Adult",
            citation: "Becker and Kohavi 1996, doi 10.24432/C5XW20, CC BY 4.0",
            outcome: "an income above 50,000 $",
            group: "sex",
            files: &["adult.data", "adult.test"],
        };
        let german = About {
            name: "German credit",
            citation: "Hofmann 1994, doi 10.24432/C5NC77, CC BY 4.0",
            outcome: "a good credit",
            group: "sex",
            files: &["german.data"],
        };
        match self {
            Self::Adult | Self::AdultSpouses => adult,
            Self::GermanSex => german,
            Self::GermanAge => About {
                group: "age above 25",
                ..german
            },
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Adult => "adult",
            Self::AdultSpouses => "adult_spouses",
            Self::GermanAge => "german_age",
            Self::GermanSex => "german_sex",
        }
    }
}

impl fmt::Display for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl FromStr for Task {
    type Err = Error;

    /// Reads a name, as it stands in a configuration file.
    fn from_str(name: &str) -> Result<Self> {
        Self::ALL
            .into_iter()
            .find(|task| task.word() == name)
            .ok_or_else(|| {
                let known = Self::ALL.map(Self::word).join(", ");
                Error::Invalid(format!("the task {name:?} is unknown: use one of {known}"))
            })
    }
}
