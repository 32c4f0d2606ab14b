"""How long a fresh process takes: import, ``--help``, the first prediction."""

from __future__ import annotations

from benchmarks.measuring import Case, Round, Target, Topic

_FIRST = (
    "import sys, fer2013kit as fk, numpy as np\n"
    "face = np.load(sys.argv[1] + '/images.npy', mmap_mode='r')[:1]\n"
    "fk.EmotionClassifier.load(sys.argv[1] + '/emotions.fer').predict_proba(face)\n"
)
_PRETRAINED = (
    "import sys, fer2013kit as fk, numpy as np\n"
    "face = np.load(sys.argv[1] + '/images.npy', mmap_mode='r')[:1]\n"
    "fk.{}.from_pretrained().predict_proba(face)\n"
)
_PHOTO = "import fer2013kit as fk; fk.analyze_photo(fk.sample_photos()[0])"
_HELP = "from fer2013kit.cli import main; main(['--help'])"

_NUMPY, _KIT, _HELPED = "import numpy", "import fer2013kit", "fer2013kit --help"
_TENSORFLOW = "import tensorflow"
_PREDICTED = "first prediction with a saved classifier"
_SHIPPED = "first prediction with pretrained weights"
_LIGHT = "the same without TensorFlow: EmotionPredictor"
_ANALYZED = "faces and emotions of a photograph, without TensorFlow"


def _beyond(one: Round, case: str, base: str) -> float:
    return one[case]["seconds"] - one[base]["seconds"]


TOPIC = Topic(
    name="starting",
    title="Fresh processes, from start to end",
    needs=("arrays", "classifier"),
    cases=[
        Case("Python alone", command=("-c", "pass")),
        Case(_NUMPY, command=("-c", "import numpy")),
        Case(_KIT, command=("-c", "import fer2013kit")),
        Case(_HELPED, command=("-c", _HELP)),
        Case(_TENSORFLOW, command=("-c", "import tensorflow")),
        Case("import keras", command=("-c", "import keras")),
        Case(
            "import fer2013kit.classifier",
            command=("-c", "from fer2013kit import EmotionClassifier"),
        ),
        Case(_PREDICTED, command=("-c", _FIRST, "{folder}")),
        Case(_SHIPPED, command=("-c", _PRETRAINED.format("EmotionClassifier"), "{folder}")),
        Case(_LIGHT, command=("-c", _PRETRAINED.format("EmotionPredictor"), "{folder}")),
        Case(_ANALYZED, command=("-c", _PHOTO)),
    ],
    targets=[
        Target(
            "import fer2013kit beyond import numpy",
            lambda one: _beyond(one, _KIT, _NUMPY),
            0.15,
            at_least=False,
            unit="s",
        ),
        Target(
            "--help beyond import numpy",
            lambda one: _beyond(one, _HELPED, _NUMPY),
            0.15,
            at_least=False,
            unit="s",
        ),
        Target(
            "first prediction beyond import tensorflow",
            lambda one: _beyond(one, _PREDICTED, _TENSORFLOW),
            1.0,
            at_least=False,
            unit="s",
        ),
        Target(
            "first prediction with pretrained weights beyond import tensorflow",
            lambda one: _beyond(one, _SHIPPED, _TENSORFLOW),
            1.0,
            at_least=False,
            unit="s",
        ),
        Target(
            "the light path in all",
            lambda one: one[_LIGHT]["seconds"],
            1.0,
            at_least=False,
            unit="s",
        ),
        Target(
            "a photograph on the light path in all",
            lambda one: one[_ANALYZED]["seconds"],
            1.0,
            at_least=False,
            unit="s",
        ),
    ],
)
