"""What the reference owes its readers: an example and a way on, for each public name."""

import inspect

import pytest

import fer2013kit as fk

validate = pytest.importorskip("numpydoc.validate").validate

# The class's own example shows them, or the method that brings the same.
WITHOUT_EXAMPLE = {
    *("as_dict", "plot", "rows", "to_frame", "to_latex", "to_markdown"),
    "DatasetFormatError.advise",
    *("EnsembleClassifier.export", "EnsembleClassifier.fit", "EnsembleClassifier.load"),
    "EvaluationReport.groups_to_frame",
    *(f"FaceAugmentation.{name}" for name in ("call", "compute_output_shape", "get_config")),
    "FaceAugmentation.transform",
    "FaceDetector.load",
    "ScoreReport.of",
}
"""Methods, by their names or with those of their classes; properties need none."""


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


def test_names_lead_on_and_have_examples():
    names = list(public_names())
    assert len(names) > 150
    found = {name: lacking(name) for name in names}
    assert not [name for name in names if "SA01" in found[name]]
    without = {name for name, codes in found.items() if "EX01" in codes}
    unexcused = {name for name in without if not {name, name.partition(".")[2]} & WITHOUT_EXAMPLE}
    assert not unexcused
    # Nothing is excused that has one.
    assert {name for name in WITHOUT_EXAMPLE if "." in name} <= without
