"""The real FER-2013, in each form that can be had: skipped where it is not there."""

import io
import sys
import zipfile
from unittest import mock

import numpy as np
import pytest
from PIL import Image

import fer2013kit as fk

TRAINING = [3995, 436, 4097, 7215, 4830, 3171, 4965]
PUBLIC_TEST = [467, 56, 496, 895, 653, 415, 607]


@pytest.fixture(scope="session")
def zip_path(shared_data):
    return shared_data / "fer2013-kaggle.zip"


@pytest.fixture(scope="session")
def make_csv(csv_tool, tmp_path_factory):
    def make(name, *options):
        path = tmp_path_factory.mktemp("csv") / name
        with mock.patch.object(sys, "argv", ["make", str(path), *options]):
            csv_tool.main()
        return path

    return make


@pytest.fixture(scope="session")
def csv_path(make_csv):
    return make_csv("fer2013.csv")


def counts(split):
    return np.bincount(split.labels, minlength=7).tolist()


@pytest.mark.slow
def test_zip_holds_the_known_counts(zip_path):
    data = fk.load_fer2013(zip_path)
    assert counts(data.train) == TRAINING
    assert counts(data.validation) == PUBLIC_TEST
    assert data.test is None


@pytest.mark.slow
def test_pixels_are_those_of_pillow(zip_path):
    data = fk.load_fer2013(zip_path)
    rows = {"train": data.train, "test": data.validation}
    with zipfile.ZipFile(zip_path) as archive:
        for split, part in rows.items():
            names = [name for name in archive.namelist() if name.startswith(f"{split}/")]
            names.sort(key=lambda name: (fk.CLASS_NAMES.index(name.split("/")[1]), name))
            for row in range(0, len(names), 41):
                content = archive.read(names[row])
                expected = np.asarray(Image.open(io.BytesIO(content)))
                np.testing.assert_array_equal(part.images[row, ..., 0], expected)


@pytest.mark.slow
def test_unpacked_folder_is_the_zip(zip_path, tmp_path):
    with zipfile.ZipFile(zip_path) as archive:
        names = archive.namelist()
        some = [name for name in names if name.startswith(("test/", "train/disgust/"))]
        archive.extractall(tmp_path / "one" / "deeper", some)
    whole = fk.load_fer2013(zip_path)
    folder = fk.load_fer2013(tmp_path / "one", cache=False)
    np.testing.assert_array_equal(folder.validation.images, whole.validation.images)
    np.testing.assert_array_equal(folder.validation.labels, whole.validation.labels)
    disgust = whole.train.labels == fk.Emotion.DISGUST
    np.testing.assert_array_equal(folder.train.images, whole.train.images[disgust])


@pytest.mark.slow
def test_csv_holds_the_same_faces_under_the_same_codes(zip_path, csv_path):
    from_csv, from_zip = fk.load_fer2013(csv_path), fk.load_fer2013(zip_path)
    assert counts(from_csv.train) == TRAINING
    assert counts(from_csv.validation) == PUBLIC_TEST
    for code in (fk.Emotion.DISGUST, fk.Emotion.SAD, fk.Emotion.NEUTRAL):
        ours, theirs = (
            data.validation.images[data.validation.labels == code].reshape(-1, 2304).astype(float)
            for data in (from_csv, from_zip)
        )
        squared = (ours**2).sum(1)[:, None] + (theirs**2).sum(1) - 2 * ours @ theirs.T
        # Each JPEG is the copy of a row of its own class: a mean squared error of about 3.
        assert squared.min(axis=0).max() / 2304 < 6


def test_csv_pixels_are_those_that_were_packed(csv_tool, csv_path):
    images, labels, _ = csv_tool.read_rows()
    data = fk.load_fer2013(csv_path)
    first = len(data.train)
    np.testing.assert_array_equal(data.train.images[..., 0], images[:first])
    np.testing.assert_array_equal(data.validation.images[..., 0], images[first:])
    np.testing.assert_array_equal(data.validation.labels, labels[first:])


def test_icml_dialect_is_the_csv(csv_path, make_csv):
    icml = fk.load_fer2013(make_csv("icml_face_data.csv", "--icml", "--limit", "2000"))
    whole = fk.load_fer2013(csv_path)
    np.testing.assert_array_equal(icml.train.images, whole.train.images[:2000])
    np.testing.assert_array_equal(icml.train.labels, whole.train.labels[:2000])


def test_ferplus_votes_stand_by_their_faces(csv_path, shared_data):
    data = fk.load_fer2013(csv_path, ferplus=shared_data / "fer2013new.csv")
    for split in data.splits.values():
        # Votes one row off would agree by chance alone, in about a fifth of the rows.
        assert 0.6 < split.ferplus.agreement(split.labels) < 0.7
        assert split.ferplus.agreement(np.roll(split.labels, 1)) < 0.3
