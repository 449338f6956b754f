//! Several updates in one step, for networks that are trained against each other.

use tch::{Tensor, nn};

use crate::{Error, Result};

/// One of the updates that make a step: its name, the networks that it moves, and how fast.
///
/// A model whose networks play against each other returns several from
/// [`Model::turns`](super::Model::turns). Each minimises a loss of its own over its own variables; every other
/// variable stays as it is, whatever the loss depends on. The networks may be in several turns: each turn
/// has its own Adam, with its own moments of them.
///
/// ```
/// use icvae_core::train::Turn;
///
/// let game = [Turn::new("autoencoder", ["enc", "dec"]), Turn::new("discriminator", ["disc"])];
/// assert_eq!(game[0].name(), "autoencoder");
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Turn {
    name: String,
    networks: Vec<String>,
    pace: f64,
}

impl Turn {
    /// A turn that moves the variables whose names begin with `network_` or `network.` for one of
    /// `networks`.
    pub fn new<S: Into<String>>(
        name: impl Into<String>,
        networks: impl IntoIterator<Item = S>,
    ) -> Self {
        Self {
            name: name.into(),
            networks: networks.into_iter().map(Into::into).collect(),
            pace: 1.0,
        }
    }

    /// Lets the turn learn at a share of the run's learning rate.
    #[must_use]
    pub fn at_pace(mut self, share: f64) -> Self {
        self.pace = share;
        self
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The networks that it moves.
    pub fn networks(&self) -> &[String] {
        &self.networks
    }

    /// Its share of the run's learning rate.
    pub fn pace(&self) -> f64 {
        self.pace
    }

    /// The variables that it moves, in the order of their names.
    ///
    /// # Errors
    /// If the model has no variables of a network of that name.
    pub fn variables(&self, vs: &nn::VarStore) -> Result<Vec<(String, Tensor)>> {
        let of = |network: &str, variable: &str| {
            variable
                .strip_prefix(network)
                .is_some_and(|rest| rest.starts_with(['_', '.']))
        };
        let mut all: Vec<_> = vs
            .variables()
            .into_iter()
            .filter(|(_, v)| v.requires_grad())
            .collect();
        all.sort_by(|a, b| a.0.cmp(&b.0));
        for network in &self.networks {
            if !all.iter().any(|(name, _)| of(network, name)) {
                return Err(Error::Invalid(format!(
                    "the turn {} moves the network {network}, but the model has no variable whose \
                     name begins so",
                    self.name
                )));
            }
        }
        all.retain(|(name, _)| self.networks.iter().any(|network| of(network, name)));
        Ok(all)
    }
}
