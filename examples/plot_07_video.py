"""
Which expressions does each face show in a video?
=================================================

Faces are tracked from frame to frame; each gets a timeline of its emotions.
"""

# %%
# An example video: the two bundled photographs, moved in front of a wall.  The smile leaves after
# two seconds.  Any file that FFmpeg reads works as well.
import tempfile
from pathlib import Path

import av
import matplotlib.pyplot as plt
import numpy as np
from PIL import Image

import fer2013kit as fk

smile, calm = (
    Image.open(path).crop((100, 0, 360, 260)) for path in fk.sample_photos()
)
folder = tempfile.TemporaryDirectory()
path = Path(folder.name, "wall.mp4")
with av.open(str(path), "w") as container:
    stream = container.add_stream("libx264", rate=5)
    stream.width, stream.height, stream.pix_fmt = 640, 320, "yuv420p"
    for step in range(20):
        picture = Image.new("RGB", (640, 320), "gray")
        picture.paste(calm, (20 + 2 * step, 30))
        if step < 10:
            picture.paste(smile, (330 + 2 * step, 30))
        frame = av.VideoFrame.from_ndarray(np.asarray(picture))
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))

# %%
# A row for each face and frame, with the number of its track.
table = fk.analyze_video(path)
folder.cleanup()
print(table[["time", "track", "emotion", "happy", "neutral"]].tail(3).round(2))

# %%
# One person's emotions, and everybody's in one figure.
fk.plot_timeline(table)
plt.show()

# %%
fk.plot_tracks(table)
plt.suptitle("Who showed what, and when")
plt.show()

# %%
# The same in numbers: seconds visible, and the share of each emotion.
print(fk.summarize_video(table).people[["track", "seconds", "happy"]].round(2))
