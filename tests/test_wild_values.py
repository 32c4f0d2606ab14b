"""Every public call, each argument in turn something wild: the kit refuses it, or takes it.

Beside the kit's errors there may be Python's ``TypeError`` for what is of a wrong type, and the
operating system's for a file.  No message is long.
"""

import contextlib
import datetime as dt
import functools
import inspect
import math
from pathlib import Path
from unittest.mock import Mock, patch

import av
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from PIL import Image

import fer2013kit as fk
from networks import tiny_network

WILD = {
    "5": 5,
    "-0.5": -0.5,
    "nan": math.nan,
    "hundreds of digits": 10**400,
    "a complex number": 1j,
    "True": True,
    "None": None,
    "a word": "x",
    "no word": "",
    "a long word": "x" * 9999,
    "bytes": b"ab",
    "a path": Path("nowhere"),
    "a date": dt.date(2000, 1, 1),
    "an object": object(),
    "a function": lambda *_: 1,
    "a class": type,
    "no list": [],
    "numbers": [1, 2],
    "rows of two lengths": [[1, 2], [3]],
    "long words": ["x" * 4999],
    "a mapping": {1: 2},
    "a set": {"a"},
    "an array": np.array([1, 2]),
    "a word's array": np.array("a"),
    "an array of objects": np.array([None, {}], object),
    "five axes": np.zeros((2, 3, 4, 5, 6)),
    "dates": np.array([np.datetime64(0, "s")]),
    "a frame": pd.DataFrame({"a": [1]}),
}
NOT_TRIED = {
    "Emotion": "its members are made already",
    "EmotionClassifier": "looks at its settings in fit, which are tried below",
    "EmotionClassifier.set_params": "looks at names alone",
    "EmotionPredictor": "made by load",
    "FaceAugmentation.call": "of tensors, as Keras has it",
    "FaceAugmentation.compute_output_shape": "of tensors, as Keras has it",
    "FaceAugmentation.transform": "of tensors, as Keras has it",
    "FER2013.concat": "takes any number of data sets",
    "FERPlus.concat": "takes any number of votes",
    "Split.concat": "takes any number of splits",
    "fetch_fer2013": "would download",
    # What the kit measured or read; nobody fills these in.
    **dict.fromkeys(
        (
            *("AuditReport", "BenchmarkReport", "EvaluationReport", "ExportReport", "FaceBox"),
            *("FaceEmotion", "HeadPose", "PhotoFaces", "PredictionComparison", "ReportSummary"),
            *("ScoreReport", "ScoreReport.of", "TuningResult", "VideoSummary"),
        ),
        "a result",
    ),
}
LONGEST = 1500


def public_calls():
    """Return the names of everything public of the kit's own that takes arguments."""
    found = set()
    for name in fk.__all__:
        one = getattr(fk, name)
        if not callable(one) or (isinstance(one, type) and issubclass(one, Exception)):
            continue
        methods = [key for key in dir(one) if key[0] != "_"] if isinstance(one, type) else []
        methods = {f"{name}.{key}": getattr(one, key) for key in methods}
        for full, call in {name: one, **methods}.items():
            if not callable(call) or not str(getattr(call, "__module__", "")).startswith(
                "fer2013kit"
            ):
                continue
            if any(key != "self" for key in inspect.signature(call).parameters):
                found.add(full)
    return found


TRIED = sorted(public_calls() - set(NOT_TRIED))


@pytest.fixture(scope="module")
def calls(tmp_path_factory):
    """Return calls with arguments that they take, in a folder with the files they name."""
    folder = tmp_path_factory.mktemp("wild")
    with patch.dict("fer2013kit.models._registry._builders", tiny=tiny_network):
        yield folder, made(folder)


