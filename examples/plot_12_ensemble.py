"""
Are two networks better than one?
=================================

An ensemble averages the predictions of its members; use and save it like one classifier.
"""

# %%
# Two bundled models, and drawn faces that neither has seen.
import matplotlib.pyplot as plt

import fer2013kit as fk

X, y = fk.make_fer2013(n_samples=280, random_state=0).train
names = ("five_layer_cnn", "five_layer_cnn_balanced")
members = [fk.EmotionClassifier.from_pretrained(name) for name in names]
both = fk.EnsembleClassifier(members)

# %%
# Averaging usually lowers the loss, but not always: here it lies between the two.  So few images
# cannot show which is more accurate.
models = zip((*names, "both"), (*members, both), strict=True)
reports = {name: model.evaluate(X, y) for name, model in models}
for name, report in reports.items():
    print(f"{name:24} accuracy {report.accuracy:.3f}, loss {report.loss:.3f}")

fig, ax = plt.subplots(figsize=(6, 2.6), layout="constrained")
values = [report.accuracy for report in reports.values()]
ends = [report.accuracy_interval for report in reports.values()]
low = [value - end[0] for value, end in zip(values, ends, strict=True)]
high = [end[1] - value for value, end in zip(values, ends, strict=True)]
ax.errorbar(values, list(reports), xerr=(low, high), fmt="o", capsize=4)
ax.set(xlabel="accuracy, with its 95 % interval")
ax.set_title("Two networks, and both as one")
ax.margins(y=0.2)
plt.show()
