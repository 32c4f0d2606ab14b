"""What ``fit`` shows while it works."""

from __future__ import annotations

import sys
import time
from typing import Any

from keras import callbacks as keras_callbacks
from tqdm import tqdm

BAR = 1
LINES = 2


def resolve_verbose(verbose: str | int) -> int:
    """Return 0 (silent), 1 (a bar) or 2 (lines); ``"auto"`` is a bar on a terminal, else lines.

    A program without a console has nowhere to show anything.
    """
    if sys.stderr is None:
        return 0
    if verbose == "auto":
        return BAR if sys.stderr.isatty() else LINES
    return int(verbose)


class TrainingProgress(keras_callbacks.Callback):  # type: ignore[misc]  # Keras carries no types
    """Show epochs, figures and the time that is left, on standard error."""

    def __init__(
        self,
        *,
        epochs: int,
        steps_per_epoch: int,
        initial_epoch: int,
        compute_dtype: str,
        verbose: int,
    ) -> None:
        super().__init__()
        self._epochs = epochs
        self._initial_epoch = initial_epoch
        self._verbose = verbose
        self._started = time.monotonic()
        if verbose:
            resumed = f", resuming after epoch {initial_epoch}" if initial_epoch else ""
            number = "1 epoch" if epochs == 1 else f"{epochs} epochs"
            self._print(f"training in {compute_dtype} for {number}{resumed}")
        self._bar = tqdm(
            total=epochs * steps_per_epoch,
            initial=initial_epoch * steps_per_epoch,
            unit="batch",
            file=sys.stderr,
            disable=verbose != BAR,
            dynamic_ncols=True,
        )

    def close(self) -> None:
        """Leave the bar as it is, also when training ends early."""
        self._bar.close()

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Name the epoch on the bar."""
        del logs
        self._bar.set_description(f"epoch {epoch + 1}/{self._epochs}", refresh=False)

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Move the bar."""
        del batch, logs
        self._bar.update()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Show the epoch's figures."""
        figures = {name: f"{value:.3f}" for name, value in (logs or {}).items()}
        if self._verbose == BAR:
            # A terminal is narrow: the losses stand in history_.
            self._bar.set_postfix({k: v for k, v in figures.items() if "loss" not in k})
        elif self._verbose == LINES:
            done = epoch + 1
            spent = time.monotonic() - self._started
            left = spent / (done - self._initial_epoch) * (self._epochs - done)
            shown = ", ".join(f"{name} {value}" for name, value in figures.items())
            self._print(f"epoch {done}/{self._epochs}: {shown} [{spent:.0f} s, {left:.0f} s left]")

    @staticmethod
    def _print(line: str) -> None:
        print(line, file=sys.stderr, flush=True)  # noqa: T201 - verbose asked for it
