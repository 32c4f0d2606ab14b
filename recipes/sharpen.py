"""Go on with a shipped network by sharpness-aware minimisation, on a CPU.

::

    python -m recipes.sharpen fer2013.csv fer2013new.csv deep_cnn --out recipes/runs/sharpen

The network gets a second head, for the FER+ votes, and goes on from its own weights while it is
asked what it said before of the very images that it sees (self-distillation).  The gradient at the
worst nearby weights (Foret et al., ICLR 2021) is sought with half of each batch, which costs half
as much more instead of twice (Du et al., ICLR 2022, use fewer images there, too).  What the run
knows is written each epoch; started again, it goes on from there.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from pathlib import Path
from typing import Any, Final

import keras
import numpy as np
import tensorflow as tf

import fer2013kit as fk
from fer2013kit.augmentation import FaceAugmentation, calmed, mix_images
from recipes.deep_data import labels_and_votes

_MOMENTUM: Final = 0.9
_AVERAGE: Final = 0.998
_WEIGHT_DECAY: Final = 5e-4
_HALF: Final = 0.5
_MIXED: Final = 0.25
"""Of the images, the share that is mixed with another."""


class Network:
    """A network in training: its weights, their averages, and a step of both."""

    def __init__(self, name: str, options: argparse.Namespace) -> None:
        """Begin with a shipped network's weights, and know nothing of the votes."""
        keras.config.set_dtype_policy("mixed_bfloat16")
        shipped = fk.EmotionClassifier.from_pretrained(name).model_
        self.before = shipped
        copy = keras.models.clone_model(shipped)
        copy.set_weights(shipped.get_weights())
        features, last = copy.layers[-2].output, shipped.layers[-1]
        head = keras.layers.Dense(15, dtype="float32", name="heads")
        self.model = keras.Model(copy.input, head(features))
        kernel, bias = (np.asarray(value) for value in last.get_weights())
        head.set_weights([np.pad(kernel, ((0, 0), (0, 8))), np.pad(bias, (0, 8))])
        self.options = options
        self.trained = [variable.value for variable in self.model.trainable_variables]
        self.rest = [
            variable.value
            for variable in self.model.non_trainable_variables
            if variable.dtype == "float32"
        ]
        self.momenta = [tf.Variable(tf.zeros_like(v)) for v in self.trained]
        self.means = [tf.Variable(v) for v in (*self.trained, *self.rest)]
        self.augment = FaceAugmentation(erasing=options.erasing)

    def loss(self, images: Any, wanted: Any, known: Any) -> Any:
        """Return the cross-entropy of both heads."""
        logits = self.model(images, training=True)
        fer = tf.nn.softmax_cross_entropy_with_logits(wanted[:, :7], logits[:, :7])
        votes = tf.nn.softmax_cross_entropy_with_logits(wanted[:, 7:], logits[:, 7:])
        return tf.reduce_mean(fer) + self.options.votes * tf.reduce_mean(votes * known)

    def see(self, images: Any, wanted: Any, uniform: Any, mixing: Any) -> tuple[Any, Any]:
        """Return what the network sees of a batch, and what it should say of that."""
        images = self.augment.transform(images, uniform)
        mixed = mixing[:, 0] < 1.0
        images, wanted = mix_images(
            images,
            wanted,
            share=mixing[:, 0],
            cut=mixed & (mixing[:, 1] < 0.5),
            position=mixing[:, 2:],
        )
        views = tf.concat([images, images[:, :, ::-1]], axis=0)
        said = tf.cast(self.before(views, training=False), tf.float32)
        said = tf.reduce_mean(tf.reshape(said, (2, -1, 7)), axis=0)
        share = self.options.before
        return images, tf.concat(
            [(1 - share) * wanted[:, :7] + share * said, wanted[:, 7:]], axis=1
        )

    @tf.function(reduce_retracing=True)
    def step(self, batch: tuple[Any, ...], drawn: tuple[Any, ...], rate: Any) -> Any:
        """Take a step, and return the loss."""
        raw, aims, known = batch
        images, wanted = self.see(tf.cast(raw, tf.float32), aims, *drawn)
        some = tf.shape(images)[0] // 2
        climbed = []
        if self.options.sharpness:
            with tf.GradientTape() as tape:
                near = self.loss(images[:some], wanted[:some], known[:some])
            gradients = tape.gradient(near, self.trained)
            climb = self.options.sharpness / (tf.linalg.global_norm(gradients) + 1e-12)
            climbed = [g * climb for g in gradients]
            for variable, way in zip(self.trained, climbed, strict=True):
                variable.assign_add(way)
        with tf.GradientTape() as tape:
            loss = self.loss(images, wanted, known)
        gradients = tape.gradient(loss, self.trained)
        for variable, way in zip(self.trained if climbed else [], climbed, strict=True):
            variable.assign_sub(way)
        for variable, gradient, momentum in zip(self.trained, gradients, self.momenta, strict=True):
            decay = _WEIGHT_DECAY if len(variable.shape) > 1 else 0.0
            decayed = gradient + decay * variable
            momentum.assign(_MOMENTUM * momentum + decayed)
            variable.assign_sub(rate * (decayed + _MOMENTUM * momentum))
        for mean, variable in zip(self.means, (*self.trained, *self.rest), strict=True):
            mean.assign(_AVERAGE * mean + (1 - _AVERAGE) * variable)
        return loss

    def state(self) -> list[Any]:
        """Return all that a later start needs."""
        return [*self.trained, *self.rest, *self.momenta, *self.means]


