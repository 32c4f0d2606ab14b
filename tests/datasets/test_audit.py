import io
import json
import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from scipy.fft import dctn

import fer2013kit as fk
from fer2013kit.datasets import _duplicates

# Enough different faces to plant copies of; none resembles another.
FACES = fk.make_fer2013(60, random_state=1).train.images[:40]


def make_split(rows, labels=None, *, images=FACES):
    rows = np.asarray(rows, np.int64)
    return fk.Split(images[rows], rows % 7 if labels is None else labels)


def make_data(train, validation=None, test=None):
    splits = {"train": train, "validation": validation, "test": test}
    return fk.FER2013(
        **{name: make_split(rows) for name, rows in splits.items() if rows is not None}
    )


@pytest.mark.parametrize("channels", [1, 3])
def test_images_of_another_shape_are_audited(channels):
    large = FACES[:6].repeat(2, axis=1).repeat(2, axis=2).repeat(channels, axis=3)
    lighter = np.minimum(large[:1].astype(int) + 9, 255).astype(np.uint8)
    even = np.full_like(lighter, 9)
    shape = (96, 96, channels)
    train = fk.Split(large, np.arange(6), image_shape=shape)
    held_out = np.concatenate([large[3:4], lighter, even])
    report = fk.audit_dataset(fk.FER2013(train, test=fk.Split(held_out, [3, 0, 1], None, shape)))
    assert report.leaks["test"].tolist() == [0]
    assert report.near_leaks["test"].tolist() == [1]
    assert report.blank["test"].tolist() == [False, False, True]
    assert report.drop_leaks().train.images.shape == (5, *shape)


def test_images_of_shapes_that_cannot_be_audited():
    data = fk.FER2013(
        make_split([0]), test=fk.Split(np.zeros((1, 9, 9), np.uint8), [0], None, (9, 9, 1))
    )
    with pytest.raises(fk.InvalidInputError, match="one shape in all splits; received"):
        fk.audit_dataset(data)
    with pytest.raises(fk.InvalidInputError, match="1 or 3 channels"):
        fk.audit_dataset(fk.Split(np.zeros((1, 9, 9, 2), np.uint8), [0], None, (9, 9, 2)))


def test_contempt_is_named_in_a_table():
    data = fk.FER2013(train=make_split([0, 0, 1], [7, 3, 7]))
    frame = fk.audit_dataset(data).to_frame()
    assert frame["emotion_name"].tolist() == ["contempt", "happy"] * 2


def rows_of(data):
    """Which of FACES each row is."""
    numbers = {face.tobytes(): number for number, face in enumerate(FACES)}
    return {
        name: [numbers[image.tobytes()] for image in split.images]
        for name, split in data.splits.items()
    }


some_rows = st.lists(st.integers(0, 39), min_size=1, max_size=25)


@pytest.mark.slow
@given(some_rows, some_rows, some_rows | st.none())
def test_planted_copies_are_found(train, validation, test):
    report = fk.audit_dataset(make_data(train, validation, test))
    splits = {"train": train, "validation": validation}
    if test is not None:
        splits["test"] = test
    everything = [number for rows in splits.values() for number in rows]
    groups = {}
    for name, rows in splits.items():
        assert len(report.duplicate_groups[name]) == len(rows)
        for number, group in zip(rows, report.duplicate_groups[name].tolist(), strict=True):
            assert (group == -1) == (everything.count(number) == 1)
            if group != -1:
                assert groups.setdefault(number, group) == group
    # Numbered from 0 in the order of their first rows, which dicts keep.
    assert list(groups.values()) == list(range(len(groups)))
    for name, rows in splits.items():
        if name != "train":
            leaks = [row for row, number in enumerate(rows) if number in train]
            assert report.leaks[name].tolist() == leaks
    assert not any(rows.any() for rows in report.blank.values())


