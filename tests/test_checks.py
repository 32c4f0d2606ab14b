"""Words that options take: one vocabulary for checks, the command line and type checkers."""

import numpy as np
import pytest

import fer2013kit as fk
from fer2013kit import typing as public
from fer2013kit._checks import (
    as_array,
    check_choice,
    check_images,
    check_labels,
    check_whole,
    choices,
    chosen_rows,
    is_listing,
    is_shape,
    random_generator,
    whole_if_all_are,
)

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


def test_a_whole_number_may_be_the_least_and_the_most():
    for value in (2, 5, np.int64(3)):
        assert type(check_whole("n", value, least=2, most=5)) is int
    assert check_whole("n", 2**31 - 1) == 2**31 - 1
    for value, end in ((1, 5), (6, 5), (3.0, 5), (True, 5)):
        with pytest.raises(fk.InvalidInputError, match=rf"^n must be a whole .* from 2 to {end};"):
            check_whole("n", value, least=2, most=end)
    with pytest.raises(fk.InvalidInputError, match=r"from 1 to 2\*\*31 - 1; received 2147483648"):
        check_whole("n", 2**31)


def test_shapes_and_listings_are_told_from_others():
    shapes = [(48, 48, 1), [1, 2, 3], (2**31 - 1, 1, 1), (np.int64(4), 4, 3)]
    others = [(48, 48), (48, 48, 1, 1), (0, 48, 1), (2**31, 1, 1), (4.0, 4, 1), {48, 1, 2}, None]
    assert [is_shape(one) for one in shapes + others] == [True] * 4 + [False] * 7
    lists = [[], (1,), {1}, np.arange(2), iter([1])]
    others = ["happy", b"happy", {"a": 1}, np.array(3), 3, None]
    assert [is_listing(one) for one in lists + others] == [True] * 5 + [False] * 6


def test_what_is_no_array_is_told():
    for value in ([[1, 2], [3]], [object()], [10**400]):
        with pytest.raises(fk.InvalidInputError, match=r"^x cannot be an array of numbers: "):
            as_array(value, "x", np.int64)


def test_objects_are_whole_numbers_where_all_are():
    whole = whole_if_all_are(np.array([3, np.int8(4)], dtype=object))
    assert (whole.dtype, whole.tolist()) == (np.int64, [3, 4])
    for labels in ([3, "4"], [3, 4.0], [3, True], [3, 10**30], []):
        given = np.array(labels, dtype=object)
        assert whole_if_all_are(given) is given
    words = np.array(["3"])
    assert whole_if_all_are(words) is words


def test_every_kind_of_random_state_is_taken():
    generator = np.random.default_rng(3)
    assert random_generator(generator) is generator
    assert random_generator(3).random() == np.random.default_rng(3).random()
    assert random_generator(None).random() != random_generator(None).random()
    old = np.random.RandomState(3)
    first, second = random_generator(old).random(), random_generator(old).random()
    assert first != second  # it goes on, as scikit-learn's do
    assert first == random_generator(np.random.RandomState(3)).random()
    for state in (-1, True, 1.5, "3"):
        with pytest.raises(fk.InvalidInputError, match=r"^random_state must be a whole number"):
            random_generator(state)


def test_images_are_taken_in_each_of_their_shapes_and_in_range():
    for shape, given in (((4, 6, 1), [(4, 6), (4, 6, 1), (24,)]), ((4, 6, 3), [(4, 6, 3), (72,)])):
        for one in given:
            images = np.arange(2 * np.prod(one)).reshape(2, *one)
            checked = check_images(images, image_shape=shape)
            assert (checked.shape, checked.dtype) == ((2, *shape), np.uint8)
            assert checked.ravel().tolist() == images.ravel().tolist()
    for refused in ((2, 4, 6), (2, 24), (2, 4, 6, 1), (4, 6, 3)):
        with pytest.raises(
            fk.InvalidInputError, match=r"^images must have shape \(n, 4, 6, 3\) or"
        ):
            check_images(np.zeros(refused, np.uint8), image_shape=(4, 6, 3))
    assert check_images(np.zeros((0, 2304), int)).shape == (0, 48, 48, 1)
    assert check_images(np.tile([[0, 255]], (1, 1152))).max() == 255
    for low, high in ((-1, 255), (0, 256)):
        with pytest.raises(fk.InvalidInputError, match=rf"in \[0, 255\]; received {low} to {high}"):
            check_images(np.tile([[low, high]], (1, 1152)))
    with pytest.raises(fk.InvalidInputError, match=r"must be integers .* received dtype float64"):
        check_images(np.zeros((1, 2304)))


def test_labels_are_whole_numbers_of_classes():
    for labels in ([0, 2], [0.0, 2.0], np.array([0, 2], dtype=object), np.array([0, 2], np.uint8)):
        codes = check_labels(labels, n_samples=2, n_classes=3)
        assert (codes.tolist(), codes.dtype) == ([0, 2], np.int64)
    assert check_labels([], n_samples=0).dtype == np.int64
    for labels, message in (
        ([0, 3], "y must be class codes 0 to 2; received 3"),
        ([0, -1], "y must be class codes 0 to 2; received -1"),
        ([0, 0.5], "y must be class codes 0 to 2; received dtype float64"),
        (["0", "1"], "y must be class codes 0 to 2; received dtype <U1"),
        ([True, False], "y must be class codes 0 to 2; received dtype bool"),
        ([0], r"y must be as many as the images \(2\); received 1"),
        ([[0], [1]], r"y must have shape \(n,\); received \(2, 1\)"),
    ):
        with pytest.raises(fk.InvalidInputError, match=f"^{message}"):
            check_labels(labels, n_samples=2, n_classes=3, name="y")


def test_rows_are_chosen_by_numbers_masks_and_slices():
    for index, rows in (([2, 0], [2, 0]), ([True, False, True], [0, 2]), (slice(1, None), [1, 2])):
        assert chosen_rows(index, 3).tolist() == rows
    assert chosen_rows([], 3).tolist() == []
    for index in ([3], [True, False]):
        with pytest.raises(fk.InvalidInputError, match="row numbers 0 to 2 or a mask of 3 entries"):
            chosen_rows(index, 3)
