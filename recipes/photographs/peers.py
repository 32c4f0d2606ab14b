"""Name labelled photographs with this package and with others, each in its own way.

    python recipes/photographs/peers.py ../shared/data PEERS

`PEERS` is the folder that ``peer_networks.py`` tells how to fill.  Of several faces that one finds,
the largest counts; where it finds none, the photograph counts as wrong.  Beside its own way, each
network names the squares that the kit cuts.  Every tenth photograph is then mirrored, turned as a
whole, made dark, and its face covered with a mask: counted are those that keep their word, and
those named as labelled.  Last come ten frames a second of a video in which a woman talks, each by
itself.

What comes out is written, peer by peer, to docs/results/photographs.json, which
docs/photograph_figures.py makes the tables and charts of the page from.  No image is written.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
import numpy as np
from peer_networks import KIT, PEERS, face_crop
from PIL import Image
from worse import darker, mask, turned

import fer2013kit as fk

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray
    from peer_networks import Peer

_RESULTS = Path(__file__).parents[2] / "docs" / "results" / "photographs.json"
_EVERY = 10
_RATE = 10
_NONE = "no face"
_WORSE: dict[str, Callable[[NDArray[np.uint8], fk.FaceEmotion], NDArray[np.uint8]]] = {
    "mirrored": lambda rgb, _: np.ascontiguousarray(rgb[:, ::-1]),
    "turned by 45 degrees": lambda rgb, _: turned(rgb, 45),
    "turned by 90 degrees": lambda rgb, _: np.ascontiguousarray(np.rot90(rgb)),
    "upside down": lambda rgb, _: np.ascontiguousarray(np.rot90(rgb, 2)),
    "a tenth of the light": lambda rgb, _: darker(rgb, 0.1),
    "with a mask": lambda rgb, face: mask(rgb, face.landmarks, np.random.default_rng(0)),
}


def main() -> None:
    """Measure each peer and write what comes out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="holds press-photos and talking.mp4")
    parser.add_argument("peers", type=Path, help="the folder with the other packages")
    parser.add_argument("--only", choices=list(PEERS), action="append", help="measure these anew")
    parser.add_argument(
        "--brief",
        type=int,
        metavar="N",
        help="find faces in every Nth photograph alone, and stop there",
    )
    options = parser.parse_args()
    folder = options.data / "press-photos"
    with (folder / "labels.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["emotion"] in fk.CLASS_NAMES]
    labels = [row["emotion"] for row in rows]
    photos = [np.asarray(Image.open(folder / row["file"]).convert("RGB")) for row in rows]
    frames = read_frames(options.data / "talking.mp4")
    faces = [largest_face(fk.analyze_photo(rgb)) for rgb in photos]
    known: dict[str, Any] = {}
    if _RESULTS.exists():
        known = json.loads(_RESULTS.read_text(encoding="utf-8"))
    for name in options.only or PEERS:
        peer = PEERS[name](options.peers)
        known[name] = measure_naming(peer, photos, labels, faces, options.brief or 1)
        if not options.brief:
            known[name] |= measure_worse(peer, photos, labels, faces, frames)
        if name == KIT:
            known[name]["certainty"] = certainty(faces, labels)
        _RESULTS.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")
        print(name, known[name], flush=True)


def measure_naming(
    peer: Peer,
    photos: Sequence[NDArray[np.uint8]],
    labels: Sequence[str],
    faces: Sequence[fk.FaceEmotion | None],
    every: int,
) -> dict[str, Any]:
    """Return how one peer names the photographs in its own way, and the kit's squares."""
    own = [word_for(peer, rgb) for rgb in photos[::every]]
    cut = [
        _NONE if face is None else peer.crop(face_crop(rgb, face))
        for rgb, face in zip(photos, faces, strict=True)
    ]
    return {
        "own way": figures(own, labels[::every]),
        "squares of the kit": figures(cut, labels),
    }


def measure_worse(
    peer: Peer,
    photos: Sequence[NDArray[np.uint8]],
    labels: Sequence[str],
    faces: Sequence[fk.FaceEmotion | None],
    frames: Sequence[NDArray[np.uint8]],
) -> dict[str, Any]:
    """Return what one peer makes of photographs in worse conditions, and of a video."""
    some = range(0, len(photos), _EVERY)
    own = {index: word_for(peer, photos[index]) for index in some}
    worse = {}
    for way, change in _WORSE.items():
        words = {
            index: word_for(peer, change(photos[index], face))
            for index in some
            if (face := faces[index]) is not None
        }
        worse[way] = {
            "photographs": len(words),
            "kept": _share(word == own[index] != _NONE for index, word in words.items()),
            "right": _share(word == labels[index] for index, word in words.items()),
        }
    spoken = [word_for(peer, frame) for frame in frames]
    return {
        "worse": worse,
        "video": {
            "frames": len(spoken),
            "words": {word: spoken.count(word) for word in sorted(set(spoken))},
            "changes": sum(a != b for a, b in itertools.pairwise(spoken)),
        },
    }


def figures(words: Sequence[str], labels: Sequence[str]) -> dict[str, Any]:
    """Return the share that is right, with a face, and of each word."""
    right = [word == label for word, label in zip(words, labels, strict=True)]
    recall = {
        name: _share(one for one, label in zip(right, labels, strict=True) if label == name)
        for name in fk.CLASS_NAMES
    }
    return {
        "photographs": len(words),
        "right": _share(right),
        "found": _share(word != _NONE for word in words),
        "recall": recall,
    }


def certainty(
    faces: Sequence[fk.FaceEmotion | None], labels: Sequence[str]
) -> list[dict[str, float]]:
    """Return how many faces have no less than a score, and no fault, and how many are right."""
    pairs = [
        (0.0 if face.quality else face.score, face.emotion == label)
        for face, label in zip(faces, labels, strict=True)
        if face is not None
    ]
    table = []
    for least in (0.0, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95):
        right = [is_right for score, is_right in pairs if score >= least]
        table.append(
            {"score": least, "share": round(len(right) / len(pairs), 4), "right": _share(right)}
        )
    return table


def word_for(peer: Peer, rgb: NDArray[np.uint8]) -> str:
    """Return the word for the largest face."""
    found = peer.faces(rgb)
    return max(found, key=lambda one: one.box[2] * one.box[3]).word if found else _NONE


def largest_face(faces: Sequence[fk.FaceEmotion]) -> fk.FaceEmotion | None:
    """Return the largest face."""
    return max(faces, key=lambda face: face.box.width * face.box.height, default=None)


def read_frames(path: Path) -> list[NDArray[np.uint8]]:
    """Return ten frames a second of a video."""
    frames: list[NDArray[np.uint8]] = []
    with av.open(str(path)) as container:
        for frame in container.decode(container.streams.video[0]):
            if frame.time is not None and frame.time >= len(frames) / _RATE - 1e-3:
                frames.append(frame.to_ndarray(format="rgb24"))
    return frames


def _share(values: Any) -> float:
    some = [bool(value) for value in values]
    return round(sum(some) / len(some), 4)


if __name__ == "__main__":
    main()
