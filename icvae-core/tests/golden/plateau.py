"""Golden numbers of the learning rate that is reduced on a plateau, from Keras' own callback.

Makes `plateau.json` beside this script (Keras 3.15; any backend):

    pip install keras==3.15.0 jax && KERAS_BACKEND=jax python plateau.py

Each case: the rule's numbers, the losses of 60 epochs (falling, with noise and stretches that stand still), and
the learning rate that each epoch was trained with, the one after the last included.
"""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from keras.callbacks import ReduceLROnPlateau

RULES = [
    {"factor": 0.1, "patience": 10, "min_delta": 1e-4, "cooldown": 0, "min_learning_rate": 0.0},
    {"factor": 0.5, "patience": 3, "min_delta": 0.01, "cooldown": 0, "min_learning_rate": 1e-4},
    {"factor": 0.2, "patience": 2, "min_delta": 0.0, "cooldown": 4, "min_learning_rate": 1e-6},
    {"factor": 0.7, "patience": 1, "min_delta": 0.05, "cooldown": 1, "min_learning_rate": 0.0},
]
INITIAL = 1e-3


class Optimizer:
    """Keeps the rate in double precision, where Keras' own would round it to float32."""

    learning_rate = np.float64(INITIAL)


random = np.random.default_rng(20181118)
cases = []
for rule in RULES:
    epochs = np.arange(60)
    losses = 3 * np.exp(-epochs / 12) + 0.05 * random.standard_normal(60)
    losses[20:33] = losses[19] + 0.001 * random.standard_normal(13)
    losses[45:] = losses[44]
    arguments = dict(rule)
    arguments["min_lr"] = arguments.pop("min_learning_rate")
    callback = ReduceLROnPlateau(monitor="val_loss", mode="min", **arguments)
    optimizer = Optimizer()
    callback.set_model(SimpleNamespace(optimizer=optimizer))
    callback.on_train_begin()
    rates = [INITIAL]
    for epoch, loss in enumerate(losses):
        callback.on_epoch_end(epoch, {"val_loss": loss})
        rates.append(float(optimizer.learning_rate))
    cases.append({"rule": rule, "losses": losses.tolist(), "rates": rates})

path = Path(__file__).with_name("plateau.json")
path.write_text(json.dumps({"initial": INITIAL, "cases": cases}) + "\n")
