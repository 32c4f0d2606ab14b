"""Any number of images to parquet: every form they come in, and every way it can be cut short."""

import io
import json
import os
import pickle
import signal
import subprocess
import sys
import tarfile
import time
import zipfile
from concurrent.futures import Future
from pathlib import Path
from typing import ClassVar

import fsspec
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from fsspec.implementations.memory import MemoryFileSystem
from PIL import Image
from pyarrow import parquet

import fer2013kit as fk
from command_line import run, run_json
from fer2013kit.datasets._trees import ZipTree
from fer2013kit.scoring import ScoreReport, _sources, _work
from fer2013kit.scoring._place import Place, file_system, reaching
from fer2013kit.scoring._sources import Part, Source, _picture_column, _version_of
from made_pictures import encoded

LEVELS = np.random.default_rng(0).integers(0, 256, (9, 48, 48), np.uint8)
IMAGES = {f"face{number}.png": encoded(Image.fromarray(one)) for number, one in enumerate(LEVELS)}
BROKEN = "face4.png"
FILES = {**IMAGES, BROKEN: b"\x89PNG of nothing"}


def write_folder(path, files):
    for name, content in files.items():
        target = path / "photos" / "deep" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    return path / "photos"


def write_zip(path, files):
    with zipfile.ZipFile(path / "photos.zip", "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path / "photos.zip"


def write_tar(path, files):
    with tarfile.open(path / "photos.tar.gz", "w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path / "photos.tar.gz"


def write_parquet(path, files):
    rows = [{"bytes": content, "path": name} for name, content in files.items()]
    table = pa.table({"label": [0] * len(rows), "image": rows})
    parquet.write_table(table, path / "photos.parquet", row_group_size=2)
    return path / "photos.parquet"


WRITERS = [write_folder, write_zip, write_tar, write_parquet]


def table_of(folder):
    return pd.read_parquet(folder).sort_values("image", ignore_index=True)


@pytest.mark.parametrize("write", WRITERS)
def test_every_form_gives_what_the_network_says(tmp_path, write):
    src = write(tmp_path, FILES)
    report = fk.score(src, tmp_path / "scores", crops=True, tta=None, part_size=4)
    assert (report.n_images, report.n_faces, report.n_errors) == (9, 8, 1)
    assert report.n_parts == (1 if write is write_tar else 3)
    assert len(list((tmp_path / "scores").glob("*.parquet"))) == report.n_parts
    (error,) = report.first_errors
    assert "damaged" in error
    found = table_of(tmp_path / "scores")
    bad = found["error"].notna()
    assert bad.tolist() == [name == BROKEN for name in sorted(FILES)]
    assert found.loc[bad, "happy"].isna().all()
    expected = fk.load_predictor().predict_proba(LEVELS[~bad.to_numpy()])
    assert found.loc[~bad, list(fk.CLASS_NAMES)].to_numpy() == pytest.approx(expected, abs=1e-6)
    named = np.array(fk.CLASS_NAMES)[expected.argmax(axis=1)]
    assert found.loc[~bad, "emotion"].tolist() == named.tolist()
    again = fk.score(src, tmp_path / "scores", crops=True, tta=None, part_size=4)
    assert (again.n_done_before, again.n_images) == (again.n_parts, 9)


def test_faces_are_found_and_boxes_told(tmp_path):
    photo = fk.sample_photos()[0]
    blank = encoded(Image.new("L", (90, 60)))
    src = write_folder(tmp_path, {"a.jpg": photo.read_bytes(), "b.png": blank})
    document = run_json("score", src, tmp_path / "scores")
    assert (document["n_images"], document["n_faces"]) == (2, 1)
    found = table_of(tmp_path / "scores")
    (face,) = fk.analyze_photo(photo)
    assert found["image"].tolist() == ["deep/a.jpg", "deep/b.png"]
    assert tuple(found.loc[0, ["left", "top", "width", "height"]]) == face.box
    assert found.loc[0, "score"] == pytest.approx(face.score)
    assert found.loc[1, ["face", "emotion", "error"]].isna().all()
    assert "1 face, 0 errors" in run("score", src, tmp_path / "scores").stdout


def test_pixels_of_fer2013_are_read(tmp_path):
    pixels = [" ".join(map(str, one.ravel())) for one in LEVELS[:2]] + ["1 2 3"]
    parquet.write_table(pa.table({"pixels": pixels}), tmp_path / "fer.parquet")
    report = fk.score(tmp_path / "fer.parquet", tmp_path / "scores", crops=True, tta=None)
    assert report.n_errors == 1
    found = pd.read_parquet(tmp_path / "scores")
    assert found["image"].tolist() == [f"fer.parquet/row {row}" for row in range(3)]
    expected = fk.load_predictor().predict_proba(LEVELS[:2])
    assert found[list(fk.CLASS_NAMES)][:2].to_numpy() == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("left", [b"", b"PAR1 and no more", "no facts", "other facts"])
def test_a_part_that_is_damaged_is_done_anew(tmp_path, left):
    src = write_folder(tmp_path, IMAGES)
    fk.score(src, tmp_path / "scores", crops=True, tta=None, part_size=5)
    path = tmp_path / "scores" / "part-000001.parquet"
    whole = path.read_bytes()
    if isinstance(left, str):
        facts = {} if left == "no facts" else {b"fer2013kit": b'{"n_images": -1}'}
        parquet.write_table(parquet.read_table(path).replace_schema_metadata(facts), path)
    else:
        path.write_bytes(left)
    report = fk.score(src, tmp_path / "scores", crops=True, tta=None, part_size=5)
    assert (report.n_images, report.n_done_before) == (9, 1)
    assert path.read_bytes() == whole


def test_of_two_runs_that_begin_at_once_the_second_hears_of_the_first(tmp_path, monkeypatch):
    src, dst = write_folder(tmp_path, IMAGES), tmp_path / "scores"
    look = Place._names

    def look_and_be_overtaken(place):
        names = look(place)
        monkeypatch.setattr(Place, "_names", look)
        fk.score(src, dst, crops=True, tta="flip", part_size=5)
        return names

    for tta in (None, "flip"):  # another run's work, or the same
        monkeypatch.setattr(Place, "_names", look_and_be_overtaken)
        if tta is None:
            with pytest.raises(fk.InvalidInputError, match="begun with other images or settings"):
                fk.score(src, dst, crops=True, tta=tta, part_size=5)
        else:
            assert fk.score(src, dst, crops=True, tta=tta, part_size=5).n_images == len(IMAGES)
        assert json.loads((dst / "_plan.json").read_bytes())["tta"] == "flip"
        for one in dst.iterdir():
            one.unlink()


@pytest.mark.parametrize("plan", [b"", b"[]", b'{"images": NaN}', b"\xff", b"[" * 100_000])
def test_a_plan_that_is_damaged_is_told(tmp_path, plan):
    src = write_folder(tmp_path, IMAGES)
    (tmp_path / "scores").mkdir()
    (tmp_path / "scores" / "_plan.json").write_bytes(plan)
    with pytest.raises(fk.InvalidInputError, match="is damaged"):
        fk.score(src, tmp_path / "scores")


def test_a_path_of_no_known_kind_is_told(tmp_path):
    with pytest.raises(fk.InvalidInputError, match="cannot be opened by fsspec"):
        fk.score("gopher://photos", tmp_path)
    fsspec.register_implementation("lost", "no_such_library.Lost", errtxt="get it", clobber=True)
    with pytest.raises(fk.InvalidInputError, match="'lost://a' cannot be opened by fsspec: get it"):
        fk.score("lost://a", tmp_path)
    with pytest.raises(fk.InvalidInputError, match="empty"):
        fk.score("", tmp_path)


@pytest.mark.skipif(sys.platform != "linux", reason="such names and pipes are Unix's")
def test_names_that_are_no_text_and_pipes(tmp_path):
    src = write_folder(tmp_path, {"\udcff.png": IMAGES["face0.png"]})
    os.mkfifo(src / "pipe.png")
    (src / "\x1b[31mred.png").write_bytes(b"no image")
    (src / "gone.png").symlink_to("nowhere")
    with pytest.warns(fk.Fer2013KitWarning, match=r"1 file that is no image.*pipe\.png"):
        report = fk.score(src, tmp_path / "scores", crops=True, tta=None)
    assert (report.n_images, report.n_errors) == (3, 2)
    names = ["\x1b[31mred.png", "deep/?.png", "gone.png"]
    assert table_of(tmp_path / "scores")["image"].tolist() == names
    assert "\n?[31mred.png: " in str(report)


def test_images_of_one_name_in_the_table_are_counted_each(tmp_path):
    src = write_folder(tmp_path, dict.fromkeys(["\udcff.png", "\udcfe.png"], IMAGES["face0.png"]))
    report = fk.score(src, tmp_path / "scores", crops=True, tta=None)
    assert table_of(tmp_path / "scores")["image"].tolist() == ["deep/?.png"] * 2
    assert (report.n_images, report.n_faces) == (2, 2)


def test_what_is_no_image_is_counted_and_named(tmp_path):
    src = write_folder(tmp_path, {**FILES, "notes.txt": b"", ".DS_Store": b""})
    write_zip(src, {"one.png": IMAGES["face0.png"], "list.csv": b"", "__MACOSX/one.png": b""})
    with pytest.warns(
        fk.Fer2013KitWarning, match=r"2 files .*'deep/notes.txt', 'photos.zip/list.csv'"
    ):
        report = fk.score(src, tmp_path / "scores", crops=True)
    assert (report.n_passed_over, report.n_images) == (2, 10)


def test_a_damaged_container_is_a_row_and_the_rest_is_scored(tmp_path):
    src = write_folder(tmp_path, IMAGES)
    whole = write_zip(tmp_path, IMAGES).read_bytes()
    (src / "half.zip").write_bytes(whole[: len(whole) // 2])
    # One image inside is damaged: those before it are told.
    inside = bytearray(whole)
    inside[whole.index(IMAGES["face3.png"]) + 60] ^= 1
    (src / "inside.zip").write_bytes(inside)
    (src / "cut.tar.gz").write_bytes(write_tar(tmp_path, IMAGES).read_bytes()[:5000])
    (src / "no.parquet").write_bytes(b"PAR1 nothing PAR1")
    many = pa.table({"image": pa.array([b""] * 50_000)})
    parquet.write_table(many, src / "many.parquet", compression="zstd")
    parquet.write_table(pa.table({"words": ["a"]}), src / "words.parquet")
    report = fk.score(src, tmp_path / "scores", crops=True)
    found = table_of(tmp_path / "scores")
    errors = found.dropna(subset="error").set_index("image")["error"]
    names = {"half.zip", "inside.zip", "cut.tar.gz", "no.parquet", "many.parquet", "words.parquet"}
    assert set(errors.index) == names
    assert report.n_errors == len(names)
    assert report.n_faces == 9 + 3
    assert "CRC" in errors["inside.zip"]
    assert "50,000 rows" in errors["many.parquet"]
    assert "one column of images" in errors["words.parquet"]
    assert "damaged" not in errors["words.parquet"]
    assert str(report).endswith("\nand 1 more error")


def test_a_failing_disk_ends_the_run_and_the_next_goes_on(tmp_path, monkeypatch):
    src = write_zip(tmp_path, FILES)
    read = ZipTree.read

    def fail_late(self, name):
        if name == "face7.png":
            raise OSError(5, "Input/output error")
        return read(self, name)

    with monkeypatch.context() as patch:
        patch.setattr(ZipTree, "read", fail_late)
        with pytest.raises(OSError, match="Input/output"):
            fk.score(src, tmp_path / "scores", crops=True, part_size=3)
    report = fk.score(src, tmp_path / "scores", crops=True, part_size=3)
    assert (report.n_done_before, report.n_parts, report.n_images) == (2, 3, 9)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_after_a_kill_the_same_call_ends_as_an_unbroken_one(tmp_path):
    names = [f"{number:03}.png" for number in range(400)]
    src = write_folder(tmp_path, dict.fromkeys(names, IMAGES["face0.png"]) | FILES)
    settings = ("--crops", "--tta", "none", "--part-size", "10")
    command = (src, tmp_path / "killed", *settings, "--workers", "2")
    with subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-c", "from fer2013kit.cli import main; main()", "score", *command],
        stderr=subprocess.PIPE,
        env={name: value for name, value in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"},
    ) as killed:
        while not (done := list((tmp_path / "killed").glob("part*"))):
            time.sleep(0.005)
            assert killed.poll() is None
        workers = Path(f"/proc/{killed.pid}/task/{killed.pid}/children").read_text().split()
        killed.send_signal(signal.SIGKILL)
        assert b"INFO" not in killed.stderr.read()  # of the libraries
    assert len(done) < 41
    while any(is_running(one) for one in workers):  # they end with it
        time.sleep(0.01)
    there = {path: path.stat().st_mtime_ns for path in (tmp_path / "killed").glob("part*")}
    assert 0 < len(there) < 41
    document = run_json("score", src, tmp_path / "killed", *settings)
    assert document["n_done_before"] == len(there)
    assert all(path.stat().st_mtime_ns == moment for path, moment in there.items())
    run("score", src, tmp_path / "whole", *settings)
    pd.testing.assert_frame_equal(table_of(tmp_path / "killed"), table_of(tmp_path / "whole"))


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_ctrl_c_does_not_wait_for_the_parts_that_are_being_done(tmp_path):
    src = write_folder(tmp_path, FILES)
    os.mkfifo(tmp_path / "endless")  # whoever reads it waits for ever
    (tmp_path / "slow.py").write_text(
        "import signal\n"
        "from fer2013kit.cli import main\n"
        "from fer2013kit.scoring._sources import Source\n"
        f"Source.read = lambda *_: open({str(tmp_path / 'endless')!r}).read()\n"
        "if __name__ == '__main__':\n"
        # Where the tests are a job in the background, it is ignored.
        "    signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "    main()\n"
    )
    command = (sys.executable, tmp_path / "slow.py", "score", src, tmp_path / "scores")
    with subprocess.Popen(  # noqa: S603 - our own program
        [*command, "--part-size", "2", "--workers", "2"], stderr=subprocess.PIPE, text=True
    ) as stopped:
        while len(list((tmp_path / "scores").glob(".part*"))) < 2:
            time.sleep(0.01)
            assert stopped.poll() is None
        workers = Path(f"/proc/{stopped.pid}/task/{stopped.pid}/children").read_text().split()
        stopped.send_signal(signal.SIGINT)
        try:
            assert stopped.communicate(timeout=60)[1].endswith("fer2013kit: interrupted\n")
        finally:
            stopped.kill()
    assert stopped.returncode == 130
    while any(is_running(one) for one in workers):
        time.sleep(0.01)
    report = fk.score(src, tmp_path / "scores", part_size=2)
    assert (report.n_images, report.n_done_before) == (len(FILES), 0)


def is_running(process):
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def test_a_worker_that_is_killed_is_told_and_what_was_done_stays(tmp_path, monkeypatch):
    class Broken:
        def __init__(self, *_, **__):
            pass

        def submit(self, *_):
            future = Future()
            future.set_exception(_work.BrokenProcessPool("a process ended"))
            return future

        def shutdown(self, **_):
            pass

    monkeypatch.setattr(_work, "ProcessPoolExecutor", Broken)
    src = write_folder(tmp_path, FILES)
    with pytest.raises(fk.Fer2013KitError, match="fewer workers"):
        fk.score(src, tmp_path / "scores", crops=True, part_size=2, workers=2)
    assert fk.score(src, tmp_path / "scores", crops=True, part_size=2).n_images == 9


def test_a_folder_is_outside_by_where_it_lies(tmp_path, monkeypatch):
    src = write_folder(tmp_path, FILES)
    monkeypatch.chdir(src)
    assert (
        fk.score(".", "../scores", crops=True).n_images
        == fk.score(src, tmp_path / "again", crops=True).n_images
    )
    with pytest.raises(fk.InvalidInputError, match="outside of src"):
        fk.score(tmp_path / "scores" / ".." / src.name, f"../{src.name}/scores", crops=True)
    with pytest.raises(fk.InvalidInputError, match="outside of src"):
        fk.score("memory://", "memory://scores", crops=True)


def test_other_images_or_settings_are_refused(tmp_path):
    src = write_folder(tmp_path, FILES)
    fk.score(src, tmp_path / "scores", crops=True)
    with pytest.raises(fk.InvalidInputError, match=r"tta 'auto', now 'flip'"):
        fk.score(src, tmp_path / "scores", crops=True, tta="flip")
    (src / "new.png").write_bytes(IMAGES["face0.png"])
    with pytest.raises(fk.InvalidInputError, match="begun with other images"):
        fk.score(src, tmp_path / "scores", crops=True)
    with pytest.raises(fk.InvalidInputError, match="outside of src"):
        fk.score(src, src / "scores")
    parquet.write_table(pa.table({"a": [1]}), tmp_path / "theirs.parquet")
    with pytest.raises(fk.InvalidInputError, match="something else"):
        fk.score(src, tmp_path)
    with pytest.raises(fk.InvalidInputError, match="part_size must be"):
        fk.score(src, tmp_path / "scores", part_size=0)
    with pytest.raises(fk.MediaFileError, match="no such file"):
        fk.score(tmp_path / "none", tmp_path / "scores")
    (tmp_path / "empty").mkdir()
    with pytest.raises(fk.MediaFileError, match="no image here"):
        fk.score(tmp_path / "empty", tmp_path / "scores")


def test_the_network_that_is_named_answers_and_what_it_said_is_not_mixed(tmp_path, monkeypatch):
    src, dst, file = write_folder(tmp_path, IMAGES), tmp_path / "scores", tmp_path / "mine.tflite"
    shipped = Path(fk.__file__).parent / "weights"
    file.write_bytes((shipped / "five_layer_cnn_small.tflite").read_bytes())
    options = {"crops": True, "tta": None, "classifier": file}
    fk.score(src, dst, **options)
    expected = fk.load_predictor("five_layer_cnn_small").predict_proba(LEVELS)
    assert table_of(dst)[list(fk.CLASS_NAMES)].to_numpy() == pytest.approx(expected, abs=1e-6)
    for other in ({"classifier": None}, {"classifier": "five_layer_cnn_small"}, {"crops": False}):
        with pytest.raises(fk.InvalidInputError, match=f"settings .{next(iter(other))} .*, now "):
            fk.score(src, dst, **options | other)
    moved = file.rename(tmp_path / "moved.tflite")  # the content counts, not what it is called
    assert fk.score(src, dst, **options | {"classifier": moved}).n_done_before == 1
    moved.write_bytes((shipped / "five_layer_cnn.tflite").read_bytes())
    with pytest.raises(fk.InvalidInputError, match=r"settings .classifier .*, now "):
        fk.score(src, dst, **options | {"classifier": moved})
    moved.write_bytes((shipped / "five_layer_cnn_small.tflite").read_bytes())
    monkeypatch.setattr("fer2013kit.scoring._score.__version__", "another")
    with pytest.raises(fk.InvalidInputError, match=r"settings .fer2013kit .*, now 'another'"):
        fk.score(src, dst, **options | {"classifier": moved})


@pytest.mark.parametrize("write", WRITERS)
def test_other_file_systems(tmp_path, write):
    src = write(tmp_path, FILES)
    memory = fsspec.filesystem("memory")
    memory.put(str(src), f"/in/{src.name}", recursive=True)
    try:
        there = fk.score(f"memory://in/{src.name}", "memory://out", crops=True)
        here = fk.score(src, tmp_path / "scores", crops=True)
        assert (there.n_images, there.first_errors) == (here.n_images, here.first_errors)
        assert there.n_parts == len(memory.glob("/out/*.parquet")) == len(memory.find("/out")) - 1
        table = pd.concat([
            pd.read_parquet(io.BytesIO(memory.cat_file(path)))
            for path in memory.glob("/out/*.parquet")
        ])  # fmt: skip
        pd.testing.assert_frame_equal(
            table.sort_values("image", ignore_index=True), table_of(tmp_path / "scores")
        )
    finally:
        memory.store.clear()


def test_other_content_of_the_same_size_is_seen_on_any_file_system(tmp_path):
    memory = fsspec.filesystem("memory")
    try:
        memory.pipe("/in/a.png", IMAGES["face0.png"])
        memory.pipe("/in/b.png", IMAGES["face1.png"])
        fk.score("memory://in", tmp_path / "scores", crops=True, part_size=1)
        assert fk.score("memory://in", tmp_path / "scores", crops=True, part_size=1).n_parts == 2
        memory.pipe("/in/a.png", IMAGES["face0.png"][::-1])
        with pytest.raises(fk.InvalidInputError, match="begun with other images"):
            fk.score("memory://in", tmp_path / "scores", crops=True, part_size=1)
    finally:
        memory.store.clear()


class Bucket(MemoryFileSystem):
    """Behaves as S3: no empty folders, and errors of its own library."""

    protocol = "bucket"
    store: ClassVar[dict] = {}
    pseudo_dirs: ClassVar[list] = [""]
    failing: ClassVar[dict] = {}
    listed: ClassVar[dict] = {}

    @classmethod
    def _strip_protocol(cls, path):
        return super()._strip_protocol(path.removeprefix(f"{cls.protocol}://"))

    def makedirs(self, path, exist_ok=False):
        pass

    def ls(self, path, *args, **kwargs):
        """Remember what was there, as libraries do until they are told to forget it."""
        if path not in self.listed:
            self.listed[path] = super().ls(path, *args, **kwargs)
        return self.listed[path]

    def invalidate_cache(self, path=None):
        self.listed.clear()

    def find(self, path, *args, **kwargs):
        if "soon" in self.failing:
            self.failing["now"] = self.failing.pop("soon")
        return super().find(path, *args, **kwargs)

    def exists(self, path, **kwargs):
        if "now" in self.failing:
            raise self.failing["now"]
        return super().exists(path, **kwargs)

    def _open(self, path, *args, **kwargs):
        if error := self.failing.get(path.rpartition("/")[2]):
            raise error
        return super()._open(path, *args, **kwargs)


class Web(Bucket):
    """Behaves as fsspec's HTTP: listings without sizes, a file without facts, nothing written."""

    protocol = "web"

    def find(self, path, **kwargs):
        found = super().find(path, **kwargs)
        if list(found) == [path]:
            return {path: {}}
        return {name: {**info, "size": None} for name, info in found.items()}

    def _open(self, path, mode="rb", **kwargs):
        if mode != "rb":
            raise NotImplementedError
        return super()._open(path, mode, **kwargs)


@pytest.fixture
def far_away(monkeypatch):
    """Return the settings for a scoring from and to stores that behave as S3 and HTTP do."""
    monkeypatch.setattr(Bucket, "store", {})
    monkeypatch.setattr(Bucket, "failing", {})
    monkeypatch.setattr(Bucket, "listed", {})
    monkeypatch.setattr(Web, "store", Bucket.store)
    monkeypatch.setattr(Web, "failing", Bucket.failing)
    for kind in (Bucket, Web):
        fsspec.register_implementation(kind.protocol, kind, clobber=True)
    for name, content in IMAGES.items():
        Bucket().pipe(f"/photos/{name}", content)
    return {"crops": True, "tta": None, "part_size": 4}


def table_in(folder):
    files = [io.BytesIO(Bucket.store[path].getvalue()) for path in Bucket().glob(f"{folder}/part*")]
    return pd.concat(map(pd.read_parquet, files)).sort_values("image", ignore_index=True)


def test_object_stores_have_no_folders_and_the_web_no_facts(tmp_path, far_away):
    fk.score("bucket://photos", "bucket://scores", **far_away)
    assert fk.score("web://photos", tmp_path / "scores", **far_away).n_images == 9
    found = table_in("/scores")
    pd.testing.assert_frame_equal(found, table_of(tmp_path / "scores"))
    assert fk.score("bucket://photos", "bucket://scores", **far_away).n_done_before == 3
    here = write_folder(tmp_path, IMAGES)
    assert fk.score(here, "bucket://here", **far_away).n_done_before == 0
    Bucket().rm_file("/here/part-000001.parquet")  # by somebody else: what is there is asked anew
    assert fk.score(here, "bucket://here", **far_away).n_done_before == 2
    Bucket().pipe("/photos.zip", write_zip(tmp_path, IMAGES).read_bytes())
    report = fk.score("web://photos.zip", "bucket://zipped", **far_away)
    assert (report.n_images, report.n_errors) == (9, 0)
    columns = list(fk.CLASS_NAMES)
    pd.testing.assert_frame_equal(table_in("/zipped")[columns], found[columns])
    with pytest.raises(fk.InvalidInputError, match="can be written to; received 'web://there'"):
        fk.score("bucket://photos", "web://there", **far_away)


def test_what_a_killed_writer_left_in_a_store_is_taken_away(far_away):
    bucket = Bucket()
    left = (".part-000001.parquet.0123456789abcdef", "._plan.json.0123456789abcdef")
    others = (".part-000001.parquet.crc", ".htaccess")
    for name in (*left, *others):
        bucket.pipe(f"/scores/{name}", b"half")
    Bucket.failing["face5.png"] = ServerError()
    with pytest.raises(OSError, match="bucket"):
        fk.score("bucket://photos", "bucket://scores", **far_away)
    assert all(bucket.exists(f"/scores/{name}") for name in (*left, *others))  # not done yet
    Bucket.failing.clear()
    assert fk.score("bucket://photos", "bucket://scores", **far_away).n_images == 9
    assert not any(bucket.exists(f"/scores/{name}") for name in left)
    assert all(bucket.exists(f"/scores/{name}") for name in others)


class ServerError(Exception):
    """As aiohttp's: of no type that anyone could know."""

    status = 503


@pytest.mark.parametrize(
    ("failing", "cause", "error"),
    [
        ({"face5.png": ServerError()}, None, OSError),
        ({"face5.png": FileNotFoundError()}, ServerError(), FileNotFoundError),  # as HTTP tells it
        # The right to all of it ends in the middle.
        ({"face5.png": PermissionError(), "soon": PermissionError()}, None, PermissionError),
    ],
)
def test_a_server_that_fails_makes_no_image_an_error(tmp_path, far_away, failing, cause, error):
    failing["face5.png"].__cause__ = cause
    Bucket.failing.update(failing)
    with pytest.raises(error):
        fk.score("bucket://photos", tmp_path, **far_away)
    Bucket.failing.clear()
    report = fk.score("bucket://photos", tmp_path, **far_away)
    assert (report.n_done_before, report.n_images, report.n_errors) == (1, 9, 0)


def test_a_file_that_is_gone_is_an_error_of_its_own(tmp_path, far_away):
    Bucket.failing["face5.png"] = FileNotFoundError()
    report = fk.score("bucket://photos", tmp_path, **far_away)
    assert (report.n_images, report.n_errors) == (9, 1)


@pytest.mark.parametrize("status", [401, 403, 404, 410, 429, 500])
def test_only_some_answers_of_a_server_are_of_the_file_alone(far_away, status):
    source, part = Source("bucket://photos", {}), Part(0, ("face5.png", "face6.png"))
    Bucket.failing["face5.png"] = error = FileNotFoundError()
    error.__cause__ = ServerError()
    error.__cause__.status = status
    if status in (429, 500):
        with pytest.raises(FileNotFoundError):
            list(source.read(part, []))
    else:
        (_, gone), (name, content) = source.read(part, [])
        assert isinstance(gone, fk.MediaFileError)
        assert (name, content) == ("face6.png", IMAGES["face6.png"])


def test_files_that_a_disk_does_not_give_are_errors_of_their_own(tmp_path, monkeypatch):
    src = write_folder(tmp_path, IMAGES) / "deep"
    source = Source(str(src), {})
    (part,) = source.parts(source.look(), 100)
    refused = {
        "face1.png": PermissionError(13, "Permission denied"),
        "face2.png": PermissionError(),
    }
    opened = source.fs.open

    def open_or_refuse(path, mode):
        if error := refused.get(Path(path).name):
            raise error
        return opened(path, mode)

    monkeypatch.setattr(source.fs, "open", open_or_refuse)
    (src / "face0.png").unlink()
    found = dict(source.read(part, []))
    assert {name: str(one) for name, one in found.items() if isinstance(one, OSError)} == {
        "face0.png": "face0.png: No such file or directory",
        "face1.png": "face1.png: Permission denied",
        "face2.png": "face2.png: it cannot be opened",
    }
    assert found["face3.png"] == IMAGES["face3.png"]


def test_a_file_that_is_too_large_is_seen_by_one_byte_too_many(tmp_path, monkeypatch):
    monkeypatch.setattr("fer2013kit.scoring._sources.MAX_BYTES", 100)
    source = Source(str(write_folder(tmp_path, {"a.png": bytes(101), "b.png": bytes(999)})), {})
    (part,) = source.parts(source.look(), 2)
    assert [len(content) for _, content in source.read(part, [])] == [101, 101]


def test_an_image_may_be_named_as_its_folder(tmp_path):
    folder = tmp_path / "a.png"
    folder.mkdir()
    (folder / "a.png").write_bytes(IMAGES["face0.png"])
    for path in (folder, folder / "a.png"):
        source = Source(str(path), {})
        (part,) = source.parts(source.look(), 2)
        assert list(source.read(part, [])) == [("a.png", IMAGES["face0.png"])]


def test_a_server_that_does_not_answer_is_not_the_fault_of_a_file(far_away, monkeypatch):
    source = Source("bucket://photos", {})
    Bucket.failing["face5.png"] = FileNotFoundError()

    def no_answer(*_):
        raise ServerError

    monkeypatch.setattr(source.fs, "exists", no_answer)
    with pytest.raises(FileNotFoundError):
        list(source.read(Part(0, ("face5.png",)), []))


def test_what_a_library_raises_is_told():
    for error, told in [(ServerError(), "ServerError"), (ServerError("no\n way"), "no way")]:
        with (
            pytest.raises(OSError, match=f"'s3://a' cannot be reached: {told}$"),
            reaching("s3://a"),
        ):
            raise error
    for error in (UserWarning(), TimeoutError(), fk.InvalidInputError("no")):
        with pytest.raises(type(error)) as caught, reaching("s3://a"):
            raise error
        assert caught.value is error


class Files(MemoryFileSystem):
    """A store with a key, whose name only begins as that of local files."""

    protocol = "files"

    def __init__(self, key=None, **options):
        super().__init__(**options)
        if key != "open":
            raise PermissionError(key)

    @classmethod
    def _strip_protocol(cls, path):
        return super()._strip_protocol(path.removeprefix("files://"))


def test_options_open_the_store(tmp_path):
    fsspec.register_implementation("files", Files, clobber=True)
    memory, key = fsspec.filesystem("memory"), {"key": "open"}
    memory.pipe("/in/a.png", IMAGES["face0.png"])
    try:
        assert file_system("files://in", key)[1:] == ("/in", False)
        report = fk.score("files://in", "files://out", crops=True, tta=None, storage_options=key)
        assert (report.n_images, memory.exists("/out/part-000000.parquet")) == (1, True)
    finally:
        memory.store.clear()


# --- the work and its parts, without a network ----------------------------------------------


FACTS = {"n_images": 2, "n_faces": 1, "n_errors": 1, "n_passed_over": 3, "n_notes": 0}
FACTS |= {"first_errors": ["a.png: no"], "passed_over": ["b.txt"], "notes": []}


@pytest.mark.parametrize("lacking", [None, *FACTS])
def test_facts_are_read_whole(tmp_path, lacking):
    facts = {name: value for name, value in FACTS.items() if name != lacking}
    table = pa.table({"image": ["a.png", "c.png"]})
    place = Place(str(tmp_path), {})
    place.write("part-000000.parquet", table.schema, [table], facts)
    assert place.facts("part-000000.parquet") == (FACTS if lacking is None else None)


def test_other_content_of_the_same_size_is_other_work(tmp_path):
    src = write_folder(tmp_path, IMAGES)
    (src / "notes.txt").write_text("one")
    states = [Source(str(src), {}).look().state]
    (src / "notes.txt").write_text("two")
    states.append(Source(str(src), {}).look().state)
    os.utime(src / "deep" / "face3.png", (1, 1))
    states.append(Source(str(src), {}).look().state)
    assert states[0] == states[1] != states[2]


def test_content_of_another_size_is_other_work_whatever_its_time(tmp_path):
    path = write_folder(tmp_path, IMAGES) / "deep" / "face3.png"
    states = []
    for content in (b"short", b"longer"):
        path.write_bytes(content)
        os.utime(path, (1, 1))
        states.append(Source(str(tmp_path / "photos"), {}).look().state)
    assert states[0] != states[1]


@pytest.mark.parametrize(
    "key", ["ETag", "etag", "md5Hash", "mtime", "LastModified", "last_modified", "Last-Modified"]
)
def test_what_a_store_says_of_a_version_tells_other_content(key):
    one, later, changed = ({key: version, "atime": at} for version, at in ("ab", "ac", "bc"))
    assert _version_of(one) == _version_of(later) != _version_of(changed)


def test_of_an_unknown_store_all_that_is_plain_tells_other_content():
    def said(name, digest):
        return {"name": name, "size": 3, "type": "file", "digest": digest, "handle": object()}

    assert _version_of(said("a", 1)) == _version_of(said("a", 1)) != _version_of(said("a", 2))
    assert _version_of(said("a", 1)) == _version_of(said("b", 1))


@pytest.mark.parametrize("rows_in_a_group", [1, 2, 4, 9])
def test_each_row_of_a_parquet_file_stands_in_one_part(tmp_path, rows_in_a_group):
    table = pa.table({"label": [0] * 9, "content": list(IMAGES.values())})
    parquet.write_table(table, tmp_path / "a.parquet", row_group_size=rows_in_a_group)
    source = Source(str(tmp_path / "a.parquet"), {})
    rows = [(f"a.parquet/row {n}", image) for n, image in enumerate(IMAGES.values())]
    parts = source.parts(source.look(), 3)
    assert [list(source.read(part, [])) for part in parts] == [
        rows[part.start : part.stop] for part in parts
    ]
    assert (parts[0].start, parts[-1].stop) == (0, None)
    assert [part.stop for part in parts[:-1]] == [part.start for part in parts[1:]]


def test_no_more_rows_are_read_at_once_than_their_pages_allow(tmp_path, monkeypatch):
    source = Source(str(write_parquet(tmp_path, IMAGES)), {})
    for allowed, rows in ((2, 2), (10**6, 64)):
        monkeypatch.setattr(_sources, "check_pages", lambda *_, n=allowed: n)
        with source._parquet("photos.parquet") as (_, at_once):
            assert at_once == rows


def test_the_column_of_images_is_the_declared_one_or_known_by_its_name(tmp_path):
    for name in ("image", "Bytes", "content", "pixels"):
        assert _picture_column(pa.schema({"label": pa.int64(), name: pa.binary()}), "a") == name
    features = {"photo": {"_type": "Image"}, "image": {"_type": "Value"}}
    facts = {b"huggingface": json.dumps({"info": {"features": features}}).encode()}
    declared = pa.schema({"image": pa.string(), "photo": pa.binary()}, metadata=facts)
    assert _picture_column(declared, "a") == "photo"
    for names in (["label"], ["image", "content"]):
        with pytest.raises(fk.DatasetFormatError, match="expected one column of images"):
            _picture_column(pa.schema(dict.fromkeys(names, pa.binary())), "a")


def test_a_row_of_pixels_that_is_none_is_an_error_of_its_own(tmp_path):
    pixels = [" ".join(map(str, one.ravel())) for one in LEVELS[:2]]
    table = pa.table({"pixels": [pixels[0], "1 2 3", pixels[1]]})
    parquet.write_table(table, tmp_path / "a.parquet")
    (one, bad, other) = [
        content
        for _, content in Source(str(tmp_path / "a.parquet"), {}).read(Part(0, (), "a.parquet"), [])
    ]
    assert isinstance(bad, fk.MediaFileError)
    assert "3" in str(bad)
    np.testing.assert_array_equal(np.stack([one, other])[..., 0], LEVELS[:2])


def test_parts_of_a_size(tmp_path):
    src = write_folder(tmp_path, IMAGES)
    for write in (write_zip, write_tar, write_parquet):
        path = write(tmp_path, IMAGES)
        path.rename(src / path.name)
    eight = pa.table({"image": [b""] * 8})
    parquet.write_table(eight, src / "eight.parquet", row_group_size=2)
    source = Source(str(src), {})
    named, ranges = [], {}
    for number, part in enumerate(source.parts(source.look(), 3)):
        assert part.number == number
        if part.container:
            ranges.setdefault(part.container, []).append((part.start, part.stop))
        else:
            named.append([Path(name).name for name in part.names])
    images = sorted(IMAGES)
    assert named == [images[:3], images[3:6], images[6:]]
    # A part of a parquet file ends with a row group, here of two rows.
    assert ranges == {
        "eight.parquet": [(0, 4), (4, None)],
        "photos.parquet": [(0, 4), (4, 8), (8, None)],
        "photos.tar.gz": [(0, None)],
        "photos.zip": [(0, 3), (3, 6), (6, None)],
    }
    rows = [name for start, stop in ranges["photos.parquet"]
            for name, _ in source.read(Part(0, (), "photos.parquet", start, stop), [])]  # fmt: skip
    assert rows == [f"photos.parquet/row {row}" for row in range(9)]


@pytest.mark.parametrize("write", WRITERS[1:])
def test_containers_are_known_by_names_in_capitals_too(tmp_path, write):
    path = write(tmp_path, IMAGES)
    source = Source(str(path.rename(tmp_path / path.name.upper())), {})
    parts = source.parts(source.look(), 4)
    found = [content for part in parts for _, content in source.read(part, [])]
    assert found == list(IMAGES.values())
    assert len(parts) == (1 if write is write_tar else 3)


def test_a_container_on_another_machine_is_one_part(tmp_path):
    content = write_zip(tmp_path, IMAGES).read_bytes()
    memory = fsspec.filesystem("memory")
    memory.pipe("/in/photos.zip", content)
    try:
        source = Source("memory://in", {})
        (part,) = source.parts(source.look(), 4)  # for each it would be copied as a whole
        assert len(list(source.read(part, []))) == 9
    finally:
        memory.store.clear()


def test_what_a_zip_holds_beside_images_is_named_once(tmp_path):
    path = write_zip(tmp_path, {**IMAGES, "list.csv": b"", "notes.txt": b""})
    source = Source(str(path), {})
    others = []
    for part in source.parts(source.look(), 4):
        list(source.read(part, others))
    assert others == ["photos.zip/list.csv", "photos.zip/notes.txt"]


def test_images_are_taken_by_number_and_by_bytes(monkeypatch):
    many = [(str(number), np.zeros((48, 48))) for number in range(130)]
    assert [len(batch) for batch in _work._batches(many)] == [64, 64, 2]
    assert [name for batch in _work._batches(many) for name, _ in batch] == [one for one, _ in many]
    monkeypatch.setattr(_work, "_BYTES_AT_ONCE", 10)
    heavy = [(str(size), bytes(size)) for size in (4, 6, 1, 11, 3)]
    names = [[name for name, _ in batch] for batch in _work._batches(heavy)]
    assert names == [["4", "6", "1"], ["11"], ["3"]]


def test_faces_errors_and_notes_are_counted_and_five_named():
    facts = {"n_faces": 1, "n_errors": 3, "first_errors": ["x: 1", "y: 2", "z: 3"]}
    facts |= {"n_notes": 4, "notes": ["1", "2", "3", "4"]}
    errors = [None, None, "no image", "d.png is cut", "e.png is empty"]
    table = pa.table({"image": ["a.png", "b.png", "c.png", "d.png", "e.png"], "error": errors,
                      "emotion": ["sad", "happy", None, None, None]})  # fmt: skip
    _work._count(facts, table, ["5", "6"])
    assert facts == {
        "n_faces": 3,
        "n_errors": 6,
        "first_errors": ["x: 1", "y: 2", "z: 3", "c.png: no image", "d.png is cut"],
        "n_notes": 6,
        "notes": ["1", "2", "3", "4", "5"],
    }


def test_a_report_adds_up_its_parts():
    errors = [f"{number}.png: no" for number in range(7)]
    parts = [
        {**FACTS, "n_errors": 3, "first_errors": errors[:3]},
        {**FACTS, "n_faces": 5, "n_errors": 4, "first_errors": errors[3:]},
    ]
    report = ScoreReport.of("out", parts, n_passed_over=2, n_done_before=1)
    assert report == ScoreReport("out", 4, 6, 7, 8, 2, 1, tuple(errors[:5]))
    first, *lines, last = str(report).splitlines()
    assert first == "4 images, 6 faces, 7 errors in 2 parts"
    assert (lines, last) == (errors[:5], "and 2 more errors")
    clean = ScoreReport("out", 1000, 1, 0, 0, 1, 0)
    assert str(clean) == "1,000 images, 1 face, 0 errors in 1 part"


def test_what_all_parts_tell_is_told_once():
    quiet = {"n_passed_over": 0, "passed_over": [], "n_notes": 0, "notes": []}
    _work.tell("src", [quiet], [])  # a warning would be an error
    one = {**quiet, "n_passed_over": 1, "passed_over": ["a.zip/b.txt"]}
    told = r"^src: 1 file that is no image by its name was skipped: 'a.zip/b.txt'$"
    with pytest.warns(fk.Fer2013KitWarning, match=told):
        _work.tell("src", [quiet, one], [])
    more = {**quiet, "n_passed_over": 2000, "passed_over": ["x", "y"]}
    told = r"^src: 2,007 files that are no .* skipped: '0', '1', '2', '3', '4'$"
    with pytest.warns(fk.Fer2013KitWarning, match=told):
        _work.tell("src", [one, more], list("012345"))
    told = r"'0', 'a.zip/b.txt', 'x', 'y'$"
    with pytest.warns(fk.Fer2013KitWarning, match=told):
        _work.tell("src", [one, more], ["0"])
    noted = {**quiet, "n_notes": 1500, "notes": ["mirrored", "turned"]}
    with pytest.warns(fk.Fer2013KitWarning, match=r"^src: 1,501 notes, first cropped$"):
        _work.tell("src", [{**quiet, "n_notes": 1, "notes": ["cropped"]}, noted], [])


def test_scorer_for_tables_of_other_engines(tmp_path):
    scorer = fk.PhotoScorer(crops=True, tta=None, path="name", content="file")
    table = pd.DataFrame({"name": list(FILES), "file": list(FILES.values())})
    found = pickle.loads(pickle.dumps(scorer))(table)  # noqa: S301 - our own
    assert found["image"].tolist() == list(FILES)
    assert found["error"].notna().tolist() == [name == BROKEN for name in FILES]
    # Whatever is in it, a table has the same types: engines ask an empty one.
    assert (found.dtypes == scorer(table[:0]).dtypes).all()
    assert list(found) == scorer.schema.names
    with pytest.raises(fk.InvalidInputError, match="columns 'name' and 'file'"):
        scorer(table.rename(columns={"file": "content"}))


def test_a_scorer_asks_its_classifier_for_its_views_and_has_the_columns_that_it_says():
    small = fk.load_predictor("five_layer_cnn_small")
    photo = fk.sample_photos()[0]
    (face,) = fk.analyze_photo(photo, classifier=small, tta="flip")
    # In noise that is larger than a face, no detector finds one; as a crop it is one.
    noise = np.random.default_rng(0).integers(0, 256, (120, 90), np.uint8)
    assert not fk.analyze_photo(noise)
    for crops, image, crop in ((True, noise, fk.to_face(noise)[..., 0]), (False, photo, face.crop)):
        scorer = fk.PhotoScorer("five_layer_cnn_small", crops=crops, tta="flip")
        (row,) = scorer.rows([("a", image)]).to_pylist()
        (expected,) = small.predict_proba(crop[np.newaxis], tta="flip")
        assert [row[name] for name in fk.CLASS_NAMES] == pytest.approx(expected, abs=1e-6)
        assert row["emotion"] == fk.CLASS_NAMES[expected.argmax()]
        where = [] if crops else ["face", "left", "top", "width", "height"]
        says = ["emotion", "score", "uncertain", "quality", *fk.CLASS_NAMES, "error"]
        assert list(row) == ["image", *where, *says]
        # Engines pickle what was used, too; the network stays at home.
        assert len(pickle.dumps(scorer)) < 5000
    assert (row["uncertain"], row["quality"]) == (face.uncertain, ", ".join(face.quality))


@pytest.mark.parametrize("names", [("happy", "error"), ("image", "sad")])
def test_classes_must_not_be_named_as_other_columns(names):
    class Namer:
        class_names_ = names

        def predict_proba(self, faces):
            return np.full((len(faces), 2), 0.5)

    with pytest.raises(fk.InvalidInputError, match="name of another column"):
        fk.PhotoScorer(Namer(), crops=True).schema  # noqa: B018 - it is computed