@pytest.mark.slow
@given(some_rows, some_rows, some_rows | st.none(), st.sampled_from(["train", "evaluation"]))
def test_drop_leaks_leaves_none_and_keeps_the_order(train, validation, test, side):
    data = make_data(train, validation, test)
    clean = fk.audit_dataset(data).drop_leaks(side=side)
    evaluation = validation + (test or [])
    expected = {"train": train, "validation": validation}
    if test is not None:
        expected["test"] = test
    if side == "train":
        expected["train"] = [number for number in train if number not in evaluation]
    else:
        for name, rows in expected.items():
            if name != "train":
                expected[name] = [number for number in rows if number not in train]
    assert rows_of(clean) == expected
    for split in clean.splits.values():
        assert len(split.labels) == len(split)
    assert not any(len(rows) for rows in fk.audit_dataset(clean).leaks.values())


@given(some_rows, some_rows)
def test_drop_duplicates_keeps_the_first_of_each_split(train, validation):
    clean = fk.audit_dataset(make_data(train, validation)).drop_duplicates()
    assert rows_of(clean) == {
        "train": list(dict.fromkeys(train)),
        "validation": list(dict.fromkeys(validation)),
    }


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 2)), min_size=1, max_size=30))
def test_conflicting_labels(pairs):
    rows, labels = map(list, zip(*pairs, strict=True))
    cut = len(rows) // 2
    data = fk.FER2013(
        train=make_split(rows[cut:], labels[cut:]), test=make_split(rows[:cut], labels[:cut])
    )
    report = fk.audit_dataset(data)
    wrong = {row for row, _ in pairs if len({b for a, b in pairs if a == row}) > 1}
    assert report.conflicts["train"].tolist() == [
        place for place, row in enumerate(rows[cut:]) if row in wrong
    ]
    assert report.conflicts["test"].tolist() == [
        place for place, row in enumerate(rows[:cut]) if row in wrong
    ]
    assert report.as_dict()["conflicts"]["groups"] == len(wrong)
    clean = rows_of(report.drop_duplicates(conflicts="drop"))
    assert clean["train"] == [row for row in dict.fromkeys(rows[cut:]) if row not in wrong]
    assert clean["test"] == [row for row in dict.fromkeys(rows[:cut]) if row not in wrong]


def test_votes_stay_with_their_faces():
    votes = fk.FERPlus(np.eye(10, dtype=int)[[0, 1, 2, 3]] * 10)
    split = fk.Split(FACES[[0, 1, 0, 2]], [0, 1, 2, 3], votes)
    clean = fk.audit_dataset(split).drop_duplicates().train
    assert clean.ferplus.majority().tolist() == clean.labels.tolist() == [0, 1, 3]


# --- near-duplicates ---------------------------------------------------------------------------


def recode(image):
    stream = io.BytesIO()
    Image.fromarray(image[..., 0]).save(stream, "JPEG", quality=70)
    return np.asarray(Image.open(stream))[..., None]


def watermark(image):
    marked = image.copy()
    marked[30:33, 10:38] = marked[30:33, 10:38] // 2 + 100
    return marked


def noise(image):
    return image + np.random.default_rng(0).integers(-9, 10, image.shape)


ALTERATIONS = {
    "recoded": recode,
    "brighter": lambda image: image * 0.6 + 80,
    "darker": lambda image: image * 0.5,
    "noisy": noise,
    "watermark": watermark,
    "one pixel": lambda image: np.where(np.arange(48 * 48).reshape(48, 48, 1) == 0, 9, image),
}


@pytest.mark.parametrize("alter", ALTERATIONS.values(), ids=list(ALTERATIONS))
def test_altered_copies_are_found(alter):
    copies = np.stack([np.clip(alter(face), 0, 255).astype(np.uint8) for face in FACES])
    data = fk.FER2013(
        train=make_split(range(40)), test=make_split(range(40), images=np.roll(copies, 5, axis=0))
    )
    report = fk.audit_dataset(data)
    assert not report.leaks["test"].size
    found = report.near_leaks["test"]
    # Some pairs never meet, mostly smooth faces under a watermark.
    assert len(found) >= 34
    np.testing.assert_array_equal(
        report.near_duplicate_groups["test"][found],
        report.near_duplicate_groups["train"][found - 5],
    )
    clean = report.drop_leaks(near_duplicates=True)
    assert [len(split) for split in clean.splits.values()] == [40 - len(found), 40]
    clean = report.drop_leaks(side="evaluation", near_duplicates=True)
    assert [len(split) for split in clean.splits.values()] == [40, 40 - len(found)]


