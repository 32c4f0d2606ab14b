"""The classifier as a transformer: what its last layer decides by."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

import fer2013kit as fk
from networks import tiny_network
from test_brought_networks import excited, logits, resized, subclassed


@pytest.fixture(scope="module")
def data():
    return fk.make_fer2013(n_samples=70, random_state=0)


@pytest.mark.parametrize("builder", [tiny_network, resized, logits, subclassed])
def test_the_last_layer_makes_the_answer_of_them(builder, data):
    clf = fk.EmotionClassifier(builder, epochs=1, augment=False, verbose=0, compute_dtype="float32")
    features = clf.fit(*data.train).transform(data.test.images)
    kernel, bias = clf.model_.get_weights()[-2:]
    scores = np.exp(features @ kernel + bias)
    expected = scores / scores.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(clf.predict_proba(data.test.images), expected, atol=1e-4)


def test_features_have_names_and_frames_and_feed_other_estimators(data):
    clf = fk.EmotionClassifier(excited, epochs=1, augment=False, verbose=0, random_state=0)
    pipeline = make_pipeline(clf, LogisticRegression()).fit(*data.train)
    assert pipeline.predict(data.test.images).shape == (len(data.test),)
    frame = clf.set_output(transform="pandas").transform(data.test.images)
    assert frame.columns.tolist() == clf.get_feature_names_out().tolist()
    assert frame.columns[0] == "emotionclassifier0"
    assert (frame.dtypes == np.float32).all()
