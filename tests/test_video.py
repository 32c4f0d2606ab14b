import io
import os
import sys
import tracemalloc
import warnings
from fractions import Fraction
from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import fer2013kit as fk
from brightness import HAPPY, SAD, Brightness
from command_line import run, run_json
from fer2013kit.faces._boxes import iou
from fer2013kit.faces._emotion import face_emotion
from fer2013kit.video._reading import _turned
from fer2013kit.video._tracks import Tracks

av = pytest.importorskip("av")


def find_square(rgb):
    """Find the one face: where it is not green."""
    face = rgb[..., 1].astype(int) - rgb[..., 0] < 60
    rows, columns = np.flatnonzero(face.any(axis=1)), np.flatnonzero(face.any(axis=0))
    if not len(rows):
        return np.empty((0, 4))
    top, left = rows[0], columns[0]
    return [[left, top, columns[-1] + 1 - left, rows[-1] + 1 - top]]


SHARP = {"classifier": Brightness(), "detector": find_square}
KNOWN = {**SHARP, "smoothing": None}


def green(left, top, *, level=200, size=(160, 120), side=60):
    picture = Image.new("RGB", size, (0, 255, 0))
    picture.paste((level, level, level), (left, top, left + side, top + side))
    return picture


def add_cover(container, picture):
    """Add the stream of a cover image; return what writes it."""
    content = io.BytesIO()
    picture.save(content, "JPEG")
    stream = container.add_stream("mjpeg", rate=1)
    stream.width, stream.height = picture.size
    stream.pix_fmt, stream.disposition = "yuvj420p", av.stream.Disposition.attached_pic

    def write_cover():
        packet = av.Packet(content.getvalue())
        packet.stream, packet.pts, packet.dts = stream, 0, 0
        container.mux(packet)

    return write_cover


def write(
    path,
    pictures,
    *,
    rate=10,
    times=None,
    rotation=None,
    codec="libx264",
    options=None,
    aspect=None,
    cover=None,
):
    with av.open(str(path), "w", options=options or {}) as container:
        write_cover = None if cover is None else add_cover(container, cover)
        stream = container.add_stream(codec, rate=rate)
        if aspect is not None:
            stream.codec_context.sample_aspect_ratio = aspect
        stream.width, stream.height = pictures[0].size
        stream.pix_fmt = "yuv420p"
        if times is not None:
            stream.codec_context.time_base = Fraction(1, 1000)
        if rotation is not None:
            stream.set_display_rotation(rotation)
        if write_cover is not None:
            write_cover()
        for number, picture in enumerate(pictures):
            frame = av.VideoFrame.from_image(picture)
            if times is not None:
                frame.pts, frame.time_base = round(1000 * times[number]), Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@pytest.fixture(scope="module")
def walk(tmp_path_factory):
    """Four seconds: a face walks to the right and darkens after two."""
    pictures = [green(2 * i, 20, level=200 if i < 20 else 50) for i in range(40)]
    return write(tmp_path_factory.mktemp("video") / "walk.mp4", pictures)


def test_a_row_for_each_face_and_sampled_frame(walk):
    table = fk.analyze_video(walk, **KNOWN)
    assert isinstance(table, pd.DataFrame)
    box = ["left", "top", "width", "height"]
    end = ["emotion", "score", "uncertain", "quality"]
    end += ["valence", "arousal", "roll", "yaw", "pitch"]
    assert list(table) == ["time", "frame", "track", *box, *fk.CLASS_NAMES, *end]
    np.testing.assert_allclose(table["time"], np.arange(20) / 5)
    assert table["frame"].tolist() == list(range(0, 40, 2))
    assert set(table["track"]) == {0}
    np.testing.assert_allclose(table["left"], 4 * np.arange(20), atol=2)
    np.testing.assert_allclose(table["width"], 60, atol=3)
    np.testing.assert_allclose(table[list(fk.CLASS_NAMES)].sum(axis=1), 1, atol=1e-6)
    assert table["emotion"].tolist() == ["happy"] * 10 + ["sad"] * 10
    np.testing.assert_allclose(table["score"], table[["happy", "sad"]].max(axis=1))


@pytest.mark.parametrize(("rate", "frames"), [(None, 40), (10.0, 40), (3.0, 12), (1.0, 4)])
def test_sampling_rate(walk, rate, frames):
    table = fk.analyze_video(walk, sampling_rate=rate, **KNOWN)
    assert len(table) == frames
    if rate is not None:
        assert (np.diff(np.floor(table["time"] * rate + 1e-3)) == 1).all()


def test_duration_stops(walk):
    assert fk.analyze_video(walk, duration=1.0, **KNOWN)["time"].max() == pytest.approx(0.8)