def test_other_faces_are_no_near_duplicates():
    report = fk.audit_dataset(make_data(range(40)))
    assert (report.near_duplicate_groups["train"] == -1).all()


def test_identical_rows_join_the_group_of_their_similar_ones():
    brighter = np.concatenate([FACES, (FACES * 0.6 + 80).astype(np.uint8)])
    data = fk.FER2013(
        train=fk.Split(brighter[[0, 1, 2, 2]]), validation=fk.Split(brighter[[0, 40, 40, 41]])
    )
    report = fk.audit_dataset(data)
    assert report.near_duplicate_groups["train"].tolist() == [0, 1, -1, -1]
    assert report.near_duplicate_groups["validation"].tolist() == [0, 0, 0, 1]
    assert report.leaks["validation"].tolist() == [0]
    assert report.near_leaks["validation"].tolist() == [1, 2, 3]
    assert len(report.drop_leaks().train) == 3
    assert len(report.drop_leaks(near_duplicates=True).train) == 2
    clean = report.drop_duplicates(near_duplicates=True)
    assert [len(split) for split in clean.splits.values()] == [3, 2]
    np.testing.assert_array_equal(clean.train.images, brighter[[0, 1, 2]])
    counts = report.as_dict()
    assert counts["duplicates"] == {"groups": 3, "rows": 6, "extra_rows": 3}
    assert counts["near_duplicates"] == {"groups": 2, "rows": 6, "extra_rows": 4}


def test_groups_for_folds_keep_copies_together_and_single_images_apart():
    brighter = np.concatenate([FACES, (FACES * 0.6 + 80).astype(np.uint8)])
    data = fk.FER2013(
        train=fk.Split(brighter[[3, 0, 2, 40, 2, 1]]), validation=fk.Split(brighter[[0, 40, 5]])
    )
    report = fk.audit_dataset(data)
    assert report.groups().tolist() == [2, 0, 1, 0, 1, 3]
    assert report.groups("validation").tolist() == [0, 0, 1]
    identical = fk.audit_dataset(data, near_duplicates=False)
    assert identical.groups().tolist() == [3, 0, 1, 2, 1, 4]
    assert fk.audit_dataset(fk.Split(FACES[:0])).groups().shape == (0,)
    with pytest.raises(fk.InvalidInputError, match="has no test split"):
        report.groups("test")
    with pytest.raises(fk.InvalidInputError, match="split must be one of 'train', 'validation'"):
        report.groups("Training")


def test_min_correlation_widens_and_narrows():
    mixed = (FACES[:20] * 0.75 + FACES[20:] * 0.25).astype(np.uint8)
    data = fk.FER2013(train=make_split(range(20)), test=fk.Split(mixed, np.arange(20) % 7))
    found = [
        len(fk.audit_dataset(data, min_correlation=least).near_leaks["test"])
        for least in (0.7, 0.94, 1.0)
    ]
    assert found[0] > found[1] > found[2] == 0


def test_work_grows_with_the_rows_alone(monkeypatch):
    # Noisy copies of one face all look alike: every pair of them is a near-duplicate.
    rng = np.random.default_rng(0)
    copies = np.clip(FACES[:1] + rng.integers(-3, 4, (2000, 48, 48, 1)), 0, 255).astype(np.uint8)
    compared = []
    candidates = _duplicates._candidates

    def counting(hashes):
        for first, second in candidates(hashes):
            compared.append(len(first))
            yield first, second

    monkeypatch.setattr(_duplicates, "_candidates", counting)
    report = fk.audit_dataset(fk.FER2013(train=fk.Split(copies)))
    assert set(report.near_duplicate_groups["train"].tolist()) == {0}
    assert sum(compared) <= 28 * 16 * len(copies)


@given(st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11)), max_size=15))
def test_unite_is_the_closure_of_its_pairs(pairs):
    first, second = np.array(pairs, np.int64).reshape(-1, 2).T
    groups = _duplicates._unite(np.arange(12), first, second)
    expected = np.arange(12)
    for _ in range(12):
        for one, other in pairs:
            expected[one] = expected[other] = min(expected[one], expected[other])
    np.testing.assert_array_equal(groups, expected)


