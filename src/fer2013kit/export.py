"""Trained networks as files for other programs, checked against the classifier they are of."""

from __future__ import annotations

import logging
import tempfile
import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import keras
import numpy as np
from keras import ops

from fer2013kit._checks import check_choice, check_number
from fer2013kit._compilation import compile_inference, frozen_function
from fer2013kit._export_metadata import (
    ENDINGS_IN_WORDS,
    EXPORT_ENDINGS,
    INPUT_NAME,
    ExportMetadata,
    append_members,
    seal,
    write_members,
)
from fer2013kit._files import replace_folder, write_atomically
from fer2013kit._inference import in_batches
from fer2013kit._metrics import PROBABILITY_FLOOR
from fer2013kit._optional import needed
from fer2013kit._prediction import apply_calibration
from fer2013kit.datasets import make_fer2013
from fer2013kit.emotions import IMAGE_SHAPE
from fer2013kit.exceptions import (
    InvalidInputError,
    MissingDependencyError,
    ModelFileError,
    shortened,
)
from fer2013kit.runtime import EmotionPredictor
from fer2013kit.typing import Quantization

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from fer2013kit.evaluation import Calibrator

logger = logging.getLogger(__name__)

_TOLERANCES: Final[Mapping[str | None, float]] = {None: 1e-3, "dynamic": 0.1, "int8": 0.25}
"""How far a probability may be from the classifier's: rounding, and what 8 bits cost at worst."""

_CHECKED: Final = 70
_REPRESENTATIVE: Final = 500


@dataclass(frozen=True, kw_only=True)
class ExportReport:
    """What an export wrote, and how well it agrees with the classifier.

    Parameters
    ----------
    path : Path
        The file or folder.
    n_bytes : int
        Its size.
    quantization : str or None
        How the weights are stored.
    n_checked : int
        Images that were compared.
    largest_difference : float
        Of any probability, against the classifier in float32.
    same_answers : float
        Share of the images that get the same class.

    See Also
    --------
    EmotionClassifier.export : Makes it.

    Examples
    --------
    >>> import fer2013kit as fk
    >>> report = fk.ExportReport(
    ...     path="emotions.tflite", n_bytes=2_000_664, quantization="dynamic", n_checked=70,
    ...     largest_difference=0.0123, same_answers=1.0,
    ... )
    >>> print(report)
    emotions.tflite: 2.0 MB; on 70 images the probabilities differ by at most 0.0123,
    and 100.0 % get the same class
    """

    path: Path
    n_bytes: int
    quantization: Quantization | None
    n_checked: int
    largest_difference: float
    same_answers: float

    def __str__(self) -> str:
        return (
            f"{self.path}: {self.n_bytes / 1e6:.1f} MB; on {self.n_checked} images the "
            f"probabilities differ by at most {self.largest_difference:.3g}, and "
            f"{self.same_answers:.1%} get the same class".replace("%", " %")
        )


def export_network(
    network: Any,
    metadata: ExportMetadata,
    path: Path,
    *,
    images: NDArray[np.uint8] | None = None,
    tolerance: float | None = None,
) -> ExportReport:
    """Write a network in the format that the path's ending names, if it agrees with itself.

    The network, in float32 from images in [0, 255] to uncalibrated probabilities, is changed: it
    becomes calibrated and quantized as the metadata says.  Images are what ``"int8"`` is fitted to
    and what the check compares; by default the check takes drawn faces.  Errors are those of
    :meth:`EmotionClassifier.export`.
    """
    _check_choices(metadata, path, images)
    if tolerance is not None:
        check_number("tolerance", tolerance, "[0, inf)")
    checked = _pictures(metadata) if images is None else images
    infer = compile_inference(network, network.input_shape[1:])
    expected = apply_calibration(
        in_batches(infer, checked), metadata.temperature, metadata.calibrator
    )
    model = calibrated_model(network, metadata)
    with (
        tempfile.TemporaryDirectory() as name,
        _quiet_libraries(),
        keras.saving.custom_object_scope(_own_classes(model)),
    ):
        draft = Path(name) / f"network{path.suffix.lower()}"
        with _errors_of_format(path, draft):
            write, run = _FORMATS[draft.suffix]
            write(model, metadata, draft, images)
            answers = run(draft, checked)
        report = ExportReport(
            path=path,
            n_bytes=sum(one.stat().st_size for one in [draft, *draft.rglob("*")] if one.is_file()),
            quantization=metadata.quantization,
            n_checked=len(checked),
            largest_difference=float(np.abs(answers - expected).max()),
            same_answers=float((answers.argmax(axis=1) == expected.argmax(axis=1)).mean()),
        )
        allowed = _TOLERANCES[metadata.quantization] if tolerance is None else tolerance
        if not report.largest_difference <= allowed:  # so that NaN fails too
            raise ModelFileError(
                f"{path} was not written: its probabilities differ from the classifier's by up to "
                f"{report.largest_difference:.3g}, more than {allowed:g}. Leave quantization out, "
                "pass images of the kind it is for as images, or allow more with tolerance"
            )
        _put_in_place(draft, path)
    logger.info("%s", report)
    return report


