"""Golden numbers of an independent implementation: bounds, code length, group gaps, Echo noise, a censored step.

Makes `measures.safetensors` beside this script (PyTorch 2.13, CPU):

    pip install torch==2.13.0 numpy safetensors && python measures.py

Densities are torch.distributions', group rates are counted in plain Python, Echo's noise is summed by the loop of its
definition, and the probes of the code length are torch.nn layers that torch.optim.Adam trains. Where a number depends on a
draw, the script sets the seed that the library sets, and draws in the same order.
"""

import math
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch.distributions import Normal
from torch.nn import functional as F

out = {}
g = torch.Generator().manual_seed(1904)
MASK = 2**64 - 1


def step_seed(seed, step):
    """SplitMix64's finaliser (train/random.rs)."""
    x = (seed + step * 0x9E3779B97F4A7C15) & MASK
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9 & MASK
    x = (x ^ (x >> 27)) * 0x94D049BB133111EB & MASK
    return x ^ (x >> 31)


# The mixture of the batch, with gradients.
B, Z = 6, 3
mean, log_var, noise = (torch.randn(B, Z, generator=g, dtype=torch.float64) for _ in range(3))
log_var = log_var * 0.5 - 1
out |= {"mixture.mean": mean, "mixture.log_var": log_var, "mixture.noise": noise}
for name, with_self in (("lower", True), ("upper", False)):
    m, v = mean.clone().requires_grad_(), log_var.clone().requires_grad_()
    z = m + (v / 2).exp() * noise
    rows = []
    for i in range(B):
        density = [Normal(m[j], (v[j] / 2).exp()).log_prob(z[i]).sum() for j in range(B)]
        among = [density[j] for j in range(B) if with_self or j != i]
        rows.append(density[i] - torch.stack(among).exp().mean().log())
    nats = torch.stack(rows)
    out[f"mixture.{name}"] = nats.detach()
    out[f"mixture.{name}.mean_grad"], out[f"mixture.{name}.log_var_grad"] = torch.autograd.grad(nats.mean(), (m, v))

# Other codes against a mixture with classes.
labels, own_labels = torch.tensor([0, 1, 0, 2, 1, 0]), torch.tensor([1, 0, 2, 0])
own_mean, own_log_var, own_z = (torch.randn(4, Z, generator=g, dtype=torch.float64) for _ in range(3))
image = posterior = 0.0
for i in range(4):
    density = torch.stack([Normal(mean[j], (log_var[j] / 2).exp()).log_prob(own_z[i]).sum() for j in range(B)]).exp()
    own = Normal(own_mean[i], (own_log_var[i] / 2).exp()).log_prob(own_z[i]).sum()
    image += (own - density.mean().log()).item() / 4
    posterior += (density[labels == own_labels[i]].sum() / density.sum()).log().item() / 4
shares = np.bincount(labels) / B
out |= {
    "information.labels": labels, "information.own_labels": own_labels, "information.own_mean": own_mean,
    "information.own_log_var": own_log_var, "information.own_z": own_z,
    "information": torch.tensor([image, -(shares * np.log(shares)).sum() + posterior]),
}

# Gaps between three groups.
decisions, answers, groups = (torch.randint(0, n, (60,), generator=g) for n in (2, 2, 3))


def rates(answer=None):
    """The share of yes in each group, of all or of those with one answer."""
    found = []
    for group in range(3):
        members = [i for i in range(60) if groups[i] == group and answer in (None, int(answers[i]))]
        found.append(sum(int(decisions[i]) for i in members) / len(members))
    return found


spread = lambda found: max(found) - min(found)
right = sum(int(decisions[i] == answers[i]) for i in range(60)) / 60
out |= {"gaps.decisions": decisions, "gaps.answers": answers, "gaps.groups": groups, "gaps.rates": torch.tensor(rates()),
        "gaps": torch.tensor([right, spread(rates()), spread(rates(1)), spread(rates(0))])}