@given(st.integers(0, 39), st.sets(st.integers(0, 63), max_size=6), st.integers(0, 2**32 - 1))
def test_hashes_that_differ_in_six_bits_meet(row, bits, seed):
    hashes = np.random.default_rng(seed).integers(0, 2**64, 41, np.uint64)
    hashes[40] = hashes[row] ^ np.uint64(sum(1 << bit for bit in bits))
    met = {
        frozenset(pair)
        for first, second in _duplicates._candidates(hashes)
        for pair in zip(first.tolist(), second.tolist(), strict=True)
    }
    assert frozenset({row, 40}) in met


# --- blanks, odd sets, bad arguments -----------------------------------------------------------


def test_hash_is_the_signs_of_the_lowest_cosine_frequencies():
    pictures = _duplicates.half_size([FACES])
    sums = FACES[..., 0].reshape(-1, 24, 2, 24, 2).sum(axis=(2, 4), dtype=int)
    np.testing.assert_array_equal(pictures, sums)
    places = sorted(((v, h) for v in range(24) for h in range(24)), key=lambda p: (sum(p), p[0]))
    for picture, found in zip(pictures, _duplicates.perceptual_hash(pictures), strict=True):
        waves = dctn(picture.astype(float))
        signs = [waves[place] > 0 for place in places[1:65]]
        np.testing.assert_array_equal(np.unpackbits(found[None].view(np.uint8)), signs)


def test_correlation_is_that_of_numpy():
    pictures = np.random.default_rng(0).integers(0, 1021, (600, 24, 24)).astype(np.uint16)
    pictures[0] = 1020  # the sums of the brightest, and even
    first, second = np.arange(599), np.arange(1, 600)
    rows = pictures.reshape(600, -1).astype(float)
    expected = [0, *(np.corrcoef(rows[k], rows[k + 1])[0, 1] for k in range(1, 599))]
    found = _duplicates._Correlation(pictures)(first, second)
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_blank_pictures():
    blanks = np.stack([np.full((48, 48, 1), value, np.uint8) for value in (0, 128, 128, 255)])
    blanks[3, 0, 0] = 250  # still blank
    blanks[1:3, 0, :2, 0] = 95, 161  # the widest range that a deviation below 1 can have
    split = fk.Split(np.concatenate([FACES[:2], blanks]), [0, 1, 2, 3, 4, 5])
    report = fk.audit_dataset(fk.FER2013(train=split, test=split))
    assert report.blank["train"].tolist() == [False, False, True, True, True, True]
    assert (report.near_duplicate_groups["test"] == -1).all()
    assert report.leaks["test"].tolist() == [0, 1, 2, 3, 4, 5]
    assert report.conflicts["train"].tolist() == [3, 4]
    frame = report.to_frame()
    assert frame[frame["finding"] == "blank"]["group"].isna().all()
    assert (frame["finding"] == "blank").sum() == 8


def test_even_at_half_resolution_is_like_nothing():
    chess = (np.indices((48, 48)).sum(axis=0) % 2 * 255).astype(np.uint8)[..., None]
    report = fk.audit_dataset(fk.Split(np.stack([chess, 255 - chess])))
    assert not report.blank["train"].any()
    assert (report.near_duplicate_groups["train"] == -1).all()


@pytest.mark.parametrize("near_duplicates", [True, False])
def test_one_row_and_none(near_duplicates):
    one = fk.audit_dataset(make_split([3]), near_duplicates=near_duplicates)
    assert len(one.drop_leaks().train) == len(one.drop_duplicates().train) == 1
    assert one.to_frame().empty
    assert list(one.to_frame().columns) == [
        *("split", "index", "emotion", "emotion_name", "finding", "group"),
    ]
    assert "no images of angry" in one.summary()
    data = fk.FER2013(train=make_split([]), test=make_split([]))
    none = fk.audit_dataset(data, near_duplicates=near_duplicates)
    assert none.as_dict()["rows"] == {"train": 0, "test": 0}
    assert len(none.drop_leaks().test) == len(none.drop_duplicates().test) == 0
    assert none.to_frame().empty
    assert none.summary()