@contextmanager
def _errors_of_format(path: Path, draft: Path) -> Iterator[None]:
    """Say of what a format's library raises that it cannot express the network."""
    try:
        yield
    except (InvalidInputError, MissingDependencyError):
        raise
    except Exception as error:
        reason = shortened(" ".join(str(error).split()).replace(f"{draft} ", ""))
        raise ModelFileError(
            f"{path} was not written: this network cannot be expressed in that format "
            f"({type(error).__name__}: {reason}). Try another format (.tflite and SavedModel "
            "take the most); classes of your own need get_config for .keras; "
            "EmotionClassifier.save always works"
        ) from error


def calibrated_model(network: Any, metadata: ExportMetadata) -> Any:
    """Return a model from uint8 images to calibrated probabilities."""
    last = network.layers[-1]
    scaled = isinstance(last, keras.layers.Dense) and last.activation is keras.activations.softmax
    if scaled:  # logits / T: no operation more, and nothing that 8 bits would spoil
        last.set_weights([weight / metadata.temperature for weight in last.get_weights()])
    images = keras.Input(tuple(metadata.image_shape), dtype="uint8", name=INPUT_NAME)
    # Said here, it holds for every layer in the file: Keras would leave it to the file's reader.
    probabilities = network(ops.cast(images, "float32"), training=False)
    temperature = 1.0 if scaled else metadata.temperature
    probabilities = calibrated(probabilities, temperature, metadata.calibrator)
    return keras.Model(images, probabilities, name="emotions")


def calibrated(probabilities: Any, temperature: float, calibrator: Calibrator | None) -> Any:
    """Return a network's answers as its calibration has them, in operations of Keras.

    Raises
    ------
    InvalidInputError
        For isotonic curves, which are no such operations.
    """
    if calibrator is not None and calibrator["method"] == "isotonic":
        raise InvalidInputError(
            "the curves of calibrate(method='isotonic') are no part of a network that can be "
            "exported; calibrate with 'temperature' or 'vector', or use EmotionClassifier.save"
        )
    if calibrator is None and temperature == 1.0:
        return probabilities
    logs = ops.log(ops.maximum(probabilities, PROBABILITY_FLOOR))
    if calibrator is None:
        return ops.softmax(logs / temperature)
    scale, shift = (np.array(calibrator[key], np.float32) for key in ("scale", "shift"))
    return ops.softmax(logs * scale + shift)


def _own_classes(model: Any) -> dict[str, type]:
    """Return the classes of layers that Keras does not know; whoever reads a .keras gives them."""
    kinds = {type(layer) for layer in model._flatten_layers()}  # noqa: SLF001 - Keras has no other way
    return {kind.__name__: kind for kind in kinds if not kind.__module__.startswith("keras.")}


def _check_choices(metadata: ExportMetadata, path: Path, images: Any) -> None:
    suffix, quantization = path.suffix.lower(), metadata.quantization
    if suffix not in EXPORT_ENDINGS:
        raise InvalidInputError(f"path must {ENDINGS_IN_WORDS}; received {str(path)!r}")
    check_choice("quantization", quantization, Quantization | None)
    if quantization is not None and suffix != ".tflite":
        raise InvalidInputError(
            f"quantization={quantization!r} is for .tflite alone; received {str(path)!r}"
        )
    if quantization == "int8" and images is None:
        raise InvalidInputError(
            "quantization='int8' needs images, some hundred of the kind it will see, to fit the "
            "ranges of its activations to; 'dynamic' does without"
        )
    if suffix != ".keras" and keras.backend.backend() != "tensorflow":
        raise InvalidInputError(
            f"exporting {suffix or 'a SavedModel'} needs Keras's backend to be 'tensorflow' "
            "(KERAS_BACKEND in the environment, before Keras is imported); "
            f"received {keras.backend.backend()!r}"
        )


