"""Tables and charts of the page on photographs, from what recipes/photographs/peers.py wrote."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from fer2013kit.emotions import CLASS_NAMES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

_RESULTS: Final = Path(__file__).parent / "results" / "photographs.json"
_COLOURS: Final = ("#0b6e8f", "#b9770e", "#7d5ba6", "#5f6a6a")
_FEW: Final = 0.5
_HATCHES: Final = ("", "//", "..", "xx")


def write(folder: Path) -> None:
    """Write every table and chart of the page into a folder."""
    folder.mkdir(exist_ok=True)
    peers = json.loads(_RESULTS.read_text(encoding="utf-8"))
    for name, make in _TABLES.items():
        lines = make(peers)
        (folder / f"photographs_{name}.rst").write_text("\n".join(lines) + "\n", encoding="utf-8")
    _bars(folder / "photographs_right.png", peers)
    _curve(folder / "photographs_certain.png", peers["fer2013kit"]["certainty"])


def _right(peers: dict[str, Any]) -> list[str]:
    head = ("", "photographs", "faces found", "named as labelled", "on the kit's crops")
    return _table(
        head,
        [
            (
                name,
                f"{one['own way']['photographs']:,}",
                _percent(one["own way"]["found"]),
                _percent(one["own way"]["right"]),
                _percent(one["squares of the kit"]["right"]),
            )
            for name, one in peers.items()
        ],
    )


def _recall(peers: dict[str, Any]) -> list[str]:
    rows = []
    for name, one in peers.items():
        for way, words in (("own way", "own way"), ("squares of the kit", "on the kit's crops")):
            if one[way]["found"] < _FEW:  # not found says nothing of the word
                continue
            recall = one[way]["recall"]
            rows.append((f"{name}, {words}", *(_percent(recall[word]) for word in CLASS_NAMES)))
    return _table(("", *CLASS_NAMES), rows)


def _worse(peers: dict[str, Any]) -> list[str]:
    measured = {name: one["worse"] for name, one in peers.items() if "worse" in one}
    rows = []
    for way in next(iter(measured.values())):
        shares = [one[way] for one in measured.values()]
        cells = (f"{_percent(one['kept'])} ({_percent(one['right'])})" for one in shares)
        rows.append((way, *cells))
    return _table(("", *measured), rows)


def _video(peers: dict[str, Any]) -> list[str]:
    videos = {name: one["video"] for name, one in peers.items() if "video" in one}
    words = sorted({word for one in videos.values() for word in one["words"]})
    return _table(
        ("", *words, "changes"),
        [
            (
                name,
                *(str(one["words"].get(word, 0)) for word in words),
                str(one["changes"]),
            )
            for name, one in videos.items()
        ],
    )


_TABLES: Final[dict[str, Callable[[dict[str, Any]], list[str]]]] = {
    "right": _right,
    "recall": _recall,
    "worse": _worse,
    "video": _video,
}


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [".. list-table::", "   :header-rows: 1", ""]
    for first, *others in (head, *rows):
        lines += [f"   * - {first}", *(f"     - {one}" for one in others)]
    return lines


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _bars(path: Path, peers: dict[str, Any]) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 3.6), layout="constrained")
    axes = figure.subplots()
    words = ("all", *CLASS_NAMES)
    for place, (name, one) in enumerate(peers.items()):
        said = one["squares of the kit" if name != "fer2013kit" else "own way"]
        shares = [said["right"], *(said["recall"][word] for word in CLASS_NAMES)]
        at = [row + (place - len(peers) / 2 + 0.5) * 0.2 for row in range(len(words))]
        axes.bar(
            at,
            shares,
            0.19,
            label=name,
            color=_COLOURS[place],
            hatch=_HATCHES[place],
            edgecolor="white",
            linewidth=0.5,
        )
    axes.set_xticks(range(len(words)), words)
    axes.set_ylim(0, 1)
    axes.set_ylabel("share named as labelled")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(ncols=4, loc="upper center", bbox_to_anchor=(0.5, 1.14), frameon=False)
    figure.savefig(path, dpi=150)


def _curve(path: Path, certainty: Sequence[dict[str, float]]) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 3.2), layout="constrained")
    axes = figure.subplots()
    axes.plot(
        [one["share"] for one in certainty],
        [one["right"] for one in certainty],
        color=_COLOURS[0],
        marker="o",
    )
    for one in certainty:
        axes.annotate(
            f"{one['score']:.2f}", (one["share"], one["right"]), (4, 5), textcoords="offset points"
        )
    axes.set_xlabel("share of faces whose best word has at least so much probability")
    axes.set_ylabel("of these, named as labelled")
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=150)
