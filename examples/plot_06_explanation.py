"""
What did the network look at?
=============================

A heat map colours the places of a face that spoke for its emotion.
"""

# %%
# The network that ships, and the faces of the two photographs that do.
import matplotlib.pyplot as plt
import numpy as np

import fer2013kit as fk

clf = fk.EmotionClassifier.from_pretrained()
photos = fk.analyze_photos(fk.sample_photos())
faces = np.array([face.crop for found in photos for face in found])
probabilities = clf.predict_proba(faces)

heat = fk.explain(clf, faces)
fk.plot_explanation(faces, heat, probabilities=probabilities)
plt.show()

# %%
# The same face may be asked about each emotion: what speaks for surprise in a smile?
smile = np.repeat(faces[:1], 7, axis=0)
fk.plot_explanation(
    smile,
    fk.explain(clf, smile, emotion=fk.CLASS_NAMES),
    emotion=fk.CLASS_NAMES,
)
plt.show()

# %%
# Two methods: HiResCAM, the default, keeps to the place; Grad-CAM averages over the map, which does
# not suit networks whose dense layer reads it cell by cell, as this one's does.
averaged = fk.explain(clf, smile, emotion=fk.CLASS_NAMES, method="grad_cam")
fk.plot_explanation(smile, averaged, emotion=fk.CLASS_NAMES)
plt.show()
