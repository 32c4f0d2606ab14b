"""Words that options take: one vocabulary for checks, the command line and type checkers."""

import numpy as np
import pytest

import fer2013kit as fk
from fer2013kit import typing as public
from fer2013kit._checks import check_choice, choices

VOCABULARIES = [
    name
    for name, value in vars(public).items()
    if getattr(value, "__args__", None) and name != "Any"
]


@pytest.mark.parametrize("name", VOCABULARIES)
def test_every_word_of_a_vocabulary_is_taken(name):
    vocabulary = getattr(public, name)
    for word in choices(vocabulary):
        check_choice(name, word, vocabulary)
    with pytest.raises(fk.InvalidInputError, match=f"^{name} must be one of "):
        check_choice(name, "no such word", vocabulary)


def test_a_misspelt_word_is_answered_with_the_right_one():
    message = (
        r"^loss must be one of 'crossentropy', 'focal'; received 'FOCALL'; did you mean 'focal'\?$"
    )
    with pytest.raises(fk.InvalidInputError, match=message):
        check_choice("loss", "FOCALL", public.Loss)


@pytest.mark.parametrize(
    "value", [None, 0, [], {"flip": 1}, np.array(["flip", "ten_crop"]), "x" * 999]
)
def test_any_other_object_is_refused_in_a_short_message(value):
    with pytest.raises(fk.InvalidInputError) as caught:
        check_choice("tta", value, public.TestTimeAugmentation)
    assert len(str(caught.value)) < 300


def test_none_is_taken_only_where_the_annotation_says_so():
    check_choice("tta", None, public.TestTimeAugmentation | None)
    check_choice("tta", np.str_("flip"), public.TestTimeAugmentation | None)
    with pytest.raises(
        fk.InvalidInputError, match="one of 'flip', 'ten_crop', None; received 'flop'"
    ):
        check_choice("tta", "flop", public.TestTimeAugmentation | None)


def test_true_is_no_number_and_a_number_is_not_true():
    assert choices(public.Verbose) == ("auto", 0, 1, 2, False, True)
    with pytest.raises(fk.InvalidInputError):
        check_choice("flag", 1.0, public.Verbose)
