"""benchmark: networks of any origin on the same images, by one protocol."""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Iterable
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np

from fer2013kit._checks import as_array, check_choice, check_flags
from fer2013kit._class_names import as_learned, classifier_names
from fer2013kit._class_order import doubt_order
from fer2013kit._inference import in_batches, normalize_rows
from fer2013kit._metrics import check_probabilities
from fer2013kit._peers import PEERS
from fer2013kit._untrusted import errors_as
from fer2013kit.benchmarking._report import BenchmarkReport
from fer2013kit.datasets import FER2013, Split, audit_dataset
from fer2013kit.emotions import CLASS_NAMES, NUM_CLASSES
from fer2013kit.evaluation import compare_predictions, evaluate_predictions
from fer2013kit.evaluation._predictions import read_clusters
from fer2013kit.exceptions import (
    Fer2013KitError,
    Fer2013KitWarning,
    InvalidInputError,
    ModelFileError,
    shortened,
    shown,
)
from fer2013kit.loading import load_predictor
from fer2013kit.typing import SplitName

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray

    from fer2013kit._checks import IntArray

Network: TypeAlias = "Callable[[NDArray[np.uint8]], Any]"
"""From images to probabilities of the seven emotions."""

_CALLS: Final = 30
_KERAS_ENDINGS: Final = (".keras", ".h5", ".hdf5")
_TASKS: Final = Path("/proc/self/task")  # of Linux: a folder for each thread
_WARM_UP: Final = 5


def benchmark(
    predictors: Mapping[str, Any] | Sequence[Any],
    data: FER2013 | Split,
    *,
    split: SplitName = "test",
    drop_leaks: bool = True,
    latency: bool = True,
    clusters: ArrayLike | None = None,
) -> BenchmarkReport:
    """Measure networks of any origin on the same images, by one protocol.

    Images that the training split holds, too, are left out; every network answers for the seven
    emotions on the same ones (what it gives to other classes is left out, and the rest raised to
    a sum of 1); accuracies have intervals, the most accurate network is compared with every other
    in pairs, and one face at a time is timed with the whole process on one core (Linux).

    Parameters
    ----------
    predictors : mapping of str to object, or sequence
        By name, or a list of names and files.  Each is the name of a network that ships, a file
        (``.fer``, ``.fers``, ``.tflite``, ``.onnx``, or a ``.keras`` or ``.h5`` that takes uint8
        images), anything with ``predict_proba``, a Keras network or another function from uint8
        ``(n, 48, 48, 1)`` to probabilities ``(n, 7)``, or one of ``"fer"``, ``"deepface"`` and
        ``"emotiefflib"``, other packages that have to be installed.  Columns are in the order of
        :class:`Emotion`, unless ``class_names_`` or ``classes_`` say otherwise.
    data : FER2013 or Split
        With labels.
    split : {"train", "validation", "test"}, default "test"
        What to measure on, of a :class:`FER2013`.
    drop_leaks : bool, default True
        Leave out images of the split that are also in ``train``.
    latency : bool, default True
        Measure the time of one face.
    clusters : array_like of int or str, shape (n,), optional
        Which images of the split belong together, such as those of one person, leaks among them:
        the intervals and tests are those of :func:`evaluate_predictions` and
        :func:`compare_predictions` with ``clusters``.

    Returns
    -------
    BenchmarkReport
        Table, JSON and image.

    Raises
    ------
    InvalidInputError
        For no predictor, a split that is not there, is empty or holds leaks alone, a network that
        fails on the images, or answers that are no probabilities, where the error names the
        network; or clusters that :func:`evaluate_predictions` refuses.
    ModelFileError
        For a name or a file that is no network.
    MissingDependencyError
        For another package that is not installed.

    See Also
    --------
    compare_predictions : Whether two models really differ.

    Examples
    --------
    >>> import numpy as np
    >>> import fer2013kit as fk
    >>> data = fk.make_fer2013(n_samples=140, random_state=0)
    >>> def always_happy(images):
    ...     return np.tile(np.eye(7)[fk.Emotion.HAPPY], (len(images), 1))
    >>> networks = {"small": "five_layer_cnn_small", "happy": always_happy}
    >>> report = fk.benchmark(networks, data, latency=False)
    >>> report.reports["happy"].accuracy
    0.14...
    """
    check_choice("split", split, SplitName)
    check_flags(drop_leaks=drop_leaks, latency=latency)
    named = _by_name(predictors)
    chosen, name, leaks = _measured_split(data, split, drop_leaks=drop_leaks)
    rows = slice(None) if leaks is None else np.delete(np.arange(len(chosen)), leaks)
    images, labels = chosen.images[rows], chosen.require_labels()[rows]
    if not len(images):
        raise InvalidInputError(f"data must have images; the {name} split has none")
    if others := int((labels >= NUM_CLASSES).sum()):
        raise InvalidInputError(
            f"networks are compared on the seven emotions, and {others:,} images have contempt; "
            "load the data without contempt=True"
        )
    if clusters is not None:
        read_clusters(clusters, len(chosen))
        clusters = as_array(clusters, "clusters")[rows]
    networks = {key: _as_function(one, key) for key, one in named.items()}
    answers = {key: _predict(network, images, key) for key, network in networks.items()}
    for key, table in answers.items():
        doubt_order(labels, table.argmax(axis=1), CLASS_NAMES, answers=f"the answers of {key}")
    with warnings.catch_warnings():  # of each network it was said once, by its name
        warnings.filterwarnings("ignore", "labels and .* seem to number", Fer2013KitWarning)
        reports = {
            key: evaluate_predictions(labels, table, clusters=clusters)
            for key, table in answers.items()
        }
        order = sorted(reports, key=lambda key: -reports[key].accuracy)
        best = order[0]
        comparisons = {
            key: compare_predictions(
                labels, answers[key], answers[best], names=(key, best), clusters=clusters
            )
            for key in order[1:]
        }
    return BenchmarkReport(
        reports={key: reports[key] for key in order},
        comparisons=comparisons,
        milliseconds={
            key: _milliseconds(networks[key], images[:1]) if latency else None for key in order
        },
        split=name,
        leaks=None if leaks is None else len(leaks),
    )


