import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import fer2013kit as fk
from fer2013kit.datasets._ferplus_file import join_ferplus

HEADER = (
    "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF"
)
# In the order of FERPlus.votes: seven FER-2013 codes, contempt, unknown, no face.
ANGRY, DISGUST, FEAR, HAPPY, SAD, SURPRISE, NEUTRAL, CONTEMPT, UNKNOWN, NO_FACE = range(10)


def votes_of(**counts):
    row = [0] * 10
    for name, count in counts.items():
        row[globals()[name.upper()]] = count
    return row


@st.composite
def votes(draw):
    """Ten people's choices per row."""
    choices = draw(arrays(np.int64, (draw(st.integers(1, 8)), 10), elements=st.integers(0, 9)))
    return np.stack([np.bincount(row, minlength=10) for row in choices])


def slow_probabilities(row):
    """The paper's rule for one row, option by option."""
    left = {option: count for option, count in enumerate(row) if count > 1}
    total, taken, passed = sum(left.values()), {}, 0
    while left and passed < 0.75 * total and len(taken) < 3:
        most = max(left.values())
        level = [option for option, count in left.items() if count == most]
        taken |= {option: most for option in level if option <= CONTEMPT}
        if any(option > CONTEMPT for option in level):
            break
        passed += most * len(level)
        left = {option: count for option, count in left.items() if count < most}
    result = np.zeros(8)
    if len(taken) <= 3 and sum(taken.values()) > 0.5 * total:
        for option, count in taken.items():
            result[option] = count / sum(taken.values())
    return result


@given(votes())
def test_probabilities_follow_the_paper(table):
    expected = np.stack([slow_probabilities(row) for row in table.tolist()])
    np.testing.assert_allclose(fk.FERPlus(table).probabilities(), expected)


@given(votes())
def test_probabilities_sum_to_one_or_nothing(table):
    for n_classes in (7, 8):
        result = fk.FERPlus(table).probabilities(n_classes)
        assert result.shape == (len(table), n_classes)
        sums = result.sum(axis=1)
        assert np.all(np.isclose(sums, 1) | (sums == 0))


@given(votes())
def test_majority_is_more_than_half_of_what_is_left(table):
    labels = fk.FERPlus(table).majority()
    assert labels.dtype == np.int64
    for row, label in zip(table, labels, strict=True):
        left = np.where(row > 1, row, 0)
        winners = [code for code in range(8) if left[code] > left.sum() / 2]
        assert [label] == (winners or [-1])


@given(votes())
def test_seven_classes_are_the_eight_without_contempt(table):
    ferplus = fk.FERPlus(table)
    eight, seven = ferplus.majority(8), ferplus.majority(7)
    np.testing.assert_array_equal(seven, np.where(eight == CONTEMPT, -1, eight))
    eight, seven = ferplus.probabilities(8), ferplus.probabilities(7)
    rest = 1 - eight[:, CONTEMPT]
    kept = eight[:, :7].any(axis=1)
    np.testing.assert_allclose(seven[kept] * rest[kept, None], eight[kept, :7])
    assert not seven[~kept].any()


@pytest.mark.parametrize(
    ("row", "label", "shares"),
    [
        (votes_of(happy=10), HAPPY, {HAPPY: 1}),
        # A single vote is an outlier.
        (votes_of(happy=5, sad=4, fear=1), HAPPY, {HAPPY: 5 / 9, SAD: 4 / 9}),
        (votes_of(happy=5, sad=5), -1, {HAPPY: 0.5, SAD: 0.5}),
        # Eight of ten votes are three quarters already.
        (votes_of(happy=8, sad=2), HAPPY, {HAPPY: 1}),
        # Five options with two votes each are too many.
        (votes_of(happy=2, sad=2, fear=2, angry=2, neutral=2), -1, {}),
        (votes_of(no_face=10), -1, {}),
        (votes_of(unknown=6, sad=4), -1, {}),
        # What comes after "unknown" does not count, what comes before does.
        (votes_of(sad=5, unknown=3, fear=2), -1, {}),
        (votes_of(sad=6, unknown=4), SAD, {SAD: 1}),
        (votes_of(contempt=7, neutral=3), CONTEMPT, {CONTEMPT: 0.7, NEUTRAL: 0.3}),
        # Ten people, ten opinions: nothing is left.
        ([1] * 10, -1, {}),
        ([0] * 10, -1, {}),
    ],
)
def test_cases(row, label, shares):
    ferplus = fk.FERPlus([row])
    assert ferplus.majority().tolist() == [label]
    expected = np.zeros(8)
    expected[list(shares)] = list(shares.values())
    np.testing.assert_allclose(ferplus.probabilities()[0], expected)


