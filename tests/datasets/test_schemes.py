from typing import get_args

import numpy as np
import pytest
from PIL import Image

import fer2013kit as fk
from command_line import run_json
from fer2013kit.datasets._labels import CONTEMPT_CODE, LEFT_OUT, Labels
from fer2013kit.typing import LabelScheme

ANGRY, DISGUST, FEAR, HAPPY, SAD, SURPRISE, NEUTRAL = range(7)

# As the data sets' own papers and read-me files number them.
NUMBERS = {
    "raf-db": (None, SURPRISE, FEAR, DISGUST, HAPPY, SAD, ANGRY, NEUTRAL),
    "affectnet": (NEUTRAL, HAPPY, SAD, SURPRISE, FEAR, DISGUST, ANGRY, CONTEMPT_CODE)
    + (LEFT_OUT,) * 3,
    "ck+": (NEUTRAL, ANGRY, CONTEMPT_CODE, DISGUST, FEAR, HAPPY, SAD, SURPRISE),
    "expw": (ANGRY, DISGUST, FEAR, HAPPY, SAD, SURPRISE, NEUTRAL),
    "ferplus": (NEUTRAL, HAPPY, SURPRISE, SAD, ANGRY, DISGUST, FEAR, CONTEMPT_CODE)
    + (LEFT_OUT,) * 2,
}


@pytest.mark.parametrize("name", NUMBERS)
def test_numbers(name):
    labels = Labels(name, contempt=True)
    assert (
        tuple(labels.code(str(n), numbers=True) for n in range(len(NUMBERS[name])))
        == (NUMBERS[name])
    )
    assert labels.unused() == []


@pytest.mark.parametrize("name", get_args(LabelScheme))
def test_words_and_contempt(name):
    words = ("Anger", "disgusted", "FEAR", "happiness", "sadness", "Suprise", "natural")
    labels = Labels(name)
    assert [labels.code(word, numbers=False) for word in words] == list(range(7))
    assert labels.code("Contempt", numbers=False) == LEFT_OUT
    assert Labels(name, contempt=True).code("contempt", numbers=False) == CONTEMPT_CODE
    assert Labels(name).key != Labels(name, contempt=True).key  # of the cache


def test_unknown_scheme():
    with pytest.raises(fk.InvalidInputError, match=r"label_map must be one of.*mean 'raf-db'"):
        fk.load_fer2013("anywhere", label_map="rafdb")


def faces(folder, *names):
    for place, name in enumerate(names):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (60, 60), 10 * place).save(folder / name)
    return folder


def test_codes_and_subjects_in_file_names(tmp_path):
    kdef = faces(tmp_path / "kdef", "AF01/AF01AFS.JPG", "BM35/BM35SUHL.JPG", "AF01/AF01NES.JPG")
    split = fk.load_image_folder(kdef, label_map="kdef")
    assert split.labels.tolist() == [FEAR, SURPRISE, NEUTRAL]
    assert split.columns["subject"].tolist() == ["F01", "M35", "F01"]
    jaffe = faces(tmp_path / "jaffe", "KA.FE1.45.tiff", "KM.DI3.22.tiff")
    split = fk.load_image_folder(jaffe, label_map="jaffe")
    assert split.labels.tolist() == [DISGUST, FEAR]
    assert split.columns["subject"].tolist() == ["KM", "KA"]
    faces(jaffe, "someone.png")
    with pytest.raises(fk.DatasetFormatError, match=r"someone.*contains no label of that data set"):
        fk.load_image_folder(jaffe, label_map="jaffe")
    split = faces(tmp_path / "split", "train/AF01ANS.JPG", "test/AF01AFS.JPG")
    match = "the folders tell splits, .*; pass the folder of one split"
    with pytest.raises(fk.DatasetFormatError, match=match):
        fk.load_image_folder(split, label_map="kdef")
    assert run_json("info", kdef, "--label-map", "kdef", "--json")["splits"]["train"]


def test_contempt_is_left_out_and_counted_or_kept(tmp_path, caplog):
    folder = faces(
        tmp_path, "anger/S005_001_01.png", "contempt/S138_002_02.png", "contempt/S005_001_03.png"
    )
    split = fk.load_image_folder(folder, label_map="ck+")
    assert split.labels.tolist() == [ANGRY]
    assert "left out 2 rows of 'contempt'" in caplog.text
    kept = fk.load_image_folder(folder, label_map="ck+", contempt=True)
    assert kept.labels.tolist() == [ANGRY, 7, 7]
    assert kept.columns["subject"].tolist() == ["S005", "S005", "S138"]
    data = fk.FER2013(kept)
    assert "7 contempt" in data.summary()
    assert data.to_frame()["emotion_name"].tolist() == ["angry", "contempt", "contempt"]
    assert len(data.subset(classes=["contempt"]).train) == 2
    assert fk.load_image_folder(folder, contempt=True).labels.tolist() == [ANGRY, 7, 7]
    with pytest.raises(
        fk.DatasetFormatError, match=r"leave it out}, or keep it with contempt=True"
    ):
        fk.load_image_folder(folder)
    with pytest.raises(fk.DatasetFormatError, match=r"^(?!.*contempt=True)"):
        fk.load_image_folder(folder, label_map={"anger": None, "contempt": None, "happy": "sad"})