def test_times_are_the_videos_own(tmp_path):
    times = np.cumsum([0, 0.1, 0.1, 0.5, 0.1, 1.0, 0.1])
    path = write(tmp_path / "variable.mp4", [green(5, 5)] * 7, times=times)
    table = fk.analyze_video(path, sampling_rate=None, **KNOWN)
    np.testing.assert_allclose(table["time"], times, atol=2e-3)


@pytest.mark.parametrize("rotation", [0, 90, -90, 180])
def test_rotation_is_obeyed(tmp_path, rotation):
    upright = green(10, 20)
    # The player turns counter-clockwise by the rotation, so it lies turned the other way.
    stored = upright.rotate(-rotation, expand=True)
    path = write(tmp_path / "turned.mp4", [stored] * 3, rotation=rotation)
    table = fk.analyze_video(path, **KNOWN)
    np.testing.assert_allclose(table.loc[0, ["left", "top"]].astype(float), [10, 20], atol=2)


def test_rotation_is_obeyed_whatever_going_through_side_data_gives(tmp_path):
    path = write(tmp_path / "turned.mp4", [green(10, 20).rotate(-90, expand=True)], rotation=90)
    with av.open(str(path)) as container:
        frame = next(container.decode(video=0))
    # Those of PyAV 19 are a dict's keys, where they were the values before.
    side = {"DISPLAYMATRIX": frame.side_data["DISPLAYMATRIX"]}
    rgb = _turned(frame.to_ndarray(format="rgb24"), SimpleNamespace(side_data=side))
    assert rgb.shape[:2] == green(10, 20).size[::-1]
    assert _turned(rgb, SimpleNamespace(side_data={})) is rgb


@pytest.mark.parametrize(
    ("aspect", "rotation", "size", "box"),
    [
        (Fraction(2, 1), None, (320, 120), (20, 20, 120, 60)),
        (Fraction(1, 2), None, (160, 240), (10, 40, 60, 120)),
        (Fraction(2, 1), 90, (120, 320), (20, 180, 60, 120)),
    ],
)
def test_the_shape_of_pixels_is_obeyed(tmp_path, aspect, rotation, size, box):
    path = tmp_path / "anamorphic.mp4"
    write(path, [green(10, 20)] * 3, aspect=aspect, rotation=rotation)
    sizes = []

    def detect(rgb):
        sizes.append(rgb.shape[1::-1])
        return find_square(rgb)

    table = fk.analyze_video(path, classifier=Brightness(), detector=detect)
    assert set(sizes) == {size}
    sides = ["left", "top", "width", "height"]
    np.testing.assert_allclose(table.loc[0, sides].astype(float), box, atol=4)


def test_a_cover_is_no_video(tmp_path):
    cover = Image.new("RGB", (64, 64), "red")
    path = write(tmp_path / "both.mp4", [green(10, 20)] * 4, cover=cover)
    table = fk.analyze_video(path, sampling_rate=None, **KNOWN)
    assert len(table) == 4
    np.testing.assert_allclose(table["width"], 60, atol=3)
    song = tmp_path / "song.m4a"
    with av.open(str(song), "w", format="mp4") as container:
        sound = container.add_stream("aac", rate=8000)
        write_cover = add_cover(container, cover)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 8000), np.float32), "fltp", "mono")
        frame.sample_rate = 8000
        container.mux(sound.encode(frame))
        container.mux(sound.encode(None))
        write_cover()
    with pytest.raises(fk.MediaFileError, match="only sound, text or a cover"):
        fk.analyze_video(song)


def test_smoothing_is_an_exponential_average(walk):
    plain = fk.analyze_video(walk, **KNOWN)["happy"].to_numpy()
    smooth = fk.analyze_video(walk, smoothing=0.4, **SHARP)
    expected = [plain[0]]
    for value in plain[1:]:
        expected.append(expected[-1] + (1 - np.exp(-0.2 / 0.4)) * (value - expected[-1]))
    np.testing.assert_allclose(smooth["happy"], expected, atol=1e-6)
    table = smooth[list(fk.CLASS_NAMES)]
    said = [table.loc[row, word] for row, word in enumerate(smooth["emotion"])]
    assert (table.max(axis=1) - said <= 0.1).all()  # another word leads by less, if at all
    assert smooth["score"].tolist() == said


def test_answers_are_smoothed_unless_told_otherwise(walk):
    pd.testing.assert_frame_equal(
        fk.analyze_video(walk, **SHARP), fk.analyze_video(walk, smoothing=1.5, **SHARP)
    )


def test_no_face_is_an_empty_table(tmp_path):
    path = write(tmp_path / "empty.mp4", [Image.new("RGB", (160, 120), (0, 255, 0))] * 3)
    table = fk.analyze_video(path, **KNOWN)
    assert table.empty
    assert table["time"].dtype == float
    assert table["frame"].dtype == int