def test_without_labels():
    data = fk.FER2013(train=make_split([0, 1, 1]), test=fk.Split(FACES[[1, 2]]))
    report = fk.audit_dataset(data)
    assert report.leaks["test"].tolist() == [0]
    assert not report.conflicts["test"].size
    frame = report.to_frame()
    assert frame[frame["split"] == "test"]["emotion"].isna().all()
    assert frame[frame["split"] == "train"]["emotion"].tolist() == [1, 1]
    assert report.drop_leaks(side="evaluation").test.labels is None
    assert report.as_dict()["class_counts"]["test"] is None
    assert "test: no labels" in report.summary()


def test_arrays_mapped_from_disk(tmp_path):
    np.save(tmp_path / "faces.npy", FACES[[0, 1, 1, 2]])
    images = np.load(tmp_path / "faces.npy", mmap_mode="r")
    report = fk.audit_dataset(fk.FER2013(train=fk.Split(images), test=fk.Split(images[:, ::-1])))
    assert report.duplicate_groups["train"].tolist() == [-1, 0, 0, -1]
    assert report.duplicate_groups["test"].tolist() == [-1, 1, 1, -1]


def test_figures_text_and_rows_agree():
    data = make_data([0, 1, 1, 2, 3, 3, 3], [1, 4, 5], [3, 4, 6])
    report = fk.audit_dataset(data)
    counts = report.as_dict()
    assert json.loads(json.dumps(counts)) == counts
    assert counts["rows"] == {"train": 7, "validation": 3, "test": 3}
    assert counts["leaks"] == {"validation": 1, "test": 1}
    assert counts["duplicates"] == {"groups": 3, "rows": 9, "extra_rows": 6}
    assert repr(report) == ("AuditReport(3 duplicate groups, 2 leaks, 0 conflicts, 0 blank images)")
    frame = report.to_frame()
    found = frame.groupby(["finding", "split"]).size().to_dict()
    assert found == {
        ("leak", "validation"): 1,
        ("leak", "test"): 1,
        ("duplicate", "train"): 5,
        ("duplicate", "validation"): 2,
        ("duplicate", "test"): 2,
    }
    merged = data.to_frame().merge(frame, on=["split", "index", "emotion", "emotion_name"])
    assert len(merged) == len(frame)
    text = report.summary()
    for line in (
        r"3 groups of identical images: 9 rows, 6 beyond the first of each",
        "0 groups have conflicting labels",
        "train: no images of sad",
    ):
        assert line in text


def test_bad_arguments():
    report = fk.audit_dataset(make_data([0, 1], [1]), near_duplicates=False)
    assert report.near_duplicate_groups is None
    assert report.as_dict()["near_duplicates"] is None
    assert not report.near_leaks["validation"].size
    assert "similar" not in report.summary()
    for action in (report.drop_leaks, report.drop_duplicates):
        with pytest.raises(fk.InvalidInputError, match="near-duplicates were not looked for"):
            action(near_duplicates=True)
    with pytest.raises(fk.InvalidInputError, match="side must be one of 'train', 'evaluation'"):
        report.drop_leaks(side="test")
    with pytest.raises(fk.InvalidInputError, match="conflicts must be one of 'first', 'drop'"):
        report.drop_duplicates(conflicts="last")
    with pytest.raises(fk.InvalidInputError, match="a FER2013 or a Split; received ndarray"):
        fk.audit_dataset(FACES)
    for least in (0, 1.01, float("nan")):
        with pytest.raises(fk.InvalidInputError, match=r"min_correlation must be a number in"):
            fk.audit_dataset(make_split([0]), min_correlation=least)


def test_summary_says_how_uneven_the_classes_are():
    codes = [3] * 6 + [1] * 2 + [0, 2, 4, 5, 6] * 3
    report = fk.audit_dataset(
        fk.Split(np.arange(len(codes) * 2304).reshape(-1, 48, 48) % 251, codes)
    )
    assert "train: 3.0 times as many happy (6) as disgust (2)" in report.summary()


