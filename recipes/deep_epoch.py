"""What recipes.deep does on the device: an epoch of networks side by side, and their judgement."""

from __future__ import annotations

import functools
from typing import Any, Final

import jax
import jax.numpy as jnp
import keras
import numpy as np

from fer2013kit.augmentation import FaceAugmentation, mix_images
from fer2013kit.models import create_model
from recipes.networks import OUTPUTS, Network

Tensors = list[Any]

_MOMENTUM: Final = 0.9
_AVERAGE: Final = 0.999
_CALM: Final = 0.75
"""From this part of a run on, images are moved half as much, and neither erased nor mixed."""
_LABEL: Final = 0.2
"""Of a student's target, the share that is the label or the votes themselves."""
_MIXED: Final = 0.25
"""Of a student's images, the share that is mixed with another."""


def build(network: Network) -> Any:
    """Build a network that returns logits, computing in bfloat16."""
    keras.config.set_dtype_policy("mixed_bfloat16")
    with jax.default_device(jax.devices("cpu")[0]):  # which compiles initialisers sooner
        return _build(network)


def _build(network: Network) -> Any:
    span = OUTPUTS[network.learns]
    size = span.stop - span.start
    if callable(network.model):
        model = network.model((48, 48, 1), size, **network.params)
        return keras.Model(model.input, model.layers[-2].output)  # without the softmax
    model = create_model(network.model, num_classes=size, **network.params)
    model.layers[-1].activation = keras.activations.linear
    return model


def initial_state(model: Any) -> tuple[Tensors, Tensors, Tensors, Tensors, Tensors]:
    """Return variables, what is not trained, momenta, and averages of the first two.

    Each is an array of its own, since the device takes them over.
    """
    trained = [jnp.array(np.asarray(variable.value)) for variable in model.trainable_variables]
    rest = [jnp.array(np.asarray(variable.value)) for variable in model.non_trainable_variables]
    momenta = [jnp.zeros_like(value) for value in trained]
    return trained, rest, momenta, *([jnp.array(v) for v in part] for part in (trained, rest))


def move(augment: FaceAugmentation, images: Any, key: Any, calm: Any) -> Any:
    """Augment a batch; where ``calm`` is 1, half as much and without erasing."""
    uniform = jax.random.uniform(key, (images.shape[0], 13))
    less = jnp.clip(jnp.arange(13), 0, 6)  # columns of angle, zoom, flip, shifts, contrast, light
    halved = 0.5 + (uniform - 0.5) * (1 - 0.5 * calm)
    moved = jnp.where((less == jnp.arange(13)) & (less != 2), halved, uniform)
    moved = moved.at[:, 11].max(calm)
    return augment.transform(images, moved)


def cross_entropy(logits: Any, wanted: Any, weights: Any, learns: str) -> Any:
    """Return the mean cross-entropy of the parts that a network learns."""
    total = 0.0
    start = OUTPUTS[learns].start
    for part, column in (("fer", 0), ("ferplus", 1)):
        if learns in {part, "both"}:
            span = OUTPUTS[part]
            said = jax.nn.log_softmax(logits[:, span.start - start : span.stop - start])
            rows = -jnp.sum(wanted[:, span] * said, axis=1) * weights[:, column]
            total = total + jnp.sum(rows) / jnp.maximum(jnp.sum(weights[:, column]), 1.0)
    return total


def probabilities(logits: Any) -> Any:
    """Return what fifteen logits say: seven probabilities, and eight."""
    return jnp.concatenate(
        [jax.nn.softmax(logits[:, OUTPUTS[part]]) for part in ("fer", "ferplus")], axis=1
    )


def take_step(network: Network, state: Any, gradients: Tensors, rest: Tensors, now: Any) -> Any:
    """Return the state after a step of SGD with Nesterov momentum, averages included."""
    trained, _, momenta, mean_trained, mean_rest = state
    rate, step = now
    decay = network.weight_decay
    gradients = [
        g.astype(jnp.float32) + (decay * v if v.ndim > 1 else 0.0)
        for g, v in zip(gradients, trained, strict=True)
    ]
    momenta = [_MOMENTUM * m + g for m, g in zip(momenta, gradients, strict=True)]
    trained = [
        v - rate * (g + _MOMENTUM * m) for v, g, m in zip(trained, gradients, momenta, strict=True)
    ]
    keep = jnp.minimum(_AVERAGE, (1.0 + step) / (10.0 + step))

    def average(means: Tensors, values: Tensors) -> Tensors:
        return [
            keep * mean + (1 - keep) * value if jnp.issubdtype(value.dtype, jnp.floating) else value
            for mean, value in zip(means, values, strict=True)
        ]

    return trained, rest, momenta, average(mean_trained, trained), average(mean_rest, rest)


