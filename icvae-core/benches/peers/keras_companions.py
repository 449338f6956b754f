"""A training step of the companions' models in Keras 3: `keras_companions.py tensorflow|jax --times N`.

The adversarial game is one jitted function of Keras' layers and optimisers, and is timed on JAX alone.
"""

import json
import os
import sys

os.environ["KERAS_BACKEND"] = sys.argv[1]
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import digits  # noqa: E402
import keras  # noqa: E402
from keras import layers, ops  # noqa: E402
from keras_step import Clock  # noqa: E402

X, C = digits.load()
dense = layers.Dense
times = int(digits.argument("--times"))


class Vae(keras.Model):
    """With dropout; of a kind with batch normalisation and a condition, too."""

    def __init__(self, latent, rate, activation, conditional):
        super().__init__()
        self.conditional = conditional
        norm = (lambda: [layers.BatchNormalization()]) if conditional else list
        self.encoder = keras.Sequential([dense(256, "relu"), *norm(), layers.Dropout(rate)])
        self.mean, self.log_var = dense(latent), dense(latent)
        self.decoder = keras.Sequential(
            [dense(256, activation), *norm(), layers.Dropout(rate), dense(784)])
        self.seeds = keras.random.SeedGenerator(0)

    def call(self, inputs, training=False):
        x, c = inputs
        beside = (lambda a: ops.concatenate([a, c], 1)) if self.conditional else (lambda a: a)
        h = self.encoder(beside(x), training=training)
        mean, log_var = self.mean(h), self.log_var(h)
        epsilon = keras.random.normal(ops.shape(mean), seed=self.seeds)
        a = self.decoder(beside(mean + ops.exp(0.5 * log_var) * epsilon), training=training)
        nll = ops.sum(ops.maximum(a, 0) - a * x + ops.log1p(ops.exp(-ops.abs(a))), 1)
        kl = -0.5 * ops.sum(1 + log_var - ops.square(mean) - ops.exp(log_var), 1)
        self.add_loss(ops.mean(nll + kl))
        return a


def fitted(name, batch, model):
    """As `fit` does it: an epoch's time is shared among its steps."""
    model.compile(optimizer=keras.optimizers.Adam(5e-4), loss=None)
    clock, steps = Clock(), min(times, len(X) // batch)
    n = batch * steps
    model.fit([X[:n], C[:n]], epochs=4, batch_size=batch, verbose=0, callbacks=[clock])
    seconds = sorted(clock.seconds[1:])[1]  # the first epoch compiles
    print(json.dumps({"model": name, "batch": batch, "step": seconds / steps * 1e3}), flush=True)


def adversarial(batch):
    """Three turns: reconstruction, discriminator, fooling."""
    import itertools

    import jax
    import numpy as np

    def stack(inputs, outputs):
        model = keras.Sequential([dense(1000, "relu"), dense(1000, "relu"), dense(outputs)])
        model.build((None, inputs))
        return model

    networks = [stack(784, 8), stack(8, 784), stack(8, 1)]
    encode, decode, judge = ((lambda v, a, n=n: n.stateless_call(v, [], a)[0]) for n in networks)
    variables = [[v.value for v in n.trainable_variables] for n in networks]
    adams, states = [], []
    for moved in ([0, 1], [2], [0]):
        adam = keras.optimizers.Adam(5e-4)
        adam.build([v for i in moved for v in networks[i].trainable_variables])
        adams.append(adam)
        states.append([v.value for v in adam.variables])
    softplus = ops.softplus

    @jax.jit
    def step(variables, states, x, key):
        enc, dec, disc = variables
        x = x * 2 - 1

        def reconstruction(both):
            return ops.mean(ops.square(ops.tanh(decode(both[len(enc):], encode(both[:len(enc)], x))) - x))

        gradients = jax.grad(reconstruction)([*enc, *dec])
        both, first = adams[0].stateless_apply(states[0], gradients, [*enc, *dec])
        enc, dec = both[:len(enc)], both[len(enc):]
        z, prior = encode(enc, x), jax.random.normal(key, (len(x), 8))

        def judgement(disc):
            return 0.5 * (ops.mean(softplus(-judge(disc, prior))) + ops.mean(softplus(judge(disc, z))))

        disc, second = adams[1].stateless_apply(states[1], jax.grad(judgement)(disc), disc)

        def fooling(enc):
            return ops.mean(softplus(-judge(disc, encode(enc, x))))

        enc, third = adams[2].stateless_apply(states[2], jax.grad(fooling)(enc), enc)
        return [enc, dec, disc], [first, second, third]

    keys = jax.random.split(jax.random.key(0), 64)
    batches = itertools.cycle(np.random.default_rng(0).permutation(60000).reshape(-1, batch))
    state = [variables, states]

    def one():
        i = next(batches)
        state[:] = step(*state, X[i], keys[i[0] % 64])
        jax.block_until_ready(state)

    digits.report(batch, one, model="AAE")


fitted("VAE", 100, Vae(2, 0.2, "relu", False))
fitted("CVAE", 500, Vae(8, 0.3, layers.LeakyReLU(0.3), True))
if sys.argv[1] == "jax":
    adversarial(100)
