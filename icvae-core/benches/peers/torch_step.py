"""A training step in PyTorch: `torch_step.py eager|fused|compiled --times N`."""

import itertools
import sys

import digits
import torch
from torch import nn
from torch.nn import functional as F

X, C = map(torch.from_numpy, digits.load())
Z = 16


class Icvae(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(784, 512), nn.Tanh(), nn.Linear(512, 512), nn.Tanh())
        self.mean, self.log_var = nn.Linear(512, Z), nn.Linear(512, Z)
        self.decoder = nn.Sequential(nn.Linear(Z + 10, 512), nn.Tanh(), nn.Linear(512, 512),
                                     nn.Tanh(), nn.Linear(512, 784))
        for layer in self.modules():
            if isinstance(layer, nn.Linear):
                nn.init.xavier_uniform_(layer.weight)
                nn.init.zeros_(layer.bias)

    def forward(self, x, c):
        h = self.encoder(x)
        mean, log_var = torch.tanh(self.mean(h)), self.log_var(h)
        z = mean + torch.exp(0.5 * log_var) * torch.randn_like(mean)
        x_hat = self.decoder(torch.cat([z, c], 1))
        recon = 784 * F.mse_loss(x_hat, x)
        prior = (-0.5 * (1 + log_var - mean**2 - log_var.exp()).sum(1)).mean()
        var = log_var.exp() + 1e-8
        inverse = 1 / var
        distance = (mean**2) @ inverse.T - 2 * mean @ (mean * inverse).T + (mean**2 * inverse).sum(1)
        log_det = var.log().sum(1)
        pairs = 0.5 * (var @ inverse.T + distance - Z + log_det - log_det[:, None])
        return 2 * recon + 0.1 * prior + pairs.mean()


kind = sys.argv[1]
for batch in digits.batches():
    torch.manual_seed(0)
    model = Icvae()
    fused = kind != "eager"
    adam = torch.optim.Adam(model.parameters(), lr=5e-4, fused=fused, foreach=None if fused else False)
    loss = torch.compile(model) if kind == "compiled" else model
    batches = itertools.cycle(torch.randperm(60000).split(batch)[:-1])

    def step():
        i = next(batches)
        value = loss(X[i], C[i])
        adam.zero_grad()
        value.backward()
        adam.step()

    digits.report(batch, step)
