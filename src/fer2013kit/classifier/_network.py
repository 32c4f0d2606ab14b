"""Building the classifier's network from a seed and in a compute dtype."""

from __future__ import annotations

import logging
import random
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from fer2013kit.classifier._compute_dtype import Format, compute_dtype_policy
from fer2013kit.models import create_model

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from fer2013kit.typing import ModelBuilder

logger = logging.getLogger(__name__)


def build_network(
    model: str | ModelBuilder,
    params: Mapping[str, Any],
    *,
    input_shape: tuple[int, int, int],
    num_classes: int,
    compute_dtype: Format,
    seed: int,
) -> tuple[Any, Format]:
    """Return a new network and the dtype it computes in.

    A network whose last layer would return half-precision probabilities (one that was not
    written with mixed precision in mind) is built in float32 instead.
    """
    with _seeded(seed), compute_dtype_policy(compute_dtype):
        network = create_model(model, input_shape=input_shape, num_classes=num_classes, **params)
    if compute_dtype == "float32" or network.outputs[0].dtype == "float32":
        return network, compute_dtype
    logger.warning(
        "the last layer of %s does not compute in float32, so %s is not used; give that layer "
        "dtype='float32' to allow it",
        network.name,
        compute_dtype,
    )
    return build_network(
        model,
        params,
        input_shape=input_shape,
        num_classes=num_classes,
        compute_dtype="float32",
        seed=seed,
    )


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Seed what Keras's layers (Python's generator) and people's own (NumPy's) draw from.

    The caller's states are given back.
    """
    python_state = random.getstate()
    numpy_state = np.random.get_state()  # noqa: NPY002 - the global state is what is kept
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002 - the same
    try:
        yield
    finally:
        random.setstate(python_state)
        np.random.set_state(numpy_state)  # noqa: NPY002 - the same