def test_many_votes_in_few_bits_are_counted():
    row = np.array([votes_of(happy=150, sad=100)], np.uint8)  # 2 x 150 passes 255
    assert fk.FERPlus(row).majority().tolist() == [HAPPY]


def test_subset_and_concat():
    ferplus = fk.FERPlus(np.arange(30).reshape(3, 10))
    assert len(ferplus) == 3
    with pytest.raises(fk.InvalidInputError, match=r"others must be of FERPlus; received \[1\]"):
        ferplus.concat(ferplus, [1])
    np.testing.assert_array_equal(ferplus.subset([2, 0]).votes, ferplus.votes[[2, 0]])
    np.testing.assert_array_equal(ferplus.subset([True, False, True]).votes, ferplus.votes[[0, 2]])
    np.testing.assert_array_equal(ferplus.subset(slice(1, None)).votes, ferplus.votes[1:])
    assert len(ferplus.subset([])) == 0
    assert ferplus.subset([]).probabilities().shape == (0, 8)
    assert ferplus.subset([]).majority().shape == (0,)
    joined = ferplus.subset([0]).concat(ferplus.subset([1]), ferplus.subset([2]))
    np.testing.assert_array_equal(joined.votes, ferplus.votes)
    with pytest.raises(fk.InvalidInputError, match="row numbers 0 to 2"):
        ferplus.subset([3])
    with pytest.raises(fk.InvalidInputError, match="mask of 3"):
        ferplus.subset([True])


@pytest.mark.parametrize("bad", [[1, 2], [[1] * 9], [[-1, *[1] * 9]], [[0.5] * 10], [["a"] * 10]])
def test_bad_votes(bad):
    with pytest.raises(fk.InvalidInputError, match="votes must"):
        fk.FERPlus(bad)


def test_bad_number_of_classes():
    ferplus = fk.FERPlus([votes_of(happy=10)])
    for form in (ferplus.majority, ferplus.probabilities):
        with pytest.raises(fk.InvalidInputError, match="7 or 8; received 6"):
            form(6)


def test_agreement_counts_ties_and_skips_what_is_no_face():
    ferplus = fk.FERPlus([votes_of(happy=5, sad=5), votes_of(fear=9, sad=1), votes_of(no_face=10)])
    assert ferplus.agreement([SAD, FEAR, HAPPY]) == 1
    assert ferplus.agreement([ANGRY, FEAR, HAPPY]) == 0.5
    assert np.isnan(ferplus.subset([2]).agreement([0]))
    with pytest.raises(fk.InvalidInputError):
        ferplus.agreement([0, 1])
    with pytest.raises(fk.InvalidInputError):
        ferplus.agreement([0, 1, 8])


# --- the file ----------------------------------------------------------------------------------


def write(path, *rows, header=HEADER):
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


def test_columns_are_put_in_the_order_of_the_codes(tmp_path):
    path = write(tmp_path / "votes.csv", "Training,fer0000000.png,0,1,2,3,4,5,6,7,8,9")
    expected = [4, 5, 6, 1, 3, 2, 0, 7, 8, 9]
    assert fk.load_ferplus(path).votes.tolist() == [expected]
    columns = HEADER.split(",")
    mixed = write(
        tmp_path / "mixed.csv",
        "9,8,7,6,5,4,3,2,1,0,fer0000000.png,training",
        header=", ".join(reversed(columns)),
    )
    assert fk.load_ferplus(mixed).votes.tolist() == [expected]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_votes_as_tables_are_saved_again(tmp_path, separator):
    path = tmp_path / "fer2013new.csv"
    path.write_text(
        f",{HEADER}\n0,Training,fer0.png,4.0,0,0,0,6.0,0,0,0,0,0\n".replace(",", separator)
    )
    assert fk.load_ferplus(path).votes.tolist() == [votes_of(angry=6, neutral=4)]


def test_byte_order_mark_and_windows_line_ends(tmp_path):
    path = tmp_path / "votes.csv"
    row = "Training,,0,0,0,0,0,0,0,0,0,10"
    path.write_bytes(b"\xef\xbb\xbf" + f"{HEADER}\r\n{row}\r\n".encode())
    assert fk.load_ferplus(path).votes.tolist() == [votes_of(no_face=10)]