# Online code length: every probe learns from all its labels at once, so no order matters.
N, C, HIDDEN, RATE, EPOCHS, SEED, BACK = 400, 3, 5, 0.02, 200, 3, 0.2
told = torch.randint(0, C, (N,), generator=g)
codes = torch.randn(N, 2, generator=g) + 1.5 * F.one_hot(told, C)[:, :2]


def glorot(n_in, n_out):
    bound = (6 / (n_in + n_out)) ** 0.5
    return torch.empty(n_out, n_in).uniform_(-bound, bound).requires_grad_(), torch.zeros(n_out, requires_grad=True)


def probe(z, y):
    """The weights of the epoch that is best on the last fifth."""
    back = min(int(len(y) * BACK), len(y) - 1)
    cut = len(y) - back
    torch.manual_seed(step_seed(SEED, 0))
    (w1, b1), (w2, b2) = glorot(2, HIDDEN), glorot(HIDDEN, C)
    adam = torch.optim.Adam((w1, b1, w2, b2), RATE, eps=1e-8)
    logits = lambda w, z: F.linear(torch.relu(F.linear(z, w[0], w[1])), w[2], w[3])
    best, kept = math.inf, None
    for _ in range(EPOCHS):
        adam.zero_grad()
        F.cross_entropy(logits((w1, b1, w2, b2), z[:cut]), y[:cut]).backward()
        adam.step()
        if back:
            with torch.no_grad():
                found = F.cross_entropy(logits((w1, b1, w2, b2), z[cut:]).double(), y[cut:]).item()
            if found < best:
                best, kept = found, [w.detach().clone() for w in (w1, b1, w2, b2)]
    kept = kept or [w.detach() for w in (w1, b1, w2, b2)]
    return lambda z: logits(kept, z)


SHARES = [0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.0625, 0.125, 0.25, 0.5]
ends = sorted({max(2, math.floor(N * share + 0.5)) for share in SHARES} | {N})
blocks = [(0, ends[0], ends[0] * math.log(C))]
for known, end in zip(ends, ends[1:]):
    reads = probe(codes[:known], told[:known])
    nats = F.cross_entropy(reads(codes[known:end]).double(), told[known:end], reduction="sum").item()
    blocks.append((known, end - known, nats))
shares = np.bincount(told) / N
out |= {"code.codes": codes, "code.labels": told, "code.blocks": torch.tensor(blocks, dtype=torch.float64),
        "code.shares": torch.tensor([-N * (shares * np.log(shares)).sum()])}

# Echo: the caps, by Newton's method on the logarithm.
caps = []
for d in (99, 100, 199):
    r = 0.8
    for _ in range(100):
        value = d * math.log(r) - math.log1p(-r) + 23 * math.log(2)
        r -= value / (d / r + 1 / (1 - r))
    caps.append((d, r))
out["echo.caps"] = torch.tensor(caps, dtype=torch.float64)

# Its noise by the definition, and gradients.
B, D = 7, 5
f = torch.tanh(torch.randn(B, Z, generator=g, dtype=torch.float64)).requires_grad_()
log_s = (F.logsigmoid(torch.randn(B, Z, generator=g, dtype=torch.float64)) + math.log(0.9)).requires_grad_()
indices = torch.stack([torch.tensor([j for j in torch.randperm(B, generator=g).tolist() if j != i][:D]) for i in range(B)])
weights = torch.randn(B, Z, generator=g, dtype=torch.float64)
s, rows = log_s.exp(), []
for i in range(B):
    epsilon, product = torch.zeros(Z, dtype=torch.float64), torch.ones(Z, dtype=torch.float64)
    for l in indices[i].tolist():
        epsilon, product = epsilon + product * f[l], product * s[l]
    rows.append(f[i] + s[i] * epsilon)
z = torch.stack(rows)
rate = -torch.log(s.prod(1))
grads = torch.autograd.grad((weights * z).sum() + rate.mean(), (f, log_s))
out |= {"echo.f": f, "echo.log_scale": log_s, "echo.indices": indices, "echo.weights": weights, "echo.z": z,
        "echo.rate": rate, "echo.f_grad": grads[0], "echo.log_scale_grad": grads[1]}


