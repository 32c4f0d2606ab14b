"""
Compare class weights
=====================

FER-2013 has sixteen happy faces for each disgusted one, so a network can be right often without
ever saying *disgust*.  Weights in the loss trade accuracy for the recall of rare classes.
"""

# %%
# Drawn faces, as uneven as the real training set.  A
# test set with three disgusted faces could not judge how they fare, so the one here is even.
import matplotlib.pyplot as plt
import numpy as np

import fer2013kit as fk

X, y = fk.make_fer2013(n_samples=2100, random_state=0, weights="fer2013").train
X_test, y_test = fk.make_fer2013(n_samples=700, random_state=1).train
fk.plot_class_balance({"train": y, "test": y_test})
plt.show()

# %%
# What each method gives the classes.
methods = ["balanced", "inverse_sqrt", "effective_number"]
for method in methods:
    weights = fk.compute_class_weight(y, method=method)
    print(method, {fk.CLASS_NAMES[code]: round(float(w), 2) for code, w in weights.items()})

# %%
# The same training with each.
figures = {}
for method in [None, "inverse_sqrt", "balanced"]:
    clf = fk.EmotionClassifier(
        model_params={"filters": (8, 16, 32), "dense_units": 32, "dropout": 0, "dense_dropout": 0},
        class_weight=method,
        epochs=10,
        batch_size=32,
        verbose=0,
        random_state=0,
    )
    report = clf.fit(X, y).evaluate(X_test, y_test)
    figures[str(method)] = (report.accuracy, report.per_class["disgust"]["recall"])
    print(f"{method}: {report!r}")

# %%
places = np.arange(len(figures))
fig, ax = plt.subplots()
ax.bar(places - 0.2, [accuracy for accuracy, _ in figures.values()], 0.4, label="accuracy")
ax.bar(places + 0.2, [recall for _, recall in figures.values()], 0.4, label="recall of disgust")
ax.set_xticks(places, figures)
ax.set_xlabel("class_weight")
ax.legend()
plt.show()
