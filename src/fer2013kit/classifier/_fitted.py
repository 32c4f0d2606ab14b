"""What a fit leaves behind, and its network built again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fer2013kit.classifier._network import build_network

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from fer2013kit._calibration_source import CalibrationSource
    from fer2013kit.classifier._compute_dtype import Format
    from fer2013kit.evaluation import Calibrator
    from fer2013kit.typing import ComputeDtype, ModelBuilder


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """What a fit leaves behind, besides the network: the attributes that end in ``_``."""

    classes: NDArray[Any]
    class_names: tuple[str, ...]
    image_shape: tuple[int, int, int]
    compute_dtype: Format
    history: dict[str, list[float]]
    best_epoch: int | None
    temperature: float = 1.0
    calibration: CalibrationSource | None = None
    calibrator: Calibrator | None = None
    metrics: Mapping[str, Any] | None = None
    threads: int | None = None


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """A network's builder and what it was called with."""

    model: str | ModelBuilder
    params: Mapping[str, Any]
    output: str | None = None


def rebuild_network(
    fitted: Fitted,
    architecture: Architecture,
    weights: Sequence[NDArray[Any]],
    *,
    compute_dtype: ComputeDtype = "float32",
) -> tuple[Any, Format]:
    """Return a new network with trained weights, and the dtype it computes in."""
    network, used = build_network(
        architecture.model,
        architecture.params,
        input_shape=fitted.image_shape,
        num_classes=len(fitted.classes),
        compute_dtype=compute_dtype,
        output=architecture.output,
    )
    network.set_weights(weights)
    return network, used