def made(folder):
    """Return the calls by their names."""
    D = fk.make_fer2013(n_samples=70, random_state=0)
    X, y = D.train.images[:14], D.train.labels[:14]
    clf, other = (
        fk.EmotionClassifier("tiny", epochs=1, verbose=0, random_state=seed).fit(X, y)
        for seed in (0, 1)
    )
    ensemble = fk.EnsembleClassifier([clf, other])
    small = fk.EmotionPredictor.from_pretrained("five_layer_cnn_small")
    votes = fk.FERPlus(np.ones((5, 10), int))
    P = small.predict_proba(X)
    report = fk.evaluate_predictions(y, P)
    of_two = fk.evaluate_predictions([0, 1], np.eye(2), class_names=("sad", "happy"))
    with Image.open(fk.sample_photos()[0]) as picture:
        photo = np.asarray(picture.convert("RGB").reduce(4))
    clf.save(folder / "a.fer")
    clf.export(folder / "a.tflite")
    ensemble.save(folder / "e.fers")
    D.save(folder / "d.npz")
    (folder / "img" / "happy").mkdir(parents=True)
    Image.fromarray(X[0, ..., 0]).save(folder / "img" / "happy" / "a.png")
    one = {"X": X[:2]}
    summary = fk.summarize_reports([report] * 2)
    compared = fk.compare_predictions(y, P, P[::-1], n_resamples=9)
    networks = fk.benchmark({"small": small}, D, latency=False)
    truth = {"y_true": y, "probabilities": P}
    write_video(folder / "v.mp4", photo)
    header = "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt"
    votes_file = f"{header},unknown,NF\nTraining,fer0000000.png,4,0,0,1,3,2,0,0,0,0\n"
    (folder / "votes.csv").write_text(votes_file, encoding="utf-8")
    table = pd.DataFrame({"time": [0.0, 0.2], "track": 0, "height": 50, "sad": [1.0, 0.4]})
    table = table.assign(happy=1 - table["sad"], emotion=["sad", "happy"])
    audit = fk.audit_dataset(D)
    split = fk.Split(X, y, columns={"subject": np.arange(len(X))})
    labelled = {"X": X, "y": y}
    predictors = {
        f"{type(which).__name__}.{method}": (getattr(which, method), given)
        for which in (clf, small, ensemble)
        for method, given in {
            "predict": one,
            "predict_proba": one,
            "predict_log_proba": one,
            "evaluate": labelled,
            "calibrate": labelled,
            "score": labelled,
        }.items()
        if hasattr(which, method)
    }
    tables = {
        f"{type(one).__name__}.{method}": (getattr(one, method), {})
        for one in (report, compared, summary, networks)
        for method in ("to_latex", "to_markdown")
    }
    return predictors | tables | {
        "AuditReport.drop_duplicates": (audit.drop_duplicates, {}),
        "AuditReport.drop_leaks": (audit.drop_leaks, {}),
        "AuditReport.groups": (audit.groups, {}),
        "BenchmarkReport.plot": (networks.plot, {}),
        "EmotionClassifier.export": (clf.export, {"path": "b.keras", "tolerance": 1}),
        "EmotionClassifier.fit": (clf.fit, {"X": X, "y": y}),
        "EmotionClassifier.from_pretrained": (fk.EmotionClassifier.from_pretrained, {}),
        "EmotionClassifier.load": (fk.EmotionClassifier.load, {"path": "a.fer", "model": "tiny"}),
        "EmotionClassifier.save": (clf.save, {"path": "b.fer"}),
        "EmotionClassifier.transform": (clf.transform, one),
        "EmotionPredictor.from_pretrained": (fk.EmotionPredictor.from_pretrained, {}),
        "EmotionPredictor.load": (fk.EmotionPredictor.load, {"path": "a.tflite"}),
        "EnsembleClassifier": (fk.EnsembleClassifier, {"members": [clf, other]}),
        "EnsembleClassifier.export": (ensemble.export, {"path": "f.keras", "tolerance": 1}),
        "EnsembleClassifier.fit": (ensemble.fit, {"X": X, "y": y}),
        "EnsembleClassifier.load": (fk.EnsembleClassifier.load, {"path": "e.fers"}),
        "EnsembleClassifier.save": (ensemble.save, {"path": "f.fers"}),
        "EvaluationReport.from_dict": (fk.EvaluationReport.from_dict, {"values": report.as_dict()}),
        "EvaluationReport.to_html": (of_two.to_html, {}),
        "FER2013": (fk.FER2013, {"train": D.train}),
        "FER2013.save": (D.save, {"path": "b.npz"}),
        "FER2013.split_validation": (fk.FER2013(D.train).split_validation, {"fraction": 0.5}),
        "FER2013.subset": (D.subset, {"n_samples": 10}),
        "FER2013.to_frame": (D.to_frame, {}),
        "FERPlus": (fk.FERPlus, {"votes": votes.votes}),
        "FERPlus.agreement": (votes.agreement, {"labels": [0] * 5}),
        "FERPlus.majority": (votes.majority, {}),
        "FERPlus.probabilities": (votes.probabilities, {}),
        "FERPlus.subset": (votes.subset, {"index": [0]}),
        "FaceAugmentation": (fk.FaceAugmentation, {}),
        "FaceDetector": (fk.FaceDetector, {}),
        "FaceDetector.detect": (fk.FaceDetector().detect, {"image": photo}),
        "FaceDetector.locate": (fk.FaceDetector().locate, {"image": photo}),
        "FaceTracker": (fk.FaceTracker, {}),
        "FaceTracker.update": (fk.FaceTracker().update, {"frame": photo}),
        "PhotoScorer": (fk.PhotoScorer, {}),
        "PhotoScorer.rows": (fk.PhotoScorer().rows, {"items": [("a", photo)]}),
        "Split": (fk.Split, {"images": X, "labels": y}),
        "Split.groups": (
            lambda names: split.groups(names),  # noqa: PLW0108 - an argument of that name
            {"names": "subject"},
        ),
        "Split.subset": (D.train.subset, {"index": [0]}),
        "analyze_photo": (fk.analyze_photo, {"photo": photo}),
        "analyze_photos": (in_full(fk.analyze_photos), {"photos": [photo]}),
        "analyze_video": (fk.analyze_video, {"video": "v.mp4"}),
        "annotate": (fk.annotate, {"photo": photo, "faces": []}),
        "apply_clahe": (fk.apply_clahe, {"images": X[:2]}),
        "audit_dataset": (fk.audit_dataset, {"data": D}),
        "average_weights": (fk.average_weights, {"classifiers": [clf, other], "X": X}),
        "benchmark": (fk.benchmark, {"predictors": {"s": small}, "data": D, "latency": False}),
        "class_counts": (fk.class_counts, {"y": y}),
        "adjust_priors": (fk.adjust_priors, {"probabilities": np.eye(7), "old": [1] * 7}),
        "class_weights": (fk.class_weights, {"y": y}),
        "compare_predictions": (
            fk.compare_predictions,
            {"y_true": y, "proba_a": P, "proba_b": P[::-1], "n_resamples": 9},
        ),
        "create_app": (fk.create_app, {}),
        "create_model": (fk.create_model, {"model": tiny_network}),
        "equalize_histogram": (fk.equalize_histogram, {"images": X[:2]}),
        "evaluate_predictions": (fk.evaluate_predictions, truth),
        "explain": (fk.explain, {"classifier": fk.EmotionClassifier.from_pretrained(), **one}),
        "find_photos": (fk.find_photos, {"paths": "img"}),
        "from_one_hot": (fk.from_one_hot, {"one_hot": np.eye(7)}),
        "grayscale_to_rgb": (fk.grayscale_to_rgb, {"images": X[:2]}),
        "load_fer2013": (fk.load_fer2013, {"path": "d.npz"}),
        "load_ferplus": (fk.load_ferplus, {"path": "votes.csv"}),
        "load_image_folder": (fk.load_image_folder, {"path": "img"}),
        "load_predictor": (fk.load_predictor, {}),
        "make_fer2013": (fk.make_fer2013, {"n_samples": 70}),
        "plot_class_balance": (fk.plot_class_balance, {"data": D}),
        "plot_confusion_matrix": (fk.plot_confusion_matrix, {"report": report}),
        "plot_explanation": (
            fk.plot_explanation, {"images": X[:2], "heat": np.zeros((2, 48, 48))}
        ),
        "plot_history": (fk.plot_history, {"history": clf}),
        "plot_precision_recall": (fk.plot_precision_recall, truth),
        "plot_reliability": (fk.plot_reliability, {"report": report}),
        "plot_risk_coverage": (fk.plot_risk_coverage, truth),
        "plot_roc": (fk.plot_roc, truth),
        "plot_samples": (fk.plot_samples, {"images": X[:2], "labels": y[:2]}),
        "plot_timeline": (
            fk.plot_timeline,
            {"frame": table, "class_names": ["sad", "happy"]},
        ),
        "plot_tracks": (fk.plot_tracks, {"frame": table}),
        "register_model": (
            fk.register_model, {"name": "wild", "builder": tiny_network, "overwrite": True}
        ),
        "rescale": (fk.rescale, {"images": X[:2]}),
        "resize": (fk.resize, {"images": X[:2]}),
        "risk_coverage_curve": (fk.risk_coverage_curve, truth),
        "sample_weights": (fk.sample_weights, {"y": y}),
        "score": (fk.score, {"src": "img", "dst": "scores"}),
        "standardize": (fk.standardize, {"images": X[:2]}),
        "summarize_reports": (fk.summarize_reports, {"reports": [report] * 2}),
        "summarize_video": (fk.summarize_video, {"table": table}),
        "to_face": (fk.to_face, {"image": photo}),
        "to_grayscale": (fk.to_grayscale, {"images": photo[None]}),
        "to_one_hot": (fk.to_one_hot, {"labels": y}),
        "training_batches": (fk.training_batches, {"X": X, "y": y, "classifier": clf}),
        "tune": (fk.tune, {"classifier": clf, "data": D, "n_trials": 1}),
        "unregister_model": (fk.unregister_model, {"name": "tiny"}),
    }  # fmt: skip


