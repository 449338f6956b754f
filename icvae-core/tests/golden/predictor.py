"""Golden numbers of an independent implementation: the invariant predictor's loss, in PyTorch.

Makes `predictor.safetensors` beside this script (PyTorch 2.13, float64 kept as float32, CPU):

    pip install torch==2.13.0 numpy safetensors && python predictor.py

KL divergences come from torch.distributions, pair by pair; the rows' likelihood from Normal and from Categorical.
"""

from pathlib import Path

import torch
from safetensors.torch import save_file
from torch.distributions import Categorical, Independent, Normal, kl_divergence
from torch.nn.functional import linear, one_hot

B, Z, H, C, K = 7, 3, 5, 2, 2
WIDTHS = [1, 3, 1, 2]
P = sum(WIDTHS)
BETA, LAMBDA = 0.3, 0.7
g = torch.Generator().manual_seed(20180524)


def draw(*size, scale=1.0):
    return torch.randn(*size, generator=g, dtype=torch.float64) * scale


parts = []
for width in WIDTHS:
    if width == 1:
        parts.append(draw(B, 1))
    else:
        parts.append(one_hot(torch.randint(width, (B,), generator=g), width).double())
x = torch.cat(parts, 1)
y = torch.randint(K, (B,), generator=g)
c = torch.randint(C, (B,), generator=g)
epsilon = draw(B, Z)
sizes = {
    "enc_h1": (P, H),
    "z_mean": (H, Z),
    "z_log_sigma_sq": (H, Z),
    "dec_h1": (Z + C, H),
    "x_hat": (H, P),
    "pred_h1": (Z, H),
    "pred_y": (H, K),
}
weights = {}
for name, (inputs, outputs) in sizes.items():
    weights[f"{name}.weight"] = draw(outputs, inputs, scale=0.6).requires_grad_()
    weights[f"{name}.bias"] = draw(outputs, scale=0.3).requires_grad_()


def layer(name, a):
    return linear(a, weights[f"{name}.weight"], weights[f"{name}.bias"])


h = layer("enc_h1", x).tanh()
mean, scale = layer("z_mean", h), (0.5 * layer("z_log_sigma_sq", h)).exp()
z = mean + scale * epsilon


def outcome(code):
    return layer("pred_y", layer("pred_h1", code).tanh())


prediction = -Categorical(logits=outcome(z)).log_prob(y).mean()
a = layer("x_hat", layer("dec_h1", torch.cat([z, one_hot(c, C).double()], 1)).tanh())
nats, start = 0.0, 0
for width in WIDTHS:
    of, said = a[:, start : start + width], x[:, start : start + width]
    if width == 1:
        normal = Normal(of[:, 0], 1.0)
        nats = nats - normal.log_prob(said[:, 0]) + normal.log_prob(of[:, 0])
    else:
        nats = nats - Categorical(logits=of).log_prob(said.argmax(1))
    start += width
reconstruction = nats.mean()
q = [Independent(Normal(mean[i], scale[i]), 1) for i in range(B)]
pairwise = sum(kl_divergence(a, b) for a in q for b in q) / B**2
total = prediction + LAMBDA * reconstruction + (BETA + LAMBDA) * pairwise
total.backward()

out = {"x": x, "y": y.double(), "c": one_hot(c, C).double(), "pairs": (y * C + c).double(), "epsilon": epsilon}
out |= {"nats": nats, "prediction": prediction, "reconstruction": reconstruction, "pairwise_kl": pairwise, "total": total}
out["log_odds"] = outcome(mean)
for name, weight in weights.items():
    out[f"model.{name}"], out[f"grad.{name}"] = weight, weight.grad
out = {name: value.detach().float().contiguous() for name, value in out.items()}
save_file(out, Path(__file__).with_suffix(".safetensors"))
