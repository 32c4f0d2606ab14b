"""The containers."""

import pickle
import subprocess
import sys

import numpy as np
import pytest
from fake_sources import CLASSES
from hypothesis import given
from hypothesis import strategies as st

import fer2013kit as fk
from fer2013kit.datasets._split import choose_rows

RNG = np.random.default_rng(0)


def split(n=70, seed=0):
    rng = np.random.default_rng(seed)
    return fk.Split(rng.integers(0, 256, (n, 48, 48), np.uint8), np.arange(n) % 7)


@pytest.fixture
def data():
    return fk.FER2013(split(140), split(35, 1), split(28, 2), source="made")


@pytest.mark.parametrize("shape", [(3, 48, 48), (3, 48, 48, 1), (3, 2304)])
@pytest.mark.parametrize("dtype", [np.uint8, np.int64])
def test_split_takes_every_shape(shape, dtype):
    made = fk.Split(np.full(shape, 7, dtype), [0, 3, 6])
    images, labels = made
    assert images.shape == (3, 48, 48, 1)
    assert images.dtype == np.uint8
    assert labels.dtype == np.int64
    assert len(made) == 3


@pytest.mark.parametrize(
    ("images", "labels"),
    [
        (np.zeros((2, 48, 47), np.uint8), [0, 1]),
        (np.zeros((2, 48, 48)), [0, 1]),
        (np.full((2, 48, 48), 256), [0, 1]),
        (np.full((2, 48, 48), -1), [0, 1]),
        (np.zeros((2, 48, 48), np.uint8), [0]),
        (np.zeros((2, 48, 48), np.uint8), [0, 8]),
        (np.zeros((2, 48, 48), np.uint8), [0, -1]),
        (np.zeros((2, 48, 48), np.uint8), ["happy", "sad"]),
        (np.zeros((2, 48, 48), np.uint8), [[0], [1]]),
    ],
)
def test_split_refuses(images, labels):
    with pytest.raises(fk.InvalidInputError):
        fk.Split(images, labels)


def test_images_are_not_copied():
    images = np.zeros((3, 48, 48, 1), np.uint8)
    assert np.shares_memory(fk.Split(images, [0, 1, 2]).images, images)


def test_containers_are_frozen(data):
    with pytest.raises(AttributeError):
        data.train = data.test
    with pytest.raises(AttributeError):
        data.train.labels = None


@given(index=st.lists(st.integers(-70, 69), max_size=20))
def test_subset_by_row_numbers_and_mask(index):
    whole = split()
    part = whole.subset(index)
    np.testing.assert_array_equal(part.images, whole.images[np.array(index, int)])
    np.testing.assert_array_equal(part.labels, whole.labels[np.array(index, int)])
    mask = np.zeros(70, bool)
    mask[index] = True
    np.testing.assert_array_equal(whole.subset(mask).labels, whole.labels[mask])


@pytest.mark.parametrize("index", [[70], [-71], np.ones(69, bool), [0.5], "happy"])
def test_subset_refuses(index):
    with pytest.raises(fk.InvalidInputError, match="index must"):
        split().subset(index)


def test_concat_of_splits():
    joined = split(7).concat(split(14, 1), split(0))
    assert len(joined) == 21
    np.testing.assert_array_equal(joined.images[7:], split(14, 1).images)
    with pytest.raises(fk.InvalidInputError, match="with and without labels"):
        split().concat(fk.Split(split().images))
    assert fk.Split(split().images).concat(fk.Split(split().images)).labels is None


def test_reprs_tell_what_is_there(data):
    assert repr(data) == "FER2013(train=140, validation=35, test=28, source='made')"
    assert repr(data.train) == "Split(140 images, labels)"
    assert repr(fk.Split(data.train.images)) == "Split(140 images, no labels)"


def test_splits_are_those_present(data):
    assert list(data.splits) == ["train", "validation", "test"]
    assert list(fk.FER2013(data.train, test=data.test).splits) == ["train", "test"]


@pytest.mark.parametrize("wrong", [None, [1, 2], "train"])
def test_only_splits_are_taken(data, wrong):
    with pytest.raises(fk.InvalidInputError, match="train must be a Split; received"):
        fk.FER2013(wrong)
    if wrong is not None:
        with pytest.raises(fk.InvalidInputError, match="test must be a Split or None"):
            fk.FER2013(data.train, test=wrong)