def _pictures(metadata: ExportMetadata) -> NDArray[np.uint8]:
    """Return drawn faces, or noise where the images have another shape."""
    if tuple(metadata.image_shape) == IMAGE_SHAPE:
        return make_fer2013(n_samples=_CHECKED, random_state=0).train.images
    shape = (_CHECKED, *metadata.image_shape)
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)


def _write_onnx(model: Any, metadata: ExportMetadata, draft: Path, images: object) -> None:
    del images
    with needed("exporting .onnx", extra="export"):
        import tf2onnx
    shape = (None, *metadata.image_shape)
    signature, function = frozen_function(model, shape, "uint8", INPUT_NAME)
    proto, _ = tf2onnx.convert.from_function(
        function, signature, custom_op_handlers={"Erfc": (_erfc_of_erf, [])}
    )
    for key, text in metadata.members().items():
        proto.metadata_props.add(key=key, value=text)
    draft.write_bytes(seal(proto.SerializeToString(), draft.suffix))


def _erfc_of_erf(graph: Any, node: Any, name: str, arguments: object) -> None:
    """Write erfc, which ``gelu`` is made of and ONNX lacks, as 1 - erf."""
    del arguments
    (source,), outputs, kinds = node.input, node.output, node.output_dtypes
    shapes = node.output_shapes
    graph.remove_node(name)
    erf = graph.make_node("Erf", [source], shapes=shapes, dtypes=kinds)
    one = graph.make_const(f"{name}/one", np.array(1, np.float32))
    graph.make_node(
        "Sub",
        [one.output[0], erf.output[0]],
        name=name,
        outputs=outputs,
        shapes=shapes,
        dtypes=kinds,
    )


def _write_tflite(
    model: Any, metadata: ExportMetadata, draft: Path, images: NDArray[np.uint8] | None
) -> None:
    import tensorflow as tf

    saved, holder = draft.with_name("saved_model"), tf.Module()
    shape = (None, *metadata.image_shape)
    _, holder.serve = frozen_function(model, shape, "uint8", INPUT_NAME)
    tf.saved_model.save(holder, saved, signatures=holder.serve)
    converter = tf.lite.TFLiteConverter.from_saved_model(str(saved))
    if metadata.quantization is not None:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if metadata.quantization == "int8" and images is not None:
        some = images[:: max(1, len(images) // _REPRESENTATIVE)]
        converter.representative_dataset = lambda: ({INPUT_NAME: one[np.newaxis]} for one in some)
    draft.write_bytes(seal(append_members(converter.convert(), metadata), draft.suffix))


def _write_keras(model: Any, metadata: ExportMetadata, draft: Path, images: object) -> None:
    del images
    model.save(draft)
    draft.write_bytes(append_members(draft.read_bytes(), metadata))


def _write_saved_model(model: Any, metadata: ExportMetadata, draft: Path, images: object) -> None:
    del images
    model.export(draft, format="tf_saved_model", verbose=False)
    write_members(draft / "assets.extra", metadata)


def _answers_of_predictor(draft: Path, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    return EmotionPredictor.load(draft).predict_proba(images)


def _answers_of_keras(draft: Path, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    again = keras.saving.load_model(draft)
    return in_batches(lambda batch: ops.convert_to_numpy(again(batch, training=False)), images)


def _answers_of_saved_model(draft: Path, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    import tensorflow as tf

    served = tf.saved_model.load(str(draft))
    return in_batches(lambda batch: served.serve(batch).numpy(), images)


_FORMATS: Final = {
    ".onnx": (_write_onnx, _answers_of_predictor),
    ".tflite": (_write_tflite, _answers_of_predictor),
    ".keras": (_write_keras, _answers_of_keras),
    "": (_write_saved_model, _answers_of_saved_model),
}
"""How each ending is written, and run in the runtime that it is for."""


def _put_in_place(draft: Path, path: Path) -> None:
    """Move the finished file or folder to its name, so that it is whole at every moment."""
    if draft.is_file():
        write_atomically(path, draft.read_bytes())
        return
    if path.exists() and not (path / "saved_model.pb").is_file():
        raise InvalidInputError(
            f"{path} exists and holds no SavedModel, so it is left alone; choose another folder"
        )
    replace_folder(path, draft)


@contextmanager
def _quiet_libraries() -> Iterator[None]:
    """Keep back what TensorFlow and Keras say about their own future."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r".*tf\.lite\.Interpreter is deprecated")
        warnings.filterwarnings("ignore", message=r".*np\.object", category=FutureWarning)
        warnings.filterwarnings("ignore", message=r"__array__ implementation doesn't accept")
        yield
