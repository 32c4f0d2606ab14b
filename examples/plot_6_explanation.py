"""
Ask a network what it looked at
===============================

A heat map colours the places of a face that spoke for its emotion.
"""

# %%
# A network is trained on drawn faces for a moment; with a real one it is
# ``fk.EmotionClassifier.from_pretrained()`` instead.
import matplotlib.pyplot as plt

import fer2013kit as fk

data = fk.make_fer2013(n_samples=1400, random_state=0)
clf = fk.EmotionClassifier(epochs=6, batch_size=32, verbose=0, random_state=0)
clf.fit(*data.train)

# %%
# One face of each emotion that the network names rightly, and what spoke for it.
X, y = data.test
right = clf.predict(X) == y
rows = [(right & (y == code)).nonzero()[0][0] for code in set(y[right])]
faces, emotions = X[rows], y[rows]
heat = fk.explain(clf, faces)
fk.plot_explanation(
    faces, heat, emotion=emotions, probabilities=clf.predict_proba(faces)
)
plt.show()

# %%
# Two methods: HiResCAM, the default, keeps to the place; Grad-CAM averages over the map, which does
# not suit networks whose dense layer reads it cell by cell, as this one's does.
fk.plot_explanation(
    faces, fk.explain(clf, faces, method="grad_cam"), emotion=emotions
)
plt.show()

# %%
# The same face may be asked about another emotion: what speaks for surprise in it?
fk.plot_explanation(
    faces, fk.explain(clf, faces, emotion="surprise"), emotion="surprise"
)
plt.show()
