"""What the reference owes its readers: numpydoc's rules, kept by each public name."""

import inspect

import pytest

import fer2013kit as fk

validate = pytest.importorskip("numpydoc.validate").validate

WITHOUT_EXAMPLE = {
    *("EnsembleClassifier.export", "EnsembleClassifier.fit", "EnsembleClassifier.load"),
    *("FaceAugmentation.call", "FaceAugmentation.compute_output_shape"),
    "FaceDetector.load",
    "PhotoScorer.rows",
    "ScoreReport.of",
    "TuningResult.to_frame",
}
"""Methods that the example of their class or of a sibling shows."""

EXCUSED = {
    "Emotion": {"PR01"},  # the signature is that of Python's Enum, another one in each version
    "EmotionPredictor": {"PR01"},  # its constructor takes arguments only to refuse them
}


def public_names():
    """Yield functions, classes, and the methods that these have from the package."""
    for name in fk.__all__:
        thing = getattr(fk, name)
        if not callable(thing):
            continue
        yield name
        owners = [one for one in getattr(thing, "__mro__", ()) if "fer2013kit" in one.__module__]
        for member in dict.fromkeys(member for owner in owners for member in vars(owner)):
            kind = inspect.getattr_static(thing, member)
            is_method = isinstance(kind, staticmethod | classmethod) or inspect.isfunction(kind)
            if is_method and not member.startswith("_"):
                yield f"{name}.{member}"


def lacking(name):
    return {code for code, _ in validate(f"fer2013kit.{name}")["errors"]}


def test_docstrings_keep_the_rules_of_numpydoc():
    found = {name: lacking(name) for name in public_names()}
    assert len(found) > 150
    # Nothing is excused that has an example.
    assert {name for name, codes in found.items() if "EX01" in codes} == WITHOUT_EXAMPLE
    # A summary that says everything needs no second paragraph (ES01): NumPy and scikit-learn
    # exclude this check, too.
    left = {name: codes - {"ES01", "EX01"} for name, codes in found.items()}
    assert {name: codes for name, codes in left.items() if codes} == EXCUSED
