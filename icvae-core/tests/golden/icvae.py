"""Golden numbers of an independent implementation: the model and its losses in plain PyTorch.

Makes `icvae.safetensors` beside this script (PyTorch 2.13, float32, CPU):

    pip install torch==2.13.0 numpy safetensors && python icvae.py

A small model (12 pixels, 3 classes, hidden layers of 8 and 6 units, 4 latent dimensions, batch of 5)
keeps the file small; nothing in the arithmetic depends on the sizes. Adam is written out twice, in Keras'
convention (epsilon outside the bias correction) by hand and in PyTorch's by torch.optim.
"""

from pathlib import Path

import torch
from safetensors.torch import save_file
from torch.nn import functional as F

P, C, H1, H2, Z, B = 12, 3, 8, 6, 4, 5
BETA, LAMBDA = 0.1, 1.0
LAYERS = {
    "enc_h1": (P, H1), "enc_h2": (H1, H2), "z_mean": (H2, Z), "z_log_sigma_sq": (H2, Z),
    "dec_h1": (Z + C, H1), "dec_h2": (H1, H2), "x_hat": (H2, P),
}
out = {}


def draw_weights(generator):
    weights = {}
    for name, (inputs, outputs) in LAYERS.items():
        bound = (6 / (inputs + outputs)) ** 0.5
        w = torch.empty(outputs, inputs).uniform_(-bound, bound, generator=generator)
        b = torch.empty(outputs).uniform_(-0.3, 0.3, generator=generator)
        weights[f"{name}.weight"], weights[f"{name}.bias"] = w, b
    return weights


def forward(w, x, c, eps):
    def layer(name, a):
        return F.linear(a, w[f"{name}.weight"], w[f"{name}.bias"])

    h = torch.tanh(layer("enc_h2", torch.tanh(layer("enc_h1", x))))
    mean, log_var = torch.tanh(layer("z_mean", h)), layer("z_log_sigma_sq", h)
    z = mean + torch.exp(0.5 * log_var) * eps
    h = torch.tanh(layer("dec_h2", torch.tanh(layer("dec_h1", torch.cat([z, c], 1)))))
    return mean, log_var, z, layer("x_hat", h)


def exact_pairwise_kl(mean, log_var):
    """Pair by pair from torch.distributions, in float64; the floor of 1e-8 as in the model."""
    std = (log_var.double().exp() + 1e-8).sqrt()
    normals = [torch.distributions.Normal(m, s) for m, s in zip(mean.double(), std)]
    kl = torch.distributions.kl_divergence
    return torch.stack([torch.stack([kl(a, b).sum() for b in normals]) for a in normals])


def losses(w, x, c, eps):
    mean, log_var, _, x_hat = forward(w, x, c, eps)
    reconstruction = (P * F.mse_loss(x_hat, x, reduction="none").mean(1)).mean()
    prior = (-0.5 * (1 + log_var - mean**2 - log_var.exp()).sum(1)).mean()
    var = log_var.exp() + 1e-8
    pair = var[:, None] / var[None] - 1 - (var[:, None] / var[None]).log()
    pair = pair + (mean[:, None] - mean[None]) ** 2 / var[None]
    pairwise = 0.5 * pair.sum(2).mean()
    total = (1 + LAMBDA) * reconstruction + BETA * prior + LAMBDA * pairwise
    return reconstruction, prior, pairwise, total


def leaves(weights):
    return {name: value.clone().requires_grad_() for name, value in weights.items()}


g = torch.Generator().manual_seed(20181118)
weights = draw_weights(g)
x = torch.rand(10, B, P, generator=g)
c = F.one_hot(torch.randint(C, (10, B), generator=g), C).float()
eps = torch.randn(10, B, Z, generator=g)
out |= {f"weights.{name}": value for name, value in weights.items()}
out |= {"x": x, "c": c, "eps": eps}

# One forward pass, every loss, every gradient.
w = leaves(weights)
mean, log_var, z, x_hat = forward(w, x[0], c[0], eps[0])
out |= {"mean": mean, "log_var": log_var, "z": z, "x_hat": x_hat}
out["losses"] = torch.stack(losses(w, x[0], c[0], eps[0]))
out["losses"][3].backward()
out |= {f"gradient.{name}": value.grad for name, value in w.items()}
out["pairwise_kl"] = exact_pairwise_kl(mean, log_var).float()
out["bernoulli_nll"] = F.binary_cross_entropy_with_logits(
    x_hat, x[0], reduction="none").sum(1)

# Codes far apart and nearly certain, where careless arithmetic loses its digits.
hard_mean = torch.tanh(torch.randn(6, Z, generator=g) * 2)
hard_log_var = torch.empty(6, Z).uniform_(-12, 2, generator=g)
out |= {"hard.mean": hard_mean, "hard.log_var": hard_log_var}
out["hard.pairwise_kl"] = exact_pairwise_kl(hard_mean, hard_log_var).float()

# Ten steps of Adam in both conventions: the loss before each step, the weights after the last.
for convention in ("keras", "pytorch"):
    w = leaves(weights)
    optimiser = torch.optim.Adam(w.values(), lr=5e-3, eps=1e-7)
    moments = {name: (torch.zeros_like(v), torch.zeros_like(v)) for name, v in w.items()}
    curve = []
    for t in range(10):
        total = losses(w, x[t], c[t], eps[t])[3]
        curve.append(total.detach())
        optimiser.zero_grad()
        total.backward()
        if convention == "pytorch":
            optimiser.step()
            continue
        with torch.no_grad():
            alpha = 5e-3 * (1 - 0.999 ** (t + 1)) ** 0.5 / (1 - 0.9 ** (t + 1))
            for name, value in w.items():
                m, v = moments[name]
                m += (value.grad - m) * (1 - 0.9)
                v += (value.grad**2 - v) * (1 - 0.999)
                value -= m * alpha / (v.sqrt() + 1e-7)
    out[f"{convention}.curve"] = torch.stack(curve)
    out |= {f"{convention}.{name}": value for name, value in w.items()}

save_file({name: value.detach().contiguous() for name, value in out.items()},
          Path(__file__).with_name("icvae.safetensors"))
