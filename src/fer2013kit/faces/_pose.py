"""How a head is turned, from eyes, nose and corners of the mouth."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_HEAD: Final = np.array(
    [
        [-0.5, 0.0, 0.0],
        [0.5, 0.0, 0.0],
        [0.0, 0.58, -0.43],
        [-0.41, 1.03, -0.03],
        [0.41, 1.03, -0.03],
    ]
)
"""Right eye, left eye, nose, right and left corner of the mouth of a head that looks at the camera:
across, down and away from it, in distances between the eyes.  Across and down are medians of the
press photographs' faces (recipes/photographs/pose.py), so that their usual pitch is 0."""


class HeadPose(NamedTuple):
    """How a head is turned, in degrees; 0, 0, 0 looks at the camera.

    Parameters
    ----------
    roll : float
        Clockwise, as one sees it: towards the person's left shoulder.
    yaw : float
        To the right of the image, the person's own left.
    pitch : float
        Up.

    See Also
    --------
    FaceEmotion : Has one.

    Examples
    --------
    >>> import fer2013kit as fk
    >>> (face,) = fk.analyze_photo(fk.sample_photos()[0])
    >>> abs(face.head_pose.yaw) < 30
    True
    """

    roll: float
    yaw: float
    pitch: float


def head_pose(points: NDArray[Any]) -> HeadPose:
    """Return how a head with these points, (5, 2), is turned: the rotation that fits best.

    The head is seen from afar (scaled orthographic projection).
    """
    model = _HEAD - _HEAD.mean(axis=0)
    seen = np.asarray(points, np.float64) - np.mean(points, axis=0, dtype=np.float64)
    # Points near a plane say little across it, so what fits is made a rotation at once.
    fit = np.linalg.lstsq(model, seen, rcond=None)[0].T
    left, _, right = np.linalg.svd(fit, full_matrices=False)
    across, down = left @ right
    away = np.cross(across, down)
    looks = -np.array([across[2], down[2], away[2]])
    return HeadPose(
        roll=math.degrees(math.atan2(down[0], across[0])),
        yaw=math.degrees(math.atan2(looks[0], -looks[2])),
        pitch=math.degrees(math.atan2(-looks[1], math.hypot(looks[0], looks[2]))),
    )