def test_contempt_in_a_csv(tmp_path, caplog):
    path = tmp_path / "faces.csv"
    pixels = " ".join(["7"] * 48 * 48)
    rows = [f"{label},{pixels},Training" for label in ("happy", "contempt", "7")]
    path.write_text("\n".join(["emotion,pixels,Usage", *rows]))
    both = {7: "contempt"}
    kept = fk.load_fer2013(path, label_map=both, contempt=True).train
    assert kept.labels.tolist() == [HAPPY, 7, 7]
    left = fk.load_fer2013(path, label_map={**both, "contempt": None})
    assert "left out 1 row of '7'" in caplog.text
    assert left.train.labels.tolist() == [HAPPY]
    with pytest.raises(fk.DatasetFormatError, match=r"line 3.*or keep it with contempt=True"):
        fk.load_fer2013(path)


@pytest.mark.parametrize("scheme", ["jaffe", "kdef", "raf-db"])
def test_numbers_that_a_data_set_does_not_have_are_none_of_fer2013(tmp_path, scheme):
    path = tmp_path / "faces.csv"
    path.write_text("emotion,pixels\n0," + " ".join(["7"] * 48 * 48))
    with pytest.raises(fk.DatasetFormatError, match=r"unknown emotion '0'; expected one of"):
        fk.load_fer2013(path, label_map=scheme)


@pytest.mark.parametrize("label_map", [3, ["raf-db"]])
def test_label_maps_that_are_none(tmp_path, label_map):
    with pytest.raises(fk.InvalidInputError, match="label_map must be the name of a data set or"):
        fk.load_image_folder(tmp_path, label_map=label_map)


def test_numbered_folders_with_splits(tmp_path):
    folder = faces(tmp_path, "train/1/a.png", "train/7/b.png", "test/5/c.png")
    data = fk.load_fer2013(folder, label_map="raf-db", resize=True)
    assert data.train.labels.tolist() == [SURPRISE, NEUTRAL]
    assert data.test.labels.tolist() == [SAD]


# --- what travels with the images ------------------------------------------------------------


def split(n, **columns):
    return fk.Split(np.zeros((n, 48, 48), np.uint8), np.zeros(n, int), columns=columns)


def test_concat_keeps_votes_sources_weights_and_subjects():
    voted = fk.Split(
        np.zeros((1, 48, 48), np.uint8), [3], fk.FERPlus([[0, 0, 0, 10, 0, 0, 0, 0, 0, 0]])
    )
    joined = fk.FER2013(voted, test=voted).concat(
        split(2, subject=["a", "a"]),
        fk.FER2013(split(1, subject=["a"], age=[7])),
        weights=(2, 0.5, 1),
        sources=("fer", "mine", "other"),
    )
    assert joined.train.ferplus.probabilities().sum(axis=1).tolist() == [1, 0, 0, 0]
    columns = {name: column.tolist() for name, column in joined.train.columns.items()}
    assert columns.pop("age")[3] == 7
    assert columns == {
        "source": ["fer", "mine", "mine", "other"],
        "weight": [2, 0.5, 0.5, 1],
        "subject": ["", "a", "a", "a"],
    }
    assert joined.train.groups().tolist() == ["#0", "mine/a", "mine/a", "other/a"]
    assert joined.test.columns["weight"].tolist() == [2]
    again = joined.concat(split(1), weights=(2, 1))
    assert again.train.columns["weight"].tolist() == [4, 1, 1, 2, 1]
    assert again.train.columns["source"][-1] == "arrays"
    assert joined.train.subset([3]).columns["subject"].tolist() == ["a"]
    assert "subject" in joined.to_frame().columns


def test_columns_are_saved_and_cached(tmp_path, monkeypatch):
    monkeypatch.setattr("fer2013kit.datasets._cache._is_settled", lambda _stamp: True)
    data = fk.FER2013(split(2, subject=["a", "bc"], age=[3.5, 4]), test=split(1))
    data.save(tmp_path / "faces.npz")
    for _ in range(2):  # from the file and from the cache
        again = fk.load_fer2013(tmp_path / "faces.npz")
        assert again.train.columns["subject"].tolist() == ["a", "bc"]
        assert again.train.columns["age"].tolist() == [3.5, 4]
        assert again.test.columns == {}


