"""Train deep teachers and the networks they teach on one GPU, in minutes (KERAS_BACKEND=jax).

::

    python -m recipes.deep --pack fer2013.csv fer2013new.csv deep-data
    python -m recipes.deep --data deep-data --out state --seconds 570

Everything stays on the device: images, augmentation (that of the kit), optimiser, averages.  A
sitting is told its seconds; each network has its share of them, and trains as many epochs as fit
in.  Each teacher has fifteen outputs: seven classes taught by FER-2013's labels and by what one
would expect of them (recipes.crossfit), eight taught by the FER+ votes.  The students learn, all
from the same augmented and mixed images, what the teachers' mean says of these very images.

What a sitting leaves in ``--out`` is the averaged weights of each network in 16 bits, and what it
prints is a line of figures each tenth of a run; recipes.collect makes classifiers of the weights.
"""

from __future__ import annotations

import argparse
import io
import json
import lzma
import math
import os
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

os.environ.setdefault("KERAS_BACKEND", "jax")

import jax
import jax.numpy as jnp
import keras
import numpy as np

from fer2013kit.augmentation import FaceAugmentation, mix_images
from fer2013kit.models import create_model
from recipes.networks import OUTPUTS, STUDENTS, TEACHERS, Network

Tensors = list[Any]

_MB: Final = 1_000_000
_PART: Final = 15 * _MB
_FILTERS: Final = [{"id": lzma.FILTER_DELTA, "dist": 1}, {"id": lzma.FILTER_LZMA2, "preset": 6}]
"""Neighbouring pixels differ little."""

_COLUMNS: Final = (((48, 48), jnp.uint8), ((15,), jnp.float32), ((2,), jnp.float32))
"""Images, targets and weights of a row."""
_MOMENTUM: Final = 0.9
_AVERAGE: Final = 0.999
_CALM: Final = 0.75
"""From this part of a run on, images are moved half as much, and neither erased nor mixed."""
_EXPECTED: Final = 0.4
"""Of a teacher's FER-2013 target, the share that is the expected label."""
_LABEL: Final = 0.2
"""Of a student's target, the share that is the label or the votes themselves."""
_TIMED: Final = 8
"""The quickest of so many epochs tells how many fit in: another network may be traced meanwhile."""
_MIXED: Final = 0.25
"""Of a student's images, the share that is mixed with another."""


def pack(fer2013: str, ferplus: str, folder: Path) -> None:
    """Write images, labels, votes and expected labels as parts of one compressed archive."""
    import fer2013kit as fk
    from recipes.targets import SOFT_TARGETS

    data = fk.load_fer2013(fer2013, ferplus=ferplus)
    arrays: dict[str, Any] = {}
    for name, split in (("train", data.train), ("validation", data.validation)):
        arrays[f"{name}_images"] = split.images[..., 0]
        arrays[f"{name}_labels"] = split.labels.astype(np.uint8)
        arrays[f"{name}_votes"] = split.ferplus.probabilities().astype(np.float16)
        arrays[f"{name}_majority"] = split.ferplus.majority().astype(np.int8)
    with np.load(SOFT_TARGETS / "expected.npz") as file:
        if not np.array_equal(file["labels"], data.train.labels):
            raise SystemExit("expected labels follow fer2013.csv; give the CSV")
        arrays["train_expected"] = file["probabilities"]
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    packed = lzma.compress(buffer.getvalue(), filters=_FILTERS)
    folder.mkdir(parents=True, exist_ok=True)
    for number, start in enumerate(range(0, len(packed), _PART)):
        (folder / f"images.{number}").write_bytes(packed[start : start + _PART])
    print(f"{len(packed) / _MB:.1f} MB in parts of {_PART / _MB:g} MB")


def unpack(folder: Path) -> dict[str, Any]:
    """Read what :func:`pack` wrote."""
    parts = sorted(folder.glob("images.*"), key=lambda path: int(path.suffix[1:]))
    packed = b"".join(part.read_bytes() for part in parts)
    with np.load(io.BytesIO(lzma.decompress(packed))) as file:
        return {name: file[name] for name in file.files}


def targets(arrays: dict[str, Any], rows: int | None) -> tuple[Any, Any, Any]:
    """Return images, targets (n, 15) and weights (n, 2) of what is known of each image."""
    labels = np.eye(7, dtype=np.float32)[arrays["train_labels"]]
    expected = (1 - _EXPECTED) * labels + _EXPECTED * arrays["train_expected"].astype(np.float32)
    votes = arrays["train_votes"].astype(np.float32)
    known = votes.sum(axis=1) > 0
    wanted = np.concatenate([expected, votes], axis=1)
    weights = np.stack([np.ones_like(known), known], axis=1).astype(np.float32)
    return arrays["train_images"][:rows], wanted[:rows], weights[:rows]


