"""Several processes that train one network: Keras on JAX, shared out by ``keras.distribution``."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import keras
import numpy as np

from fer2013kit.exceptions import Fer2013KitError, InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True)
class Processes:
    """Which of how many processes this is, and how many devices all of them have."""

    index: int = 0
    count: int = 1
    devices: int = 1

    def share(self, content: bytes | None) -> bytes | None:
        """Return what the first process has, in all of them; they need not share a disk."""
        if self.count == 1:
            return content
        from jax.experimental import multihost_utils

        broadcast = multihost_utils.broadcast_one_to_all
        size = int(broadcast(np.int32(-1 if content is None else len(content))))
        if size < 0:
            return None
        own = np.zeros(size, np.uint8)
        if self.index == 0 and content is not None:
            own = np.frombuffer(content, np.uint8)
        return bytes(np.asarray(broadcast(own), np.uint8))

    def check_agreement(self, fingerprint: str) -> None:
        """Raise in all processes where they were not given the same images and settings."""
        if self.count == 1:
            return
        from jax.experimental import multihost_utils

        own = np.frombuffer(bytes.fromhex(fingerprint), np.uint8)
        if (multihost_utils.process_allgather(own) != own).any():
            raise InvalidInputError(
                f"all {self.count} processes must be given the same images, labels and settings, "
                "of which each takes its share; they differ"
            )

    @contextmanager
    def joined(self) -> Iterator[None]:
        """Let Keras take from each process its own share of a batch, and name lost processes."""
        distribution = keras.distribution.distribution()
        if self.count == 1:
            yield
            return
        import jax

        before, distribution.auto_shard_dataset = distribution.auto_shard_dataset, False
        try:
            yield
        except jax.errors.JaxRuntimeError as error:
            first = str(error).partition("\n")[0]
            raise Fer2013KitError(
                f"process {self.index} of {self.count} lost touch with another one, which ended or "
                "cannot be reached; start all of them again: with checkpoint_dir, the fit goes on "
                f"after the last whole epoch ({first:.200})"
            ) from error
        finally:
            distribution.auto_shard_dataset = before


ALONE: Final = Processes()


def current_processes() -> Processes:
    """Return what the distribution says that Keras has been set to, if any."""
    distribution = keras.distribution.distribution()
    if distribution is None or keras.backend.backend() != "jax":
        return ALONE
    import jax

    return Processes(jax.process_index(), jax.process_count(), distribution.num_model_replicas)


@contextmanager
def undistributed() -> Iterator[Any]:
    """Run a block as if Keras had been set to no distribution: what it builds lies here alone."""
    distribution = keras.distribution.distribution()
    keras.distribution.set_distribution(None)
    try:
        yield distribution
    finally:
        keras.distribution.set_distribution(distribution)
