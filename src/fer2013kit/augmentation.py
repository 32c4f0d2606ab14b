"""Training-time augmentation with Keras operations alone, so that it runs on every backend."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import keras
from keras import ops

from fer2013kit._checks import MOST_SEED, check_flags, check_number, check_whole
from fer2013kit._keras_settings import keras_settings

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

UNIFORMS_PER_IMAGE = 13
"""How many random numbers in [0, 1) one image's augmentation takes."""

LIMITS: Final = {
    "rotation": 180.0,
    "zoom": 0.99,
    "shift": 0.99,
    "brightness": 1.0,
    "contrast": 0.99,
    "erasing": 1.0,
}
"""The greatest value of each strength; the least is 0."""

STRENGTHS: Final = (*LIMITS, "horizontal_flip")
"""What an augmentation is asked for."""

_SIGNED = (0, 1, 3, 4, 5, 6)
"""Those that say how far an image is moved or relit, of which 0.5 leaves it as it is."""
_ERASING = 11
"""The one that says whether an image is erased: below its probability."""

_ERASED_AREA = (0.02, 0.25)
_ERASED_ASPECT = (0.5, 2.0)


@keras.saving.register_keras_serializable(package="fer2013kit")
class FaceAugmentation(keras.layers.Layer):  # type: ignore[misc]  # Keras carries no types
    """Random rotation, zoom, shift, flip, brightness, contrast and erasing of faces.

    Images are grey levels in [0, 255], before any rescaling: a change of brightness would drown
    those in [0, 1].

    All geometric changes are one affine warp with one interpolation, which is faster than a
    stack of layers and blurs once instead of three times.  As a Keras layer it works inside a
    model (nothing happens outside training); :meth:`transform` is the same as a pure function
    of the images and their random numbers, for input pipelines.

    Parameters
    ----------
    rotation : float in [0, 180], default 12.0
        Largest angle in degrees, to either side.
    zoom : float in [0, 0.99], default 0.12
        Largest relative change of size, larger or smaller.
    shift : float in [0, 0.99], default 0.08
        Largest shift as a fraction of height and width, each way.
    horizontal_flip : bool, default True
        Mirror every second image on average.
    brightness : float in [0, 1], default 0.1
        Largest amount added or taken, as a fraction of 255.
    contrast : float in [0, 0.99], default 0.2
        Largest relative change of the differences from the image's mean.
    erasing : float in [0, 1], default 0.0
        Probability that a rectangle (2 to 25 % of the area) is painted over with one random
        grey (Zhong et al., "Random Erasing Data Augmentation", AAAI 2020).
    clip : bool, default True
        Keep relit values within [0, 255]; False for images that are no grey levels, standardised
        ones for instance.
    seed : int, optional
        For the layer's own random numbers.
    **kwargs
        ``name`` and ``dtype`` as for every Keras layer.

    Raises
    ------
    InvalidInputError
        For a strength outside its range.

    See Also
    --------
    EmotionClassifier : Takes it as ``augment``.

    Examples
    --------
    >>> import fer2013kit as fk
    >>> X, y = fk.make_fer2013(n_samples=70, random_state=0).train
    >>> augmented = fk.FaceAugmentation(rotation=20, erasing=0.5, seed=0)(X, training=True)
    >>> tuple(augmented.shape) == X.shape
    True
    """

    def __init__(
        self,
        rotation: float = 12.0,
        zoom: float = 0.12,
        shift: float = 0.08,
        *,
        horizontal_flip: bool = True,
        brightness: float = 0.1,
        contrast: float = 0.2,
        erasing: float = 0.0,
        clip: bool = True,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        given = (rotation, zoom, shift, brightness, contrast, erasing)
        for (name, limit), value in zip(LIMITS.items(), given, strict=True):
            check_number(name, value, f"[0, {limit:g}]")
        check_flags(horizontal_flip=horizontal_flip, clip=clip)
        self.rotation = rotation
        self.zoom = zoom
        self.shift = shift
        self.horizontal_flip = horizontal_flip
        self.brightness = brightness
        self.contrast = contrast
        self.erasing = erasing
        self.clip = clip
        self.seed = None if seed is None else check_whole("seed", seed, least=0, most=MOST_SEED)
        self.seed_generator = keras.random.SeedGenerator(self.seed)
        self.supports_masking = False

    def call(self, images: Any, training: bool | None = None) -> Any:
        """Augment images while training; return them unchanged otherwise.

        Parameters
        ----------
        images : tensor, shape (n, height, width, channels)
            Values in [0, 255].
        training : bool, optional
            Keras sets it in ``fit``; None counts as False.

        Returns
        -------
        tensor, shape (n, height, width, channels)
            Float32 while training, in [0, 255] where `clip` is set; otherwise the images as given.

        See Also
        --------
        FaceAugmentation.transform : The same with random numbers of your own.
        """
        if not training:
            return images
        uniform = keras.random.uniform(
            (ops.shape(images)[0], UNIFORMS_PER_IMAGE), dtype="float32", seed=self.seed_generator
        )
        return self.transform(images, uniform)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the input's shape: augmentation keeps it.

        Parameters
        ----------
        input_shape : tuple of int or None
            Shape of a batch.

        Returns
        -------
        tuple of int or None
            The same.

        See Also
        --------
        FaceAugmentation : The layer.
        """
        return input_shape

    def transform(self, images: Any, uniform: Any) -> Any:
        """Augment images, with random numbers of your own.

        Parameters
        ----------
        images : tensor, shape (n, height, width, channels)
            Values in [0, 255].
        uniform : tensor of float32, shape (n, 13)
            Independent random numbers in [0, 1).

        Returns
        -------
        tensor of float32, shape (n, height, width, channels)
            In [0, 255] where `clip` is set.

        See Also
        --------
        FaceAugmentation.call : Draws the random numbers itself.

        Examples
        --------
        >>> import fer2013kit as fk
        >>> import numpy as np
        >>> images = fk.make_fer2013(n_samples=70, random_state=0).test.images
        >>> uniform = np.random.default_rng(0).random((len(images), 13), dtype="float32")
        >>> tuple(fk.FaceAugmentation().transform(images, uniform).shape) == images.shape
        True
        """
        with keras_settings():  # constants take Keras's float type
            images = ops.cast(images, "float32")
            if self.rotation or self.zoom or self.shift or self.horizontal_flip:
                images = ops.image.affine_transform(
                    images,
                    self._warp(uniform, images.shape[1:3]),
                    fill_mode="nearest",
                    data_format="channels_last",
                )
            if self.brightness or self.contrast:
                images = self._relight(images, uniform)
            if self.erasing:
                images = self._erase(images, uniform)
            return images

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that build this layer again.

        Returns
        -------
        dict
            The constructor's arguments by their names.

        See Also
        --------
        FaceAugmentation : Takes them.

        Examples
        --------
        >>> import fer2013kit as fk
        >>> fk.FaceAugmentation(rotation=20).get_config()["rotation"]
        20
        """
        own = {name: getattr(self, name) for name in (*STRENGTHS, "clip", "seed")}
        return {**super().get_config(), **own}

    def _warp(self, uniform: Any, size: tuple[int, int]) -> Any:
        """Return the affine maps (n, 8) from output to input pixels, about the centre."""
        height, width = size
        angle = _symmetric(uniform[:, 0]) * math.radians(self.rotation)
        scale = 1.0 + _symmetric(uniform[:, 1]) * self.zoom
        mirror = ops.where(uniform[:, 2] < 0.5, -1.0, 1.0) if self.horizontal_flip else 1.0  # noqa: PLR2004 - a fair coin
        cosine, sine = ops.cos(angle) / scale, ops.sin(angle) / scale
        a0, a1 = cosine * mirror, -sine * mirror
        b0, b1 = sine, cosine
        centre_x, centre_y = (width - 1) / 2, (height - 1) / 2
        a2 = centre_x - a0 * centre_x - a1 * centre_y
        b2 = centre_y - b0 * centre_x - b1 * centre_y
        a2 = a2 + _symmetric(uniform[:, 3]) * self.shift * width
        b2 = b2 + _symmetric(uniform[:, 4]) * self.shift * height
        zero = ops.zeros_like(a2)
        return ops.stack([a0, a1, a2, b0, b1, b2, zero, zero], axis=1)

    def _relight(self, images: Any, uniform: Any) -> Any:
        gain = 1.0 + _per_image(_symmetric(uniform[:, 5])) * self.contrast
        offset = _per_image(_symmetric(uniform[:, 6])) * self.brightness * 255.0
        mean = ops.mean(images, axis=(1, 2, 3), keepdims=True)
        relit = (images - mean) * gain + mean + offset
        return ops.clip(relit, 0.0, 255.0) if self.clip else relit

    def _erase(self, images: Any, uniform: Any) -> Any:
        height, width = images.shape[1:3]
        low, high = _ERASED_AREA
        area = low + uniform[:, 7] * (high - low)
        flat, tall = (math.log(aspect) for aspect in _ERASED_ASPECT)
        aspect = ops.exp(flat + uniform[:, 8] * (tall - flat))
        rows, columns = ops.sqrt(area * aspect) * height, ops.sqrt(area / aspect) * width
        top, left = uniform[:, 9] * (height - rows), uniform[:, 10] * (width - columns)
        inside = _inside((height, width), (top, top + rows), (left, left + columns))
        erased = inside & (_per_image(uniform[:, _ERASING]) < self.erasing)
        return ops.where(erased, _per_image(uniform[:, 12]) * 255.0, images)


def calmed(uniform: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return random numbers (n, 13) that move and relight half as much, and erase nothing."""
    uniform = uniform.copy()
    uniform[:, _SIGNED] = 0.25 + uniform[:, _SIGNED] / 2
    uniform[:, _ERASING] = 1.0
    return uniform


def mix_images(
    images: Any, targets: Any, *, share: Any, cut: Any, position: Any
) -> tuple[Any, Any]:
    """Blend each image of a batch, and its target, with its partner from the batch's other end.

    The images (n, height, width, channels) stand in random order.  The image's own ``share``
    (n,) is in [0, 1]; 1 leaves it alone.  Where ``cut`` (n,) is True, a rectangle of the partner is
    pasted (CutMix, Yun et al., ICCV 2019), with its centre at ``position`` (n, 2) as fractions of
    height and width, and the targets are mixed by the area that was really pasted; else pixels are
    blended (mixup, Zhang et al., ICLR 2018).
    """
    with keras_settings():
        height, width = images.shape[1:3]
        images = ops.cast(images, "float32")
        side = ops.sqrt(1.0 - share)
        top, bottom = _clipped_range(position[:, 0], side, height)
        left, right = _clipped_range(position[:, 1], side, width)
        outside = ~_inside((height, width), (top, bottom), (left, right))
        own_share = ops.where(cut, 1.0 - (bottom - top) * (right - left) / (height * width), share)
        weight = ops.where(
            _per_image(cut), ops.cast(outside, "float32"), ops.ones_like(images) * _per_image(share)
        )
        images = weight * images + (1.0 - weight) * ops.flip(images, axis=0)
        own_share = ops.expand_dims(own_share, -1)
        targets = own_share * targets + (1.0 - own_share) * ops.flip(targets, axis=0)
        return images, targets


def _clipped_range(centre: Any, side: Any, length: int) -> tuple[Any, Any]:
    start = ops.clip(ops.round((centre - side / 2) * length), 0, length)
    stop = ops.clip(ops.round((centre + side / 2) * length), 0, length)
    return start, stop


def _inside(size: tuple[int, int], rows: tuple[Any, Any], columns: tuple[Any, Any]) -> Any:
    """Return which pixels lie in each image's rectangle, (n, height, width, 1).

    It begins at a row, and a column, (n,), and ends before another.
    """
    height, width = size
    y = ops.reshape(ops.arange(height, dtype="float32"), (1, height, 1, 1))
    x = ops.reshape(ops.arange(width, dtype="float32"), (1, 1, width, 1))
    (top, bottom), (left, right) = (map(_per_image, ends) for ends in (rows, columns))
    return (y >= top) & (y < bottom) & (x >= left) & (x < right)


def _symmetric(uniform: Any) -> Any:
    """Map [0, 1) to [-1, 1)."""
    return 2.0 * uniform - 1.0


def _per_image(values: Any) -> Any:
    return ops.reshape(values, (-1, 1, 1, 1))