def build(network: Network) -> Any:
    """Build a network that returns logits, computing in bfloat16."""
    keras.config.set_dtype_policy("mixed_bfloat16")
    span = OUTPUTS[network.learns]
    model = create_model(network.model, num_classes=span.stop - span.start, **network.params)
    model.layers[-1].activation = keras.activations.linear
    return model


def initial_state(model: Any) -> tuple[Tensors, Tensors, Tensors, Tensors, Tensors]:
    """Return variables, what is not trained, momenta, and averages of the first two.

    Each is an array of its own, since the device takes them over.
    """
    trained = [jnp.array(variable.value) for variable in model.trainable_variables]
    rest = [jnp.array(variable.value) for variable in model.non_trainable_variables]
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


def make_epoch(
    networks: tuple[Network, ...], models: list[Any], teachers: list[Any], size: int
) -> Any:
    """Return a function that trains the networks for an epoch, side by side."""
    augment = FaceAugmentation(erasing=0.0 if teachers else 0.25)

    def loss(trained: Tensors, rest: Tensors, at: int, batch: Any) -> Any:
        images, wanted, weights = batch
        logits, rest = models[at].stateless_call(trained, rest, images, training=True)
        return cross_entropy(logits, wanted, weights, networks[at].learns), rest

    def teach(taught: Any, key: Any, calm: Any, said_by: Any) -> Any:
        images, wanted, weights = taught
        keys = jax.random.split(key, 4)
        mixed = jax.random.uniform(keys[0], (size,)) < _MIXED * (1 - calm)
        share = jnp.where(mixed, jax.random.uniform(keys[1], (size,), minval=0.5), 1.0)
        cut = mixed & (jax.random.uniform(keys[2], (size,)) < 0.5)
        place = jax.random.uniform(keys[3], (size, 2))
        both = jnp.concatenate([wanted, weights], axis=1)
        images, both = mix_images(images, both, share=share, cut=cut, position=place)
        said = 0.0
        for model, values in zip(teachers, said_by, strict=True):
            logits, _ = model.stateless_call(*values, images, training=False)
            said = said + probabilities(logits.astype(jnp.float32)) / len(teachers)
        own = jnp.repeat(both[:, 15:], np.array([7, 8]), axis=1, total_repeat_length=15) * _LABEL
        return images, own * both[:, :15] + (1 - own) * said, jnp.ones_like(weights)

    def epoch(states: Any, data: Any, said_by: Any, key: Any, span: Any) -> Any:
        (images, wanted, weights), (first, total) = data, span
        order_key, key = jax.random.split(key)
        steps = images.shape[0] // size
        order = jax.random.permutation(order_key, images.shape[0])[: steps * size]

        def step(states: Any, now: Any) -> Any:
            number, rows = now
            part = number / total
            calm = jnp.where(part < _CALM, 0.0, 1.0)
            warm = jnp.minimum(1.0, (number + 1) / (2.0 * steps))
            rate = warm * 0.5 * (1 + jnp.cos(jnp.pi * part))
            keys = jax.random.split(jax.random.fold_in(key, number), 2)
            batch = images[rows][..., None].astype(jnp.float32)
            batch = move(augment, batch, keys[0], calm)
            taught = (batch, wanted[rows], weights[rows])
            if teachers:
                taught = teach(taught, keys[1], calm, said_by)
            after, losses = [], []
            for at, network in enumerate(networks):
                (value, rest), gradients = jax.value_and_grad(loss, has_aux=True)(
                    states[at][0], states[at][1], at, taught
                )
                of_now = (rate * network.learning_rate * size / 128, number)
                after.append(take_step(network, states[at], gradients, rest, of_now))
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


def figures(network: Network, said: Any, arrays: dict[str, Any]) -> dict[str, float]:
    """Return the accuracy on PublicTest of what one network says."""
    start = OUTPUTS[network.learns].start
    plain, mirrored = (np.asarray(part).reshape(-1, part.shape[-1]) for part in said)
    truth = {"fer": arrays["validation_labels"], "ferplus": arrays["validation_majority"]}
    results = {}
    for part, codes in truth.items():
        if network.learns not in {part, "both"}:
            continue
        span = slice(OUTPUTS[part].start - start, OUTPUTS[part].stop - start)
        counted = codes.astype(int) >= 0
        for views, logits in (("one pass", [plain]), ("flip", [plain, mirrored])):
            mean = sum(_softmax(one[: len(codes), span]) for one in logits)
            right = mean.argmax(axis=1)[counted] == codes[counted]
            results[f"{part}, {views}"] = round(float(right.mean()), 4)
    return results


