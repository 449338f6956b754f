"""Golden numbers of an independent implementation: the adversarial losses and four steps of the game.

Makes `adversarial.safetensors` beside this script (PyTorch 2.13, float32, CPU):

    pip install torch==2.13.0 numpy safetensors && python adversarial.py

The losses are torch's binary cross-entropy with logits. The two games are written with torch.optim.Adam: one
optimiser a turn, gradients only of the variables that the turn moves. Draws of the prior come from the seed
that the trainer gives to libtorch before each step, so a run of the trainer must repeat these numbers.
"""

from pathlib import Path

import torch
from safetensors.torch import save_file
from torch.nn import functional as F

P, H, Z, B, STEPS = 12, 8, 3, 5, 4
RATE, FOOLING, JUDGING = 1e-2, 0.3, 0.6
out = {}
g = torch.Generator().manual_seed(2015)
bce = F.binary_cross_entropy_with_logits

# The losses, far out too, with their gradients.
logits = torch.tensor([[-100.0], [-20.0], [-1.5], [-1e-3], [0.0], [0.7], [3.0], [50.0]])
other = torch.randn(6, 1, generator=g)
a, b = logits.clone().requires_grad_(), other.clone().requires_grad_()
prior, code = (bce(a, torch.full_like(a, t), reduction="none") for t in (1.0, 0.0))
out |= {"logits": logits, "other": other, "taken_for_prior": prior, "taken_for_code": code}
out["taken_for_prior.grad"] = torch.autograd.grad(prior.sum(), a, retain_graph=True)[0]
out["taken_for_code.grad"] = torch.autograd.grad(code.sum(), a)[0]
loss = 0.5 * (bce(a, torch.ones_like(a)) + bce(b, torch.zeros_like(b)))
out["discriminator_loss"] = loss[None]
out["discriminator_loss.on_prior"], out["discriminator_loss.on_codes"] = torch.autograd.grad(loss, (a, b))

# The games.
LAYERS = {
    "enc_h1": (P, H), "enc_output": (H, Z), "dec_h1": (Z, H), "dec_output": (H, P),
    "disc_h1": (Z, H), "disc_output": (H, 1),
}
weights = {}
for name, (inputs, outputs) in LAYERS.items():
    weights[f"{name}.weight"] = torch.randn(outputs, inputs, generator=g) * 0.5
    weights[f"{name}.bias"] = torch.randn(outputs, generator=g) * 0.1
out |= {f"weights.{name}": w for name, w in weights.items()}
images = torch.randint(0, 256, (B, P), generator=g)
out["images"] = images.to(torch.float32)


def step_seed(step):
    """SplitMix64's finaliser of the run's seed, 0, and the step (train/random.rs)."""
    mask = 2**64 - 1
    x = step * 0x9E3779B97F4A7C15 & mask
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9 & mask
    x = (x ^ (x >> 27)) * 0x94D049BB133111EB & mask
    return x ^ (x >> 31)


def draw(step):
    torch.manual_seed(step_seed(step))
    return torch.randn(B, Z)


def layer(w, name, a):
    return F.linear(a, w[f"{name}.weight"], w[f"{name}.bias"])


def encode(w, x):
    return layer(w, "enc_output", torch.relu(layer(w, "enc_h1", x)))


def decode(w, z):
    return torch.tanh(layer(w, "dec_output", torch.relu(layer(w, "dec_h1", z))))


def judge(w, z):
    return layer(w, "disc_output", torch.relu(layer(w, "disc_h1", z)))


def play(game):
    w = {name: value.clone().requires_grad_() for name, value in weights.items()}
    of = lambda *nets: [v for n, v in w.items() if n.split("_")[0] in nets]
    adam = lambda *nets, rate=RATE: (torch.optim.Adam(of(*nets), rate, eps=1e-8), of(*nets))
    reconstruction = lambda x: F.mse_loss(decode(w, encode(w, x)), x)
    fooling = lambda x: bce(judge(w, encode(w, x)), torch.ones(B, 1))
    on_codes = lambda x: bce(judge(w, encode(w, x).detach()), torch.zeros(B, 1))
    on_prior = lambda z: bce(judge(w, z), torch.ones(B, 1))
    if game == "three_turns":
        turns = [
            (adam("enc", "dec"), lambda x, z: reconstruction(x)),
            (adam("disc", rate=RATE * JUDGING), lambda x, z: 0.5 * (on_codes(x) + on_prior(z))),
            (adam("enc", rate=RATE * FOOLING), lambda x, z: fooling(x)),
        ]
    else:
        turns = [
            (adam("enc", "dec"), lambda x, z: reconstruction(x)),
            (adam("enc", rate=RATE * FOOLING), lambda x, z: fooling(x)),
            (adam("disc", rate=RATE * JUDGING), lambda x, z: on_codes(x)),
            (adam("disc", rate=RATE * JUDGING), lambda x, z: on_prior(z)),
        ]
    values = []
    x = images.float() / 255 * 2 - 1
    for step in range(STEPS):
        z, row = draw(step), []
        for (optimiser, variables), minimised in turns:
            loss = minimised(x, z)
            for v, gradient in zip(variables, torch.autograd.grad(loss, variables)):
                v.grad = gradient
            optimiser.step()
            row.append(loss.detach())
        values.append(torch.stack(row))
    out[f"{game}.terms"] = torch.stack(values)
    out.update({f"{game}.{name}": v.detach() for name, v in w.items()})


play("three_turns")
play("four_turns")
save_file({k: v.contiguous() for k, v in out.items()}, Path(__file__).with_name("adversarial.safetensors"))
print(f"{len(out)} tensors")
