"""
How do I train, evaluate and save a classifier?
===============================================

The whole workflow in half a minute: drawn faces, a small network, a report with figures.
"""

# %%
# The data: seven expressions, in the container that every loader returns.
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt

import fer2013kit as fk

data = fk.make_fer2013(n_samples=1400, random_state=0)
print(data.summary())
fk.plot_samples(*data.train, n=18, random_state=0)
plt.suptitle("Eighteen drawn faces and their labels")
plt.show()

# %%
# The classifier.  The defaults are made for FER-2013; a thousand drawings ask for a smaller
# network, small batches, and few epochs.
clf = fk.EmotionClassifier(
    model_params={
        "filters": (8, 16, 32),
        "dense_units": 32,
        "dense_dropout": 0,
    },
    epochs=10,
    batch_size=32,
    verbose=0,
    random_state=0,
)
clf.fit(*data.train, validation_data=data.validation)
fk.plot_history(clf)
plt.show()

# %%
# How good it is on faces that it never saw.  The interval shows how much of the accuracy may be
# luck.
X_test, y_test = fk.make_fer2013(n_samples=700, random_state=1).train
report = clf.evaluate(X_test, y_test)
print(report)

# %%
# Which expressions does it confuse?
fk.plot_confusion_matrix(report)
plt.show()

# %%
# Label smoothing makes a network underconfident.  One number, fitted on the validation split, makes
# its probabilities honest; the predictions stay the same.
clf.calibrate(*data.validation)
calibrated = clf.evaluate(X_test, y_test)
print(f"calibration error: {report.ece:.3f}, then {calibrated.ece:.3f}")

fig, axes = plt.subplots(
    1, 2, figsize=(10, 5), sharey=True, layout="constrained"
)
fk.plot_reliability(report, ax=axes[0])
fk.plot_reliability(calibrated, ax=axes[1])
axes[0].set_title("before")
axes[1].set_title("after")
for ax in axes:
    ax.get_legend().remove()
handles, labels = axes[0].get_legend_handles_labels()
fig.legend(handles, labels, loc="outside lower center", ncols=3)
fig.suptitle("Reliability, before and after calibration")
plt.show()

# %%
# One file holds it all, and opening it runs no code.
with tempfile.TemporaryDirectory() as folder:
    path = Path(folder) / "emotions.fer"
    clf.save(path, metrics=calibrated)
    again = fk.EmotionClassifier.load(path)

codes = again.predict(X_test[:5])
print([fk.CLASS_NAMES[code] for code in codes])
