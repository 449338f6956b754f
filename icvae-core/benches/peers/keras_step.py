"""Training in Keras 3: a step, `keras_step.py tensorflow|jax --times N`, or a run with its evaluations,
`keras_step.py tensorflow|jax --epochs N`.

`fit` keeps its loop to itself, so an epoch's time is shared among its steps; the median is over epochs.
"""

import json
import os
import sys
import time

os.environ["KERAS_BACKEND"] = sys.argv[1]
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import digits  # noqa: E402
import keras  # noqa: E402
from keras import layers, ops  # noqa: E402

X, C = digits.load()
Z = 16


class Icvae(keras.Model):
    def __init__(self):
        super().__init__()
        dense = layers.Dense
        self.encoder = keras.Sequential([dense(512, "tanh"), dense(512, "tanh")])
        self.mean, self.log_var = dense(Z, "tanh"), dense(Z)
        self.decoder = keras.Sequential([dense(512, "tanh"), dense(512, "tanh"), dense(784)])
        self.seeds = keras.random.SeedGenerator(0)

    def call(self, inputs):
        x, c = inputs
        h = self.encoder(x)
        mean, log_var = self.mean(h), self.log_var(h)
        epsilon = keras.random.normal(ops.shape(mean), seed=self.seeds)
        x_hat = self.decoder(ops.concatenate([mean + ops.exp(0.5 * log_var) * epsilon, c], 1))
        recon = ops.mean(ops.square(x - x_hat)) * 784
        prior = ops.mean(-0.5 * ops.sum(1 + log_var - ops.square(mean) - ops.exp(log_var), 1))
        var = ops.exp(log_var) + 1e-8
        inverse = 1 / var
        distance = (ops.matmul(mean * mean, ops.transpose(inverse))
                    - 2 * ops.matmul(mean, ops.transpose(mean * inverse))
                    + ops.sum(mean * mean * inverse, 1))
        log_det = ops.sum(ops.log(var), 1)
        pairs = 0.5 * (ops.matmul(var, ops.transpose(inverse)) + distance - Z
                       + log_det - log_det[:, None])
        self.add_loss(2 * recon + 0.1 * prior + ops.mean(pairs))
        return x_hat


class Clock(keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.seconds = []

    def on_epoch_begin(self, epoch, logs=None):
        self.since = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        self.seconds.append(time.perf_counter() - self.since)


def compiled():
    model = Icvae()
    model.compile(optimizer=keras.optimizers.Adam(5e-4), loss=None)
    return model


def main():
    epochs = digits.argument("--epochs")
    if epochs:
        since = time.perf_counter()
        history = compiled().fit([X, C], epochs=int(epochs), batch_size=32, verbose=0,
                                 validation_data=(digits.load("t10k"), None))
        seconds = time.perf_counter() - since
        print(json.dumps({"epochs": int(epochs), "images": len(X), "seconds": seconds,
                          "test total": history.history["val_loss"][-1]}), flush=True)
        return
    times = int(digits.argument("--times"))
    for batch in digits.batches():
        clock = Clock()
        n = batch * times
        compiled().fit([X[:n], C[:n]], epochs=4, batch_size=batch, verbose=0, callbacks=[clock])
        seconds = sorted(clock.seconds[1:])[1]  # the first epoch compiles
        print(json.dumps({"batch": batch, "step": seconds / times * 1e3}), flush=True)


if __name__ == "__main__":
    main()
