//! A drawn table, in which it is known what gives the group away.

use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;

use super::schema::Field;

/// The accuracy with which the best possible adversary reads the group from x of a drawn table. The share of the
/// larger group is two thirds.
pub const LEAK_ACCURACY: f64 = 0.882_685_854;
/// I(x; c) of a drawn table, in nats; the group's entropy is 0.6365.
pub const LEAK_NATS: f64 = 0.359_314_785;

pub(super) const FIELDS: [Field; 5] = [
    Field {
        name: "merit",
        levels: &[],
    },
    Field {
        name: "habit",
        levels: &[],
    },
    Field {
        name: "club",
        levels: &["rowing", "chess", "choir"],
    },
    Field {
        name: "colour",
        levels: &["red", "green", "blue", "grey"],
    },
    Field {
        name: "luck",
        levels: &[],
    },
];

/// How often each club is chosen in group 0 and in group 1.
const CLUBS: [[f64; 3]; 2] = [[0.2, 0.3, 0.5], [0.6, 0.3, 0.1]];

pub(super) struct Drawn {
    pub(super) rows: Vec<Vec<f64>>,
    pub(super) outcomes: Vec<i64>,
    pub(super) groups: Vec<i64>,
}

/// Draws `n` rows, always the same ones.
pub(super) fn draw(n: usize) -> Drawn {
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let mut drawn = Drawn {
        rows: Vec::with_capacity(n),
        outcomes: Vec::with_capacity(n),
        groups: Vec::with_capacity(n),
    };
    for _ in 0..n {
        let group = usize::from(rng.random_bool(2.0 / 3.0));
        let side = 2.0 * group as f64 - 1.0;
        let [merit, habit, luck, chance] = [(); 4].map(|()| rng.sample::<f64, _>(StandardNormal));
        let club = level(&mut rng, &CLUBS[group]);
        let colour = rng.random_range(0..4);
        drawn.rows.push(vec![
            merit,
            habit + side,
            club as f64,
            f64::from(colour),
            luck,
        ]);
        let worth = merit + 0.5 * side + 0.5 * chance - 0.4;
        drawn.outcomes.push(i64::from(worth > 0.0));
        drawn.groups.push(group as i64);
    }
    drawn
}

fn level(rng: &mut impl Rng, shares: &[f64]) -> usize {
    let mut left: f64 = rng.random();
    for (i, share) in shares.iter().enumerate() {
        left -= share;
        if left < 0.0 {
            return i;
        }
    }
    shares.len() - 1
}