def in_full(function):
    """Return a function that gives what another one gives one by one."""
    return functools.wraps(function)(lambda **given: list(function(**given)))


def write_video(path, picture):
    """Write five frames."""
    with av.open(path, "w") as container:
        track = container.add_stream("mpeg4", rate=10)
        track.height, track.width = picture.shape[:2]
        for _ in range(5):
            container.mux(track.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(track.encode(None))


def refused_rightly(call, argument, what, value):
    """Fail where a value is refused by an error that is neither the kit's nor one of Python's."""
    try:
        call(**{argument: value})
    except Exception as error:
        is_short = len(str(error)) < LONGEST  # names of files, in the system's own, may be long
        is_ours = isinstance(error, fk.Fer2013KitError | TypeError) and is_short
        is_systems = isinstance(error, OSError) and not isinstance(error, fk.Fer2013KitError)
        if not (is_ours or is_systems):
            raise AssertionError(f"{argument} is {what}: {error!r:.300}") from error
    finally:
        plt.close("all")


@pytest.fixture(autouse=True)
def nothing_takes_long(monkeypatch, calls):
    """Come as far as training or a picture, and no further."""
    monkeypatch.chdir(calls[0])
    diverged = fk.TrainingDivergedError("not trained")
    monkeypatch.setattr("fer2013kit.classifier._fitting.train", Mock(side_effect=diverged))
    monkeypatch.setattr("matplotlib.figure.Figure.savefig", Mock())
    with patch.dict("fer2013kit.models._registry._builders"):  # some are added and removed
        yield


def test_all_that_is_public_is_tried(calls):
    assert set(calls[1]) == public_calls() - set(NOT_TRIED)
    assert set(NOT_TRIED) < public_calls()


@pytest.mark.parametrize("name", TRIED)
@pytest.mark.filterwarnings("ignore")
def test_without_wild_values_the_calls_work(name, calls):
    call, given = calls[1][name]
    trains = name in {"EmotionClassifier.fit", "tune"}
    with pytest.raises(fk.TrainingDivergedError) if trains else contextlib.nullcontext():
        call(**given)


@pytest.mark.parametrize("name", TRIED)
@pytest.mark.filterwarnings("ignore")
def test_wild_arguments_are_refused_by_the_kit(name, calls):
    call, given = calls[1][name]
    names = {*given, *inspect.signature(call).parameters} - {"params", "kwargs"}
    for argument in sorted(names):
        for what, value in WILD.items():
            refused_rightly(lambda **wild: call(**{**given, **wild}), argument, what, value)


@pytest.mark.parametrize("setting", fk.EmotionClassifier().get_params())
@pytest.mark.filterwarnings("ignore")
def test_wild_settings_are_refused_by_the_kit(setting):
    data = fk.make_fer2013(n_samples=70, random_state=0).train
    for what, value in WILD.items():
        refused_rightly(
            lambda **wild: fk.EmotionClassifier(
                **{"model": tiny_network, "verbose": 0, "random_state": 0, **wild}
            ).fit(data.images, data.labels),
            setting, what, value,
        )  # fmt: skip
