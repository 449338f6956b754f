"""Golden numbers of dense stacks with batch normalisation and LeakyReLU, from PyTorch's own layers.

Makes `stack.safetensors` beside this script (PyTorch 2.13, float32, CPU):

    pip install torch==2.13.0 numpy safetensors && python stack.py

Layer by layer: linear, activation, batch norm with Keras' numbers. Both modes: three training batches, which
move the running averages, each with outputs and gradients; then one batch with the averages in use.
Dropout draws, so it is tested by what every drawing of it must keep to, not here.
"""

from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn

B, IN, H1, H2, SLOPE = 7, 5, 6, 4, 0.3
out = {}
g = torch.Generator().manual_seed(20170623)
x = torch.randn(4, B, IN, generator=g) * 2 + 0.5
weight = torch.randn(B, H2, generator=g)  # the loss is the sum of weight * output
out |= {"x": x, "loss_weight": weight}

for name, activation in {
    "relu": nn.ReLU(),
    "leaky": nn.LeakyReLU(SLOPE),
    "elu": nn.ELU(),
}.items():
    layers, inputs = [], IN
    for units in (H1, H2):
        linear = nn.Linear(inputs, units)
        norm = nn.BatchNorm1d(units, eps=1e-3, momentum=0.01)
        with torch.no_grad():
            for p, low, high in [
                (linear.weight, -0.8, 0.8), (linear.bias, -0.5, 0.5),
                (norm.weight, 0.5, 1.5), (norm.bias, -0.5, 0.5),
            ]:  # fmt: skip
                p.uniform_(low, high, generator=g)
        layers += [linear, activation, norm]
        inputs = units
    stack = nn.Sequential(*layers)
    rename = {"0": "enc_h1", "2": "enc_h1.norm", "3": "enc_h2", "5": "enc_h2.norm"}

    def named(tensors):
        for key, value in tensors:
            layer, kind = key.split(".")
            if kind != "num_batches_tracked":
                yield f"{rename[layer]}.{kind}", value.detach().clone()

    out |= {f"{name}.before.{key}": value for key, value in named(stack.state_dict().items())}
    stack.train()
    for t in range(3):
        stack.zero_grad()
        h = stack(x[t])
        (h * weight).sum().backward()
        out[f"{name}.train.{t}"] = h.detach().clone()
    gradients = ((key, p.grad) for key, p in stack.named_parameters())
    out |= {f"{name}.gradient.{key}": value for key, value in named(gradients)}
    out |= {f"{name}.after.{key}": value for key, value in named(stack.state_dict().items())}
    stack.eval()
    out[f"{name}.eval"] = stack(x[3]).detach().clone()

save_file({key: value.contiguous() for key, value in out.items()},
          Path(__file__).with_name("stack.safetensors"))