def test_summary_counts_each_class(data):
    lines = data.summary().splitlines()
    assert lines[1].split() == ["class", "train", "validation", "test"]
    assert [line.split() for line in lines[2:9]] == [
        [str(code), name, "20", "5", "4"] for code, name in enumerate(CLASSES)
    ]
    assert lines[-1].split() == ["total", "140", "35", "28"]


def test_to_frame(data):
    frame = data.to_frame(pixels=True)
    assert len(frame) == 203
    assert frame.groupby("split", sort=False).size().to_dict() == {
        "train": 140,
        "validation": 35,
        "test": 28,
    }
    last = frame.iloc[-1]
    assert (last["index"], last["emotion"], last["emotion_name"]) == (27, 6, "neutral")
    np.testing.assert_array_equal(last["pixels"], data.test.images[27, ..., 0])


def test_to_frame_replaces_no_column(data):
    images, labels = data.train
    for name in ("split", "index", "emotion", "emotion_name"):
        own = fk.FER2013(fk.Split(images, labels, columns={name: labels}))
        with pytest.raises(fk.InvalidInputError, match=f"received {name} in train"):
            own.to_frame()
    own = fk.FER2013(fk.Split(images, labels, columns={"pixels": labels}))
    assert own.to_frame()["pixels"].tolist() == labels.tolist()
    with pytest.raises(fk.InvalidInputError, match="columns must have other names"):
        own.to_frame(pixels=True)


def in_colour(n=14, seed=0, shape=(20, 30, 3)):
    images = np.random.default_rng(seed).integers(0, 256, (n, *shape), np.uint8)
    return fk.Split(images, np.arange(n) % 7, image_shape=shape)


def test_images_of_another_shape_are_saved_and_read(tmp_path):
    data = fk.FER2013(in_colour(), test=in_colour(7, 1))
    path = tmp_path / "faces.npz"
    data.save(path)
    for cache in (True, True, False):
        again = fk.load_fer2013(path, cache=cache)
        assert again.validation is None
        for name, part in data.splits.items():
            assert again.splits[name].image_shape == (20, 30, 3)
            np.testing.assert_array_equal(again.splits[name].images, part.images)
            np.testing.assert_array_equal(again.splits[name].labels, part.labels)
    assert "20x30 colour images" in again.summary()
    assert again.to_frame(pixels=True)["pixels"][0].shape == (20, 30, 3)
    assert fk.load_fer2013(path, resize=True).test.images.shape == (7, 48, 48, 1)
    with pytest.raises(fk.InvalidInputError, match=r"one shape; received \(20, 30, 3\) in train"):
        fk.FER2013(in_colour(), test=split(7)).save(path)
    fk.FER2013(in_colour(shape=(20, 30, 2))).save(path)
    with pytest.raises(fk.DatasetFormatError, match="1 or 3 channels"):
        fk.load_fer2013(path, resize=True)


def test_contempt_in_a_saved_set(tmp_path):
    path = tmp_path / "faces.npz"
    images, _ = split(7)
    codes = np.array([7, 3, 7, 0, 1, 7, 6])
    fk.FER2013(fk.Split(images, codes, columns={"place": np.arange(7)})).save(path)
    for contempt in (True, False):
        train = fk.load_fer2013(path, contempt=contempt).train
        assert train.labels.tolist() == codes.tolist()
        assert train.columns["place"].tolist() == list(range(7))


def test_a_saved_set_needs_no_label_map(data, tmp_path):
    path = tmp_path / "faces.npz"
    data.save(path)
    for label_map in ({"joy": "happy"}, {3: None}, "raf-db"):
        with pytest.raises(
            fk.InvalidInputError, match=r"label_map must be None .*; FER2013\.subset"
        ):
            fk.load_fer2013(path, label_map=label_map)
    assert len(fk.load_fer2013(path, label_map={}).train) == 140


def test_subset_of_data(data):
    small = data.subset(30, random_state=0)
    assert [len(part) for part in small.splits.values()] == [30, 30, 28]
    assert np.bincount(small.train.labels).min() == 4
    again = data.subset(30, random_state=0)
    np.testing.assert_array_equal(small.train.images, again.train.images)
    two = data.subset(classes=["happy", 4])
    assert set(two.train.labels.tolist()) == {3, 4}
    assert len(two.train) == 40
    assert len(data.subset(14, classes=["Sadness"], stratified=False, random_state=0).train) == 14
    np.testing.assert_array_equal(data.subset().train.images, data.train.images)


