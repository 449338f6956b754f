"""The floor: the step's matrix products into buffers made beforehand, and one fused pass of Adam."""

import digits
import torch

SIZES = [(784, 512), (512, 512), (512, 32), (26, 512), (512, 512), (512, 784)]
for batch in digits.batches():
    weights = [torch.randn(o, i) * 0.02 for i, o in SIZES]
    biases = [torch.zeros(o) for _, o in SIZES]
    gradients = [torch.empty_like(w) for w in weights]
    first, second = ([torch.zeros_like(w) for w in weights] for _ in range(2))
    count = [torch.tensor(1.0) for _ in weights]
    x = [torch.randn(batch, i) for i, _ in SIZES]
    y = [torch.empty(batch, o) for _, o in SIZES]
    dx = [torch.empty(batch, i) for i, _ in SIZES]
    dy = [torch.randn(batch, o) for _, o in SIZES]

    def step():
        for k, w in enumerate(weights):
            torch.addmm(biases[k], x[k], w.t(), out=y[k])
        for k, w in enumerate(weights):
            if k > 0:  # nobody needs the gradient of the pixels
                torch.mm(dy[k], w, out=dx[k])
            torch.mm(dy[k].t(), x[k], out=gradients[k])
        torch._fused_adam_(weights, gradients, first, second, [], count, lr=5e-4, beta1=0.9,
                           beta2=0.999, weight_decay=0.0, eps=1e-8, amsgrad=False, maximize=False)

    digits.report(batch, step)
