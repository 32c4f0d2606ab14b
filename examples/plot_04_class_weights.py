"""
Do class weights help the rare emotions?
========================================

FER-2013 has sixteen happy faces for each disgusted one, so a network can be right often without
ever predicting *disgust*.  Class weights counter this, at a cost in overall accuracy that differs
from seed to seed: this is one seed; use several for a result of your own.
"""

# %%
# Drawn faces as uneven as the real training set.  A test set as uneven, of a few hundred faces,
# would hold a handful of disgusted ones, too few to measure; so there are two.
from typing import get_args

import matplotlib.pyplot as plt
import numpy as np

import fer2013kit as fk
from fer2013kit.typing import ClassWeightMethod


def faces(
    n_samples: int, random_state: int, weights: str | None = None
) -> fk.Split:
    return fk.make_fer2013(
        n_samples, random_state=random_state, weights=weights
    ).train


X, y = faces(2100, random_state=0, weights="fer2013")
uneven = faces(700, random_state=1, weights="fer2013")
even = faces(700, random_state=2)
fk.plot_class_balance({"train": y, "uneven test": uneven.labels})
plt.show()

# %%
# The weights of each method; their mean over the samples is 1.
for method in get_args(ClassWeightMethod):
    weights = fk.class_weights(y, method=method)
    print(f"{method:16}", *(f"{weight:5.2f}" for weight in weights.values()))

# %%
# The same training with and without.
methods: list[ClassWeightMethod | None] = [None, "balanced"]
accuracy, recall = [], []
for method in methods:
    clf = fk.EmotionClassifier(
        model_params={
            "filters": (8, 16, 32),
            "dense_units": 32,
            "dense_dropout": 0,
        },
        class_weight=method,
        epochs=8,
        learning_rate=0.05,
        augment=False,
        batch_size=32,
        verbose=0,
        random_state=0,
    )
    clf.fit(X, y)
    accuracy.append(clf.evaluate(*uneven).accuracy)
    recall.append(clf.evaluate(*even).per_class["disgust"]["recall"])
    print(f"{method!s:16} {accuracy[-1]:.3f} {recall[-1]:.3f}")

# %%
places = np.arange(len(methods))
fig, ax = plt.subplots()
ax.bar(places - 0.2, accuracy, 0.4, label="accuracy, uneven test")
ax.bar(places + 0.2, recall, 0.4, label="recall of disgust")
ax.set_xticks(places, map(str, methods))
ax.set_xlabel("class_weight")
ax.set_title("Weights find disgust")
ax.set_ylim(0, 1.2)
ax.legend(loc="upper center", ncols=2)
plt.show()