def _by_name(predictors: Any) -> dict[str, Any]:
    """Return networks by their names; those of a list are called as they call themselves."""
    if isinstance(predictors, str | bytes) or not isinstance(predictors, Iterable):
        raise InvalidInputError(
            "predictors must be a list of networks, or a mapping of their names to them; received "
            f"{shown(predictors)}"
        )
    if hasattr(predictors, "items"):
        named = dict(predictors)
    else:
        named = {}
        for one in predictors:
            if named.setdefault(str(one), one) is not one and not isinstance(
                one, str | os.PathLike
            ):
                raise InvalidInputError(
                    "predictors must have names of their own; received two called "
                    f"{shown(one)}: pass a mapping of names to networks"
                )
    if not named:
        raise InvalidInputError("predictors must hold at least one network; received none")
    return named


def _measured_split(
    data: FER2013 | Split, split: SplitName, *, drop_leaks: bool
) -> tuple[Split, str, IntArray | None]:
    """Return what is measured on, its name, and the rows that are left out of it as leaks."""
    if isinstance(data, Split):
        return data, "given", None
    if not isinstance(data, FER2013):
        raise InvalidInputError(
            f"data must be a FER2013 or a Split, as load_fer2013 gives; received {shown(data)}"
        )
    if split not in data.splits:
        raise InvalidInputError(
            f"{data.source or 'the data'} has no {split} split; it has {', '.join(data.splits)}"
        )
    if not drop_leaks or split == "train":
        return data.splits[split], split, None
    leaks = audit_dataset(data, near_duplicates=False).leaks[split]
    if len(leaks) == len(data.splits[split]) > 0:
        raise InvalidInputError(
            f"the train split holds all {len(leaks):,} images of the {split} split, too: nothing "
            "is left to measure on"
        )
    return data.splits[split], split, leaks


