"""The networks that recipes.deep trains, and what each learns."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

OUTPUTS: Final = {"fer": slice(0, 7), "ferplus": slice(7, 15), "both": slice(0, 15)}
"""FER-2013's seven classes, then the eight of FER+."""


@dataclass(frozen=True, kw_only=True)
class Network:
    """One network of a sitting: what it is made of, what it learns, its share of the time."""

    name: str
    model: str
    params: dict[str, Any] = field(default_factory=dict)
    learns: str = "both"
    share: float = 1.0
    learning_rate: float = 0.1
    weight_decay: float = 5e-4


_WIDE: Final = (96, 192, 384)
TEACHERS: Final[tuple[Network, ...]] = (
    Network(
        name="vgg",
        model="vgg_10",
        params={"filters": (64, 128, 256, 512), "dropout": 0.3},
        share=0.32,
    ),
    Network(
        name="preact",
        model="preact_resnet",
        params={"units": (3, 4, 6, 3), "stochastic_depth": 0.2},
        share=0.38,
    ),
    Network(
        name="gated",
        model="deep_cnn",
        params={"stem_filters": 96, "filters": _WIDE, "stochastic_depth": 0.2, "dropout": 0.3},
        share=0.30,
    ),
)
STUDENTS: Final[tuple[Network, ...]] = (
    Network(
        name="deep",
        model="deep_cnn",
        params={"stem_filters": 48, "filters": (48, 96, 192), "stochastic_depth": 0.0},
    ),
    Network(name="five_fer", model="five_layer_cnn", learns="fer"),
    Network(name="five_ferplus", model="five_layer_cnn", learns="ferplus"),
    Network(
        name="small_fer",
        model="five_layer_cnn",
        params={"filters": (32, 64, 128), "kernel_sizes": (5, 5, 3)},
        learns="fer",
    ),
)

PRIOR_POWERS: Final = {"five_ferplus": 0.5, "five_fer": 0.6}
"""How far the frequency of the classes is taken out of what a network says (logit adjustment, Menon
et al., ICLR 2021), in a second file of it.  People photograph other faces than a search engine
finds, and a rare class is seldom the most probable one; recipes/DIARY.md has the figures."""
