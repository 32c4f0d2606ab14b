"""Every public call, each argument in turn something wild: the kit refuses it, or takes it.

Beside the kit's errors there may be Python's ``TypeError`` for what is of a wrong type, and the
operating system's for a file.  No message is long.
"""

import datetime as dt
import inspect
import math
from pathlib import Path
from unittest.mock import Mock, patch

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
    "EmotionPredictor": "made by load",
    "EmotionClassifier.score": "scikit-learn's own",
    "EmotionClassifier.set_params": "looks at names alone",
    "FER2013.concat": "takes any number of data sets",
    "Split.concat": "takes any number of splits",
    "FERPlus.concat": "takes any number of votes",
    "FaceAugmentation.call": "of tensors, as Keras has it",
    "FaceAugmentation.compute_output_shape": "of tensors, as Keras has it",
    "FaceAugmentation.transform": "of tensors, as Keras has it",
    "fetch_fer2013": "would download",
}
RESULTS = (  # of what the kit measured or read; nobody fills them in
    *("AuditReport", "BenchmarkReport", "EvaluationReport", "ExportReport", "FaceBox"),
    *("FaceEmotion", "HeadPose", "PhotoFaces", "PredictionComparison", "ReportSummary"),
    *("ScoreReport", "ScoreReport.of", "TuningResult", "VideoSummary"),
)
LONGEST = 1500


def public_calls():
    """Return the names of everything public that takes arguments."""
    found = set()
    for name in fk.__all__:
        one = getattr(fk, name)
        if not callable(one) or (isinstance(one, type) and issubclass(one, Exception)):
            continue
        methods = vars(one) if isinstance(one, type) else {}
        methods = {f"{name}.{key}": getattr(one, key) for key in methods if key[0] != "_"}
        for full, call in {name: one, **methods}.items():
            if not callable(call) or full.endswith("_request"):  # scikit-learn's own
                continue
            if any(key != "self" for key in inspect.signature(call).parameters):
                found.add(full)
    return found