def _as_function(predictor: Any, name: str) -> Network:
    if isinstance(predictor, str) and predictor in PEERS:
        peer: Network = PEERS[predictor]()
        return peer
    if isinstance(predictor, str | os.PathLike):
        if Path(predictor).suffix.lower() in _KERAS_ENDINGS:
            return _keras_network(Path(predictor))
        predictor = load_predictor(predictor)
    if hasattr(predictor, "predict_proba"):
        network = predictor
        names = classifier_names(network)
        if lacking := [word for word in CLASS_NAMES if word not in names]:
            raise InvalidInputError(
                f"{shown(network)} must know the seven emotions; it lacks {', '.join(lacking)}"
            )
        columns = [names.index(word) for word in CLASS_NAMES]

        def answer(images: NDArray[np.uint8]) -> NDArray[Any]:
            table = network.predict_proba(as_learned(network, images))
            table = _checked(table, name, len(images), len(names))
            return normalize_rows(table[:, columns])

        return answer
    if not callable(predictor):
        raise InvalidInputError(
            "predictors must be names, files, functions or have predict_proba; received "
            f"{shown(predictor)}"
        )
    function: Network = predictor
    return function


def _keras_network(path: Path) -> Network:
    import keras

    if not path.exists():
        raise ModelFileError(f"{path}: no such file; expected a network saved by Keras")
    with errors_as(lambda why: ModelFileError(f"Keras cannot read {path}: {why}")):
        network = keras.saving.load_model(path, compile=False)
    return lambda images: np.asarray(network.predict_on_batch(images))


def _predict(network: Network, images: NDArray[np.uint8], name: str) -> NDArray[Any]:
    try:
        table = in_batches(lambda batch: np.asarray(network(batch)), images)
    except Fer2013KitError:
        raise
    except Exception as error:
        why = " ".join(f"{type(error).__name__}: {error}".split())
        raise InvalidInputError(
            f"{name} failed on uint8 images of shape {images.shape}: {shortened(why)}"
        ) from error
    return _checked(table, name, len(images), len(CLASS_NAMES))


def _checked(table: Any, name: str, n_images: int, n_classes: int) -> NDArray[Any]:
    """Return probabilities, or raise an error that names the network that answered otherwise."""
    table = np.asarray(table)
    if table.shape != (n_images, n_classes):
        raise InvalidInputError(
            f"{name} must return a row for each image and a column for each of its classes, "
            f"{(n_images, n_classes)}; received {table.shape}"
        )
    return check_probabilities(table, name=f"the answers of {name}")


def _milliseconds(network: Network, picture: NDArray[np.uint8]) -> float | None:
    """Return the median time of one face with the process on one core, where that can be had."""
    if not _TASKS.is_dir():
        return None
    with _on_one_core():
        times = []
        for _ in range(_WARM_UP + _CALLS):
            start = time.perf_counter()
            network(picture)
            times.append(time.perf_counter() - start)
    return float(1000 * np.median(times[_WARM_UP:]))


@contextmanager
def _on_one_core() -> Iterator[None]:
    """Keep all threads that there are, and those that they start, on one core."""
    before: dict[int, set[int]] = {}
    first = min(os.sched_getaffinity(0))
    for task in [int(path.name) for path in _TASKS.iterdir()]:
        try:
            before[task] = os.sched_getaffinity(task)
            os.sched_setaffinity(task, {first})
        except ProcessLookupError:  # it has ended
            continue
    allowed = set().union(*before.values())
    try:
        yield
    finally:
        for task in [int(path.name) for path in _TASKS.iterdir()]:
            try:
                os.sched_setaffinity(task, before.get(task, allowed))
            except ProcessLookupError:
                continue