def test_shipped_detector_and_network(tmp_path):
    with Image.open(fk.sample_photos()[0]) as photo:
        photo = photo.convert("RGB")  # noqa: PLW2901 - the file can close
    pictures = []
    for i in range(6):
        picture = Image.new("RGB", (640, 512), "white")
        picture.paste(photo, (12 * i, 0))
        pictures.append(picture)
    path = write(tmp_path / "photo.mp4", pictures)
    every = fk.analyze_video(path, sampling_rate=None, search_interval=None)
    np.testing.assert_allclose(np.diff(every["left"]), 12, atol=4)
    table = fk.analyze_video(path, sampling_rate=None)
    for one in (every, table):
        assert one["track"].tolist() == [0] * 6
        assert set(one["emotion"]) == {"happy"}
    # Followed, a face's box is a little late.
    np.testing.assert_allclose(table["left"], every["left"], atol=6)
    assert table["left"].iloc[-1] - table["left"].iloc[0] == pytest.approx(60, abs=6)


@pytest.mark.parametrize("name", ["out.mp4", "out.mkv"])
def test_annotated_video(walk, tmp_path, name):
    path = tmp_path / name
    left = tmp_path / f".{name}.0123456789abcdef"  # by a writer that was killed
    left.write_bytes(b"half")
    os.utime(left, (0, 0))
    table = fk.analyze_video(walk, annotated=path, **KNOWN)
    with av.open(str(path)) as container:
        frames = list(container.decode(video=0))
    times = [frame.time for frame in frames]
    np.testing.assert_allclose(times, table["time"], atol=2e-3)
    seen = frames[0].to_ndarray(format="rgb24").astype(int)
    row = table.iloc[0]
    edge = seen[row.top + 30, row.left : row.left + 2]
    assert np.abs(edge - [0, 255, 0]).sum() > 100
    assert np.abs(edge - 200).sum() > 100
    assert [one.name for one in tmp_path.iterdir()] == [name]


def add_sound(path, into, codec, *, seconds):
    """Write a video again with a tone that begins with its first frame."""
    with av.open(str(path)) as source, av.open(str(into), "w") as target:
        read = source.streams.video[0]
        stream = target.add_stream_from_template(read)
        tone = target.add_stream(codec, rate=8000, layout="mono")
        for packet in source.demux(read):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
        wave = np.sin(np.arange(8000 * seconds) / 3, dtype=np.float32)[None]
        for start in range(0, wave.shape[1], 1000):
            frame = av.AudioFrame.from_ndarray(wave[:, start : start + 1000], "fltp", "mono")
            frame.sample_rate, frame.pts = 8000, start
            frame.time_base = Fraction(1, 8000)
            target.mux(tone.encode(frame))
        target.mux(tone.encode(None))
    return into


def seconds_of_sound(path):
    with av.open(str(path)) as container:
        (stream,) = container.streams.audio
        frames = list(container.decode(stream))
    assert max(np.abs(frame.to_ndarray()).max() for frame in frames) > 0.1
    return frames[-1].time + frames[-1].samples / 8000 - frames[0].time


def test_an_annotated_video_keeps_its_sound(walk, tmp_path):
    loud = add_sound(walk, tmp_path / "loud.mkv", "aac", seconds=4)
    out = tmp_path / "out.mp4"
    fk.analyze_video(loud, annotated=out, **KNOWN)
    assert seconds_of_sound(out) == pytest.approx(4, abs=0.3)
    fk.analyze_video(loud, annotated=out, duration=1.5, **KNOWN)
    assert seconds_of_sound(out) == pytest.approx(1.5, abs=0.3)
    other = add_sound(walk, tmp_path / "other.mkv", "wavpack", seconds=4)
    with pytest.warns(fk.Fer2013KitWarning, match="no sound: its format does not hold wavpack"):
        fk.analyze_video(other, annotated=out, **KNOWN)
    with av.open(str(out)) as container:
        assert not container.streams.audio


def joined(path, *parts):
    """Write transport streams one behind the other, as cameras and recorders do."""
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    return path


def test_times_go_on_where_recordings_were_joined(walk, tmp_path):
    part = add_sound(walk, tmp_path / "part.ts", "aac", seconds=4)
    both, out = joined(tmp_path / "both.ts", part, part), tmp_path / "out.mkv"
    with pytest.warns(fk.Fer2013KitWarning, match=r"both.ts goes back at 4.0 s, .* joined"):
        table = fk.analyze_video(both, annotated=out, **KNOWN)
    np.testing.assert_allclose(table["time"], np.arange(40) / 5, atol=0.001)
    assert table["emotion"].tolist() == (["happy"] * 10 + ["sad"] * 10) * 2
    assert set(table["track"][:20]).isdisjoint(table["track"][20:])
    assert seconds_of_sound(out) == pytest.approx(8, abs=0.4)
    with av.open(str(out)) as container:
        times = [frame.time for frame in container.decode(video=0)]
    np.testing.assert_allclose(times, table["time"], atol=0.001)


