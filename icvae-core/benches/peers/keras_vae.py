"""The VAE of notebooks/vae.ipynb in Keras 3, trained: `keras_vae.py tensorflow|jax EPOCHS SEED`.

Prints the mean loss over the 10,000 test digits, from sampled codes and without dropout. MNIST is taken
from the folder ICVAE_MNIST_DIR, as the other peers do it.
"""

import os
import sys

os.environ["KERAS_BACKEND"] = sys.argv[1]
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import digits  # noqa: E402
import keras  # noqa: E402
from keras import layers, ops  # noqa: E402


class Vae(keras.Model):
    def __init__(self, seed):
        super().__init__()
        self.encoder = keras.Sequential([layers.Dense(256, "relu"), layers.Dropout(0.2)])
        self.mean, self.log_var = layers.Dense(2), layers.Dense(2)
        self.decoder = keras.Sequential(
            [layers.Dense(256, "relu"), layers.Dropout(0.2), layers.Dense(784)])
        self.seeds = keras.random.SeedGenerator(seed)

    def call(self, x, training=False):
        h = self.encoder(x, training=training)
        mean, log_var = self.mean(h), self.log_var(h)
        epsilon = keras.random.normal(ops.shape(mean), seed=self.seeds)
        a = self.decoder(mean + ops.exp(0.5 * log_var) * epsilon, training=training)
        nll = ops.sum(ops.maximum(a, 0) - a * x + ops.log1p(ops.exp(-ops.abs(a))), 1)
        kl = -0.5 * ops.sum(1 + log_var - ops.square(mean) - ops.exp(log_var), 1)
        self.add_loss(ops.mean(nll + kl))
        return a


epochs, seed = int(sys.argv[2]), int(sys.argv[3])
keras.utils.set_random_seed(seed)
model = Vae(seed)
model.compile(optimizer=keras.optimizers.Adam(1e-3), loss=None)
train, test = digits.load()[0], digits.load("t10k")[0]
history = model.fit(
    train, shuffle=True, epochs=epochs, batch_size=100, verbose=2, validation_data=(test,))
print(f"seed {seed}: test loss {history.history['val_loss'][-1]:.2f} after {epochs} epochs")
