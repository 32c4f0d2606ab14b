"""The faces on an evaluation's page: the most confident mistakes, and a choice of all."""

from __future__ import annotations

import base64
import io
from html import escape
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from fer2013kit._checks import random_generator
from fer2013kit.exceptions import InvalidInputError
from fer2013kit.plotting._faces import as_pictures
from fer2013kit.plotting._parts import class_codes, read_probabilities

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from fer2013kit._checks import IntArray
    from fer2013kit.evaluation import EvaluationReport

_FACES_SHOWN: Final = 12


def galleries(report: EvaluationReport, samples: Any, random_state: int) -> list[tuple[str, str]]:
    """Return headings and galleries; ``samples`` as in :meth:`EvaluationReport.to_html`."""
    if samples is None:
        return []
    try:
        images, labels, probabilities = samples
    except (TypeError, ValueError) as error:
        raise InvalidInputError(
            "samples must be (images, labels, probabilities), labels may be None; "
            f"received {type(samples).__name__}"
        ) from error
    names = report.class_names
    images, table = np.asarray(images), read_probabilities(probabilities, names)
    if table.shape != (len(images), len(names)):
        raise InvalidInputError(
            f"the probabilities of {len(images)} samples must have shape "
            f"({len(images)}, {len(names)}); received {table.shape}"
        )
    truth = class_codes(labels, names, images=images)
    predicted, confidence = table.argmax(axis=1), table.max(axis=1)

    def gallery(rows: Iterable[int]) -> str:
        chosen = np.array([*rows], dtype=np.int64)
        cards = [
            _face(
                picture,
                names[predicted[row]],
                f"{confidence[row]:.0%}",
                None if truth is None else names[truth[row]],
            )
            for picture, row in zip(as_pictures(images, chosen), chosen, strict=True)
        ]
        return f'<div class="faces">\n{"".join(cards)}</div>'

    sections = []
    if truth is not None:
        wrong = np.flatnonzero(predicted != truth)
        worst = wrong[np.argsort(-confidence[wrong], kind="stable")][:_FACES_SHOWN]
        if len(worst):
            sections.append(("Most confident mistakes", gallery(worst)))
    if len(images):
        chosen = choose_over_classes(predicted if truth is None else truth, random_state)
        sections.append(("Samples", gallery(chosen[:_FACES_SHOWN])))
    return sections


def choose_over_classes(codes: IntArray, random_state: int) -> NDArray[np.intp]:
    """Return all rows in a random order that takes one of each class in turn."""
    rng = random_generator(random_state)
    order = rng.permutation(len(codes))
    turn = np.empty(len(codes), np.intp)
    for code in np.unique(codes):
        of_class = codes[order] == code
        turn[of_class] = np.arange(of_class.sum())
    return order[np.argsort(turn, kind="stable")]


def _face(picture: np.ndarray[Any, Any], predicted: str, confidence: str, true: str | None) -> str:
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, format="PNG")
    guess = f"{escape(predicted)} {confidence}"
    if true is None:
        alt, caption, kind = f"Face, predicted {predicted}", guess, ""
    elif true == predicted:
        alt, caption, kind = f"Face: {true}, predicted correctly", f"✓ {guess}", "right"
    else:
        alt = f"Face: {true}, predicted {predicted}"
        caption, kind = f"✗ {guess}<br><small>is {escape(true)}</small>", "wrong"
    return (
        f'<figure class="face {kind}"><img src="{data_uri(buffer.getvalue())}" '
        f'alt="{escape(alt)}"><figcaption>{caption}</figcaption></figure>\n'
    )


def data_uri(png: bytes) -> str:
    """Return an image as a link that holds it."""
    return "data:image/png;base64," + base64.b64encode(png).decode("ascii")