def test_frames_of_another_size_are_told_and_shown_whole(tmp_path):
    large = write(tmp_path / "large.ts", [green(5, 5)] * 10)
    small = write(
        tmp_path / "small.ts", [green(5, 5, size=(80, 60), side=30)] * 10,
        times=[2.5 + i / 10 for i in range(10)],
    )  # fmt: skip
    both, out = joined(tmp_path / "both.ts", large, small), tmp_path / "out.mp4"
    message = "change their size at 2.* s, from 160 x 120 pixels to 80 x 60; each box"
    with pytest.warns(fk.Fer2013KitWarning, match=message):
        table = fk.analyze_video(both, annotated=out, **KNOWN)
    np.testing.assert_allclose(table["width"], [60] * 5 + [30] * (len(table) - 5), atol=3)
    assert set(table["track"][:5]).isdisjoint(table["track"][5:])
    with av.open(str(out)) as container:
        last = list(container.decode(video=0))[-1].to_ndarray(format="rgb24").astype(int)
    red, corner, _ = last[-8:, -8:].mean(axis=(0, 1))
    assert corner - red > 150  # green: the frame fills the image


def test_odd_sides_are_written(tmp_path):
    def detect(rgb):
        return find_square(rgb[:119, :159])

    path = tmp_path / "odd.mkv"
    write(path, [green(5, 5, size=(160, 120))] * 2, codec="mpeg4")
    turned = tmp_path / "out.mp4"
    fk.analyze_video(path, classifier=Brightness(), detector=detect, annotated=turned)
    with av.open(str(turned)) as container:
        assert (container.streams.video[0].width, container.streams.video[0].height) == (160, 120)


def test_failure_leaves_no_file(walk, tmp_path):
    def fail(rgb):
        raise RuntimeError("broken detector")

    with pytest.raises(RuntimeError, match="broken detector"):
        fk.analyze_video(walk, detector=fail, annotated=tmp_path / "out.mp4")
    assert not list(tmp_path.iterdir())


