"""
How do I fine-tune a trained network on my images?
==================================================

A network that knows real faces learns a new kind of them from some two hundred images.
"""

# %%
# Here these are drawn faces, which the bundled model has never seen.
import matplotlib.pyplot as plt

import fer2013kit as fk

data = fk.make_fer2013(n_samples=210, random_state=0)
clf = fk.EmotionClassifier.from_pretrained("five_layer_cnn_small")
new = fk.make_fer2013(n_samples=140, random_state=1).train
before = clf.evaluate(*new)
print(f"as it ships: accuracy {before.accuracy:.2f}")

# %%
# ``warm_start`` starts from its weights.  A low learning rate and few epochs preserve them.
clf.set_params(
    warm_start=True,
    epochs=3,
    learning_rate=0.01,
    batch_size=32,
    verbose=0,
    random_state=0,
)
clf.fit(*data.train)
after = clf.evaluate(*new)
print(f"fine-tuned: accuracy {after.accuracy:.2f}")

# %%
# The gain, class by class.
fig, axes = plt.subplots(1, 2, figsize=(11, 5), layout="constrained")
for ax, report, title in zip(
    axes, (before, after), ("as it ships", "fine-tuned"), strict=True
):
    fk.plot_confusion_matrix(report, ax=ax)
    ax.set_title(f"{title}: accuracy {report.accuracy:.2f}")
plt.show()
