//! Statlog's German credit: the columns, with words of ours for the codes that its documentation lists.

use super::schema::{Field, Schema};

/// `german.data`.
pub(super) const GERMAN: Schema = Schema {
    fields: &[
        Field {
            name: "checking account",
            levels: &[
                "A11 overdrawn",
                "A12 below 200 DM",
                "A13 200 DM or more",
                "A14 none",
            ],
        },
        Field {
            name: "duration in months",
            levels: &[],
        },
        Field {
            name: "credit history",
            levels: &[
                "A30 no credits",
                "A31 all paid back here",
                "A32 paid back so far",
                "A33 delays in the past",
                "A34 critical",
            ],
        },
        Field {
            name: "purpose",
            levels: &[
                "A40 new car",
                "A41 used car",
                "A42 furniture",
                "A43 radio or television",
                "A44 appliances",
                "A45 repairs",
                "A46 education",
                "A47 holiday",
                "A48 retraining",
                "A49 business",
                "A410 other",
            ],
        },
        Field {
            name: "amount",
            levels: &[],
        },
        Field {
            name: "savings",
            levels: &[
                "A61 below 100 DM",
                "A62 100 to 500 DM",
                "A63 500 to 1000 DM",
                "A64 1000 DM or more",
                "A65 none or unknown",
            ],
        },
        Field {
            name: "employed for",
            levels: &[
                "A71 unemployed",
                "A72 under 1 year",
                "A73 1 to 4 years",
                "A74 4 to 7 years",
                "A75 7 years or more",
            ],
        },
        Field {
            name: "rate in % of income",
            levels: &[],
        },
        Field {
            name: "personal status and sex",
            levels: &[
                "A91 male, divorced or separated",
                "A92 female, not single",
                "A93 male, single",
                "A94 male, married or widowed",
                "A95 female, single",
            ],
        },
        Field {
            name: "other debtors",
            levels: &["A101 none", "A102 co-applicant", "A103 guarantor"],
        },
        Field {
            name: "years of residence",
            levels: &[],
        },
        Field {
            name: "property",
            levels: &[
                "A121 real estate",
                "A122 building society or life insurance",
                "A123 car or other",
                "A124 none or unknown",
            ],
        },
        Field {
            name: "age",
            levels: &[],
        },
        Field {
            name: "other plans",
            levels: &["A141 bank", "A142 stores", "A143 none"],
        },
        Field {
            name: "housing",
            levels: &["A151 rent", "A152 own", "A153 free"],
        },
        Field {
            name: "credits at this bank",
            levels: &[],
        },
        Field {
            name: "job",
            levels: &[
                "A171 unskilled, not resident",
                "A172 unskilled, resident",
                "A173 skilled",
                "A174 management or self-employed",
            ],
        },
        Field {
            name: "people to support",
            levels: &[],
        },
        Field {
            name: "telephone",
            levels: &["A191 none", "A192 in own name"],
        },
        Field {
            name: "foreign worker",
            levels: &["A201 yes", "A202 no"],
        },
        Field {
            name: "credit",
            levels: &["1 good", "2 bad"],
        },
    ],
    separator: None,
    remark: "",
    end: "",
};

/// The codes of *personal status and sex* that say female.
pub(super) const FEMALE: [f64; 2] = [1.0, 4.0];