def test_truncated_video_gives_what_there_is_and_warns(tmp_path):
    rng = np.random.default_rng(0)
    noise = [Image.fromarray(rng.integers(0, 255, (120, 160, 3), np.uint8)) for _ in range(60)]
    whole = write(tmp_path / "whole.mp4", noise, options={"movflags": "faststart"})
    content = whole.read_bytes()
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(content[: len(content) // 2])

    def anywhere(rgb):
        return [[5, 5, 50, 50]]

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(fk.analyze_video(whole, detector=anywhere, classifier=Brightness())) == 30
    with pytest.warns(UserWarning, match=r"cut\.mp4 is damaged or cut off after"):
        table = fk.analyze_video(cut, detector=anywhere, classifier=Brightness())
    assert 5 < len(table) < 25
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        done = run("video", cut)
    (line,) = [line for line in done.stderr.splitlines() if "damaged" in line]
    assert line.startswith(f"fer2013kit: warning: {cut} is damaged or cut off after")
    assert "UserWarning" not in done.stderr
    cut.write_bytes(content[:100])
    with pytest.raises(fk.MediaFileError, match=r"cut\.mp4"):
        fk.analyze_video(cut)


def test_damaged_frames_are_told(tmp_path):
    rng = np.random.default_rng(0)
    noise = [Image.fromarray(rng.integers(0, 255, (120, 160, 3), np.uint8)) for _ in range(30)]
    whole = write(tmp_path / "whole.mp4", noise)
    content = bytearray(whole.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 500] = rng.integers(0, 255, 500, np.uint8).tobytes()
    damaged = tmp_path / "damaged.mp4"
    damaged.write_bytes(content)
    settings = {"classifier": Brightness(), "detector": lambda rgb: [[5, 5, 50, 50]]}
    with pytest.warns(fk.Fer2013KitWarning, match=r"damaged\.mp4 is damaged at 1\.\d s") as told:
        table = fk.analyze_video(damaged, sampling_rate=None, **settings)
    assert len(told) == 1
    assert len(table) == 30


@pytest.mark.parametrize("seconds", [1, 9])
def test_longer_sound_is_no_damage(walk, tmp_path, seconds):
    loud = add_sound(walk, tmp_path / "loud.mkv", "aac", seconds=seconds)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert fk.analyze_video(loud, **KNOWN)["time"].max() == pytest.approx(3.8)


@pytest.mark.parametrize(
    ("matrix", "corner"),
    [
        ((-1, 0, 0, 1), (90, 20)),
        ((1, 0, 0, -1), (10, 40)),
        ((0, 1, 1, 0), (20, 10)),
        ((0, -1, -1, 0), (40, 90)),
    ],
)
def test_mirroring_is_obeyed(tmp_path, matrix, corner):
    """As players do: a point goes where the matrix in the track's header says."""
    path = write(tmp_path / "mirrored.mp4", [green(10, 20)] * 3)
    content = bytearray(path.read_bytes())
    begin = content.index(b"tkhd") + 44
    right, right_down, down_across, down = (65536 * one for one in matrix)
    rows = (right, right_down, 0, down_across, down, 0, 0, 0, 2**30)
    content[begin : begin + 36] = np.array(rows, ">i4").tobytes()
    path.write_bytes(content)
    table = fk.analyze_video(path, **KNOWN)
    np.testing.assert_allclose(table.loc[0, ["left", "top"]].astype(float), corner, atol=2)


def test_bad_input(walk, tmp_path):
    for name in ("text.mp4", "text.txt", "text.nfo"):
        text = tmp_path / name
        text.write_text("no video")
        with pytest.raises(fk.MediaFileError, match=rf"{name}: .*; expected a video"):
            fk.analyze_video(text)
    with pytest.raises(fk.MediaFileError, match=r"nowhere\.mp4: cannot be opened"):
        fk.analyze_video(tmp_path / "nowhere.mp4")
    with pytest.raises(fk.MediaFileError, match="camera 77"):
        fk.analyze_video(77)
    for wrong in (None, 1.5, True, -1):
        with pytest.raises(fk.InvalidInputError, match="camera"):
            fk.analyze_video(wrong)
    for name in ("sampling_rate", "duration", "smoothing", "search_interval"):
        for value in (0, -1.0, float("nan"), float("inf")):
            with pytest.raises(fk.InvalidInputError, match=name):
                fk.analyze_video(walk, **{name: value})
    with pytest.raises(fk.InvalidInputError, match="annotated must be"):
        fk.analyze_video(walk, annotated=tmp_path / "out.txt")
    with pytest.raises(fk.MediaFileError, match="no such folder"):
        fk.analyze_video(walk, annotated=tmp_path / "nowhere" / "out.mp4")


def test_sound_alone_is_no_video(tmp_path):
    path = tmp_path / "sound.wav"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), layout="mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
    with pytest.raises(fk.MediaFileError, match="no moving images in it"):
        fk.analyze_video(path)


def test_without_pyav_the_extra_is_named(walk, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "av", None)
    with pytest.raises(fk.MissingDependencyError, match=r"fer2013kit\[video\]"):
        fk.analyze_video(walk)


def test_without_pandas_the_kit_is_named(walk, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pandas", None)
    with pytest.raises(fk.MissingDependencyError, match="pandas"):
        fk.analyze_video(walk)


def test_memory_does_not_grow_with_length(tmp_path):
    def peak(n):
        path = write(tmp_path / f"{n}.mp4", [green(5, 5, size=(320, 240))] * n)
        tracemalloc.start()
        fk.analyze_video(path, sampling_rate=None, **KNOWN)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    peak(5)
    # A frame of these is 230 kB, a row less than 2.
    assert peak(160) - peak(40) < 120 * 5_000


def face(left, top=0, size=50, happy=0.5):
    table = np.zeros(7)
    table[HAPPY], table[SAD] = happy, 1 - happy
    crop = np.zeros((48, 48), np.uint8)
    return face_emotion((left, top, size, size), table, fk.CLASS_NAMES, crop)


def test_tracks_keep_apart_what_crosses_slowly_and_end_after_a_gap():
    tracker = Tracks(None)
    for step in range(10):
        left = tracker.update([face(5 * step), face(200 - 5 * step, top=40)], 0.1 * step)
        assert list(left) == [0, 1]
    assert list(tracker.update([face(155, top=40)], 1.2)) == [1]
    assert list(tracker.update([face(220, top=40)], 2.9)) == [1]
    assert list(tracker.update([face(220, top=40)], 5.0)) == [2]


def test_a_word_stays_until_another_leads_by_a_tenth():
    calm, sharp = Tracks(1e-3), Tracks(None)
    for time, (happy, word, other) in enumerate(
        [
            (0.6, "happy", "happy"),
            (0.47, "happy", "sad"),
            (0.44, "sad", "sad"),
            (0.54, "sad", "happy"),
        ]
    ):
        one = calm.update([face(0, happy=happy)], time)[0]
        assert (one.emotion, one.score) == (
            word,
            pytest.approx(happy if word == "happy" else 1 - happy),
        )
        assert sharp.update([face(0, happy=happy)], time)[0].emotion == other


def test_other_sizes_and_what_is_far_away_begin_a_track():
    tracker = Tracks(None)
    tracker.update([face(0)], 0.0)
    assert list(tracker.update([face(60)], 0.2)) == [1]
    assert list(tracker.update([face(60, size=20)], 0.4)) == [2]


def test_no_track_goes_on_over_a_cut(tmp_path):
    """The next take shows another at the same place."""
    first, second = Image.new("RGB", (160, 120), "navy"), Image.new("RGB", (160, 120), "white")
    path = write(tmp_path / "cut.mp4", [first] * 5 + [second] * 5)

    def anywhere(rgb):
        return [[40, 30, 60, 60]]

    table = fk.analyze_video(path, sampling_rate=5, classifier=Brightness(), detector=anywhere)
    assert table["track"].tolist() == [0, 0, 0, 1, 1]
    assert table["emotion"].tolist() == ["sad"] * 3 + ["happy"] * 2


class Searches(fk.FaceDetector):
    """Counts how often all of a frame is searched."""

    def locate(self, image):
        self.count = getattr(self, "count", 0) + 1
        return super().locate(image)


def test_faces_are_followed_between_searches(tmp_path):
    """A face moves by 9 pixels a frame; then it is gone, and then it is elsewhere."""
    with Image.open(fk.sample_photos()[0]) as photo:
        face = photo.convert("RGB").resize((256, 256)).crop((60, 0, 180, 120))
    pictures = [Image.new("RGB", (320, 160), "gray") for _ in range(16)]
    for number, picture in enumerate(pictures):
        if number < 10:
            picture.paste(face, (9 * number, 10))
        elif number > 12:
            picture.paste(face, (110, 10))
    path = write(tmp_path / "walk.mp4", pictures)
    ways = {"sampling_rate": None, "classifier": Brightness(), "smoothing": None}
    often, seldom = (Searches(max_side=640, enlarge=1, turned=False) for _ in range(2))
    every = fk.analyze_video(path, detector=often, search_interval=None, **ways)
    some = fk.analyze_video(path, detector=seldom, search_interval=0.5, **ways)
    assert often.count == 16
    # Frames 0 and 5; 10, where the face is lost; 12, where none was known; 14, as there was none.
    assert seldom.count == 5
    assert every["frame"].tolist() == [*range(10), 13, 14, 15]
    assert some["frame"].tolist() == [*range(10), 14, 15]
    assert set(some["track"]) == {0}
    both = every[every["frame"].isin(some["frame"])]
    np.testing.assert_allclose(some["left"], both["left"], atol=6)
    np.testing.assert_allclose(some["width"], both["width"], atol=6)


def test_following_frames_show_the_mirror_image_in_turn(walk):
    """A classifier that sees which side is dark."""

    class Sides(Brightness):
        seen = 0

        def predict_proba(self, X):
            self.seen += len(X)
            return super().predict_proba(np.where(np.arange(48) < 24, X, 0))

    smoothed, sharp = Sides(), Sides()
    fk.analyze_video(walk, tta="flip", classifier=smoothed, detector=find_square)
    fk.analyze_video(walk, tta="flip", classifier=sharp, detector=find_square, smoothing=None)
    assert (smoothed.seen, sharp.seen) == (21, 40)


def test_order_of_the_detector_does_not_matter():
    tracker = Tracks(None)
    tracker.update([face(0), face(100)], 0.0)
    assert list(tracker.update([face(102), face(300), face(3)], 0.2)) == [1, 2, 0]


boxes = st.tuples(*[st.integers(0, 100)] * 2, *[st.integers(1, 50)] * 2)


@settings(max_examples=50)
@given(st.lists(boxes, min_size=1, max_size=4), st.lists(boxes, min_size=1, max_size=4))
def test_overlap_is_that_of_the_pixels(first, second):
    def painted(box):
        left, top, width, height = box
        canvas = np.zeros((160, 160), bool)
        canvas[top : top + height, left : left + width] = True
        return canvas

    expected = [
        [(painted(a) & painted(b)).sum() / (painted(a) | painted(b)).sum() for b in second]
        for a in first
    ]
    np.testing.assert_allclose(iou(np.array(first, float), np.array(second, float)), expected)


def test_plot_timeline(walk):
    table = fk.analyze_video(walk, **KNOWN)
    ax = fk.plot_timeline(table)
    assert len(ax.lines) == 7
    happy = ax.lines[fk.CLASS_NAMES.index("happy")]
    np.testing.assert_allclose(happy.get_ydata(), table["happy"])
    assert ax.get_title() == "Face 0: happy 50%, sad 50% of the time"
    ax.figure.draw_without_rendering()
    with pytest.raises(fk.InvalidInputError, match="track must be one of 0"):
        fk.plot_timeline(table, track=4)
    with pytest.raises(fk.InvalidInputError, match="no face was found"):
        fk.plot_timeline(table[:0])
    with pytest.raises(fk.InvalidInputError, match="columns"):
        fk.plot_timeline({"time": [1]})
    plt.close("all")


def test_eight_classes_go_through_with_their_colours(tmp_path):
    names = fk.emotions.FERPLUS_CLASS_NAMES

    class Eight(Brightness):
        classes_ = np.array(names)[::-1]  # a column of its own, and not FER's order

        def predict_proba(self, X):
            table = super().predict_proba(X)
            return np.hstack([table[:, HAPPY, None], np.zeros((len(X), 6)), table[:, SAD, None]])

    path = write(tmp_path / "eight.mp4", [green(10, 20)] * 4)
    out = tmp_path / "out.mp4"
    table = fk.analyze_video(path, classifier=Eight(), detector=find_square, annotated=out)
    assert list(table)[7:15] == list(names[::-1])
    assert set(table["emotion"]) == {"contempt"}
    ax = fk.plot_timeline(table)
    assert len(ax.lines) == 8
    assert ax.lines[0].get_color() == fk.emotions.CLASS_COLORS[7]
    assert ax.lines[7].get_color() == fk.emotions.CLASS_COLORS[0]
    plt.close("all")
    left = SimpleNamespace(classes_=["left", "right"], predict_proba=None)
    with pytest.raises(fk.InvalidInputError, match="name of another column"):
        fk.analyze_video(path, classifier=left)


def test_summary():
    """Two people: one changes twice and is away for a while, one is always sad."""
    time = [0.0, 0.2, 0.4, 3.0, 3.2, 0.0, 0.4]
    words = ["happy", "sad", "sad", "happy", "happy", "sad", "sad"]
    happy = [0.6, 0.3, 0.1, 0.9, 0.8, 0.2, 0.3]
    table = pd.DataFrame({"time": time, "track": [0] * 5 + [3] * 2, "height": 50})
    table = table.assign(happy=happy, sad=1 - np.array(happy), emotion=words)
    summary = fk.summarize_video(table.sample(frac=1, random_state=0))
    first, second = summary.people.to_dict(orient="records")
    assert first["seconds"] == pytest.approx(1.0)
    assert (first["happy"], first["sad"]) == (pytest.approx(0.6), pytest.approx(0.4))
    assert (first["begin"], first["end"], first["emotion"], first["changes"]) == (
        0,
        3.2,
        "happy",
        2,
    )
    assert (second["track"], second["sad"], second["changes"]) == (3, 1, 0)
    assert summary.peaks.to_numpy().tolist() == [
        [0, "happy", 3.0, 0.9],
        [0, "sad", 0.4, 0.9],
        [3, "sad", 0.0, 0.8],
    ]
    assert summary.transitions.to_numpy().tolist() == [
        [0, 0.2, "happy", "sad"],
        [0, 3.0, "sad", "happy"],
    ]
    assert fk.summarize_video(table[:0]).people.empty
    # A face of one frame stands as long as the video's frames are apart, which it does not say.
    short = fk.summarize_video(pd.concat([table, table[:1].assign(track=7)])).people
    assert short["seconds"].tolist()[-1] == pytest.approx(0.2)
    # One of two frames that are far apart stands no longer than others.
    far = table[:2].assign(track=8, time=[0.0, 1.8])
    assert fk.summarize_video(pd.concat([table, far])).people["seconds"].tolist()[-1] == (
        pytest.approx(0.4)
    )
    with pytest.raises(fk.InvalidInputError, match="without the columns track, height, emotion"):
        fk.summarize_video(table[["time"]])
    ax = fk.plot_tracks(table)
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["happy", "sad"]
    spans = [path.get_extents() for path in ax.collections[0].get_paths()]
    edges = [(span.x0, span.x1) for span in spans]
    np.testing.assert_allclose(edges, [(0, 0.2), (3.0, 3.2), (3.2, 3.4)])
    with pytest.raises(fk.InvalidInputError, match="no face was found"):
        fk.plot_tracks(table[:0])
    with pytest.raises(fk.InvalidInputError, match="expected a table from analyze_video"):
        fk.plot_tracks({"time": [1]})
    plt.close("all")


def test_summary_of_emotions_of_one_frame_and_of_none():
    words = ["happy", "sad", "angry"]
    table = pd.DataFrame({"time": [0.0, 0.2, 0.4], "track": 0, "height": 50})
    table = table.assign(happy=[1.0, 0, 0], sad=[0, 1.0, 0], angry=[0, 0, 1.0], emotion=words)
    assert fk.summarize_video(table).transitions.to_numpy().tolist() == [
        [0, 0.2, "happy", "sad"],
        [0, 0.4, "sad", "angry"],
    ]
    # Where there is nothing to tell, the tables have their columns all the same.
    empty, steady = fk.summarize_video(table[:0]), fk.summarize_video(table[:1])
    for summary in (empty, steady):
        facts = ["track", "begin", "end", "seconds", *words, "emotion", "changes"]
        assert list(summary.people) == facts
        assert list(summary.peaks) == ["track", "emotion", "time", "probability"]
        assert list(summary.transitions) == ["track", "time", "before", "after"]


def test_rows_of_several_videos_are_not_one(walk):
    table = fk.analyze_video(walk, **KNOWN)
    both = pd.concat([table.assign(file=name) for name in "ab"])
    for draw in (fk.summarize_video, fk.plot_tracks, fk.plot_timeline):
        with pytest.raises(fk.InvalidInputError, match="rows of several videos"):
            draw(both)
    moved = pd.concat([table, table.assign(track=1)])
    assert fk.summarize_video(moved).people["seconds"].tolist() == pytest.approx([4.0, 4.0])
    assert len(fk.plot_timeline(moved).lines) == 7
    plt.close("all")


@pytest.mark.parametrize("word", ["Happy", "joy", None])
def test_emotions_that_are_no_columns_are_refused(walk, word):
    table = fk.analyze_video(walk, **KNOWN)
    table["emotion"] = table["emotion"].astype(object)
    table.loc[3, "emotion"] = word
    for draw in (fk.summarize_video, fk.plot_tracks):
        with pytest.raises(fk.InvalidInputError, match="emotion must be one of the classes, angry"):
            draw(table)


def test_only_classes_are_drawn_where_other_columns_are_missing(walk):
    table = fk.analyze_video(walk, **KNOWN)
    for missing in (["height"], ["left", "top", "width", "height"], ["emotion"]):
        ax = fk.plot_timeline(table.drop(columns=missing))
        labels = [text.get_text() for text in ax.get_legend().get_texts()]
        assert labels == list(fk.CLASS_NAMES)
    plt.close("all")


def test_plot_breaks_lines_where_the_face_was_away():
    time = [0.0, 0.2, 0.4, 0.6, 3.0, 3.2]
    table = {"time": time, "track": [0] * 6, "a": [1.0] * 6, "b": [0.0] * 6}
    ax = fk.plot_timeline(table, class_names=["a", "b"])
    assert [len(line.get_xdata()) for line in ax.lines] == [4, 2, 4, 2]
    assert len(ax.get_legend().get_texts()) == 2
    plt.close("all")


def test_command(tmp_path, monkeypatch):
    with Image.open(fk.sample_photos()[0]) as photo:
        path = write(tmp_path / "photo.mp4", [photo.convert("RGB")] * 4)
    files = {name: tmp_path / "new" / f"x.{name}" for name in ("csv", "png", "mp4")}
    options = ("--csv", files["csv"], "--plot", files["png"], "--save-annotated", files["mp4"])
    document = run_json("video", path, "--rate", 10, *options)
    assert [row["emotion"] for row in document["rows"]] == ["happy"] * 4
    assert list(document["files"].values()) == [str(files[name]) for name in ("csv", "mp4", "png")]
    assert [(one["track"], one["happy"]) for one in document["people"]] == [(0, 1)]
    assert len(pd.read_csv(files["csv"])) == 4
    assert all(file.stat().st_size > 1000 for name, file in files.items() if name != "csv")
    lines = run("video", path, "--csv", files["csv"]).stdout.splitlines()
    assert lines == [f"{path}: face 0, 0.0 to 0.2 s: happy 100%", f"csv: {files['csv']}"]
    assert "camera 77" in run("video", "77", code=1).stderr
    monkeypatch.setitem(sys.modules, "dlib", None)
    assert "[dlib]" in run("video", path, "--detector", "dlib", code=1).stderr


def test_command_has_null_for_what_is_not_known(walk, monkeypatch):
    table = fk.analyze_video(walk, **KNOWN).assign(valence=np.nan, yaw=np.nan)
    table.loc[0, "pitch"] = np.inf
    monkeypatch.setattr(fk, "analyze_video", lambda *_args, **_options: table)
    rows = run_json("video", walk)["rows"]
    assert [(row["valence"], row["yaw"]) for row in rows] == [(None, None)] * 20
    assert rows[0]["pitch"] is None
    assert rows[1]["frame"] == 2


def test_command_counts_seconds_as_its_figures_do(walk, monkeypatch):
    """Four frames a second, then eight: a third of the time, but a fifth of the rows."""
    times = [*np.arange(4) / 4, *(1 + np.arange(16) / 8)]
    table = fk.analyze_video(walk, **KNOWN)
    table = table.assign(time=times, track=0, emotion=["sad"] * 4 + ["happy"] * 16)
    monkeypatch.setattr(fk, "analyze_video", lambda *_args, **_options: table)
    assert run("video", walk).stdout.splitlines()[0].endswith("s: happy 67%, sad 33%")


def test_a_playlist_reads_no_other_file(tmp_path):
    """FFmpeg takes such a text for a video whose parts lie elsewhere."""
    (tmp_path / "list.mp4").write_text("ffconcat version 1.0\nfile other.mp4\n")
    (tmp_path / "list.m3u8").write_text("#EXTM3U\n#EXTINF:9,\nother.ts\n#EXT-X-ENDLIST\n")
    for path in tmp_path.iterdir():
        with pytest.raises(fk.MediaFileError, match=path.name):
            fk.analyze_video(path)
