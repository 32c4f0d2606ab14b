"""The networks that recipes.deep trains, and what each learns."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Final

from benchmarks.architectures import mini_xception

OUTPUTS: Final = {"fer": slice(0, 7), "ferplus": slice(7, 15), "both": slice(0, 15)}
"""FER-2013's seven classes, then the eight of FER+."""


@dataclass(frozen=True, kw_only=True)
class Network:
    """One network of a sitting: what it is made of, what it learns and how."""

    name: str
    model: Any
    """Of the registry, or a function that builds it."""
    params: dict[str, Any] = field(default_factory=dict)
    learns: str = "both"
    expected: bool = True
    """Whether its target for FER-2013 is partly the expected label, and not the label alone."""
    sees: str = "erased"
    """What is done to augmented images: ``plain``, ``erased`` or ``mixed``."""
    calm: bool = True
    """Whether images are moved less, and neither erased nor mixed, towards the end."""
    learning_rate: float = 0.1
    restarts: int = 0
    """How often the learning rate begins anew."""
    weight_decay: float = 5e-4
    time: float = 1.0
    """Its share of the time, beside that of its like."""
    sharpness: float = 0.0
    """How far sharpness-aware minimisation climbs (Foret et al., ICLR 2021)."""


def seeds(count: int, network: Network) -> tuple[Network, ...]:
    """Return networks that differ in their first weights and what is dropped."""
    names = [network.name, *(f"{network.name}_{number}" for number in range(1, count))]
    return tuple(replace(network, name=name) for name in names)


_WIDE: Final = (96, 192, 384)
_SLIM: Final = {"stem_filters": 48, "filters": (48, 96, 192), "stochastic_depth": 0.0}
TEACHERS: Final[tuple[Network, ...]] = (
    Network(
        name="vgg",
        model="vgg_10",
        params={"filters": (64, 128, 256, 512), "dropout": 0.3},
    ),
    Network(
        name="gated",
        model="deep_cnn",
        params={"stem_filters": 96, "filters": _WIDE, "stochastic_depth": 0.2, "dropout": 0.3},
    ),
    Network(name="preact", model="preact_resnet"),
)
_FIVE: Final = Network(name="five", model="five_layer_cnn", sees="mixed", time=0.3)
_SMALL: Final = {"filters": (32, 64, 128), "kernel_sizes": (5, 5, 3)}
STUDENTS: Final[tuple[Network, ...]] = (
    *seeds(
        3, Network(name="deep", model="deep_cnn", params={"stochastic_depth": 0.0}, sees="mixed")
    ),
    *seeds(3, replace(_FIVE, name="five_fer", learns="fer")),
    *seeds(3, replace(_FIVE, name="five_ferplus", learns="ferplus")),
    *seeds(3, replace(_FIVE, name="small_fer", learns="fer", params=_SMALL, time=0.2)),
)
"""Those of one architecture train side by side."""

_SLIM_ALONE: Final = Network(
    name="slim", model="deep_cnn", params=_SLIM, learns="fer", expected=False, sees="plain"
)
_ALONE: Final = replace(_SLIM_ALONE, params={})
_ARCHITECTURES: Final = ("five_layer_cnn", "residual_cnn", "vgg_10", "preact_resnet", "deep_cnn")
SHORT: Final[tuple[Network, ...]] = (
    _SLIM_ALONE,
    *(replace(_ALONE, name=name, model=name) for name in _ARCHITECTURES),
    replace(_ALONE, name="mini_xception", model=mini_xception),
    replace(_SLIM_ALONE, name="slim, sharpness-aware", sharpness=0.05),
    replace(_SLIM_ALONE, name="slim, never calm", calm=False),
    replace(_SLIM_ALONE, name="slim, depth", params={**_SLIM, "stochastic_depth": 0.2}),
    replace(_SLIM_ALONE, name="slim, a restart", restarts=1),
    replace(_SLIM_ALONE, name="slim, a tenth of the decay", weight_decay=5e-5),
    replace(_SLIM_ALONE, name="slim, expected labels", expected=True),
    replace(_SLIM_ALONE, name="slim, votes", learns="both"),
    replace(_SLIM_ALONE, name="slim, erased", sees="erased"),
    replace(_SLIM_ALONE, name="slim, mixed", sees="mixed"),
)
"""What each lever gives one network, and architectures, under one small budget and by labels alone.

All see the same images in the same order.  Each trains alone: five in one program took five minutes
to compile beside a training."""

PRIOR_POWERS: Final = {"five_ferplus": 0.5, "five_fer": 0.6, "five_fer_1": 0.6}
"""How far the frequency of the classes is taken out of what a network says (logit adjustment, Menon
et al., ICLR 2021), in a second file of it.  People photograph other faces than a search engine
finds, and a rare class is seldom the most probable one; recipes/DIARY.md has the figures."""
