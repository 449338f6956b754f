"""A training step of the companions' models in PyTorch, compiled, with fused Adam: `torch_companions.py --times N`."""

import itertools

import digits
import torch
from torch import nn
from torch.nn import functional as F

X, C = map(torch.from_numpy, digits.load())


def linear(inputs, outputs):
    layer = nn.Linear(inputs, outputs)
    nn.init.xavier_uniform_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


def bernoulli_elbo(x, a, mean, log_var):
    nll = F.binary_cross_entropy_with_logits(a, x, reduction="sum") / len(x)
    return nll + (-0.5 * (1 + log_var - mean**2 - log_var.exp()).sum(1)).mean()


class Vae(nn.Module):
    """With dropout."""

    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(linear(784, 256), nn.ReLU(), nn.Dropout(0.2))
        self.mean, self.log_var = linear(256, 2), linear(256, 2)
        self.decoder = nn.Sequential(linear(2, 256), nn.ReLU(), nn.Dropout(0.2), linear(256, 784))

    def forward(self, x, c):
        h = self.encoder(x)
        mean, log_var = self.mean(h), self.log_var(h)
        z = mean + torch.exp(0.5 * log_var) * torch.randn_like(mean)
        return bernoulli_elbo(x, self.decoder(z), mean, log_var)


class Cvae(nn.Module):
    """With batch normalisation and dropout."""

    def __init__(self):
        super().__init__()
        norm = lambda: nn.BatchNorm1d(256, eps=1e-3, momentum=0.01)  # noqa: E731
        self.encoder = nn.Sequential(linear(794, 256), nn.ReLU(), norm(), nn.Dropout(0.3))
        self.mean, self.log_var = linear(256, 8), linear(256, 8)
        self.decoder = nn.Sequential(
            linear(18, 256), nn.LeakyReLU(0.3), norm(), nn.Dropout(0.3), linear(256, 784))

    def forward(self, x, c):
        h = self.encoder(torch.cat([x, c], 1))
        mean, log_var = self.mean(h), self.log_var(h)
        z = mean + torch.exp(0.5 * log_var) * torch.randn_like(mean)
        return bernoulli_elbo(x, self.decoder(torch.cat([z, c], 1)), mean, log_var)


def adam_of(parameters):
    return torch.optim.Adam(parameters, lr=5e-4, fused=True)


def plain(model):
    """One loss that moves everything."""
    model, adam = torch.compile(model), adam_of(model.parameters())

    def step(x, c):
        adam.zero_grad()
        model(x, c).backward()
        adam.step()

    return step


def adversarial():
    """Three turns: reconstruction, discriminator, fooling."""
    stack = lambda n_in, n_out: nn.Sequential(  # noqa: E731
        linear(n_in, 1000), nn.ReLU(), linear(1000, 1000), nn.ReLU(), linear(1000, n_out))
    encoder, decoder, discriminator = stack(784, 8), stack(8, 784), stack(8, 1)
    adams = [adam_of([*encoder.parameters(), *decoder.parameters()]),
             adam_of(discriminator.parameters()), adam_of(encoder.parameters())]

    def reconstruction(x):
        return F.mse_loss(torch.tanh(decoder(encoder(x))), x)

    def judgement(x):
        with torch.no_grad():
            z = encoder(x)
        on_codes, on_prior = discriminator(z), discriminator(torch.randn_like(z))
        return 0.5 * (F.softplus(-on_prior).mean() + F.softplus(on_codes).mean())

    def fooling(x):
        return F.softplus(-discriminator(encoder(x))).mean()

    moved = [[*encoder.parameters(), *decoder.parameters()], [*discriminator.parameters()],
             [*encoder.parameters()]]
    losses = [torch.compile(loss) for loss in (reconstruction, judgement, fooling)]

    def step(x, c):
        x = x * 2 - 1
        for turn, (loss, adam) in enumerate(zip(losses, adams)):
            adam.zero_grad()
            for parameter in discriminator.parameters():  # nobody needs its gradient while it is fooled
                parameter.requires_grad_(turn != 2)
            loss(x).backward(inputs=moved[turn])
            adam.step()

    return step


for name, batch, make in [("VAE", 100, lambda: plain(Vae())), ("CVAE", 500, lambda: plain(Cvae())),
                          ("AAE", 100, adversarial)]:
    torch.manual_seed(0)
    update = make()
    batches = itertools.cycle(torch.randperm(60000).split(batch)[:-1])

    def step():
        i = next(batches)
        update(X[i], C[i])

    digits.report(batch, step, model=name)
