"""Faces beside what in them speaks for an emotion."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fer2013kit._checks import as_array, check_same_length
from fer2013kit._labels import check_class_names
from fer2013kit.emotions import CLASS_NAMES
from fer2013kit.exceptions import InvalidInputError
from fer2013kit.plotting._faces import as_pictures, draw_grid
from fer2013kit.plotting._parts import class_codes, plain, read_probabilities

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike


def plot_explanation(
    images: ArrayLike,
    heat: ArrayLike,
    *,
    emotion: ArrayLike | None = None,
    probabilities: ArrayLike | None = None,
    class_names: Sequence[str] = CLASS_NAMES,
    ax: Axes | None = None,
) -> Axes:
    """Draw each face twice: as it is, and under the heat map of an emotion.

    Parameters
    ----------
    images : array_like, shape (n, height, width), (n, height, width, 1 or 3) or (n, 2304)
        Grey or RGB images, as for :func:`plot_samples`.  All are drawn.
    heat : array_like of float, shape (n, height, width)
        Heat in [0, 1], from :func:`explain`.  Another size than that of the images is
        stretched over them.
    emotion : int, str, or array_like of them, shape (n,), optional
        The explained class, by code or by name, of all images or of each; it is written below.
        Default: the most probable one where there are probabilities.
    probabilities : array_like or data frame of float, shape (n, k), optional
        Of each class; that of the explained one is written.
    class_names : sequence of str, length k
        Names in the order of the codes.  Default: the seven emotions.
    ax : matplotlib.axes.Axes, optional
        Where to draw.

    Returns
    -------
    matplotlib.axes.Axes
        The Axes drawn into.

    Raises
    ------
    InvalidInputError
        For zero images, arrays of other shapes or lengths, heat outside [0, 1], an unknown class,
        what is no probability, or an ``ax`` that is no Axes.

    See Also
    --------
    explain : Makes the heat.

    Examples
    --------
    >>> import fer2013kit as fk
    >>> clf = fk.EmotionClassifier.from_pretrained("five_layer_cnn_small")
    >>> X = fk.make_fer2013(n_samples=14, random_state=0).train.images
    >>> ax = fk.plot_explanation(X[:3], fk.explain(clf, X[:3]), emotion=clf.predict(X[:3]))
    >>> len(ax.texts)
    3
    """
    class_names = check_class_names(class_names)
    pictures = as_pictures(images)
    maps = as_array(heat, "heat")
    check_same_length(pictures, maps, names=("images", "heat"))
    if maps.ndim != 3 or maps.dtype.kind not in "fiu":  # noqa: PLR2004 - n, height, width
        raise InvalidInputError(
            f"heat must be numbers of shape (n, height, width); received {maps.shape}"
        )
    if not len(pictures):
        raise InvalidInputError("there is nothing to draw: 0 images")
    if not (maps.min() >= 0 and maps.max() <= 1):  # NaN fails here too
        raise InvalidInputError(f"heat must be in [0, 1]; received {maps.min()} to {maps.max()}")
    table = None
    if probabilities is not None:
        table = read_probabilities(probabilities, class_names)
        check_same_length(pictures, table, names=("images", "probabilities"))
        emotion = table.argmax(axis=1) if emotion is None else emotion
    if emotion is not None and as_array(emotion, "emotion").ndim == 0:
        emotion = np.repeat(emotion, len(pictures))
    codes = class_codes(emotion, class_names, name="emotion", images=pictures)
    captions = [""] * len(pictures)
    if codes is not None:
        captions = [class_names[code] for code in codes]
        if table is not None:
            shares = 100 * table[np.arange(len(codes)), codes]
            captions = [f"{c} {s:.0f}%" for c, s in zip(captions, shares, strict=True)]
    return draw_grid(
        pictures, [*map(plain, captions)], [None] * len(pictures), ax, heat=maps.astype(np.float32)
    )