@pytest.mark.parametrize(
    "row",
    [
        "Training,fer1.png,1,2,3",
        "Training,fer1.png,1,x,0,0,0,0,0,0,0,0",
        "Training,fer1.png,1,-1,0,0,0,0,0,0,0,0",
        "Training,fer1.png,1,11,0,0,0,0,0,0,0,0",
        "Training,fer1.png,1,0.5,0,0,0,0,0,0,0,0",
        "Holiday,fer1.png,0,0,0,0,0,0,0,0,0,10",
        "",
    ],
)
def test_bad_rows_are_named(tmp_path, row):
    path = write(tmp_path / "votes.csv", "Training,fer0.png,0,0,0,0,0,0,0,0,0,10", row)
    with pytest.raises(fk.DatasetFormatError, match="expected 12 fields") as caught:
        fk.load_ferplus(path)
    assert caught.value.line_number == 3
    assert caught.value.path == path


def test_other_files(tmp_path):
    with pytest.raises(fk.DatasetNotFoundError, match=r"github\.com/microsoft/FERPlus"):
        fk.load_ferplus(tmp_path / "missing.csv")
    with pytest.raises(fk.DatasetNotFoundError):
        fk.load_ferplus(tmp_path)
    with pytest.raises(fk.InvalidInputError, match="path must not be empty"):
        fk.load_ferplus("")
    with pytest.raises(fk.InvalidInputError, match=r"web address, .*: download it first"):
        fk.load_ferplus("https://github.com/microsoft/FERPlus/raw/master/fer2013new.csv")
    with pytest.raises(fk.DatasetFormatError, match="missing anger, contempt"):
        fk.load_ferplus(write(tmp_path / "fer2013.csv", header="emotion,pixels,Usage"))
    with pytest.raises(fk.DatasetFormatError, match="header alone"):
        fk.load_ferplus(write(tmp_path / "none.csv"))
    (tmp_path / "empty.csv").touch()
    with pytest.raises(fk.DatasetFormatError):
        fk.load_ferplus(tmp_path / "empty.csv")
    (tmp_path / "noise.csv").write_bytes(b"\xff\xfe\x00\x01" * 50)
    with pytest.raises(fk.DatasetFormatError, match="UTF-8"):
        fk.load_ferplus(tmp_path / "noise.csv")


# --- joining -----------------------------------------------------------------------------------

USAGES = {"train": "Training", "validation": "PublicTest", "test": "PrivateTest"}


@given(st.lists(st.sampled_from(sorted(USAGES)), min_size=1, max_size=30), st.randoms())
def test_votes_come_to_their_rows(tmp_path_factory, splits, random):
    numbers = [random.randrange(10) for _ in splits]
    path = write(
        tmp_path_factory.mktemp("votes") / "votes.csv",
        *(
            f"{USAGES[name]},fer.png,0,{number},0,0,0,0,0,0,0,{10 - number}"
            for name, number in zip(splits, numbers, strict=True)
        ),
    )
    csv_rows = {name: np.flatnonzero(np.array(splits) == name) for name in USAGES}
    joined = join_ferplus(path, csv_rows)
    for name, rows in csv_rows.items():
        assert joined[name].votes[:, HAPPY].tolist() == [numbers[row] for row in rows]


def test_votes_lie_at_home(tmp_path, monkeypatch):
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(tmp_path))
    write(tmp_path / "votes.csv", "Training,fer.png,0,0,0,0,0,0,0,0,0,10")
    assert len(fk.load_ferplus("~/votes.csv")) == 1
    assert len(join_ferplus("~/votes.csv", {"train": np.arange(1)})["train"]) == 1


def test_votes_of_another_edition(tmp_path):
    row = "{},fer.png,0,0,0,0,0,0,0,0,0,10"
    path = write(tmp_path / "votes.csv", row.format("Training"), row.format("PublicTest"))
    with pytest.raises(fk.InvalidInputError, match="2 rows and the data set has 3 rows"):
        join_ferplus(path, {"train": np.arange(3)})
    expected = re.escape("row 2 is of train in the data set and of validation in")
    with pytest.raises(fk.InvalidInputError, match=expected):
        join_ferplus(path, {"train": np.arange(2)})


def test_the_real_file(shared_data):
    ferplus = fk.load_ferplus(shared_data / "fer2013new.csv")
    assert len(ferplus) == 32_298
    # One row has a vote less.
    assert np.bincount(ferplus.votes.sum(axis=1))[9:].tolist() == [1, 32_297]
    labels = ferplus.majority()
    kept = labels[:28_709][labels[:28_709] >= 0]
    assert np.bincount(kept).tolist() == [2100, 119, 532, 7287, 3014, 3149, 8740, 119]
    # The 158 images that FER+ removed are among the ignored.
    assert (labels[ferplus.votes[:, NO_FACE] == 10] == -1).all()


def test_repr_says_that_votes_are_there():
    split = fk.Split(np.zeros((2, 48, 48), np.uint8), [0, 1], fk.FERPlus(np.ones((2, 10), int)))
    assert repr(split) == "Split(2 images, labels, FER+ votes)"
