// Moving pictures, one after the other: those of the camera, and those of a video file.

const LONGEST = 960; // pixels; enough for faces at arm's length, and quick to send
const QUALITY = 0.85;
const EVERY = 0.2; // seconds of a video between the frames that are looked at

const REASONS = {
  NotAllowedError: "The camera was not allowed. Allow it for this page in the browser, then try again.",
  NotFoundError: "There is no camera.",
  NotReadableError: "The camera is in use by another program.",
};

class Source {
  constructor(video) {
    this.video = video;
    this.isOn = false;
  }

  get isMirrored() {
    return false;
  }

  async draw() {
    const { videoWidth: width, videoHeight: height } = this.video;
    const scale = Math.min(1, LONGEST / Math.max(width, height));
    const canvas = document.createElement("canvas");
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
    const context = canvas.getContext("2d");
    if (this.isMirrored) context.setTransform(-1, 0, 0, 1, canvas.width, 0);
    context.drawImage(this.video, 0, 0, canvas.width, canvas.height);
    const photo = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", QUALITY));
    return { photo, canvas };
  }
}

export class Camera extends Source {
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
    this.isOn = true;
    await this.video.play();
  }

  stop() {
    this.stream?.getTracks().forEach((track) => track.stop());
    this.stream = null;
    this.video.srcObject = null;
    this.isOn = false;
  }

  async *frames() {
    const stream = this.stream;
    const ended = () => this.stream !== stream;
    while (!ended()) {
      await new Promise((resolve) => requestAnimationFrame(resolve)); // none in a hidden tab
      if (!this.video.videoWidth || ended()) continue;
      const time = performance.now() / 1000;
      const frame = await this.draw();
      if (!ended()) yield { ...frame, time };
    }
  }
}

export class Film extends Source {
  constructor(video, file) {
    super(video);
    this.file = file;
  }

  get duration() {
    return this.video.duration;
  }

  async start() {
    this.address = URL.createObjectURL(this.file);
    this.video.src = this.address;
    this.isOn = true;
    try {
      await once(this.video, "loadeddata");
    } catch {
      this.stop();
      throw new Error(
        `This browser cannot play ${this.file.name}. In a terminal, "fer2013kit video" reads more kinds.`,
      );
    }
  }

  stop() {
    this.isOn = false;
    this.video.removeAttribute("src");
    this.video.controls = false;
    this.video.load();
    URL.revokeObjectURL(this.address);
  }

  async *frames() {
    for (let time = 0; this.isOn && time < this.duration; time += EVERY) {
      const moved = once(this.video, "seeked", "emptied"); // the latter where it is stopped
      this.video.currentTime = time;
      await moved;
      if (!this.isOn) return;
      yield { ...(await this.draw()), time };
    }
  }
}

function once(element, ...names) {
  return new Promise((resolve, reject) => {
    names.forEach((name) => element.addEventListener(name, resolve, { once: true }));
    element.addEventListener("error", reject, { once: true });
  });
}
