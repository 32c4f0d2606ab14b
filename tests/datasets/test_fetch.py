"""Where fetch_fer2013 looks, with a fake kagglehub."""

import sys
import types
from pathlib import Path

import fake_sources as fake
import pytest
from fake_sources import assert_holds, some_rows

import fer2013kit as fk

ROWS = fake.in_folder_order(some_rows())


@pytest.fixture(autouse=True)
def places(tmp_path, monkeypatch):
    """Empty places to look in: own folder, cache of kagglehub."""
    monkeypatch.setenv("FER2013KIT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("KAGGLEHUB_CACHE", str(tmp_path / "hub"))
    return tmp_path / "home" / "fer2013", tmp_path / "hub" / "datasets" / "msambare" / "fer2013"


@pytest.fixture
def hub(monkeypatch):
    """A kagglehub whose download is set by the test; by default none must happen."""
    module = types.ModuleType("kagglehub")

    def refuse(handle):
        raise AssertionError(f"downloads {handle}")

    module.dataset_download = refuse
    monkeypatch.setitem(sys.modules, "kagglehub", module)
    return module


@pytest.mark.usefixtures("hub")
def test_own_folder_comes_first(places):
    own, cached = places
    own.mkdir(parents=True)
    fake.write_csv(own / "icml_face_data.csv", ROWS)
    fake.write_files(cached / "versions" / "1", fake.picture_files(fake.make_rows([(0, 0)])))
    (cached / "1.complete").touch()
    assert_holds(fk.fetch_fer2013(), ROWS)


@pytest.mark.usefixtures("hub")
def test_newest_complete_version_in_the_cache_of_kagglehub(places):
    _, cached = places
    for version, complete in (("2", True), ("10", True), ("11", False)):
        rows = ROWS if version == "10" else fake.make_rows([(0, 0)])
        fake.write_files(cached / "versions" / version, fake.picture_files(rows))
        if complete:
            (cached / f"{version}.complete").touch()
    (cached / "12.complete").touch()  # its folder was deleted
    data = fk.fetch_fer2013(download_if_missing=False)
    assert_holds(data, ROWS)
    assert Path(data.source).name == "10"


def test_download(hub, tmp_path):
    def download(handle):
        assert handle == "msambare/fer2013"
        fake.write_files(tmp_path / "there", fake.picture_files(ROWS))
        return str(tmp_path / "there")

    hub.dataset_download = download
    assert_holds(fk.fetch_fer2013(cache=False), ROWS)
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize(
    "error",
    [
        ConnectionError("no route to host"),
        SystemExit(1),
        SystemExit(),
        RuntimeError("401 unauthorised"),
        ValueError("x"),
    ],
)
def test_every_failure_is_one_error_that_says_what_to_do(hub, places, error):
    def download(handle):
        raise error

    hub.dataset_download = download
    with pytest.raises(fk.DatasetNotFoundError) as caught:
        fk.fetch_fer2013()
    text = str(caught.value)
    assert str(error) in text
    assert "https://www.kaggle.com/datasets/msambare/fer2013" in text
    assert "Challenges in Representation Learning: Facial Expression Recognition Challenge" in text
    assert str(places[0]) in text
    assert "FER2013KIT_HOME" in text


def test_without_kagglehub(monkeypatch, places):
    monkeypatch.setitem(sys.modules, "kagglehub", None)
    with pytest.raises(fk.MissingDependencyError, match=r"fer2013kit\[fetch\]") as caught:
        fk.fetch_fer2013()
    assert str(places[0]) in str(caught.value)


@pytest.mark.usefixtures("hub")
def test_no_download_when_not_wanted(places):
    places[0].mkdir(parents=True)
    (places[0] / ".DS_Store").touch()
    with pytest.raises(fk.DatasetNotFoundError, match=r"not on this machine\. To"):
        fk.fetch_fer2013(download_if_missing=False)


@pytest.mark.usefixtures("hub")
def test_what_the_message_says_works(places):
    """Putting the zip where the error says makes the next call succeed."""
    with pytest.raises(fk.DatasetNotFoundError):
        fk.fetch_fer2013(download_if_missing=False)
    places[0].mkdir(parents=True)
    fake.write_zip(places[0] / "archive.zip", fake.picture_files(ROWS))
    assert_holds(fk.fetch_fer2013(), ROWS)