def judge(network: Network, X: Any) -> dict[str, Any]:
    """Return what the averaged network says of images with each view, both heads."""
    values = [*network.trained, *network.rest]
    kept = [value.numpy() for value in values]
    for value, mean in zip(values, network.means, strict=True):
        value.assign(mean)
    padded = np.pad(X, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="edge")
    ask = tf.function(lambda images: network.model(images, training=False))

    def said(view: Any) -> Any:
        parts = [ask(tf.constant(view[at : at + 512])).numpy() for at in range(0, len(view), 512)]
        logits = np.concatenate(parts)
        return np.concatenate([tf.nn.softmax(logits[:, :7]), tf.nn.softmax(logits[:, 7:])], axis=1)

    windows = [
        padded[:, 1 + down : 49 + down, 1 + right : 49 + right]
        for down, right in ((0, 0), (-1, -1), (-1, 1), (1, -1), (1, 1))
    ]
    every = [
        said(view.astype(np.float32)) for window in windows for view in (window, window[:, :, ::-1])
    ]
    for value, old in zip(values, kept, strict=True):
        value.assign(old)
    return {
        "one pass": every[0],
        "flip": np.mean(every[:2], axis=0),
        "ten crops": np.mean(every, axis=0),
    }


def main() -> None:
    """Train."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", help="fer2013.csv")
    parser.add_argument("votes_file", help="fer2013new.csv")
    parser.add_argument("name", help="the shipped network to go on from")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--epochs", type=int, default=24)
    parser.add_argument("--stop", type=int, help="after so many epochs of this start")
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--learning-rate", type=float, default=0.05)
    parser.add_argument("--sharpness", type=float, default=0.1)
    parser.add_argument("--before", type=float, default=0.4)
    parser.add_argument("--votes", type=float, default=0.5)
    parser.add_argument("--erasing", type=float, default=0.25)
    parser.add_argument("--calm", type=float, default=0.6)
    parser.add_argument("--rows", type=int)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    print(json.dumps(vars(options), default=str), flush=True)
    run(options)


def run(options: argparse.Namespace) -> None:
    """Train epoch by epoch."""
    data = fk.load_fer2013(options.data, ferplus=options.votes_file)
    X, wanted, known = labels_and_votes(data.train)
    known = known.astype(np.float32)
    X, wanted, known = X[: options.rows], wanted[: options.rows], known[: options.rows]
    keras.utils.set_random_seed(options.seed)
    network = Network(options.name, options)
    options.out.mkdir(parents=True, exist_ok=True)
    saved, first = options.out / "state.npz", 0
    if saved.exists():
        with np.load(saved) as file:
            first = int(file["epoch"])
            for at, variable in enumerate(network.state()):
                variable.assign(file[f"v{at}"])
    size = options.batch_size
    steps = len(X) // size
    for epoch in range(first, min(options.epochs, first + (options.stop or options.epochs))):
        began = time.monotonic()
        rng = np.random.default_rng((options.seed, epoch))
        order = rng.permutation(len(X))
        calm = epoch >= options.calm * options.epochs
        losses = []
        for number in range(steps):
            rows = np.sort(order[number * size : (number + 1) * size])
            rows = rng.permutation(rows)
            uniform = rng.random((size, 13), dtype=np.float32)
            mixing = rng.random((size, 4), dtype=np.float32)
            mixed = (rng.random(size) < _MIXED) & (not calm)
            mixing[:, 0] = np.where(mixed, 0.5 + mixing[:, 0] / 2, 1.0)
            done = epoch * steps + number
            part = done / (options.epochs * steps)
            rate = (
                options.learning_rate
                * min(1.0, (done + 1) / steps)
                * 0.5
                * (1 + math.cos(math.pi * part))
            )
            batch = X[rows], wanted[rows], known[rows]
            drawn = calmed(uniform) if calm else uniform, mixing
            losses.append(network.step(batch, drawn, tf.constant(rate, tf.float32)))
        line: dict[str, Any] = {"epoch": epoch + 1, "loss": round(float(np.mean(losses)), 4)}
        line["seconds"] = round(time.monotonic() - began)
        arrays = {f"v{at}": variable.numpy() for at, variable in enumerate(network.state())}
        temporary = options.out / "state.tmp.npz"
        np.savez(temporary, epoch=epoch + 1, **arrays)
        temporary.replace(saved)
        if (epoch + 1) % 2 == 0 or epoch + 1 == options.epochs:
            for view, said in judge(network, data.validation.images).items():
                line[view] = round(
                    float((said[:, :7].argmax(1) == data.validation.labels).mean()), 4
                )
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
