"""An exported network, started in LiteRT or ONNX Runtime, with what its file says of it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import numpy as np

from fer2013kit._export_metadata import (
    INPUT_NAME,
    METADATA_NAME,
    ExportMetadata,
    metadata_of_tflite,
    not_exported,
    parse_metadata,
)
from fer2013kit._litert import start_interpreter
from fer2013kit._optional import needed
from fer2013kit._untrusted import errors_as
from fer2013kit.exceptions import ModelFileError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Network = Callable[[NDArray[np.uint8]], NDArray[np.float32]]


def start_network(
    content: bytes, suffix: str, source: str, threads: int
) -> tuple[Network, ExportMetadata]:
    """Return what answers batches of images, and the facts that lie beside it.

    Raises
    ------
    ModelFileError
        If the file is damaged, or was written by something else.
    MissingDependencyError
        If the runtime for its kind is not installed.
    """
    start = _start_litert if suffix == ".tflite" else _start_onnx
    return start(content, source, threads)


def _start_litert(content: bytes, source: str, threads: int) -> tuple[Network, ExportMetadata]:
    metadata = metadata_of_tflite(content, source)
    with errors_as(lambda why: ModelFileError(f"{source} cannot be read by LiteRT: {why}")):
        interpreter = start_interpreter(content, "a .tflite file", num_threads=threads)
        interpreter.allocate_tensors()
        (takes,), (gives,) = interpreter.get_input_details(), interpreter.get_output_details()
    _check_shapes(takes["shape"][1:], gives["shape"][1:], metadata, source)
    if takes["dtype"] is not np.uint8 or gives["dtype"] is not np.float32:
        raise not_exported(source)
    taken, given = takes["index"], gives["index"]
    lock = threading.Lock()  # an interpreter has one set of buffers

    def network(batch: NDArray[np.uint8]) -> NDArray[np.float32]:
        probabilities = np.empty((len(batch), len(metadata.classes)), np.float32)
        with lock:
            # One by one is nearly as fast as a batch and never needs other buffers.
            for row, picture in enumerate(batch):
                interpreter.set_tensor(taken, picture[np.newaxis])
                interpreter.invoke()
                probabilities[row] = interpreter.get_tensor(given)[0]
        return probabilities

    return network, metadata


def _start_onnx(content: bytes, source: str, threads: int) -> tuple[Network, ExportMetadata]:
    with needed("a .onnx file", library="onnxruntime"):
        import onnxruntime
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 4  # it logs errors on standard output, and raises them as well
    with errors_as(lambda why: ModelFileError(f"{source} cannot be read by ONNX Runtime: {why}")):
        session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        text = session.get_modelmeta().custom_metadata_map.get(METADATA_NAME)
        (takes,), (gives,) = session.get_inputs(), session.get_outputs()
    if text is None or (takes.name, takes.type) != (INPUT_NAME, "tensor(uint8)"):
        raise not_exported(source)
    metadata = parse_metadata(text, source)
    _check_shapes(takes.shape[1:], gives.shape[1:], metadata, source)

    def network(batch: NDArray[np.uint8]) -> NDArray[np.float32]:
        probabilities: NDArray[np.float32] = session.run(None, {INPUT_NAME: batch})[0]
        return probabilities

    return network, metadata


def _check_shapes(taken: Any, given: Any, metadata: ExportMetadata, source: str) -> None:
    """Raise unless a network takes and gives what its facts say, so that none is misread."""
    expected = [*metadata.image_shape], [len(metadata.classes)]
    if ([*taken], [*given]) != expected:
        raise ModelFileError(
            f"{source} is damaged: its network takes {[*taken]} and gives {[*given]}, its facts "
            f"say {expected[0]} and {expected[1]}. Export the classifier again"
        )
