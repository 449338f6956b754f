//! Activation functions, by the names that configuration files use.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use tch::Tensor;

use crate::{Error, Result};

/// A point-wise activation function.
///
/// In JSON: `"tanh"`, `"relu"`, …, or `{"leaky_relu": 0.2}` for a slope of one's own.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// f(a) = a
    Linear,
    /// f(a) = tanh a
    Tanh,
    /// f(a) = max(0, a)
    Relu,
    /// f(a) = a where a > 0, and slope · a elsewhere
    LeakyRelu(f64),
    /// f(a) = a where a > 0, and eᵃ − 1 elsewhere (Clevert et al. 2016)
    Elu,
    /// f(a) = 1 / (1 + e⁻ᵃ)
    Sigmoid,
    /// f(a) = log(1 + eᵃ)
    Softplus,
}

impl Activation {
    /// Applies the function to every entry; the shape stays.
    pub fn apply(self, a: &Tensor) -> Tensor {
        match self {
            Self::Linear => a.shallow_clone(),
            Self::Tanh => a.tanh(),
            Self::Relu => a.relu(),
            // max(a, 0) + slope · min(a, 0); libtorch's own leaky_relu takes no slope through tch.
            Self::LeakyRelu(slope) => a.relu() + slope * a.clamp_max(0.0),
            Self::Elu => a.elu(),
            Self::Sigmoid => a.sigmoid(),
            Self::Softplus => a.softplus(),
        }
    }
}

impl FromStr for Activation {
    type Err = Error;

    /// Reads a name, as it stands in a configuration file.
    fn from_str(name: &str) -> Result<Self> {
        Ok(match name {
            "linear" => Self::Linear,
            "tanh" => Self::Tanh,
            "relu" => Self::Relu,
            "leaky_relu" => Self::LeakyRelu(0.01),
            "elu" => Self::Elu,
            "sigmoid" => Self::Sigmoid,
            "softplus" => Self::Softplus,
            _ => {
                return Err(Error::Invalid(format!(
                    "there is no activation {name:?}: use linear, tanh, relu, leaky_relu, elu, \
                     sigmoid or softplus"
                )));
            }
        })
    }
}

impl fmt::Display for Activation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Linear => f.write_str("linear"),
            Self::Tanh => f.write_str("tanh"),
            Self::Relu => f.write_str("relu"),
            Self::LeakyRelu(slope) => write!(f, "leaky_relu({slope})"),
            Self::Elu => f.write_str("elu"),
            Self::Sigmoid => f.write_str("sigmoid"),
            Self::Softplus => f.write_str("softplus"),
        }
    }
}