def layers(sizes, scale=0.5):
    made = {}
    for name, (n_in, n_out) in sizes.items():
        made[f"{name}.weight"] = torch.randn(n_out, n_in, generator=g) * scale
        made[f"{name}.bias"] = torch.randn(n_out, generator=g) * 0.1
    return made


def linear(w, name, a):
    return F.linear(a, w[f"{name}.weight"], w[f"{name}.bias"])


def record(prefix, losses, w, variables):
    """Losses (the total first), and gradients of the total."""
    out[f"{prefix}.losses"] = torch.stack([loss.detach() for loss in losses])
    names = [name for name in w if name.split("_")[0] in variables]
    for name, gradient in zip(names, torch.autograd.grad(losses[0], [w[name] for name in names])):
        out[f"{prefix}.{name}"] = gradient


# A whole Echo model on a batch of 110, with the library's draws.
B, P, H, Z, C, BETA = 110, 6, 5, 2, 2, 0.7
x = torch.rand(B, P, generator=g)
y = torch.randint(0, C, (B,), generator=g)
c = F.one_hot(y, C).float()
w = layers({"enc_h1": (P, H), "z_f": (H, Z), "z_scale": (H, Z), "dec_h1": (Z + C, H), "x_hat": (H, P)})
out |= {"model.x": x, "model.labels": y} | {f"model.echo.{name}": value for name, value in w.items()}
w = {name: value.clone().requires_grad_() for name, value in w.items()}
h = torch.tanh(linear(w, "enc_h1", x))
f, s = torch.tanh(linear(w, "z_f", h)), caps[0][1] * torch.sigmoid(linear(w, "z_scale", h))
torch.manual_seed(11)
order = torch.rand(B, B).fill_diagonal_(2.0).argsort(1)[:, :99]
epsilon, product = torch.zeros(B, Z), torch.ones(B, Z)
for l in range(99):
    epsilon, product = epsilon + product * f[order[:, l]], product * s[order[:, l]]
z = f + s * epsilon
x_hat = linear(w, "x_hat", torch.tanh(linear(w, "dec_h1", torch.cat([z, c], 1))))
recon, rate = (x - x_hat).square().sum(1).mean(), -s.log().sum(1).mean()
record("golden.echo", [recon + BETA * rate, recon, rate], w, {"enc", "z", "dec", "x"})

# Both turns of a censored autoencoder on the same batch, from the same weights.
ALPHA, BETA = 0.4, 0.3
w = layers({"enc_h1": (P, H), "z_mean": (H, Z), "z_log_sigma_sq": (H, Z), "dec_h1": (Z + C, H), "x_hat": (H, P),
            "adv_h1": (Z, H), "adv_class": (H, C)})
out |= {f"model.censored.{name}": value for name, value in w.items()}
w = {name: value.clone().requires_grad_() for name, value in w.items()}
h = torch.tanh(linear(w, "enc_h1", x))
m, v = torch.tanh(linear(w, "z_mean", h)), linear(w, "z_log_sigma_sq", h)
adversary = lambda z: F.cross_entropy(linear(w, "adv_class", torch.relu(linear(w, "adv_h1", z))), y)
torch.manual_seed(12)
z = m + (v / 2).exp() * torch.randn(B, Z)
x_hat = linear(w, "x_hat", torch.tanh(linear(w, "dec_h1", torch.cat([z, c], 1))))
recon = (x - x_hat).square().sum(1).mean()
kl = torch.distributions.kl_divergence(Normal(m, (v / 2).exp()), Normal(0.0, 1.0)).sum(1).mean()
record("golden.censored.autoencoder", [recon + BETA * kl - ALPHA * adversary(z), recon, kl], w, {"enc", "z", "dec", "x"})
torch.manual_seed(13)
z = (m + (v / 2).exp() * torch.randn(B, Z)).detach()
record("golden.censored.adversary", [adversary(z)], w, {"adv"})

kept = {k: (v if v.dtype == torch.int64 else v.detach().float()).contiguous() for k, v in out.items()}
save_file(kept, Path(__file__).with_name("measures.safetensors"))
print(f"{len(kept)} tensors")
