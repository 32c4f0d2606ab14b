"""Videos and cameras: the emotions of faces over time, frame by frame in constant memory.

Reading and writing is PyAV's (FFmpeg), finding and naming that of ``faces``; no TensorFlow.
"""

from fer2013kit.video._analysis import analyze_video
from fer2013kit.video._face_tracker import FaceTracker
from fer2013kit.video._summary import VideoSummary, summarize_video

__all__ = ["FaceTracker", "VideoSummary", "analyze_video", "summarize_video"]
