"""Label schemes of other data sets: what their numbers, words and file names mean."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from fer2013kit._checks import check_choice
from fer2013kit.emotions import FERPLUS_CLASS_NAMES
from fer2013kit.typing import LabelScheme

if TYPE_CHECKING:
    from collections.abc import Mapping

CONTEMPT: Final = FERPLUS_CLASS_NAMES[-1]


@dataclass(frozen=True)
class Scheme:
    """How a data set labels its images.

    Attributes
    ----------
    labels : dict of str to str or None
        Numbers, words and codes to emotions; None is left out.
    file_name : re.Pattern, optional
        What file names tell: a group ``label``, a group ``subject``, or both.
    may_lack_zero : bool
        Whether copies without images of the number 0 are usual, where 0 is a label.
    """

    labels: Mapping[str, str | None]
    file_name: re.Pattern[str] = field(default=re.compile(r"(?!)"))
    may_lack_zero: bool = False

    @property
    def in_file_names(self) -> bool:
        """Whether the names of the images, and no folders, tell the label."""
        return "label" in self.file_name.groupindex

    def told_by(self, file_name: str) -> dict[str, str]:
        """Return what the name of an image tells: its ``label``, its ``subject``, or nothing."""
        match = self.file_name.match(file_name)
        return {} if match is None else match.groupdict()


def _numbered(*names: str | None, first: int = 0) -> dict[str, str | None]:
    return {str(number): name for number, name in enumerate(names, first)}


_WORDS: Final[dict[str, str | None]] = {
    "natural": "neutral",
    "contemptuous": CONTEMPT,
    CONTEMPT: CONTEMPT,
}
_NO_LABEL: Final[dict[str, str | None]] = dict.fromkeys(("none", "uncertain", "no-face", "noface"))
_CODES: Final[dict[str, str | None]] = {
    "an": "angry",
    "di": "disgust",
    "ha": "happy",
    "ne": "neutral",
    "sa": "sad",
    "su": "surprise",
}

_SCHEMES: Final[Mapping[LabelScheme, Scheme]] = {
    # S. Li, W. Deng and J. Du, "Reliable Crowdsourcing and Deep Locality-Preserving Learning for
    # Expression Recognition in the Wild", CVPR 2017; readme of the data, list_patition_label.txt.
    "raf-db": Scheme(
        _numbered("surprise", "fear", "disgust", "happy", "sad", "angry", "neutral", first=1)
    ),
    # A. Mollahosseini, B. Hasani and M. H. Mahoor, "AffectNet: A Database for Facial Expression,
    # Valence, and Arousal Computing in the Wild", IEEE Trans. on Affective Computing 10, 2019.
    "affectnet": Scheme(
        {
            **_numbered(
                *("neutral", "happy", "sad", "surprise", "fear", "disgust", "angry", CONTEMPT),
                *(None, None, None),  # none, uncertain, no face
            ),
            **_NO_LABEL,
        }
    ),
    # P. Lucey et al., "The Extended Cohn-Kanade Dataset (CK+)", CVPR Workshops 2010: the numbers of
    # its files of emotions, and names such as S005_001_00000011.png.
    "ck+": Scheme(
        _numbered("neutral", "angry", CONTEMPT, "disgust", "fear", "happy", "sad", "surprise"),
        re.compile(r"(?P<subject>S\d{3})_\d{3}_\d+", re.IGNORECASE),
        may_lack_zero=True,  # a sequence that ends without an emotion has no file
    ),
    # "The Karolinska Directed Emotional Faces", D. Lundqvist, A. Flykt and A. Oehman, Karolinska
    # Institutet 1998: session, sex and number, expression, angle, as in AF01ANS.JPG.
    "kdef": Scheme(
        {**_CODES, "af": "fear"},
        re.compile(
            r"[AB](?P<subject>[FM]\d\d)(?P<label>AF|AN|DI|HA|NE|SA|SU)(FL|HL|S|HR|FR)(?![A-Z])",
            re.IGNORECASE,
        ),
    ),
    # M. Lyons, S. Akamatsu, M. Kamachi and J. Gyoba, "Coding Facial Expressions with Gabor
    # Wavelets", FG 1998: person, expression and its number, number, as in KA.AN1.39.tiff.
    "jaffe": Scheme(
        {**_CODES, "fe": "fear"},
        re.compile(
            r"(?P<subject>[A-Z]{2})[.-](?P<label>AN|DI|FE|HA|NE|SA|SU)\d?[.-]", re.IGNORECASE
        ),
    ),
    # Z. Zhang, P. Luo, C. C. Loy and X. Tang, "From Facial Expression Recognition to Interpersonal
    # Relation Prediction", IJCV 126, 2018; readme of label.lst.
    "expw": Scheme(_numbered("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")),
    # E. Barsoum et al., "Training Deep Networks for Facial Expression Recognition with
    # Crowd-Sourced Label Distribution", ICMI 2016: the columns of fer2013new.csv in their order.
    "ferplus": Scheme(
        {
            **_numbered(
                *("neutral", "happy", "surprise", "sad", "angry", "disgust", "fear", CONTEMPT),
                *(None, None),
            ),
            **dict.fromkeys(("unknown", "nf")),
        }
    ),
}


def find_scheme(name: object) -> Scheme:
    """Return a scheme by its name, the usual other words of its classes among its labels.

    Raises
    ------
    InvalidInputError
        For an unknown name.
    """
    check_choice("label_map", name, LabelScheme)
    scheme = _SCHEMES[name]  # type: ignore[index]  # checked
    return replace(scheme, labels={**_WORDS, **scheme.labels})
