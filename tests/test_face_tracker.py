"""Frames of a program's own: the answers of analyze_video, one frame at a time."""

import numpy as np
import pytest
from PIL import Image

import fer2013kit as fk
from brightness import HAPPY, Brightness

av = pytest.importorskip("av")


def left_half(rgb):
    return [[0, 0, rgb.shape[1] // 2, rgb.shape[0]]]


KNOWN = {"classifier": Brightness(), "detector": left_half}


def grey(level):
    return np.full((60, 120, 3), level, np.uint8)


@pytest.fixture(scope="module")
def happy():
    with Image.open(fk.sample_photos()[0]) as photo:
        return np.asarray(photo.convert("RGB"))


def test_it_answers_as_analyze_video_does(tmp_path, happy):
    """The shipped detector and network; a face that moves, is gone, and comes back."""
    path, small = tmp_path / "talk.mp4", happy[::2, ::2]
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 640, 512, "yuv420p"
        for step in range(12):
            canvas = np.full((512, 640, 3), 255, np.uint8)
            if step not in {6, 7}:
                canvas[100:356, 8 * step : 8 * step + 256] = small  # too little for a cut
            for packet in stream.encode(av.VideoFrame.from_ndarray(canvas)):
                container.mux(packet)
        container.mux(stream.encode(None))
    table = fk.analyze_video(path, sampling_rate=None)
    tracker, rows = fk.FaceTracker(), []
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            faces = tracker.update(frame.to_ndarray(format="rgb24"), float(frame.time))
            rows += [
                (track, *face.box, *face.probabilities, face.emotion)
                for track, face in faces.items()
            ]
    assert len(rows) == len(table) == 10
    columns = ["track", "left", "top", "width", "height", *tracker.class_names, "emotion"]
    expected = list(table[columns].itertuples(index=False, name=None))
    assert [row[0] for row in rows] == [row[0] for row in expected]
    assert [row[-1] for row in rows] == [row[-1] for row in expected]
    theirs, ours = (np.array([row[1:-1] for row in every], float) for every in (expected, rows))
    np.testing.assert_allclose(ours[:, 4:], theirs[:, 4:], atol=0.02)
    np.testing.assert_allclose(ours[:, :4], theirs[:, :4], atol=2)


def test_probabilities_are_averaged_over_time():
    tracker = fk.FaceTracker(smoothing=2.0, **KNOWN)
    tracker.update(grey(255), 10.0)
    face = tracker.update(grey(0), 11.0)[0]
    assert face.probabilities[HAPPY] == pytest.approx(np.exp(-0.5))
    assert face.emotion == "happy"


def test_frames_show_a_face_and_its_mirror_image_in_turn():
    """The first frame shows both; the crop that is told is the face as it stands there."""
    seen = []

    class Recorder(Brightness):
        def predict_proba(self, X):
            seen.extend(np.reshape(X, (-1, 48, 48)))
            return super().predict_proba(X)

    brighter = np.tile(np.arange(120, dtype=np.uint8)[:, None], (60, 1, 3))
    tracker = fk.FaceTracker(classifier=Recorder(), detector=left_half, tta="flip")
    told = [tracker.update(brighter, step / 10)[0].crop for step in range(3)]

    def rises(face):
        return bool(face[:, -1].mean() > face[:, 0].mean())

    assert [rises(face) for face in seen] == [True, False, True, False]
    assert [rises(face) for face in told] == [True] * 3


@pytest.mark.parametrize("second", [{"time": 11.0, "is_cut": True}, {"time": 9.0}])
def test_after_a_cut_or_a_clock_set_back_all_begins_anew(second):
    tracker = fk.FaceTracker(smoothing=2.0, **KNOWN)
    for _ in range(2):  # a frame of the same time goes on
        assert list(tracker.update(grey(255), 10.0)) == [0]
    faces = tracker.update(grey(0), **second)
    assert list(faces) == [1]
    assert faces[1].probabilities[HAPPY] == 0
    assert list(tracker.update(grey(0), second["time"] + 0.1)) == [1]


def test_a_frame_of_another_size_begins_anew():
    tracker = fk.FaceTracker(**KNOWN)
    assert list(tracker.update(grey(0), 10.0)) == [0]
    assert list(tracker.update(grey(0)[:, :-9], 10.1)) == [1]
    assert list(tracker.update(grey(0)[:, :-9], 10.2)) == [1]


def test_without_times_the_clock_counts(monkeypatch):
    now = iter([100.0, 101.0, 109.0])
    monkeypatch.setattr("fer2013kit.video._face_tracker.monotonic", lambda: next(now))
    tracker = fk.FaceTracker(smoothing=1.0, **KNOWN)
    tracker.update(grey(255))
    assert tracker.update(grey(0))[0].probabilities[HAPPY] == pytest.approx(np.exp(-1))
    assert list(tracker.update(grey(0))) == [1]  # gone for longer than two seconds


def test_a_frame_is_an_image_of_any_kind(happy):
    """A view of OpenCV's, grey levels, a Pillow image, floats: the same face."""
    expected = fk.FaceTracker().update(happy, 0.0)[0]
    bgr = np.ascontiguousarray(happy[..., ::-1])
    kinds = [bgr[..., ::-1], Image.fromarray(happy), (happy / 255).astype(np.float32)]
    for frame in kinds:
        face = fk.FaceTracker().update(frame, 0.0)[0]
        assert face.box == expected.box
        np.testing.assert_allclose(face.probabilities, expected.probabilities, atol=1e-6)
    levels = np.asarray(Image.fromarray(happy).convert("L"))
    assert fk.FaceTracker().update(levels, 0.0)[0].emotion == expected.emotion


@pytest.mark.parametrize("frame", [None, grey(0)[:0], np.zeros((5, 5, 9), np.uint8), "x" * 9000])
def test_what_is_no_image_is_refused(frame):
    tracker = fk.FaceTracker(**KNOWN)
    with pytest.raises(fk.InvalidInputError):
        tracker.update(frame, 0.0)


@pytest.mark.parametrize("time", [np.nan, np.inf, "now", True])
def test_a_time_is_a_number(time):
    with pytest.raises(fk.InvalidInputError, match="time must be a number"):
        fk.FaceTracker(**KNOWN).update(grey(0), time)
