"""scikit-learn's own estimator checks, on a network that any table of numbers fits."""

import pytest
from sklearn.utils.estimator_checks import estimator_checks_generator

from fer2013kit import EmotionClassifier
from networks import tiny_network

EXPECTED_FAILURES = {
    "check_classifiers_classes": (
        "it trains on the labels -1 and 1; integers are FER-2013 codes here, and other integers "
        "must be listed in `classes`"
    ),
    "check_sample_weight_equivalence_on_dense_data": (
        "mini-batches of stochastic gradient descent are drawn from rows, so a row of weight 2 "
        "is not the same as the row twice"
    ),
}

ROUNDING = {
    "check_methods_sample_order_invariance": (
        "it allows 1e-9; float32 rounds at 6e-8, and a processor may add up the rows of a batch in "
        "another order"
    ),
}
"""What may fail, by the machine."""

CLASSIFIER = EmotionClassifier(
    model=tiny_network,
    image_shape=None,  # the checks bring tables of any width,
    value_range=None,  # of any range
    epochs=6,
    batch_size=32,
    learning_rate=0.1,
    # The checks fit some two hundred times and are about none of these, which take long to trace.
    augment=False,
    ema_momentum=0.0,
    weight_decay=0.0,
    compute_dtype="float32",
    verbose=0,
    random_state=0,
)


def all_checks():
    """Name the cases by the check alone: the builder's address would differ between processes."""
    checks = estimator_checks_generator(CLASSIFIER, legacy=True)
    for number, (_, check) in enumerate(checks):
        name = check.func.__name__
        marks = ()
        if name == "check_class_weight_classifiers":  # a weight of 1000 makes any step too long
            marks = pytest.mark.filterwarnings("ignore:training diverged")
        if name in EXPECTED_FAILURES:
            marks = pytest.mark.xfail(reason=EXPECTED_FAILURES[name], strict=True)
        elif name in ROUNDING:
            marks = pytest.mark.xfail(reason=ROUNDING[name], strict=False)
        yield pytest.param(check, id=f"{number}-{name}", marks=marks)


@pytest.mark.slow
@pytest.mark.parametrize("check", list(all_checks()))
def test_scikit_learn_check(check):
    check(CLASSIFIER)
