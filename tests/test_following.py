"""Where faces are between two searches: on drawn frames, whose places are known exactly."""

import numpy as np
import pytest

from fer2013kit.video import _following
from fer2013kit.video._following import FaceFollower


def frame(*rectangles):
    """Return a black frame of 160x120; each (left, top, width, height) has a brightness."""
    image = np.zeros((120, 160, 3), np.uint8)
    for number, (left, top, width, height) in enumerate(rectangles, 1):
        image[top : top + height, left : left + width] = 10 * number
    return image


def rectangles_of(image):
    """Return (n, 14), what a detector says of a frame: boxes, and five points at each."""
    rows = []
    for level in np.unique(image[image > 0]):
        y, x = np.nonzero(image[..., 0] == level)
        box = (x.min(), y.min(), np.ptp(x) + 1, np.ptp(y) + 1)
        rows.append([*box, *np.tile(box[:2], 5) + np.arange(10)])
    return np.array(rows, np.float64).reshape(-1, 14)


class Searches:
    """A detector that counts how often all of a frame is searched."""

    count = 0

    def locate(self, image):
        self.count += 1
        return rectangles_of(image)


@pytest.fixture
def looked(monkeypatch):
    """Let the network find rectangles, too; what it was asked for."""
    asked = []

    def find(patch, scale, least):
        asked.append((patch.shape[:2], scale, least))
        rows = rectangles_of(patch)
        return np.column_stack([np.full(len(rows), 0.9), rows])

    monkeypatch.setattr(_following, "find_in_patch", find)
    return asked


def follow(*frames, step=0.04, interval=1.0, cuts=()):
    """Return what a follower finds on frames, and on how many of them it searched everywhere."""
    detector = Searches()
    follower = FaceFollower(detector, interval)
    found = []
    for number, image in enumerate(frames):
        follower.begin(number * step, is_cut=number in cuts)
        found.append(follower(image))
    return found, detector.count


def test_a_face_is_where_it_went_with_its_points(looked):
    found, searches = follow(frame((50, 40, 20, 20)), frame((57, 35, 20, 20)))
    assert searches == 1
    np.testing.assert_array_equal(found[1], rectangles_of(frame((57, 35, 20, 20))))
    # 2.4 sides of 20 pixels about the middle, (60, 50), enlarged twice.
    assert looked == [((48, 48), 2.0, 0.5)]


def test_its_size_is_the_mean_of_both_about_the_new_centre(looked):
    found, _ = follow(frame((50, 40, 20, 20)), frame((53, 38, 24, 28)))
    # The centre is (65, 52); 22 and 24 are the means.
    assert found[1][0, :4].tolist() == [54, 40, 22, 24]
    found, _ = follow(frame((50, 40, 20, 28)), frame((50, 40, 24, 24)))
    assert found[1][0, :4].tolist() == [51, 39, 22, 26]


def test_a_large_face_is_looked_for_at_64_pixels(looked):
    follow(frame((40, 40, 40, 40)), frame((42, 40, 40, 40)))
    # From 12 to 108 both ways.
    assert looked == [((96, 96), 1.6, 0.5)]


def test_a_side_that_is_odd_is_looked_at_whole(looked):
    follow(frame((50, 40, 21, 21)), frame((52, 40, 21, 21)))
    # 25.2 pixels each way of (60.5, 50.5): from 35 to 86 and from 25 to 76.
    assert looked[0][0] == (51, 51)


def test_the_frame_ends_what_is_looked_at(looked):
    found, searches = follow(frame((0, 0, 20, 20)), frame((3, 2, 20, 20)))
    assert (searches, looked[0][0]) == (1, (34, 34))
    assert found[1][0, :4].tolist() == [3, 2, 20, 20]
    follow(frame((140, 100, 20, 20)), frame((138, 99, 20, 20)))
    assert looked[1][0] == (34, 34)


@pytest.mark.parametrize(
    "nearest",
    [
        (53, 55, 14, 14),  # its centre is 12 below (60, 50), that of the other 12.7 away
        (65, 43, 14, 14),
        (53, 52, 14, 20),
        (62, 43, 20, 14),
    ],
)
def test_of_several_the_nearest_is_the_one(looked, nearest):
    before, other = frame((50, 40, 20, 20)), (44, 34, 14, 14)
    for boxes in ([nearest, other], [other, nearest]):
        (_, found), searches = follow(before, frame(*boxes))
        assert searches == 1
        centre = found[0, :2] + found[0, 2:4] / 2
        assert centre.tolist() == [nearest[0] + nearest[2] / 2, nearest[1] + nearest[3] / 2]


@pytest.mark.parametrize(
    ("box", "searches"),
    [
        ((50, 40, 13, 13), 1),
        ((50, 40, 12, 12), 2),  # 0.6 of the side
        ((46, 36, 33, 33), 1),
        ((46, 36, 34, 34), 2),
        ((50, 30, 10, 40), 1),  # as large as before
        ((63, 40, 20, 20), 1),
        ((100, 40, 20, 20), 2),
    ],
)
def test_one_of_another_size_or_far_away_is_another(looked, box, searches):
    found = follow(frame((50, 40, 20, 20)), frame(box))
    assert found[1] == searches
    assert len(found[0][1]) == 1


def test_a_lost_face_has_the_frame_searched(looked):
    two = frame((20, 20, 20, 20), (100, 60, 20, 20))
    found, searches = follow(two, frame((22, 20, 20, 20)), frame((24, 20, 20, 20)))
    assert searches == 2
    assert [len(boxes) for boxes in found] == [2, 1, 1]


def test_one_that_left_the_frame_is_lost(looked):
    detector = Searches()
    follower = FaceFollower(detector, 1.0)
    follower.begin(0.0, is_cut=False)
    follower(frame((130, 40, 20, 20)))
    follower.begin(0.04, is_cut=False)
    narrow = np.zeros((120, 100, 3), np.uint8)
    assert follower(narrow).shape == (0, 14)
    assert detector.count == 2
    assert looked == []


def test_two_that_became_one_have_the_frame_searched(looked):
    two = frame((40, 40, 20, 20), (56, 40, 20, 20))
    merged = frame((48, 40, 20, 20))
    found, searches = follow(two, merged)
    assert (len(found[1]), searches) == (1, 2)
    # 9 by 34 pixels are of both, of 494 in all; 6 by 34 of 596.
    assert follow(*[frame((40, 30, 10, 40), (41, 36, 10, 40))] * 2)[1] == 2
    assert follow(*[frame((40, 30, 10, 40), (44, 36, 10, 40))] * 2)[1] == 1


def due(times, *, interval, found):
    """Return at which times all of a frame is searched, where it shows a face or none."""
    follower = FaceFollower(Searches(), interval)
    image = frame((50, 40, 20, 20)) if found else frame()
    searched = []
    for time in times:
        if follower.begin(time, is_cut=time == 0.44):
            searched.append(time)
        follower(image)
    return searched


def test_when_all_of_a_frame_is_searched(looked):
    times = np.round(np.arange(0, 1.01, 0.04), 2).tolist()
    assert due(times, interval=0.4, found=True) == [0.0, 0.4, 0.44, 0.84]
    assert due(times, interval=0.4, found=False) == [0.0, 0.2, 0.4, 0.44, 0.64, 0.84]
    assert due(times, interval=0.08, found=False)[:3] == [0.0, 0.08, 0.16]
    # Rounded times of 30 frames a second.
    assert due([0.0, 0.1667, 0.3333, 0.4999], interval=0.5, found=True) == [0.0, 0.4999]
    assert due([0.0, 0.4994], interval=0.5, found=True) == [0.0]
