"""
What do the faces on a photograph say?
======================================

From a photograph to the emotions of the faces on it: the face detector and the classifier ship
with the kit, and so do two photographs that belong to everyone.
"""

# %%
# Commodore Grace Hopper (United States Navy) and the astronaut Eileen Collins (NASA), side by side
# as if on one image.
import matplotlib.pyplot as plt
import numpy as np
from PIL import Image

import fer2013kit as fk
from fer2013kit.emotions import CLASS_COLORS

collins, hopper = (Image.open(path) for path in fk.sample_photos())
photo = Image.new("RGB", (1100, 640), "white")
photo.paste(hopper, (20, 20))
photo.paste(collins, (570, 64))

# %%
# One call finds the faces and names their emotions.
faces = fk.analyze_photo(photo)
for face in faces:
    print(face.emotion, f"{face.score:.2f}", face.box)

# %%
# Another one draws the answer.
fig, ax = plt.subplots(figsize=(8, 4.7), layout="constrained")
ax.imshow(fk.annotate(photo, faces))
ax.axis("off")
ax.set_title("Each face, its box and its probabilities")
plt.show()

# %%
# How the answer changes when less and less of the light is left.
dark = np.asarray(collins, float)
shares = np.geomspace(1, 0.02, 12)
answers = fk.analyze_photos(np.uint8(dark * share) for share in shares)
found = [
    faces[0].probabilities if faces else np.full(7, np.nan) for faces in answers
]
fig, ax = plt.subplots(figsize=(7, 3.5), layout="constrained")
styles = ("-", "--", ":", "-.", "-", "--", ":")
lines = zip(
    fk.CLASS_NAMES, CLASS_COLORS, styles, np.transpose(found), strict=False
)
for name, color, style, row in lines:
    ax.plot(shares, row, style, marker=".", color=color, label=name)
ax.set(xscale="log", xlabel="share of the light", ylabel="probability")
ax.invert_xaxis()
ax.set_title("The answer as the light fades")
fig.legend(loc="outside right center", fontsize="small")
plt.show()
