"""
Is one model really better than the other?
==========================================

Two models classify the same images; the difference gets an interval and a test.
"""

# %%
# Two bundled models, one half the size of the other, on drawn faces: neither has seen any.
import matplotlib.pyplot as plt

import fer2013kit as fk

X, y = fk.make_fer2013(n_samples=350, random_state=0).train
names = ("five_layer_cnn_small", "five_layer_cnn")
answers = [
    fk.EmotionPredictor.from_pretrained(name).predict_proba(X) for name in names
]

# %%
# A paired comparison says more than two accuracies: images that both get wrong do not show which is
# better.
result = fk.compare_predictions(y, *answers, names=names)
print(result)

# %%
# If the interval contains zero, the data cannot tell them apart.
figures = result.to_frame()
fig, ax = plt.subplots(figsize=(7, 2.8), layout="constrained")
ends = (
    figures["difference"] - figures["low"],
    figures["high"] - figures["difference"],
)
ax.errorbar(figures["difference"], figures.index, xerr=ends, fmt="o", capsize=4)
ax.axvline(0, color="gray", linestyle="--")
ax.set(xlabel=f"{names[1]} less {names[0]}, with 95 % intervals")
ax.set_title("Across zero: the two cannot be told apart")
plt.show()
