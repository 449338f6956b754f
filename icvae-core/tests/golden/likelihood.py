"""Golden numbers of an independent implementation: the likelihoods, from torch.distributions.

Makes `likelihood.safetensors` beside this script (PyTorch 2.13, float64 kept as float32, CPU):

    pip install torch==2.13.0 numpy safetensors && python likelihood.py

Pixels lie in [0, 1], the ends included, and are no whole numbers, as those of grey images: there the
Bernoulli distribution gives no probability, and binary_cross_entropy_with_logits is what is meant. Some
log-odds are so large that a sigmoid before the logarithm would give an infinity.
"""

from pathlib import Path

import torch
from safetensors.torch import save_file
from torch.distributions import Bernoulli, Normal
from torch.nn.functional import binary_cross_entropy_with_logits

B, P = 6, 7
g = torch.Generator().manual_seed(20131220)
x = torch.rand(B, P, generator=g, dtype=torch.float64)
x[0] = (x[0] > 0.5).double()  # a row of true coins
a = torch.randn(B, P, generator=g, dtype=torch.float64) * 3
a[1, :4] = torch.tensor([90.0, -90.0, 250.0, -250.0])
out = {"x": x, "a": a}


def with_gradient(name, nll):
    """The negative log-likelihood of each row, and its gradient with respect to the output."""
    output = a.clone().requires_grad_()
    nats = nll(output).sum(1)
    nats.sum().backward()
    out[name], out[f"{name}.gradient"] = nats, output.grad


with_gradient("bernoulli", lambda o: binary_cross_entropy_with_logits(o, x, reduction="none"))
coins = -Bernoulli(logits=a[0]).log_prob(x[0]).sum()
assert torch.allclose(coins, out["bernoulli"][0])
for variance in (0.5, 0.01, 4.0):
    with_gradient(f"gaussian.{variance}", lambda o: -Normal(o, variance**0.5).log_prob(x))

save_file({name: value.detach().float().contiguous() for name, value in out.items()},
          Path(__file__).with_name("likelihood.safetensors"))