def test_a_table_of_findings_says_what_it_lacks(monkeypatch):
    report = fk.audit_dataset(fk.make_fer2013(n_samples=70, random_state=0))
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(fk.MissingDependencyError, match=r"^to_frame needs pandas, "):
        report.to_frame()


def test_all_that_an_audit_says():
    """Train's 1 stands in test too, 3 has two labels, 0 is lighter in test; one image is blank."""
    lighter = np.minimum(FACES[:1].astype(int) + 9, 255).astype(np.uint8)
    data = fk.FER2013(
        train=make_split([0, 1, 2, 3, 3], [0, 1, 2, 3, 4]),
        validation=fk.Split(np.concatenate([np.full_like(lighter, 9), FACES[5:6]]), [5, 0]),
        test=fk.Split(np.concatenate([FACES[1:2], lighter])),
    )
    report = fk.audit_dataset(data)
    assert (
        report.summary()
        == """\
Audit of FER2013(train=5, validation=2, test=2, source='')
                                           train  validation        test
rows                                           5           2           2
leaks: identical to one in train               -           0           1
near-leaks: similar to one in train            -           0           1
rows with identical others                     3           0           1
rows with similar others                       1           0           1
identical others, another label                2           0           0
blank                                          0           1           0

2 groups of identical images: 4 rows, 2 beyond the first of each; 1 group has conflicting labels
1 group of similar images: 2 rows, 1 beyond the first of each
train: no images of surprise, neutral
validation: no images of disgust, fear, happy, sad, neutral
test: no labels"""
    )
    frame = report.to_frame()
    assert list(frame.index) == list(range(len(frame)))
    rows = frame[["finding", "split", "index", "emotion_name"]].to_numpy(object).tolist()
    assert [tuple(None if pd.isna(cell) else cell for cell in row) for row in rows] == [
        ("leak", "test", 0, None),
        ("near_leak", "test", 1, None),
        ("conflict", "train", 3, "happy"),
        ("conflict", "train", 4, "sad"),
        ("duplicate", "train", 1, "disgust"),
        ("duplicate", "train", 3, "happy"),
        ("duplicate", "train", 4, "sad"),
        ("duplicate", "test", 0, None),
        ("near_duplicate", "train", 0, "angry"),
        ("near_duplicate", "test", 1, None),
        ("blank", "validation", 0, "surprise"),
    ]
    groups = frame["group"].tolist()
    assert [None if pd.isna(one) else one for one in groups] == [0, 0, 1, 1, 0, 1, 1, 0, 0, 0, None]


def test_thousands_are_set_apart():
    text = fk.audit_dataset(make_split([0] * 1001), near_duplicates=False).summary()
    assert "1 group of identical images: 1,001 rows, 1,000 beyond the first of each" in text
    assert "similar" not in text
    with pytest.raises(fk.InvalidInputError, match="near_duplicates must be True or False"):
        fk.audit_dataset(make_split([0]), near_duplicates="no")


def test_groups_of_copies_and_of_similar_images_stay_apart():
    zero, one, two = (FACES[[row]] for row in range(3))
    lighter = [np.minimum(face.astype(int) + 9, 255).astype(np.uint8) for face in (zero, one)]
    data = fk.FER2013(
        train=fk.Split(np.concatenate([zero, lighter[0]]), [0, 0]),
        test=fk.Split(np.concatenate([one, lighter[1], two, two]), [1, 1, 2, 2]),
        source="here",
    )
    report = fk.audit_dataset(data)
    assert report.near_duplicate_groups["test"].tolist() == [1, 1, -1, -1]
    clean = report.drop_duplicates(near_duplicates=True)
    assert rows_of(clean) == {"train": [0], "test": [1, 2]}
    assert clean.source == "here"
    for drop in (report.drop_leaks, report.drop_duplicates):
        with pytest.raises(fk.InvalidInputError, match="near_duplicates must be True or False"):
            drop(near_duplicates="no")


def test_a_blank_image_has_a_standard_deviation_below_one_level():
    images = np.full((3, 48, 48, 1), 100, np.uint8)
    images[:, :24] += np.array([1, 2, 3], np.uint8)[:, None, None, None]  # twice the deviation
    assert fk.audit_dataset(fk.Split(images)).blank["train"].tolist() == [True, False, False]
