// The camera: pictures of it, one after the other, as fast as they are asked for.

const LONGEST = 960; // pixels; enough for faces at arm's length, and quick to send
const QUALITY = 0.85;

const REASONS = {
  NotAllowedError: "The camera was not allowed. Allow it for this page in the browser, then try again.",
  NotFoundError: "There is no camera.",
  NotReadableError: "The camera is in use by another program.",
};

export class Camera {
  constructor(video) {
    this.video = video;
    this.stream = null;
  }

  get isOn() {
    return this.stream !== null;
  }

  // A camera that looks at its user shows them as a mirror does.
  get isMirrored() {
    const facing = this.stream?.getVideoTracks()[0].getSettings().facingMode;
    return facing !== "environment";
  }

  async start() {
    if (!navigator.mediaDevices) {
      throw new Error(
        "Browsers give the camera only to pages of this computer itself (http://localhost) or over https.",
      );
    }
    const wanted = { width: { ideal: 1280 }, facingMode: "user" };
    try {
      this.stream = await navigator.mediaDevices.getUserMedia({ video: wanted, audio: false });
    } catch (error) {
      throw new Error(REASONS[error.name] ?? `The camera cannot be used: ${error.message}`);
    }
    this.video.srcObject = this.stream;
    await this.video.play();
  }

  stop() {
    this.stream?.getTracks().forEach((track) => track.stop());
    this.stream = null;
    this.video.srcObject = null;
  }

  async *frames() {
    const stream = this.stream;
    const ended = () => this.stream !== stream;
    while (!ended()) {
      await new Promise((resolve) => requestAnimationFrame(resolve)); // none in a hidden tab
      if (!this.video.videoWidth || ended()) continue;
      const canvas = this.draw();
      const photo = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", QUALITY));
      if (!ended()) yield { photo, canvas };
    }
  }

  draw() {
    const { videoWidth: width, videoHeight: height } = this.video;
    const scale = Math.min(1, LONGEST / Math.max(width, height));
    const canvas = document.createElement("canvas");
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
    const context = canvas.getContext("2d");
    if (this.isMirrored) context.setTransform(-1, 0, 0, 1, canvas.width, 0);
    context.drawImage(this.video, 0, 0, canvas.width, canvas.height);
    return canvas;
  }
}
