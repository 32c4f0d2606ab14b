"""
What did the network look at?
=============================

A heat map colours the parts of a face that supported the prediction.
"""

# %%
# A bundled model, and the faces in the two bundled photographs.
import matplotlib.pyplot as plt
import numpy as np

import fer2013kit as fk

clf = fk.EmotionClassifier.from_pretrained()
photos = fk.analyze_photos(fk.sample_photos())
faces = np.array([face.crop for found in photos for face in found])
probabilities = clf.predict_proba(faces)

heat = fk.explain(clf, faces)
fk.plot_explanation(faces, heat, probabilities=probabilities)
plt.suptitle("What supported the answer")
plt.show()

# %%
# Explain any emotion for the same face: what supports surprise in a smile?
smile = np.repeat(faces[:1], 7, axis=0)
fk.plot_explanation(
    smile,
    fk.explain(clf, smile, emotion=fk.CLASS_NAMES),
    emotion=fk.CLASS_NAMES,
)
plt.suptitle("One face, asked about each emotion (HiResCAM)")
plt.show()

# %%
# Two methods: HiResCAM, the default, keeps the gradient of each cell; Grad-CAM averages over the
# map, which does not suit networks whose dense layer reads it cell by cell, like this one.
averaged = fk.explain(clf, smile, emotion=fk.CLASS_NAMES, method="grad_cam")
fk.plot_explanation(smile, averaged, emotion=fk.CLASS_NAMES)
plt.suptitle("The same with Grad-CAM")
plt.show()
