"""What FER-2013 is: its seven emotions, its splits, and the shape of an image.

Every reader turns its source's own labels into the codes of :class:`Emotion`, the codes of the
original ``fer2013.csv`` (Goodfellow et al., "Challenges in Representation Learning", 2013).
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final, get_args

from fer2013kit.typing import SplitName


class Emotion(IntEnum):
    """The seven emotions with the codes of the original ``fer2013.csv``.

    See Also
    --------
    CLASS_NAMES : Their names in lower case.

    Examples
    --------
    >>> import fer2013kit as fk
    >>> fk.Emotion.HAPPY.value, fk.Emotion(6).name
    (3, 'NEUTRAL')
    """

    ANGRY = 0
    DISGUST = 1
    FEAR = 2
    HAPPY = 3
    SAD = 4
    SURPRISE = 5
    NEUTRAL = 6


CLASS_NAMES: Final[tuple[str, ...]] = tuple(emotion.name.lower() for emotion in Emotion)
"""Class names in the order of the codes: ``CLASS_NAMES[code]``."""

NUM_CLASSES: Final = len(CLASS_NAMES)

IMAGE_SHAPE: Final = (48, 48, 1)
"""Height, width and channels of a FER-2013 image."""

IMAGE_SIZE: Final = IMAGE_SHAPE[0] * IMAGE_SHAPE[1]
"""Pixels of an image: 2304."""

MAX_LEVEL: Final = 255
"""White as a grey level of 8 bits; black is 0."""

CLASS_COLORS: Final = (
    *("#EE6677", "#416817", "#AA3377", "#DDAA33", "#4477AA", "#66CCEE", "#A9A7AD"),
    "#5522CC",
)
"""Colour of each code in all figures, the last one contempt's.  After the "bright" scheme of Tol
(2021), its green and grey moved so that no colour blindness makes two of them alike: CAM02-UCS
differences are at least 15 for any two, with full colour vision and without one kind of cones."""

FERPLUS_CLASS_NAMES: Final[tuple[str, ...]] = (*CLASS_NAMES, "contempt")
"""Names of the 8-class form of the FER+ votes: the seven FER-2013 codes, then contempt."""

SPLIT_NAMES: Final[tuple[str, ...]] = get_args(SplitName)
"""The parts of a data set, in the order of their codes."""

SPLIT_WORDS: Final = {
    **dict.fromkeys(("train", "training"), 0),
    **dict.fromkeys(("val", "valid", "validate", "validation", "dev"), 1),
    **dict.fromkeys(("publictest", "testpublic"), 1),
    **dict.fromkeys(("test", "testing", "eval", "evaluation", "privatetest", "testprivate"), 2),
}
"""Every word, in lower case, by which files, folders, columns and arrays name a split, and its
place in ``SPLIT_NAMES``; ``Training``, ``PublicTest``, ``PrivateTest`` are the original CSV's."""

_ALIASES: Final = {
    **{name: code for code, name in enumerate(CLASS_NAMES)},
    "anger": Emotion.ANGRY,
    "disgusted": Emotion.DISGUST,
    "fearful": Emotion.FEAR,
    "afraid": Emotion.FEAR,
    "happiness": Emotion.HAPPY,
    "sadness": Emotion.SAD,
    "surprised": Emotion.SURPRISE,
    "suprise": Emotion.SURPRISE,  # so it is spelt in many copies
    "suprised": Emotion.SURPRISE,
    "scared": Emotion.FEAR,
}


def emotion_code(name: str) -> int | None:
    """Return the code of an emotion's name, 0 to 6, or None for a word that names none.

    Letter case and surrounding blanks do not matter; the nouns and participles that other data
    sets use (anger, fearful, happiness, ...) are understood.

    Examples
    --------
    >>> from fer2013kit.emotions import emotion_code
    >>> emotion_code("Sadness"), emotion_code("bored")
    (4, None)
    """
    code = _ALIASES.get(name.strip().lower())
    return None if code is None else int(code)