def test_columns_and_weights_that_do_not_fit():
    with pytest.raises(fk.InvalidInputError, match=r"columns must have shape \(2,\)"):
        split(2, subject=["a"])
    with pytest.raises(fk.InvalidInputError, match="columns must hold texts or numbers"):
        split(2, subject=[None, "a"])
    with pytest.raises(fk.InvalidInputError, match="weights must be 2, one for each set"):
        split(1).concat(split(1), weights=(1,))
    with pytest.raises(fk.InvalidInputError, match="weights must be 2, one for each set"):
        split(1).concat(split(1), weights=2)
    for weight in (-1, "1", float("nan")):
        with pytest.raises(fk.InvalidInputError, match="weights must be numbers from 0"):
            fk.FER2013(split(1)).concat(split(1), weights=(1, weight))
    for one in (split(1), fk.FER2013(split(1))):
        with pytest.raises(fk.InvalidInputError, match=r"others must be .*; received 'more'"):
            one.concat("more")
    with pytest.raises(fk.InvalidInputError, match="sources must be 2"):
        split(1).concat(split(1), sources="ab")
    with pytest.raises(fk.InvalidInputError, match="groups need columns of this split"):
        split(1).groups()
    with pytest.raises(fk.InvalidInputError, match="groups need columns"):
        split(1, subject=["a"]).groups("source")


LONG = 2**53 + np.arange(3)  # of which no two are one as whole numbers, and two are as floats


def test_whole_numbers_keep_their_digits_or_are_refused():
    people = split(3, subject=LONG)
    assert people.groups().tolist() == [str(2**53 + place) for place in range(3)]
    frame = fk.FER2013(people, test=split(1)).to_frame()
    assert frame["subject"].tolist()[:3] == LONG.tolist()
    assert frame["subject"].isna().tolist() == [False] * 3 + [True]
    assert people.concat(people).columns["subject"].tolist() == [*LONG.tolist()] * 2
    assert people.concat(split(1, subject=["KA"])).groups().tolist()[1] == str(2**53 + 1)
    refused = (
        r"'subject' must hold texts for whole numbers above 2\*\*53.*received -?90071992547409"
    )
    for whole in (LONG, -LONG, LONG.astype(np.uint64)):
        for other in ({}, {"subject": [1.5]}):
            with pytest.raises(fk.InvalidInputError, match=refused):
                split(3, subject=whole).concat(split(1, **other))
    with pytest.raises(fk.InvalidInputError, match=refused):
        fk.FER2013(people, test=split(1, subject=[1.5])).to_frame()
    # Up to there, each is a float of its own.
    least = split(2, subject=[2**53, -(2**53)]).concat(split(1))
    assert least.columns["subject"].tolist()[:2] == [2**53, -(2**53)]
    texts = split(3, subject=LONG.astype(str)).concat(split(1))
    assert texts.groups().tolist() == [*LONG.astype(str), "#3"]


@pytest.mark.parametrize(
    "floats", [LONG.astype(float), [2**53 + 1, 2**53, 0.5], [1, -(2.0**60), 2]]
)
def test_floats_that_lost_digits_name_nobody(floats):
    y, answers, X = [0, 1, 2], [0, 1, 1], np.zeros((3, 48, 48), np.uint8)
    calls = {
        "clusters": lambda ids: fk.evaluate_predictions(y, answers, clusters=ids),
        "groups": lambda ids: fk.evaluate_predictions(y, answers, groups=ids),
        "column 'subject'": lambda ids: split(3, subject=ids).groups(),
        "validation_groups": lambda ids: fk.EmotionClassifier(
            validation_fraction=0.5, validation_groups=ids
        ).fit(X, y),
    }
    for name, call in calls.items():
        with pytest.raises(
            fk.InvalidInputError, match=rf"^{name} must be whole numbers or texts from 2\*\*53 on"
        ):
            call(floats)


@pytest.mark.parametrize("load", [fk.load_image_folder, fk.load_fer2013])
@pytest.mark.parametrize("scheme", ["affectnet", "ferplus"])  # 7 is none of expw
def test_folders_of_raf_db_under_another_scheme_are_doubted(tmp_path, load, scheme):
    lead = "" if load is fk.load_image_folder else "train/"
    resize = {} if load is fk.load_image_folder else {"resize": True}
    folder = faces(tmp_path / "raf", *(f"{lead}{number}/a.jpg" for number in range(1, 8)))
    for _ in range(2):  # the second time from the cache
        with pytest.warns(fk.Fer2013KitWarning, match="as RAF-DB's are.*label_map='raf-db'"):
            load(folder, label_map=scheme, **resize)
    load(folder, label_map="raf-db", **resize)  # without a warning
    load(folder, label_map="ck+", **resize)
    faces(folder, f"{lead}0/a.jpg")
    load(folder, label_map=scheme, **resize)