def _softmax(logits: Any) -> Any:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


@dataclass
class Run:
    """Networks that train side by side, their functions, and where they are."""

    networks: tuple[Network, ...]
    share: float
    ends: float = 0.0
    """Of its time, in seconds of the monotonic clock."""
    epoch: Any = None
    judge: Any = None
    states: Any = None


def prepare(
    run: Run, teachers: list[Any], shapes: Any, batch_size: int, compiler: Any
) -> list[Any]:
    """Build a run's networks and trace its functions; the compiler goes on with them."""
    models = [build(network) for network in run.networks]
    run.states = [initial_state(model) for model in models]
    said_by = [initial_state(model)[:2] for model in teachers]
    number, key = jax.ShapeDtypeStruct((), jnp.float32), jax.random.key(0)
    epoch = make_epoch(run.networks, models, teachers, batch_size)
    lowered = epoch.lower(run.states, shapes[0], said_by, key, (number, number))
    run.epoch = compiler.submit(lowered.compile)
    run.judge = compiler.submit(make_judge(models).lower(run.states, shapes[1]).compile)
    return models


def train(run: Run, said_by: list[Any], data: Any, arrays: Any, options: Any) -> None:
    """Train until the run's end, and write what came of it."""
    ends = run.ends
    names = "+".join(network.name for network in run.networks)
    epoch, judge = run.epoch.result(), run.judge.result()
    print(f"{names}: begins, {ends - time.monotonic():.0f} s left for it", flush=True)
    steps = data[0].shape[0] // options.batch_size
    key = jax.random.key(options.seed)
    total, done, took = options.epochs, 0, math.inf
    while done < total:
        began = time.monotonic()
        of_now = (jnp.float32(done * steps), jnp.float32(total * steps))
        run.states, losses = epoch(run.states, data, said_by, jax.random.fold_in(key, done), of_now)
        losses = np.asarray(losses)  # waits for the device
        done += 1
        took = min(took, time.monotonic() - began)
        if 1 < done <= _TIMED:
            total = max(3, min(options.epochs, int((ends - time.monotonic() - 3) / took) + done))
        if done == _TIMED:
            print(f"{names}: {took:.2f} s an epoch, {total} epochs", flush=True)
        if done % max(1, total // 10) == 0 or done == total:
            said = judge(run.states, arrays["device_validation"])
            for at, network in enumerate(run.networks):
                line = {"network": network.name, "epoch": done, "loss": round(float(losses[at]), 4)}
                line |= figures(network, said[2 * at : 2 * at + 2], arrays)
                print(json.dumps(line), flush=True)
                if 2 * done > total:
                    save(network, run.states[at], options.out)
        if time.monotonic() > ends:
            print(f"{names}: out of time after {done} of {total} epochs", flush=True)
            for network, state in zip(run.networks, run.states, strict=True):
                save(network, state, options.out)
            break


def save(network: Network, state: Any, out: Path) -> None:
    """Keep the averaged variables, in 16 bits; running variances keep 32."""
    values = [*state[3], *state[4]]
    arrays = {
        f"v{at}": np.asarray(value).astype(np.float16 if value.ndim > 1 else np.float32)
        for at, value in enumerate(values)
        if jnp.issubdtype(value.dtype, jnp.floating)
    }
    np.savez_compressed(out / f"{network.name}.npz", **arrays)


def restore(model: Any, path: Path) -> tuple[Tensors, Tensors]:
    """Return a network's averaged variables as :func:`save` left them."""
    with np.load(path) as file:
        kept = {name: jnp.asarray(file[name].astype(np.float32)) for name in file.files}
    variables = [*model.trainable_variables, *model.non_trainable_variables]
    values = [kept.get(f"v{at}", variable.value) for at, variable in enumerate(variables)]
    count = len(model.trainable_variables)
    return values[:count], values[count:]


def run_sitting(options: argparse.Namespace) -> None:
    """Train the teachers one after the other, then the students together."""
    ends = time.monotonic() + options.seconds
    jax.config.update("jax_compilation_cache_dir", str(options.out / "compiled"))
    keras.utils.set_random_seed(options.seed)
    keras.layers.MaxPooling2D.call = _max_pool
    print(jax.devices(), flush=True)
    options.out.mkdir(parents=True, exist_ok=True)
    rows, blocks = options.rows or 28_709, 1 if options.rows else 15
    shape = jax.ShapeDtypeStruct
    shapes = (
        tuple(shape((rows, *more), kind) for more, kind in _COLUMNS),
        shape((blocks * 256, 48, 48), jnp.uint8),
    )
    compiler, tracer = ThreadPoolExecutor(8), ThreadPoolExecutor(1)
    loading = compiler.submit(unpack, options.data)
    runs = [Run((network,), network.share) for network in TEACHERS]
    kept = options.teachers
    sitting = [] if kept else runs
    students = Run(STUDENTS, options.students / (1 - options.students))
    traced: list[Any] = []

    def trace() -> None:
        for run in sitting:
            traced.extend(prepare(run, [], shapes, options.batch_size, compiler))
        teachers = traced or [build(network) for network in TEACHERS]
        prepare(students, teachers, shapes, options.batch_size, compiler)
        traced[:] = teachers
        print(f"all traced, {ends - time.monotonic():.0f} s left", flush=True)

    tracing = tracer.submit(trace)
    arrays = loading.result()
    data = tuple(jnp.asarray(part) for part in targets(arrays, options.rows))
    for name in ("images", "labels", "majority"):
        arrays[f"validation_{name}"] = arrays[f"validation_{name}"][: blocks * 256]
    padded = np.zeros((blocks * 256, 48, 48), np.uint8)
    padded[: len(arrays["validation_images"])] = arrays["validation_images"]
    arrays["device_validation"] = jnp.asarray(padded)
    to_do = [*sitting, students]
    said_by: list[Any] = []
    for at, run in enumerate(to_do):
        while run.judge is None:  # not traced yet
            if tracing.done():
                tracing.result()
            time.sleep(0.1)
        if run is students:
            tracing.result()
            if kept:
                files = [kept / f"{network.name}.npz" for network in TEACHERS]
                said_by = [restore(*pair) for pair in zip(traced, files, strict=True)]
        run.epoch.result()
        left = ends - time.monotonic()
        part = run.share / sum(one.share for one in to_do[at:])
        run.ends = time.monotonic() + left * part
        train(run, said_by if run is students else [], data, arrays, options)
        if run is not students:
            said_by.append(run.states[0][3:])
            run.states = None
    print(f"done, {ends - time.monotonic():.0f} s left", flush=True)


def _max_pool(layer: Any, x: Any) -> Any:
    """Pool by maxima of slices: XLA's own gradient of a pool is slow on a GPU."""
    side, stride = layer.pool_size[0], layer.strides[0]
    out = -(-x.shape[1] // stride) if layer.padding == "same" else (x.shape[1] - side) // stride + 1
    missing = max(0, (out - 1) * stride + side - x.shape[1])
    before, after = missing // 2, missing - missing // 2
    lowest = jnp.finfo(x.dtype).min
    edges = ((0, 0), (before, after), (before, after), (0, 0))
    x = jnp.pad(x, edges, constant_values=lowest)
    span = (out - 1) * stride + 1
    best = None
    for i in range(side):
        for j in range(side):
            part = x[:, i : i + span : stride, j : j + span : stride]
            best = part if best is None else jnp.maximum(best, part)
    return best


def main() -> None:
    """Pack the images, or train."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pack", nargs=3, metavar=("FER2013", "FERPLUS", "FOLDER"))
    parser.add_argument("--data", type=Path, help="the folder that --pack wrote")
    parser.add_argument("--out", type=Path, help="weights and logs")
    parser.add_argument("--teachers", type=Path, help="an earlier --out whose teachers do")
    parser.add_argument("--students", type=float, default=0.4, help="their share of the time")
    parser.add_argument("--seconds", type=float, default=400.0, help="of this sitting")
    parser.add_argument("--epochs", type=int, default=300, help="at most, of each network")
    parser.add_argument("--batch-size", type=int, default=256)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rows", type=int, help="the first so many images alone")
    options = parser.parse_args()
    if options.pack:
        pack(options.pack[0], options.pack[1], Path(options.pack[2]))
    elif options.data and options.out:
        run_sitting(options)
    else:
        parser.error("give --pack FER2013 FERPLUS FOLDER, or --data and --out")


if __name__ == "__main__":
    main()
