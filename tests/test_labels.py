"""Which class a word, a code or a column means, and which answers are refused."""

import numpy as np
import pandas as pd
import pytest

import fer2013kit as fk
from fer2013kit._labels import (
    check_class_names,
    choose_labels,
    codes_in,
    columns_in_order,
    read_codes,
)
from fer2013kit.emotions import emotion_code

NAMES = ("happy", "sad", "other")


@pytest.mark.parametrize("names", ["happy", None, 3, {"happy", "sad"}, frozenset("ab"), {"a": 1}])
def test_class_names_are_a_sequence(names):
    with pytest.raises(fk.InvalidInputError, match="class_names must be a sequence of words"):
        check_class_names(names)


def test_class_names_become_words():
    assert check_class_names(np.array(["a", "b"])) == ("a", "b")
    assert check_class_names([1, "b"]) == ("1", "b")


def test_a_word_is_itself_before_it_is_another_for_an_emotion():
    def read(labels, names):
        return read_codes(labels, names, name="y").tolist()

    assert read(["sad", "Happiness", "other", "SAD"], NAMES) == [1, 0, 2, 1]
    # Of two words for one emotion each is itself, and a third means the first.
    assert read(["fear", "afraid", "scared"], ("afraid", "fear")) == [1, 0, 0]
    assert read(np.array([2, 0], dtype=object), NAMES) == [2, 0]
    assert read_codes([], NAMES, name="y").dtype == np.int64
    with pytest.raises(fk.InvalidInputError, match=r"^y must have shape \(n,\); received \(1, 1\)"):
        read_codes([["sad"]], NAMES, name="y")
    for wrong in (["bored"], [3], ["sad", 1], ["sad", None]):
        with pytest.raises(fk.InvalidInputError, match=r"^y must"):
            read_codes(wrong, NAMES, name="y")
    with pytest.raises(fk.InvalidInputError, match="received 'hapy'; did you mean 'happy'"):
        read_codes(["hapy"], NAMES, name="y")


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (0, ["angry", "anger", " ANGRY "]),
        (1, ["disgust", "Disgusted"]),
        (2, ["fear", "fearful", "afraid", "scared"]),
        (3, ["happy", "happiness"]),
        (4, ["sad", "sadness"]),
        (5, ["surprise", "surprised", "Suprise", "suprised"]),  # two as many copies spell it
        (6, ["neutral"]),
        (None, ["", "contempt", "bored", "happ", "3"]),
    ],
)
def test_words_of_emotions_have_the_codes_of_the_original_csv(code, words):
    assert [emotion_code(word) for word in words] == [code] * len(words)
    assert code is None or fk.Emotion(code).name.lower() == fk.CLASS_NAMES[code] == words[0]


def test_labels_of_a_classifier_are_its_own_or_its_words():
    classes = np.array([3, 9, 7])
    found = codes_in([9, 3, 7, 9], classes, NAMES, name="y")
    assert (found.tolist(), found.dtype) == ([1, 0, 2, 1], np.int64)
    assert codes_in(["other", "happiness"], classes, NAMES, name="y").tolist() == [2, 0]
    words = np.array(["0x", "sad"])  # its own word is before the same word as a name
    assert codes_in(["sad", "0x"], words, ("sad", "angry"), name="y").tolist() == [1, 0]
    with pytest.raises(fk.InvalidInputError, match="names of sad, angry; received '0x'"):
        codes_in(["0x", "angry"], words, ("sad", "angry"), name="y")
    assert codes_in([True, False], np.array([False, True]), ("a", "b"), name="y").tolist() == [1, 0]
    for wrong, message in [
        ([0], r"only the classes \[3, 9, 7\]; received 0"),
        ([[3]], r"shape \(n,\); received \(1, 1\)"),
        ([[0.2, 0.3, 0.5]], r"of shares of votes shares\.argmax\(axis=1\)"),
        ([True], "must hold the classes; received dtype bool"),
    ]:
        with pytest.raises(fk.InvalidInputError, match=message):
            codes_in(wrong, classes, NAMES, name="y")
    assert codes_in(["sad", "0x"], words, None, name="y").tolist() == [1, 0]
    for wrong in (["Sad"], np.array(["sad", None], dtype=object), [0], [np.nan]):
        with pytest.raises(fk.InvalidInputError, match=r"only the classes \['0x', 'sad'\]; rec"):
            codes_in(wrong, words, None, name="y")
    with pytest.raises(fk.InvalidInputError, match="received dtype int64"):
        codes_in([1, 0], np.array([False, True]), ("a", "b"), name="y")


