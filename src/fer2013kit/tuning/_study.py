"""The study of a search: its file, and what tells its search from others."""

from __future__ import annotations

from contextlib import nullcontext
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from fer2013kit._files import alone_in
from fer2013kit.classifier._class_labels import decide_classes
from fer2013kit.classifier._json import as_json, differences, digest_of_facts
from fer2013kit.classifier._network import build_network
from fer2013kit.classifier._runs import described, described_network, digest_of
from fer2013kit.classifier._warm_start import begins_trained
from fer2013kit.exceptions import InvalidInputError, shortened, shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from fer2013kit.classifier import EmotionClassifier
    from fer2013kit.datasets import FER2013

_FACTS: Final = "facts"
"""Where a study keeps what it searches, in words."""

_NO_CHOICE: Final = {"verbose"}
"""Settings that no trial depends on."""


def open_study(
    storage: str | Path | None,
    classifier: EmotionClassifier,
    data: FER2013,
    *,
    ranges: Mapping[str, Any],
    scoring: Any,
) -> Any:
    """Return the study of this search that is stored there, or a new one.

    Raises
    ------
    InvalidInputError
        For a storage that cannot be used, or holds another search.
    """
    if not isinstance(storage, str | PathLike | None) or storage == "":
        raise InvalidInputError(f"storage must be None, a path or a URL; received {shown(storage)}")
    file = None if storage is None or "://" in str(storage) else Path(storage)
    # The second of two searches that begin at once on one file sees what the first noted; a
    # database sees to it itself, and what is no place is told where it is opened.
    alone = alone_in(file.parent) if file is not None and file.parent.is_dir() else nullcontext()
    with alone:
        study = _create_study(storage, file)
        _check_same_search(study, classifier, data, ranges, as_json(scoring))
    return study


def _create_study(storage: Any, file: Path | None) -> Any:
    import optuna

    try:
        return optuna.create_study(
            study_name="fer2013kit",
            storage=storage if file is None else _storage_in(file),
            load_if_exists=True,
            direction="maximize",
            pruner=optuna.pruners.MedianPruner(n_startup_trials=3, n_warmup_steps=1),
        )
    except ImportError:
        raise  # of what the database of a URL needs
    except Exception as error:  # a URL, which may hold a password, is not shown
        where = "" if file is None else f" {file}"
        why = shortened(str(error).partition("\n")[0])  # SQLAlchemy goes on with SQL
        raise InvalidInputError(f"storage{where} cannot be used: {why}") from error


def _storage_in(file: Path) -> Any:
    """Return the storage in a file, which is open only while something is read or written."""
    from optuna.storages import RDBStorage
    from sqlalchemy.pool import NullPool

    return RDBStorage(f"sqlite:///{file}", engine_kwargs={"poolclass": NullPool})


def classes_of(classifier: EmotionClassifier, data: FER2013) -> NDArray[Any]:
    """Return the classes that each trial will have."""
    return decide_classes(
        data.train.require_labels(),
        asked=classifier.classes,
        class_names=classifier.class_names,
        before=classifier.classes_ if begins_trained(classifier) else None,
    )


def _check_same_search(
    study: Any,
    classifier: EmotionClassifier,
    data: FER2013,
    ranges: Mapping[str, Any],
    scoring: Any,
) -> None:
    """Note on a new study what it searches; refuse trials of another search."""
    settings = {
        name: as_json(value)
        for name, value in classifier.get_params(deep=False).items()
        if name not in {*_NO_CHOICE, *ranges}
    }
    if not isinstance(classifier.random_state, int | np.integer):
        del settings["random_state"]  # which no two processes could have alike
    own = {  # by what a difference is called
        "another scoring": scoring,
        "another space": digest_of_facts(as_json(ranges)),
        "other settings of the classifier": digest_of_facts(settings),
        "other data": digest_of([*data.train, *data.validation]),
        "another network": _network_of(classifier, data),
    }
    facts = {
        "scoring": scoring,
        **{f"the space of {name}": as_json(values) for name, values in ranges.items()},
        **settings,
        "the network": own["another network"],
        "the training images": described(data.train.images),
        "the training labels": described(data.train.labels),
        "the validation images": described(data.validation.images),
        "the validation labels": described(data.validation.labels),
    }
    # The first files were all by accuracy, and do not tell the network.
    before = {"another scoring": "accuracy", "another network": own["another network"]}
    known = {**before, **study.user_attrs}
    if not study.trials and _FACTS not in study.user_attrs:
        for name, value in {**own, _FACTS: facts}.items():
            study.set_user_attr(name, value)
    elif differing := [name for name, value in own.items() if known.get(name) != value]:
        told = f": {differences(known[_FACTS], facts)}" if _FACTS in known else ""
        raise InvalidInputError(
            f"storage holds another search, with {' and '.join(differing)}; give each search a "
            f"storage of its own{told}"
        )


def _network_of(classifier: EmotionClassifier, data: FER2013) -> str | None:
    """Return what tells the classifier's network from others; None where the space completes it."""
    try:
        network, _ = build_network(
            classifier.model,
            classifier.model_params or {},
            input_shape=classifier.image_shape or data.train.images.shape[1:],
            num_classes=len(classes_of(classifier, data)),
            compute_dtype="float32",
            output=classifier.output,
        )
    except Exception:  # noqa: BLE001 - of the user's own code; a trial will tell
        return None
    told = described_network(network)
    if begins_trained(classifier):
        told += f", begun with weights of SHA-256 {digest_of(classifier.model_.get_weights())[:16]}"
    return told
