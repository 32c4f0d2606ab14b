"""The settings of ``EmotionClassifier``: its constructor, and what values each may take."""

from __future__ import annotations

import numbers
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
from sklearn.base import BaseEstimator

from fer2013kit._checks import is_number, wrong_choice
from fer2013kit.augmentation import FaceAugmentation
from fer2013kit.emotions import IMAGE_SHAPE
from fer2013kit.exceptions import InvalidInputError
from fer2013kit.typing import (
    ClassWeight,
    ComputeDtype,
    Freeze,
    LearningRateSchedule,
    Loss,
    Verbose,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from fer2013kit.typing import ModelBuilder

_VOCABULARIES: Final[Mapping[str, Any]] = {
    "loss": Loss,
    "learning_rate_schedule": LearningRateSchedule,
    "compute_dtype": ComputeDtype,
    "freeze": Freeze | None,
    "warm_start": Literal[False, True],
    "verbose": Verbose,
}
_RANGES: Final[Mapping[str, tuple[float, float]]] = {
    "epochs": (1, np.inf),
    "batch_size": (1, np.inf),
    "learning_rate": (0, np.inf),
    "warmup_epochs": (0, np.inf),
    "weight_decay": (0, np.inf),
    "ema_momentum": (0, 0.999999),
    "focal_gamma": (0, np.inf),
    "label_smoothing": (0, 0.999),
    "rotation": (0, 180),
    "zoom": (0, 0.99),
    "shift": (0, 0.99),
    "brightness": (0, 1),
    "contrast": (0, 0.99),
    "erasing": (0, 1),
    "mixup": (0, np.inf),
    "cutmix": (0, np.inf),
}
_WHOLE: Final = ("epochs", "batch_size")


def _check(params: Mapping[str, Any]) -> None:
    wrong = [
        message
        for name, vocabulary in _VOCABULARIES.items()
        if (message := wrong_choice(name, params[name], vocabulary))
    ]
    for name, (low, high) in _RANGES.items():
        value = params[name]
        kind: Any = numbers.Integral if name in _WHOLE else numbers.Real
        if not (is_number(value, kind) and low <= value <= high):
            number = "a whole number" if name in _WHOLE else "a number"
            wrong.append(f"{name} must be {number} in [{low:g}, {high:g}]; received {value!r}")
    patience = params["patience"]
    if patience is not None and not (is_number(patience, numbers.Integral) and patience >= 1):
        wrong.append(
            f"patience must be None or a number of epochs of at least 1; received {patience!r}"
        )
    value_range = params["value_range"]
    if value_range is not None and not (len(value_range) == 2 and value_range[0] < value_range[1]):  # noqa: PLR2004 - a pair
        wrong.append(f"value_range must be None or (low, high); received {value_range!r}")
    if wrong:
        raise InvalidInputError("; ".join(wrong))


class ClassifierSettings(BaseEstimator):  # type: ignore[misc]  # scikit-learn carries no types
    """Stores what it is given, as scikit-learn wants it; ``EmotionClassifier`` documents each."""

    def __init__(
        self,
        model: str | ModelBuilder = "five_layer_cnn",
        *,
        model_params: Mapping[str, Any] | None = None,
        epochs: int = 60,
        batch_size: int = 128,
        optimizer: Any = "sgd",
        learning_rate: float = 0.05,
        learning_rate_schedule: LearningRateSchedule = "cosine",
        warmup_epochs: float = 1.0,
        weight_decay: float = 1e-3,
        ema_momentum: float = 0.999,
        loss: Loss = "crossentropy",
        focal_gamma: float = 2.0,
        label_smoothing: float = 0.1,
        class_weight: ClassWeight | None = None,
        augment: bool = True,
        rotation: float = 12.0,
        zoom: float = 0.12,
        shift: float = 0.08,
        horizontal_flip: bool = True,
        brightness: float = 0.1,
        contrast: float = 0.2,
        erasing: float = 0.0,
        mixup: float = 0.0,
        cutmix: float = 0.0,
        monitor: str = "val_accuracy",
        patience: int | None = None,
        restore_best_weights: bool = False,
        compute_dtype: ComputeDtype = "auto",
        warm_start: bool = False,
        freeze: Freeze | None = None,
        checkpoint_dir: str | Path | None = None,
        image_shape: tuple[int, int, int] | None = IMAGE_SHAPE,
        value_range: tuple[float, float] | None = (0.0, 1.0),
        classes: Sequence[Any] | None = None,
        verbose: Verbose = "auto",
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.model = model
        self.model_params = model_params
        self.epochs = epochs
        self.batch_size = batch_size
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.learning_rate_schedule = learning_rate_schedule
        self.warmup_epochs = warmup_epochs
        self.weight_decay = weight_decay
        self.ema_momentum = ema_momentum
        self.loss = loss
        self.focal_gamma = focal_gamma
        self.label_smoothing = label_smoothing
        self.class_weight = class_weight
        self.augment = augment
        self.rotation = rotation
        self.zoom = zoom
        self.shift = shift
        self.horizontal_flip = horizontal_flip
        self.brightness = brightness
        self.contrast = contrast
        self.erasing = erasing
        self.mixup = mixup
        self.cutmix = cutmix
        self.monitor = monitor
        self.patience = patience
        self.restore_best_weights = restore_best_weights
        self.compute_dtype = compute_dtype
        self.warm_start = warm_start
        self.freeze = freeze
        self.checkpoint_dir = checkpoint_dir
        self.image_shape = image_shape
        self.value_range = value_range
        self.classes = classes
        self.verbose = verbose
        self.random_state = random_state

    def check_settings(self) -> None:
        """Raise one :class:`InvalidInputError` that names every unusable setting."""
        _check(self.get_params(deep=False))

    def make_augmentation(self) -> FaceAugmentation | None:
        """Return the augmentation of the settings, or None where it is switched off."""
        if not self.augment:
            return None
        return FaceAugmentation(
            rotation=self.rotation,
            zoom=self.zoom,
            shift=self.shift,
            horizontal_flip=self.horizontal_flip,
            brightness=self.brightness,
            contrast=self.contrast,
            erasing=self.erasing,
        )
