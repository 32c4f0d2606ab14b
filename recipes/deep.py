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
import json
import os
import statistics
import time
import traceback
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any, Final

os.environ.setdefault("KERAS_BACKEND", "jax")

import jax
import jax.numpy as jnp
import keras
import numpy as np

from recipes.deep_data import pack, targets, unpack
from recipes.deep_epoch import (
    Tensors,
    build,
    initial_state,
    make_epoch,
    make_judge,
    max_pool,
)
from recipes.networks import OUTPUTS, SHORT, STUDENTS, TEACHERS, Network

_COLUMNS: Final = (
    ((48, 48), jnp.uint8),
    ((15,), jnp.float32),
    ((2,), jnp.float32),
    ((7,), jnp.float32),
)
"""Images, targets, weights and the label of a row."""
_ROWS: Final = 28_709
_BLOCKS: Final = 15
"""Of 256 images, PublicTest fits in."""
_TIMED: Final = 8
"""The median of so many latest epochs tells how many more fit in: what is compiled meanwhile slows
them down."""
_CLOSING: Final = 6
"""Seconds for what comes after the last epoch."""
_COMPILERS: Final = 1
"""XLA tries its kernels on the device one after the other, however many programs it compiles: of
four at once none was compiled after three minutes."""


@dataclass(eq=False)
class Run:
    """Networks that train side by side, their functions, and where they are."""

    networks: tuple[Network, ...]
    share: float
    """Of the time."""
    epochs: int
    """At most."""
    whole: bool = False
    """Whether it trains all its epochs, in time or not."""
    ends: float = 0.0
    """In seconds of the monotonic clock."""
    models: list[Any] = field(default_factory=list)
    epoch: Any = None
    judge: Any = None
    states: Any = None


def prepare(run: Run, teachers: list[Any], shapes: Any, batch_size: int, compiler: Any) -> None:
    """Build a run's networks and trace its functions; the compiler goes on with them."""
    run.models = [build(network) for network in run.networks]
    run.states = [initial_state(model) for model in run.models]
    said_by = [initial_state(model)[:2] for model in teachers]
    number, key = jax.ShapeDtypeStruct((), jnp.float32), jax.random.key(0)
    epoch = make_epoch(run.networks, run.models, teachers, batch_size)
    lowered = epoch.lower(run.states, shapes[0], said_by, key, (number, number))
    run.epoch = compiler.submit(lowered.compile)
    run.judge = compiler.submit(make_judge(run.models).lower(run.states, shapes[1]).compile)


