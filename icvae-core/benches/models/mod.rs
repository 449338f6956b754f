//! The models that are timed: the tutorial's as its cells write it, and those of its companions.

use icvae_core::Result;
use icvae_core::data::Batch;
use icvae_core::model::{
    Activation, AdversarialAutoencoder, AdversarialConfig, Dense, Icvae, IcvaeConfig, Likelihood,
    dense,
};
use icvae_core::tch::{self, Device, Kind, Tensor, nn, nn::Module};
use icvae_core::train::{Losses, Model};

/// The tutorial's model with the losses of its cells, in ordinary tensor operations.
pub struct Cell {
    vs: nn::VarStore,
    encoder: [Dense; 2],
    mean: Dense,
    log_sigma_sq: Dense,
    decoder: [Dense; 3],
}

impl Cell {
    /// With weights of a seed of its own.
    pub fn new() -> Self {
        tch::manual_seed(0);
        let vs = nn::VarStore::new(Device::Cpu);
        let path = vs.root();
        let tanh =
            |name: &str, n_in, n_out| dense(&path / name, n_in, n_out).with(Activation::Tanh);
        Self {
            encoder: [tanh("enc_h1", 784, 512), tanh("enc_h2", 512, 512)],
            mean: tanh("z_mean", 512, 16),
            log_sigma_sq: dense(&path / "z_log_sigma_sq", 512, 16),
            decoder: [
                tanh("dec_h1", 26, 512),
                tanh("dec_h2", 512, 512),
                dense(&path / "x_hat", 512, 784),
            ],
            vs,
        }
    }
}

fn all_pairs_gaussian_kl(mu: &Tensor, log_sigma_sq: &Tensor) -> Tensor {
    let sum = |t: &Tensor| t.sum_dim_intlist(-1, true, Kind::Float);
    let sigma_sq: Tensor = log_sigma_sq.exp() + 1e-8;
    let inverse = sigma_sq.reciprocal();
    let trace = sigma_sq.matmul(&inverse.tr());
    let distance = mu.square().matmul(&inverse.tr()) - mu.matmul(&(mu * &inverse).tr()) * 2.0
        + sum(&(mu.square() * &inverse)).tr();
    let log_det = sum(&sigma_sq.log());
    (trace + distance - mu.size()[1] as f64 + log_det.tr() - log_det) * 0.5
}

impl Model for Cell {
    fn var_store(&self) -> &nn::VarStore {
        &self.vs
    }

    fn losses(&self, batch: &Batch, _train: bool) -> Result<Losses> {
        let h = batch.x.apply(&self.encoder[0]).apply(&self.encoder[1]);
        let (mean, log_sigma_sq) = (self.mean.forward(&h), self.log_sigma_sq.forward(&h));
        let z = &mean + (&log_sigma_sq * 0.5).exp() * mean.randn_like();
        let h = Tensor::cat(&[&z, &batch.c], 1);
        let x_hat = self.decoder.iter().fold(h, |h, layer| layer.forward(&h));
        let sum = |t: Tensor| t.sum_dim_intlist(-1, false, Kind::Float).mean(Kind::Float);
        let recon = sum((&batch.x - x_hat).square());
        let terms: Tensor = 1.0 + &log_sigma_sq - mean.square() - log_sigma_sq.exp();
        let prior = sum(terms) * -0.5;
        let pairs = all_pairs_gaussian_kl(&mean, &log_sigma_sq).mean(Kind::Float);
        let total = &recon * 2.0 + &prior * 0.1 + &pairs;
        Ok(Losses::new(total)
            .with("reconstruction", recon)
            .with("prior KL", prior)
            .with("pairwise KL", pairs))
    }

    fn settings(&self) -> serde_json::Value {
        serde_json::json!("the tutorial's cells")
    }

    fn rebuild(&self) -> Result<Self> {
        Ok(Self::new())
    }
}

/// The variational autoencoder of the companion, with dropout; batches of 100.
pub fn vae() -> Result<Icvae> {
    let config = IcvaeConfig {
        hidden: vec![256],
        latent: 2,
        activation: Activation::Relu,
        mean_activation: Activation::Linear,
        dropout: 0.2,
        likelihood: Likelihood::Bernoulli,
        beta: 1.0,
        classes: 0,
        lambda: 0.0,
        ..Default::default()
    };
    Icvae::new(&config, Device::Cpu, 0)
}

/// The conditional one, with batch normalisation; batches of 500.
pub fn cvae() -> Result<Icvae> {
    let config = IcvaeConfig {
        hidden: vec![256],
        latent: 8,
        activation: Activation::Relu,
        decoder_activation: Some(Activation::LeakyRelu(0.3)),
        mean_activation: Activation::Linear,
        likelihood: Likelihood::Bernoulli,
        condition_encoder: true,
        batch_norm: true,
        dropout: 0.3,
        beta: 1.0,
        lambda: 0.0,
        ..Default::default()
    };
    Icvae::new(&config, Device::Cpu, 0)
}

/// The adversarial autoencoder, in three turns; batches of 100.
pub fn adversarial() -> Result<AdversarialAutoencoder> {
    AdversarialAutoencoder::new(&AdversarialConfig::default(), Device::Cpu, 0)
}
