"""
When should the network say nothing?
====================================

Answers below a probability can be left to people: how many are left, and how right are the rest?
"""

# %%
# A bundled model on drawn faces, which it has never seen and is often unsure about.
import matplotlib.pyplot as plt

import fer2013kit as fk

X, y = fk.make_fer2013(n_samples=350, random_state=0).train
probabilities = fk.EmotionPredictor.from_pretrained().predict_proba(X)

# %%
# The curve: the error rate among the most confident share of the images.
fk.plot_risk_coverage(y, probabilities)
plt.show()

# %%
# The share of images that each threshold keeps, and the accuracy on these.
surest = probabilities.max(axis=1)
right = probabilities.argmax(axis=1) == y
for threshold in (0.0, 0.4, 0.6, 0.8):
    kept = surest >= threshold
    if kept.any():
        print(
            f"from {threshold:.1f}: {kept.mean():4.0%} answered, "
            f"{right[kept].mean():4.0%} of them right"
        )
