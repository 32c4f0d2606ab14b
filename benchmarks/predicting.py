"""Probabilities of one face and of many, against Keras with the same network."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from benchmarks.measuring import Case, Round, Target, Topic
from benchmarks.training import multiply_adds
from benchmarks.worker import timed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_ROWS = {"1": 2250, "4": 9000, "16": 36000}
_WARM_UP = 20
_SECONDS = 1.5


def one_face(folder: Path, way: str) -> dict[str, float]:
    """Call for one face again and again, warm."""
    import statistics

    call = _lite(folder) if way == "lite" else _ways(folder)[way]
    face = _faces(folder, 1)
    for _ in range(_WARM_UP):
        call(face)
    times, end = [], time.perf_counter() + _SECONDS
    while time.perf_counter() < end:
        start = time.perf_counter()
        call(face)
        times.append(time.perf_counter() - start)
    return {"ms": 1e3 * statistics.median(times)}


def many_faces(folder: Path, way: str, rows: str) -> dict[str, float]:
    """Call once for many faces, warm, and watch the memory."""
    clf, faces = _classifier(folder), _faces(folder, _ROWS[rows])
    call = _ways(folder, clf)[way]
    call(faces[:512])
    figures = timed(lambda: call(faces))
    flops = 2.0 * sum(multiply_adds(clf.model_))
    return {
        **figures,
        "images/s": len(faces) / figures["seconds"],
        "GFLOP/s": flops * len(faces) / figures["seconds"] / 1e9,
    }


def _classifier(folder: Path) -> Any:
    import fer2013kit as fk

    return fk.EmotionClassifier.load(folder / "emotions.fer")


def _ways(folder: Path, clf: Any = None) -> dict[str, Callable[[Any], Any]]:
    import numpy as np

    import fer2013kit as fk
    from fer2013kit.pipeline import compile_inference

    clf = _classifier(folder) if clf is None else clf
    model = clf.model_
    usual = fk.create_model("five_layer_cnn")
    usual.set_weights(model.get_weights())
    return {
        "kit": clf.predict_proba,
        "predict": lambda faces: model.predict(faces, batch_size=256, verbose=0),
        "predict float32": lambda faces: usual.predict(faces, batch_size=256, verbose=0),
        "call": lambda faces: np.asarray(model(faces, training=False)),
        "on batch": model.predict_on_batch,
        "float32": compile_inference(usual, (48, 48, 1)),
    }


def _lite(folder: Path) -> Callable[[Any], Any]:
    """Return the same network in float32 as TensorFlow Lite runs it, for one face."""
    import os

    import numpy as np
    import tensorflow as tf

    import fer2013kit as fk

    model = fk.create_model("five_layer_cnn")
    model.set_weights(_classifier(folder).model_.get_weights())
    content = tf.lite.TFLiteConverter.from_keras_model(model).convert()
    interpreter = tf.lite.Interpreter(model_content=content, num_threads=os.cpu_count())
    interpreter.allocate_tensors()
    (given,), (wanted,) = interpreter.get_input_details(), interpreter.get_output_details()

    def call(face: Any) -> Any:
        interpreter.set_tensor(given["index"], face.astype(np.float32))
        interpreter.invoke()
        return interpreter.get_tensor(wanted["index"])

    return call


def _faces(folder: Path, rows: int) -> Any:
    import numpy as np

    return np.resize(np.load(folder / "images.npy"), (rows, 48, 48, 1))


_ONE = {
    "kit": "one face: kit's predict_proba",
    "predict": "one face: model.predict",
    "call": "one face: model(x)",
    "on batch": "one face: model.predict_on_batch",
    "float32": "one face: kit's compiled function alone, float32",
    "lite": "one face: TensorFlow Lite, float32",
}
_MANY = {name: f"{rows} faces: kit's predict_proba" for name, rows in _ROWS.items()}
_FLOAT = "36000 faces: model.predict, float32"
_KERAS = {name: f"{rows} faces: model.predict" for name, rows in _ROWS.items()}


def _latency(one: Round, way: str) -> float:
    return one[_ONE[way]]["ms"]


TOPIC = Topic(
    name="predicting",
    title="Prediction with the default network, warm",
    needs=("arrays", "classifier"),
    cases=[
        *(Case(name, "one_face", (way,)) for way, name in _ONE.items()),
        *(Case(name, "many_faces", ("kit", rows)) for rows, name in _MANY.items()),
        *(Case(name, "many_faces", ("predict", rows)) for rows, name in _KERAS.items()),
        Case(_FLOAT, "many_faces", ("predict float32", "16")),
        Case("machine: GEMM bfloat16", "benchmarks.limits.gemm", ("bfloat16",)),
    ],
    targets=[
        Target(
            "one face: model.predict's time / kit's",
            lambda one: _latency(one, "predict") / _latency(one, "kit"),
            20.0,
        ),
        Target(
            "one face: kit's time / the best of model(x), predict_on_batch and TensorFlow Lite",
            lambda one: (
                _latency(one, "kit")
                / min(_latency(one, way) for way in ("call", "on batch", "lite"))
            ),
            1.0,
            at_least=False,
        ),
        Target(
            "36,000 faces: model.predict's seconds / kit's",
            lambda one: one[_KERAS["16"]]["seconds"] / one[_MANY["16"]]["seconds"],
            1.5,
        ),
        Target(
            "36,000 faces: seconds of model.predict in float32 / kit's",
            lambda one: one[_FLOAT]["seconds"] / one[_MANY["16"]]["seconds"],
            1.5,
        ),
        Target(
            "memory added for 36,000 faces / for 2,250",
            lambda one: one[_MANY["16"]]["added MB"] / one[_MANY["1"]]["added MB"],
            1.25,
            at_least=False,
        ),
        Target(
            "36,000 faces' seconds / (4 x 9,000 faces')",
            lambda one: one[_MANY["16"]]["seconds"] / (4 * one[_MANY["4"]]["seconds"]),
            1.15,
            at_least=False,
        ),
    ],
)