def make_views(teachers: list[Any], size: int) -> Any:
    """Return a function that makes what networks see of a batch, with targets and weights."""
    plain, erased = FaceAugmentation(), FaceAugmentation(erasing=0.25)

    def view(sees: str, batch: Any, key: Any, calm: Any, said_by: Any) -> Any:
        images, wanted, weights = batch
        key, *keys = jax.random.split(key, 5)
        images = move(erased if sees == "erased" else plain, images, key, calm)
        if sees != "mixed":
            return images, wanted, weights
        mixed = jax.random.uniform(keys[0], (size,)) < _MIXED * (1 - calm)
        share = jnp.where(mixed, jax.random.uniform(keys[1], (size,), minval=0.5), 1.0)
        cut = mixed & (jax.random.uniform(keys[2], (size,)) < 0.5)
        place = jax.random.uniform(keys[3], (size, 2))
        both = jnp.concatenate([wanted, weights], axis=1)
        images, both = mix_images(images, both, share=share, cut=cut, position=place)
        wanted, weights = both[:, :15], both[:, 15:]
        if not teachers:
            return images, wanted, weights
        said = []
        # Each judges its share of a shuffled batch: in the mean what all would say, in a third of
        # the time.
        parts = jnp.array_split(images, len(teachers))
        for model, values, part in zip(teachers, said_by, parts, strict=True):
            logits, _ = model.stateless_call(*values, part, training=False)
            said.append(probabilities(logits.astype(jnp.float32)))
        own = jnp.repeat(weights, np.array([7, 8]), axis=1, total_repeat_length=15) * _LABEL
        return images, own * wanted + (1 - own) * jnp.concatenate(said), jnp.ones_like(weights)

    return view


def make_epoch(
    networks: tuple[Network, ...], models: list[Any], teachers: list[Any], size: int
) -> Any:
    """Return a function that trains the networks for an epoch, side by side."""
    view = make_views(teachers, size)

    def loss(trained: Tensors, rest: Tensors, at: int, batch: Any) -> Any:
        images, wanted, weights = batch
        logits, rest = models[at].stateless_call(trained, rest, images, training=True)
        return cross_entropy(logits, wanted, weights, networks[at].learns), rest

    def learn(at: int, state: Any, seen: Any, rate: Any, number: Any) -> Any:
        network, ask = networks[at], jax.value_and_grad(loss, has_aux=True)
        (value, rest), gradients = ask(state[0], state[1], at, seen)
        if network.sharpness:
            norm = jnp.sqrt(sum(jnp.sum(jnp.square(part)) for part in gradients))
            climb = network.sharpness / (norm + 1e-12)
            worse = [v + climb * g for v, g in zip(state[0], gradients, strict=True)]
            gradients = ask(worse, state[1], at, seen)[1]
        of_now = (rate * network.learning_rate * size / 128, number)
        return take_step(network, state, gradients, rest, of_now), value

    def epoch(states: Any, data: Any, said_by: Any, key: Any, span: Any) -> Any:
        (images, wanted, weights, labels), (first, total) = data, span
        order_key, key = jax.random.split(key)
        steps = images.shape[0] // size
        order = jax.random.permutation(order_key, images.shape[0])[: steps * size]

        def step(states: Any, now: Any) -> Any:
            number, rows = now
            part = number / total
            calm = jnp.where(part < _CALM, 0.0, 1.0)
            warm = jnp.minimum(1.0, (number + 1) / (2.0 * steps))
            key_now = jax.random.fold_in(key, number)
            raw = images[rows][..., None].astype(jnp.float32)
            words = {True: wanted[rows], False: wanted[rows].at[:, :7].set(labels[rows])}
            seen, after, losses = {}, [], []
            for at, network in enumerate(networks):
                kind = network.sees, network.expected, network.calm
                if kind not in seen:
                    batch = (raw, words[network.expected], weights[rows])
                    seen[kind] = view(network.sees, batch, key_now, calm * network.calm, said_by)
                run = part * (1 + network.restarts) % 1.0
                rate = warm * 0.5 * (1 + jnp.cos(jnp.pi * run))
                state, value = learn(at, states[at], seen[kind], rate, number)
                after.append(state)
                losses.append(value)
            return after, jnp.stack(losses)

        numbers = first + jnp.arange(steps)
        states, losses = jax.lax.scan(step, states, (numbers, order.reshape(steps, size)))
        return states, jnp.mean(losses, axis=0)

    return jax.jit(epoch, donate_argnums=0)


def make_judge(models: list[Any]) -> Any:
    """Return a function that gives the logits of the averaged networks, mirror image included."""

    def judge(states: Any, images: Any) -> Any:
        batches = images.reshape(-1, 256, 48, 48, 1).astype(jnp.float32)

        def some(batch: Any) -> Any:
            said = []
            for model, state in zip(models, states, strict=True):
                for view in (batch, batch[:, :, ::-1]):
                    logits, _ = model.stateless_call(state[3], state[4], view, training=False)
                    said.append(logits.astype(jnp.float32))
            return said

        return jax.lax.map(some, batches)

    return jax.jit(judge)


def max_pool(layer: Any, x: Any) -> Any:
    """Pool by maxima of slices: XLA's own gradient of a pool is slow on a GPU."""
    side, stride = layer.pool_size[0], layer.strides[0]
    out = -(-x.shape[1] // stride) if layer.padding == "same" else (x.shape[1] - side) // stride + 1
    missing = max(0, (out - 1) * stride + side - x.shape[1])
    edges = (missing // 2, missing - missing // 2)
    lowest = jnp.finfo(x.dtype).min
    span = (out - 1) * stride + 1
    for axis in (1, 2):
        padding = [edges if at == axis else (0, 0) for at in range(4)]
        padded = jnp.pad(x, padding, constant_values=lowest)
        x = functools.reduce(
            jnp.maximum,
            (
                jax.lax.slice_in_dim(padded, start, start + span, stride, axis)
                for start in range(side)
            ),
        )
    return x