@pytest.fixture(scope="module")
def calls(tmp_path_factory):
    """Return calls with arguments that they take, in a folder with the files they name."""
    folder = tmp_path_factory.mktemp("wild")
    D = fk.make_fer2013(n_samples=70, random_state=0)
    X, y = D.train.images[:14], D.train.labels[:14]
    clf, other = (
        fk.EmotionClassifier(tiny_network, epochs=1, verbose=0, random_state=seed).fit(X, y)
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
    truth = {"y_true": y, "probabilities": P}
    audit = fk.audit_dataset(D)
    scorer = fk.PhotoScorer()
    return folder, {
        "AuditReport.drop_duplicates": (audit.drop_duplicates, {}),
        "AuditReport.drop_leaks": (audit.drop_leaks, {}),
        "BenchmarkReport.plot": (fk.benchmark({"s": small}, D, latency=False).plot, {}),
        "EmotionClassifier.export": (clf.export, {"path": "b.keras", "tolerance": 1}),
        "EmotionClassifier.fit": (clf.fit, {"X": X, "y": y}),
        "EmotionClassifier.from_pretrained": (fk.EmotionClassifier.from_pretrained, {}),
        "EmotionClassifier.load": (fk.EmotionClassifier.load, {"path": "a.fer"}),
        "EmotionClassifier.predict": (clf.predict, one),
        "EmotionClassifier.predict_proba": (clf.predict_proba, one),
        "EmotionClassifier.evaluate": (clf.evaluate, {"X": X, "y": y}),
        "EmotionClassifier.calibrate": (clf.calibrate, {"X": X, "y": y}),
        "EmotionClassifier.save": (clf.save, {"path": "b.fer"}),
        "EmotionClassifier.transform": (clf.transform, one),
        "EmotionPredictor.from_pretrained": (fk.EmotionPredictor.from_pretrained, {}),
        "EmotionPredictor.load": (fk.EmotionPredictor.load, {"path": "a.tflite"}),
        "EmotionPredictor.predict": (small.predict, one),
        "EmotionPredictor.predict_proba": (small.predict_proba, one),
        "EmotionPredictor.evaluate": (small.evaluate, {"X": X, "y": y}),
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
        "PhotoScorer": (fk.PhotoScorer, {}),
        "PhotoScorer.rows": (scorer.rows, {"items": []}),
        "Split": (fk.Split, {"images": X, "labels": y}),
        "Split.groups": (D.train.groups, {}),
        "Split.subset": (D.train.subset, {"index": [0]}),
        "analyze_photo": (fk.analyze_photo, {"photo": photo}),
        "analyze_photos": (lambda **given: list(fk.analyze_photos(**given)), {"photos": [photo]}),
        "analyze_video": (fk.analyze_video, {"video": "no.mp4"}),
        "annotate": (fk.annotate, {"photo": photo, "faces": []}),
        "apply_clahe": (fk.apply_clahe, {"images": X[:2]}),
        "audit_dataset": (fk.audit_dataset, {"data": D}),
        "average_weights": (fk.average_weights, {"classifiers": [clf, other], "X": X}),
        "benchmark": (fk.benchmark, {"predictors": {"s": small}, "data": D, "latency": False}),
        "class_counts": (fk.class_counts, {"y": y}),
        "class_weights": (fk.class_weights, {"y": y}),
        "compare_predictions": (
            fk.compare_predictions,
            {"y_true": y, "proba_a": P, "proba_b": P[::-1], "n_resamples": 9},
        ),
        "create_app": (fk.create_app, {}),
        "create_model": (fk.create_model, {"model": tiny_network}),
        "equalize_histogram": (fk.equalize_histogram, {"images": X[:2]}),
        "evaluate_predictions": (fk.evaluate_predictions, truth),
        "explain": (fk.explain, {"classifier": clf, **one}),
        "find_photos": (fk.find_photos, {"paths": "img"}),
        "from_one_hot": (fk.from_one_hot, {"one_hot": np.eye(7)}),
        "grayscale_to_rgb": (fk.grayscale_to_rgb, {"images": X[:2]}),
        "load_fer2013": (fk.load_fer2013, {"path": "d.npz"}),
        "load_ferplus": (fk.load_ferplus, {"path": "d.csv"}),
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
            {"frame": {"time": [0.0, 0.2], "track": [0, 0], "sad": [1, 0.5], "happy": [0, 0.5]}},
        ),
        "plot_tracks": (fk.plot_tracks, {"frame": pd.DataFrame()}),
        "register_model": (
            fk.register_model, {"name": "wild", "builder": tiny_network, "overwrite": True}
        ),
        "rescale": (fk.rescale, {"images": X[:2]}),
        "resize": (fk.resize, {"images": X[:2]}),
        "risk_coverage_curve": (fk.risk_coverage_curve, truth),
        "sample_weights": (fk.sample_weights, {"y": y}),
        "score": (fk.score, {"src": "no folder", "dst": "out"}),
        "standardize": (fk.standardize, {"images": X[:2]}),
        "summarize_reports": (fk.summarize_reports, {"reports": [report] * 2}),
        "summarize_video": (fk.summarize_video, {"table": pd.DataFrame()}),
        "to_face": (fk.to_face, {"image": photo}),
        "to_grayscale": (fk.to_grayscale, {"images": photo[None]}),
        "to_one_hot": (fk.to_one_hot, {"labels": y}),
        "training_batches": (fk.training_batches, {"X": X, "y": y, "form": "numpy"}),
        "tune": (fk.tune, {"classifier": clf, "data": D, "n_trials": 1}),
        "unregister_model": (fk.unregister_model, {"name": "wild"}),
    }  # fmt: skip


def is_refused_rightly(error):
    """Tell whether an error is the kit's, of some lines, or one of those that Python has."""
    if isinstance(error, fk.Fer2013KitError):
        return len(str(error)) < LONGEST
    return isinstance(error, TypeError | OSError)


@pytest.fixture(autouse=True)
def nothing_takes_long(monkeypatch, calls):
    """Come as far as training or a picture, and no further."""
    monkeypatch.chdir(calls[0])
    diverged = fk.TrainingDivergedError("not trained")
    monkeypatch.setattr("fer2013kit.classifier._fitting.train", Mock(side_effect=diverged))
    monkeypatch.setattr("matplotlib.figure.Figure.savefig", Mock())


@pytest.mark.parametrize("name", sorted(public_calls() - set(NOT_TRIED) - set(RESULTS)))
@pytest.mark.filterwarnings("ignore")
def test_wild_arguments_are_refused_by_the_kit(name, calls):
    call, given = calls[1][name]
    names = {*given, *inspect.signature(call).parameters} - {"given", "params", "kwargs"}
    with patch.dict("fer2013kit.models._registry._builders"):
        for argument in sorted(names):
            for value in WILD.values():
                try:
                    call(**{**given, argument: value})
                except Exception as error:
                    if not is_refused_rightly(error):
                        raise
                finally:
                    plt.close("all")


@pytest.mark.parametrize("setting", fk.EmotionClassifier().get_params())
@pytest.mark.filterwarnings("ignore")
def test_wild_settings_are_refused_by_the_kit(setting):
    data = fk.make_fer2013(n_samples=70, random_state=0).train
    for value in WILD.values():
        settings = {"model": tiny_network, "verbose": 0, "random_state": 0, setting: value}
        try:
            fk.EmotionClassifier(**settings).fit(data.images, data.labels)
        except Exception as error:
            if not is_refused_rightly(error):
                raise
