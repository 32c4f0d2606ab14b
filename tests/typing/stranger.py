"""A program as a user writes it: type-checked with ``mypy --strict`` and pyright, never run."""

from pathlib import Path
from typing import Any, assert_type

import keras
import numpy as np
from numpy.typing import NDArray

import fer2013kit as fk
from fer2013kit.typing import Detector, Photo


def prepare(path: Path) -> fk.FER2013:
    data = fk.load_fer2013(path)
    assert_type(data, fk.FER2013)
    assert_type(data.train, fk.Split)
    assert_type(data.validation, fk.Split | Any)
    report = fk.audit_dataset(data)
    assert_type(report, fk.AuditReport)
    assert_type(report.summary(), str)
    return report.drop_leaks()


def weigh(data: fk.FER2013) -> NDArray[Any]:
    X, y = data.train
    fk.class_counts(y)
    fk.class_counts(data.train.labels)
    fk.class_weights(y, method="inverse_sqrt")
    images = fk.equalize_histogram(X)
    fk.plot_samples(images, y)
    return fk.sample_weights(y)


def train(data: fk.FER2013, file: str) -> fk.EvaluationReport:
    X, y = data.train
    clf = fk.EmotionClassifier(epochs=2, class_weight="balanced", random_state=0)
    fitted = clf.fit(X, y, validation_data=data.validation)
    assert_type(fitted, fk.EmotionClassifier)
    fitted.save(file)
    again = fk.EmotionClassifier.load(file)
    assert_type(again, fk.EmotionClassifier)
    again.predict(X)
    again.predict_proba(np.zeros((1, 48, 48), np.uint8))
    report = again.evaluate(X, y)
    assert_type(report.accuracy, float)
    assert_type(report.accuracy_interval, tuple[float, float])
    assert_type(report.as_dict(), dict[str, Any])
    fk.plot_confusion_matrix(report).set_title("test")
    fk.plot_history(again.history_)
    return report


def compare(y: NDArray[np.int64], probabilities: list[list[float]]) -> str:
    report = fk.evaluate_predictions(y, probabilities, class_names=fk.CLASS_NAMES)
    assert_type(report, fk.EvaluationReport)
    return str(report)


@fk.register_model("my_net")
def my_net(input_shape: tuple[int, int, int], num_classes: int) -> Any:
    return fk.create_model("five_layer_cnn", input_shape=input_shape, num_classes=num_classes)


def careful(path: str) -> int | None:
    try:
        fk.load_fer2013(path)
    except fk.DatasetFormatError as error:
        assert_type(error.path, Path)
        return error.line_number
    except fk.Fer2013KitError:
        raise
    return fk.Emotion.HAPPY.value


assert_type(fk.CLASS_NAMES, tuple[str, ...])
fk.load_fer2013(path=3)  # type: ignore[arg-type]  # a wrong type must be seen

# So must a misspelt word.
fk.EmotionClassifier(loss="focall")  # type: ignore[arg-type]
fk.EmotionClassifier(learning_rate_schedule="cosin")  # type: ignore[arg-type]
fk.EmotionClassifier(class_weight="ballanced")  # type: ignore[arg-type]
fk.EmotionClassifier(compute_dtype="float16")  # type: ignore[arg-type]
fk.EmotionClassifier(freeze=2.5)  # type: ignore[arg-type]
fk.EmotionClassifier(verbose=3)  # type: ignore[arg-type]


def misspell(clf: fk.EmotionClassifier, X: NDArray[np.uint8], data: fk.FER2013) -> None:
    clf.predict_proba(X, tta="flipped")  # type: ignore[arg-type]
    clf.export("network.tflite", quantization="int4")  # type: ignore[arg-type]
    clf.save("network.fer", weights_dtype="float64")  # type: ignore[arg-type]
    fk.explain(clf, X, method="gradcam")  # type: ignore[arg-type]
    fk.class_weights([0, 1], method="ballanced")  # type: ignore[arg-type]
    fk.sample_weights([0, 1], "ballanced")  # type: ignore[arg-type]
    fk.to_face(X[0], aspect="squeeze")  # type: ignore[arg-type]
    fk.audit_dataset(data).drop_leaks(side="test")  # type: ignore[arg-type]
    fk.audit_dataset(data).drop_duplicates(conflicts="keep")  # type: ignore[arg-type]


def middle(image: NDArray[np.uint8]) -> list[list[float]]:
    return [[0.0, 0.0, float(image.shape[1]), float(image.shape[0])]]


class Even:
    def predict_proba(self, X: NDArray[np.uint8]) -> NDArray[np.float64]:
        return np.full((len(X), 7), 1 / 7)


def find(photo: Photo, detector: Detector = middle) -> list[fk.FaceEmotion]:
    return fk.analyze_photo(photo, detector=detector, classifier=Even())


def weighted(weights: dict[int, float]) -> fk.EmotionClassifier:
    fk.EmotionClassifier(class_weight=[1.0] * 7, verbose=False, freeze="a_layers_name")
    fk.EmotionClassifier(loss=keras.losses.CategoricalCrossentropy())
    fk.EmotionClassifier(class_weight=np.ones(7), loss="focal", freeze="convolutions")
    return fk.EmotionClassifier(class_weight=weights, compute_dtype="bfloat16")


def rename(folder: Path, words: dict[str, str], numbers: dict[int, str | None]) -> fk.FER2013:
    fk.load_fer2013(folder, label_map=words)
    return fk.load_fer2013(folder, label_map=numbers, resize=True)
