"""Which number format a network computes in."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

import keras

from fer2013kit._keras_settings import keras_settings

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from fer2013kit.typing import ComputeDtype

Format = Literal["float32", "bfloat16"]

_POLICIES: Final = {"float32": "float32", "bfloat16": "mixed_bfloat16"}


def resolve_compute_dtype(compute_dtype: ComputeDtype) -> Format:
    """Return the format that ``compute_dtype`` means here; weights are float32 either way.

    ``"auto"`` takes bfloat16 where the CPU has instructions for it (about twice as fast there in
    TensorFlow, no faster in JAX, and slower everywhere else), else float32.  Depthwise convolutions
    are an exception (``_network``).
    """
    if compute_dtype == "auto":
        fast = keras.config.backend() == "tensorflow" and cpu_has_bfloat16()
        return "bfloat16" if fast else "float32"
    return compute_dtype


@cache
def cpu_has_bfloat16(cpuinfo: Path = Path("/proc/cpuinfo")) -> bool:
    """Tell whether the CPU multiplies bfloat16 in hardware; False where it cannot be told.

    The flags are read rather than timed, so that the same machine always answers the same and
    the same seed always gives the same model.
    """
    try:
        text = cpuinfo.read_text(encoding="ascii", errors="replace")
    except OSError:
        return False
    flags = next((line.split() for line in text.splitlines() if line.startswith("flags")), [])
    return not {"avx512_bf16", "amx_bf16"}.isdisjoint(flags)


def compute_dtype_policy(compute_dtype: Format) -> AbstractContextManager[None]:
    """Build layers in a compute dtype, whatever the user's Keras configuration is."""
    return keras_settings(_POLICIES[compute_dtype])