@pytest.mark.parametrize("classes", [["bored"], [8], [-1]])
def test_subset_of_unknown_classes(data, classes):
    with pytest.raises(fk.InvalidInputError, match="classes must be codes 0 to 7 or names"):
        data.subset(classes=classes)


def test_subset_of_fewer_than_none(data):
    with pytest.raises(fk.InvalidInputError, match="n_samples must be a whole number from 0 to"):
        data.subset(-1)


def test_concat_of_data(data):
    joined = data.concat(fk.FER2013(split(7), test=split(7)), fk.FER2013(split(0)))
    assert [len(part) for part in joined.splits.values()] == [147, 35, 35]
    assert joined.source == "made + arrays + arrays"


@pytest.mark.parametrize(
    "random_state", [None, 3, np.random.default_rng(3), np.random.RandomState(3)]
)
def test_split_validation_is_stratified(random_state):
    whole = fk.FER2013(split(140), test=split(7))
    made = whole.split_validation(0.2, random_state=random_state)
    assert np.bincount(made.validation.labels).tolist() == [4] * 7
    assert np.bincount(made.train.labels).tolist() == [16] * 7
    rows = np.concatenate([made.train.images, made.validation.images]).reshape(140, -1)
    assert {row.tobytes() for row in rows} == {row.tobytes() for row in whole.train.images}
    assert made.test is whole.test


def test_split_validation_with_a_seed_repeats():
    whole = fk.FER2013(split(140))
    first, second = (whole.split_validation(random_state=5) for _ in range(2))
    np.testing.assert_array_equal(first.validation.images, second.validation.images)


def test_split_validation_refuses(data):
    with pytest.raises(fk.InvalidInputError, match="validation split of 35 images already"):
        data.split_validation()
    for fraction in (0, 1, -0.1, 2, float("nan")):
        with pytest.raises(fk.InvalidInputError, match=r"fraction must be a number in \(0, 1\)"):
            fk.FER2013(data.train).split_validation(fraction)
    for fraction in (0.05, 0.95):
        with pytest.raises(
            fk.InvalidInputError, match=f"both train and validation; received {fraction} of 5"
        ):
            fk.FER2013(split(5)).split_validation(fraction)
    with pytest.raises(fk.InvalidInputError, match="no labels"):
        fk.FER2013(fk.Split(data.train.images)).split_validation()


@given(
    counts=st.lists(st.integers(0, 40), min_size=1, max_size=7).filter(any),
    share=st.floats(0, 1),
    seed=st.integers(0, 99),
)
def test_chosen_rows_keep_the_proportions(counts, share, seed):
    labels = np.repeat(np.arange(len(counts)), counts)
    size = round(share * len(labels))
    rows = choose_rows(len(labels), size, labels=labels, random_state=seed)
    assert len(rows) == size
    assert np.all(np.diff(rows) > 0)
    chosen = np.bincount(labels[rows], minlength=len(counts))
    exact = np.array(counts) * size / len(labels)
    assert np.all(np.abs(chosen - exact) < 1 + 1e-9)


def test_global_random_state_is_left_alone(data):
    np.random.seed(0)  # noqa: NPY002 - this is the state that must stay
    before = np.random.get_state()[1].tolist()  # noqa: NPY002
    data.subset(10, random_state=1)
    fk.FER2013(data.train).split_validation(random_state=1)
    assert np.random.get_state()[1].tolist() == before  # noqa: NPY002


def test_pickle(data):
    again = pickle.loads(pickle.dumps(data))  # noqa: S301 - just made
    np.testing.assert_array_equal(again.train.images, data.train.images)


def test_using_data_imports_no_heavy_library(tmp_path):
    script = (
        "import sys, numpy as np, fer2013kit as fk\n"
        "data = fk.FER2013(fk.Split(np.zeros((7, 48, 48), np.uint8), range(7)))\n"
        "data.save(sys.argv[1])\n"
        "fk.load_fer2013(sys.argv[1]).summary()\n"
        "heavy = {'tensorflow', 'keras', 'sklearn', 'pandas', 'matplotlib', 'pyarrow'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "a.npz")]
    subprocess.run(command, check=True)  # noqa: S603 - our own interpreter and script
