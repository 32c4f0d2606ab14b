"""Videos and cameras: the emotions of faces over time, frame by frame in constant memory.

Reading and writing is PyAV's (FFmpeg), finding and naming that of ``faces``; no TensorFlow.
"""

from fer2013kit.video._analysis import analyze_video

__all__ = ["analyze_video"]