def train(run: Run, said_by: list[Any], data: Any, arrays: Any, options: Any) -> None:
    """Train until the run's end, and write what came of it."""
    ends = run.ends
    names = "+".join(network.name for network in run.networks)
    epoch, judge = run.epoch.result(), run.judge.result()
    print(f"{names}: begins, {ends - time.monotonic():.0f} s left for it", flush=True)
    steps = data[0].shape[0] // options.batch_size
    key = jax.random.key(options.seed)
    total, done = run.epochs, 0
    took: deque[float] = deque(maxlen=_TIMED)
    while done < total:
        began = time.monotonic()
        of_now = (jnp.float32(done * steps), jnp.float32(total * steps))
        run.states, losses = epoch(run.states, data, said_by, jax.random.fold_in(key, done), of_now)
        losses = np.asarray(losses)  # waits for the device
        done += 1
        now = time.monotonic()
        if done > 1:
            took.append(now - began)
        if done > 1 and not run.whole:
            fit = max(0, int((ends - now - _CLOSING) / statistics.median(took)))
            total = min(run.epochs, max(3, done + fit))
        if done in (_TIMED, total):
            seconds = statistics.median(took or [now - began])
            print(f"{names}: {seconds:.2f} s an epoch, {done} of {total} epochs", flush=True)
        if done % max(1, total // 10) == 0 or done == total:
            said = judge(run.states, arrays["device_validation"])
            for at, network in enumerate(run.networks):
                line = {"network": network.name, "epoch": done, "loss": round(float(losses[at]), 4)}
                line |= figures(network, said[2 * at : 2 * at + 2], arrays)
                print(json.dumps(line), flush=True)
                if 2 * done > total and not run.whole:
                    save(network, run.states[at], options.out)
    if names == "slim":
        latest = [(*state[:3], *state[:2]) for state in run.states]
        said = judge(latest, arrays["device_validation"])
        line = {"network": "slim, not averaged", **figures(run.networks[0], said[:2], arrays)}
        print(json.dumps(line), flush=True)
    crops(run, judge, arrays, None if run.whole else options.out)


def answers(network: Network, logits: Any, count: int) -> dict[str, Any]:
    """Return the probabilities of each part that a network learns, of the first images."""
    start = OUTPUTS[network.learns].start
    rows = np.asarray(logits).reshape(-1, logits.shape[-1])[:count]
    parts = {}
    for part in ("fer", "ferplus"):
        if network.learns in {part, "both"}:
            of_part = rows[:, OUTPUTS[part].start - start : OUTPUTS[part].stop - start]
            powers = np.exp(of_part - of_part.max(axis=1, keepdims=True))
            parts[part] = powers / powers.sum(axis=1, keepdims=True)
    return parts


def figures(network: Network, said: Any, arrays: dict[str, Any]) -> dict[str, float]:
    """Return the accuracy on PublicTest of what one network says of images and mirror images."""
    truth = {"fer": arrays["validation_labels"], "ferplus": arrays["validation_majority"]}
    plain, mirrored = (answers(network, logits, len(truth["fer"])) for logits in said)
    results = {}
    for part, probabilities in plain.items():
        codes = truth[part].astype(int)
        for views, mean in (
            ("one pass", probabilities),
            ("flip", probabilities + mirrored[part]),
        ):
            right = (mean.argmax(axis=1) == codes)[codes >= 0]
            results[f"{part}, {views}"] = round(float(right.mean()), 4)
    return results


def crops(run: Run, judge: Any, arrays: Any, out: Path | None) -> None:
    """Print the accuracy of ten crops, moved by 1 to 3 pixels; ``out`` takes all probabilities."""
    images, labels = np.asarray(arrays["device_validation"]), arrays["validation_labels"]
    padded = np.pad(images, ((0, 0), (3, 3), (3, 3)), mode="edge")

    def ask(down: int, right: int) -> list[Any]:
        window = padded[:, 3 + down : 51 + down, 3 + right : 51 + right]
        said: list[Any] = judge(run.states, jnp.asarray(np.ascontiguousarray(window)))
        return said

    corners = [(-1, -1), (-1, 1), (1, -1), (1, 1)]
    moved = {s: [ask(s * down, s * right) for down, right in corners] for s in (1, 2, 3)}
    middle = [ask(0, 0)]
    views = {"flip": middle, **{f"ten_crop_{s}": middle + said for s, said in moved.items()}}
    for at, network in enumerate(run.networks):
        kept: dict[str, Any] = {}
        line: dict[str, Any] = {"network": network.name}
        for name, judged in views.items():
            pairs = [said[2 * at : 2 * at + 2] for said in judged]
            every = [answers(network, one, len(labels)) for pair in pairs for one in pair]
            for part in every[0]:
                mean = np.mean([one[part] for one in every], axis=0)
                kept[f"{part}_{name}"] = mean.astype(np.float16)
                if part == "fer":
                    right = mean.argmax(axis=1) == labels
                    line[name] = round(float(right.mean()), 4)
        print(json.dumps(line), flush=True)
        if out is not None:
            np.savez(out / f"{network.name}_said.npz", **kept)


def save(network: Network, state: Any, out: Path) -> None:
    """Keep the averaged variables, in 16 bits; running variances keep 32."""
    values = [*state[3], *state[4]]
    arrays = {
        f"v{at}": np.asarray(value).astype(np.float16 if value.ndim > 1 else np.float32)
        for at, value in enumerate(values)
        if jnp.issubdtype(value.dtype, jnp.floating)
    }
    np.savez(out / f"{network.name}.npz", **arrays)


def restore(model: Any, path: Path) -> tuple[Tensors, Tensors]:
    """Return a network's averaged variables as :func:`save` left them."""
    with np.load(path) as file:
        kept = {name: jnp.asarray(file[name].astype(np.float32)) for name in file.files}
    variables = [*model.trainable_variables, *model.non_trainable_variables]
    values = [
        kept[f"v{at}"] if f"v{at}" in kept else jnp.asarray(np.asarray(variable.value))
        for at, variable in enumerate(variables)
    ]
    count = len(model.trainable_variables)
    return values[:count], values[count:]


class Sitting:
    """A device for some seconds: data, what is to be trained on it, and who teaches."""

    def __init__(self, options: argparse.Namespace) -> None:
        """Load the data, and begin to trace and compile."""
        self.options = options
        self.ends = time.monotonic() + options.seconds
        self.compiler = ThreadPoolExecutor(_COMPILERS)
        loading = self.compiler.submit(unpack, options.data)
        self.folder, *self.kept = options.teachers or [None]
        known = {network.name: network for network in (*TEACHERS, *STUDENTS)}
        self.teaching = [known[name] for name in self.kept] or TEACHERS
        self.teachers: list[Any] = []
        self.said_by: list[Any] = []
        share = (1 - options.students - options.short) / len(TEACHERS)
        self.new = [Run((network,), share, options.epochs) for network in TEACHERS if not self.kept]
        short = SHORT if options.short_epochs else ()
        self.short = [
            Run((network,), options.short / len(short), options.short_epochs, whole=True)
            for network in short
        ]
        learning = [known[name] for name in options.learn] or STUDENTS
        each = options.students / sum(network.time for network in learning)
        self.students = [
            Run(of_one, each * sum(network.time for network in of_one), options.epochs)
            for of_one in (
                tuple(group) for _, group in groupby(learning, key=lambda network: network.model)
            )
        ]
        self.blocks = 1 if options.rows else _BLOCKS
        self.tracing = ThreadPoolExecutor(1).submit(self.trace)
        self.arrays = loading.result()
        self.data = tuple(jnp.asarray(part) for part in targets(self.arrays, options.rows))
        rows = self.blocks * 256
        for name in ("images", "labels", "majority"):
            self.arrays[f"validation_{name}"] = self.arrays[f"validation_{name}"][:rows]
        padded = np.zeros((rows, 48, 48), np.uint8)
        padded[: len(self.arrays["validation_images"])] = self.arrays["validation_images"]
        self.arrays["device_validation"] = jnp.asarray(padded)

    def trace(self) -> None:
        """Trace all that will run, what will run first first."""
        options, shape = self.options, jax.ShapeDtypeStruct
        shapes = (
            tuple(shape((options.rows or _ROWS, *more), kind) for more, kind in _COLUMNS),
            shape((self.blocks * 256, 48, 48), jnp.uint8),
        )
        for run in self.new:
            prepare(run, [], shapes, options.batch_size, self.compiler)
        new = [run.models[0] for run in self.new]
        self.teachers = new or [build(network) for network in self.teaching]
        for run in self.students:
            prepare(run, self.teachers, shapes, options.batch_size, self.compiler)
        for run in self.short:
            prepare(run, [], shapes, options.batch_size, self.compiler)
        print(f"all traced, {self.ends - time.monotonic():.0f} s left", flush=True)

    def run(self) -> None:
        """Train what is compiled: teachers, then short runs, then students.

        The students do not wait for short runs that are not compiled yet.
        """
        to_do = [*self.new, *self.short, *(run for run in self.students if run.share)]
        while to_do:
            run = next((run for run in to_do if self.ready(run)), None)
            if run is None:
                if self.tracing.done():
                    self.tracing.result()
                time.sleep(0.1)
                continue
            left = self.ends - time.monotonic()
            run.ends = self.ends - left * (1 - run.share / sum(one.share for one in to_do))
            to_do.remove(run)
            try:
                train(run, self.heard_by(run), self.data, self.arrays, self.options)
            except Exception:
                if not run.whole:  # a short run is no reason to stop the sitting
                    raise
                traceback.print_exc()
            if run in self.new:
                self.said_by.append(run.states[0][3:])
            run.states = None
        print(f"done, {self.ends - time.monotonic():.0f} s left", flush=True)

    def ready(self, run: Run) -> bool:
        """Return whether a run can begin at once."""
        if run.judge is None or not (run.epoch.done() and run.judge.done()):
            return False
        return run not in self.students or bool(self.kept) or len(self.said_by) == len(self.new)

    def heard_by(self, run: Run) -> list[Any]:
        """Return what a run's teachers know."""
        if run not in self.students:
            return []
        return self.restored() if self.kept else self.said_by

    def restored(self) -> list[Any]:
        """Return what earlier teachers learned, once their files are there."""
        values = []
        for network, model in zip(self.teaching, self.teachers, strict=True):
            path = Path(self.folder, f"{network.name}.npz")
            while not path.exists():  # carried to the machine later
                time.sleep(1)
            values.append(restore(model, path))
        return values


def main() -> None:
    """Pack the images, or train."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pack", nargs=3, metavar=("FER2013", "FERPLUS", "FOLDER"))
    parser.add_argument("--data", type=Path, help="the folder that --pack wrote")
    parser.add_argument("--out", type=Path, help="weights and logs")
    parser.add_argument(
        "--teachers", nargs="+", metavar="FOLDER NAME", help="an earlier --out, and who teaches"
    )
    parser.add_argument("--learn", nargs="+", default=[], metavar="NAME", help="of the students")
    parser.add_argument(
        "--students", type=float, default=0.4, help="their share of the time; 0 compiles them"
    )
    parser.add_argument("--short", type=float, default=0.0, help="the short runs' share")
    parser.add_argument("--short-epochs", type=int, default=0, help="of the short runs")
    parser.add_argument("--seconds", type=float, default=400.0, help="of this sitting")
    parser.add_argument("--epochs", type=int, default=300, help="at most, of each network")
    parser.add_argument("--batch-size", type=int, default=256)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rows", type=int, help="the first so many images alone")
    options = parser.parse_args()
    if options.pack:
        pack(options.pack[0], options.pack[1], Path(options.pack[2]))
    elif options.data and options.out:
        options.out.mkdir(parents=True, exist_ok=True)
        jax.config.update("jax_compilation_cache_dir", str(options.out / "compiled"))
        keras.utils.set_random_seed(options.seed)
        keras.layers.MaxPooling2D.call = max_pool
        print(jax.devices(), flush=True)
        Sitting(options).run()
    else:
        parser.error("give --pack FER2013 FERPLUS FOLDER, or --data and --out")


if __name__ == "__main__":
    main()
