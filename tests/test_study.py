"""The study of the docs, on drawn faces: its tables hold what scikit-learn finds in its files."""

import runpy
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score

import fer2013kit as fk
from datasets.fake_sources import Row, write_csv
from snippets import ROOT

pd = pytest.importorskip("pandas")
pytest.importorskip("matplotlib")

COLUMNS = "neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF"
CODES = (6, 3, 5, 4, 0, 1, 2)  # of the first seven columns
USAGES = ("Training", "PublicTest", "PrivateTest")


def write_votes(path, rows):
    """Seven voters see what the label says, three the next word; some rows nobody agrees on."""
    lines = [f"Usage,Image name,{COLUMNS}"]
    for number, row in enumerate(rows):
        votes = [0] * 10
        votes[CODES.index(row.code)] = 7
        votes[CODES.index((row.code + 1) % 7)] = 3
        if number % 10 == 0:
            votes = [2, 2, 2, 2, 2, 0, 0, 0, 0, 0]
        name = f"fer{number:07}.png"
        lines.append(",".join([USAGES[row.usage], name, *map(str, votes)]))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    drawn = fk.make_fer2013(n_samples=280, random_state=0)
    rows = [
        Row(usage, int(code), image[..., 0])
        for usage, split in enumerate((drawn.train, drawn.validation, drawn.test))
        for image, code in zip(split.images, split.labels, strict=True)
    ]
    write_csv(folder / "fer2013.csv", rows)
    write_votes(folder / "fer2013new.csv", rows)
    photographs = folder / "photographs"
    photographs.mkdir()
    names = [Path(shutil.copy(path, photographs)).name for path in fk.sample_photos()]
    lines = [f"{name},{word}" for name, word in zip(names, ("happy", "neutral"), strict=True)]
    lines.append("none.jpg,bored")
    (photographs / "labels.csv").write_text("\n".join(["file,emotion", *lines]), encoding="utf-8")
    argv = [folder / "fer2013.csv", folder / "fer2013new.csv", photographs, folder / "out"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["study.py", *map(str, argv), "--epochs", "1", "--seeds", "2"])
        runpy.run_path(str(ROOT / "examples" / "study.py"), run_name="__main__")
    return folder


def test_tables_hold_what_the_files_say(study):
    data = fk.load_fer2013(study / "fer2013.csv", ferplus=study / "fer2013new.csv")
    first, data = len(data.train), data.validation
    agreed = np.arange(first, first + len(data)) % 10 != 0
    networks = {
        (aim, seed): fk.EmotionClassifier.load(study / "out" / f"{aim}_{seed}.fer")
        for aim in ("labels", "votes")
        for seed in range(2)
    }
    accuracy = pd.read_csv(study / "out" / "accuracy.csv", index_col=["truth", "learned"])
    difference = pd.read_csv(study / "out" / "difference.csv", index_col=["truth", "seed"])
    assert list(accuracy.index.get_level_values("truth").unique()) == [
        "FER-2013",
        "voters",
        "one person",
    ]
    said = {key: network.predict(data.images[agreed]) for key, network in networks.items()}
    truth = data.labels[agreed]
    for aim in ("labels", "votes"):
        right = [accuracy_score(truth, said[aim, seed]) for seed in range(2)]
        f1 = [
            f1_score(truth, said[aim, seed], average="macro", zero_division=0) for seed in range(2)
        ]
        row = accuracy.loc[("voters", aim)]  # here voters and labels agree
        for figure, values in (("accuracy", right), ("macro F1", f1)):
            mean, deviation = map(float, row[figure].split(" ± "))
            assert mean == pytest.approx(np.mean(values), abs=6e-4)
            assert deviation == pytest.approx(np.std(values, ddof=1), abs=6e-4)
    for seed in range(2):
        more = (said["votes", seed] == truth).mean() - (said["labels", seed] == truth).mean()
        assert difference.loc[("FER-2013", seed), "difference"] == pytest.approx(more, abs=6e-4)
    assert (study / "out" / "accuracy.png").stat().st_size > 5_000
    assert "toprule" in (study / "out" / "accuracy.tex").read_text(encoding="utf-8")