TABLE = np.array([[0.2, 0.8], [0.6, 0.4], [0.5, 0.5]], np.float32)


def choose(classes, min_confidence=None, reject_label=None):
    options = {"min_confidence": min_confidence, "reject_label": reject_label}
    return choose_labels(TABLE, np.array(classes), **options).tolist()


def test_answers_below_a_confidence_are_refused():
    assert choose([4, 3]) == [3, 4, 4]
    assert choose([4, 3], 0.55) == [3, 4, -1]
    assert choose([4, 3], 0.7, 99) == [3, 99, 99]
    assert choose([4, 3], 0.7, 0) == [3, 0, 0]
    assert choose(["sad", "happy"], 0.7) == ["happy", "uncertain", "uncertain"]
    assert choose(["sad", "happy"], 0.7, "?") == ["happy", "?", "?"]
    for threshold in (TABLE[0, 1], float(TABLE[0, 1])):  # read off the table: none is below it
        assert choose([4, 3], threshold) == [3, -1, -1]
    assert choose([4, 3], 0) == [3, 4, 4]
    assert choose([4, 3], 1) == [-1, -1, -1]


@pytest.mark.parametrize(
    ("classes", "confidence", "label", "message"),
    [
        ([4, 3], None, -1, "needs a min_confidence"),
        ([4, 3], 1.1, None, "min_confidence must"),
        ([4, 3], "0.5", None, "min_confidence must"),
        ([4, 3], 0.5, 3, "a number that is no class; received 3"),
        ([4, 3], 0.5, "?", "a number that is no class"),
        ([4, 3], 0.5, True, "a number that is no class"),
        ([4, 3], 0.5, [1], "a number that is no class"),
        ([4, 3], 0.5, np.nan, "a number that is no class"),
        ([4, 3], 0.5, 10**30, "a number that is no class"),
        (["sad", "happy"], 0.5, "sad", "a word that is no class; received 'sad'"),
        (["sad", "happy"], 0.5, -1, "a word that is no class"),
    ],
)
def test_refusals_that_could_be_mistaken_are_refused(classes, confidence, label, message):
    with pytest.raises(fk.InvalidInputError, match=message):
        choose(classes, confidence, label)


def test_columns_stand_where_their_names_say():
    table = np.arange(6.0).reshape(2, 3)
    expected = [[1, 2, 0], [4, 5, 3]]
    for columns in (["other", "happy", "sad"], ["Other", "Happiness", "sadness"], [2, 0, 1]):
        names = ("happy", "sad", "Other") if columns[0] == "Other" else NAMES
        frame = pd.DataFrame(table, columns=columns)
        assert columns_in_order(frame, names, name="p").tolist() == expected
    assert columns_in_order(table, NAMES, name="p") is table
    for wrong in (["happy", "sad"], ["happy", "happiness", "sad"], [0, 1, 3], [0, 0, 1]):
        frame = pd.DataFrame(table[:, : len(wrong)], columns=wrong)
        with pytest.raises(fk.InvalidInputError, match="p must have one column for each of happy"):
            columns_in_order(frame, NAMES, name="p")
    for wrong in (["happy", "sad", "bored"], [0, "happy", "sad"]):
        frame = pd.DataFrame(table, columns=wrong)
        with pytest.raises(fk.InvalidInputError, match="the columns of p must be codes or names"):
            columns_in_order(frame, NAMES, name="p")
