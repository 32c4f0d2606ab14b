// What the visitor does: choose, drop or paste a photo, use the camera, ask why.
import { Camera } from "./camera.js";
import { View } from "./view.js";

const at = (id) => document.getElementById(id);
const { maxMegabytes, explains, samples } = document.body.dataset;
const view = new View({ onExplain: explains === "true" ? explain : null });
const camera = new Camera(at("video"));

let shown = null; // the photo that is shown: its bytes, and what stops its request

async function ask(path, photo, signal) {
  let response;
  try {
    response = await fetch(path, { method: "POST", body: photo, signal });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error("The program behind this page does not answer. Was it ended?");
  }
  const answer = await response.json();
  if (!response.ok) {
    const error = new Error(sentence(answer.error));
    error.status = response.status;
    throw error;
  }
  return answer;
}

const sentence = (text) => `${text[0].toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? "" : "."}`;

async function showPhoto(photo, description) {
  leaveCamera();
  shown?.stop.abort();
  view.complain("");
  if (photo.size > maxMegabytes * 1e6) {
    const size = (photo.size / 1e6).toFixed(1);
    view.complain(`This file has ${size} megabytes; at most ${maxMegabytes} are taken.`);
    return;
  }
  const stop = new AbortController();
  shown = { photo, stop };
  const seen = view.showPhoto(photo, description);
  try {
    const answer = await ask("analyze", photo, stop.signal);
    await seen;
    if (shown?.stop === stop) view.showAnswer(answer);
  } catch (error) {
    if (error.name === "AbortError" || shown?.stop !== stop) return;
    view.showNothing();
    view.complain(error.message);
  }
}

async function explain(number) {
  return ask(`explain?face=${number}`, shown.photo, shown.stop.signal);
}

function take(files) {
  const photo = [...files].find((file) => file.type.startsWith("image/")) ?? files[0];
  if (photo) showPhoto(photo, photo.name);
}

async function useCamera() {
  view.complain("");
  at("camera").disabled = true; // asked twice, it would be on twice
  try {
    await camera.start();
  } catch (error) {
    leaveCamera();
    view.complain(error.message);
    return;
  } finally {
    at("camera").disabled = false;
  }
  shown?.stop.abort();
  shown = null; // until the first frame there is nothing to keep
  view.showCamera(camera.isMirrored);
  at("camera").textContent = "Stop the camera";
  try {
    for await (const frame of camera.frames()) {
      const stop = new AbortController();
      shown = { photo: frame.photo, stop };
      at("freeze").hidden = false;
      try {
        const answer = await ask("analyze", frame.photo, stop.signal);
        if (camera.isOn) view.showLive(answer, frame.canvas);
      } catch (error) {
        if (error.status !== 503) throw error;
        await new Promise((resolve) => setTimeout(resolve, 1000));
      }
    }
  } catch (error) {
    leaveCamera();
    if (error.name === "AbortError") return;
    view.showNothing();
    view.complain(error.message);
  }
}

function leaveCamera() {
  camera.stop();
  at("freeze").hidden = true;
  at("camera").textContent = "Use the camera";
}

at("choose").addEventListener("click", () => at("file").click());
at("file").addEventListener("change", (event) => {
  take(event.target.files);
  event.target.value = ""; // so that the same file may be chosen again
});
at("camera").addEventListener("click", () => {
  if (!camera.isOn) {
    useCamera();
    return;
  }
  leaveCamera();
  shown?.stop.abort();
  view.showNothing();
});
at("freeze").addEventListener("click", () => {
  if (shown) showPhoto(shown.photo, "Picture of the camera");
});

// Entering a child leaves its parent: what is left is counted.
let entered = 0;
const isFile = (event) => event.dataTransfer?.types.includes("Files");
for (const [name, change] of [["dragenter", 1], ["dragleave", -1]]) {
  addEventListener(name, (event) => {
    if (!isFile(event)) return;
    entered += change;
    document.body.classList.toggle("dragging", entered > 0);
  });
}
addEventListener("dragover", (event) => event.preventDefault());
addEventListener("drop", (event) => {
  event.preventDefault();
  entered = 0;
  document.body.classList.remove("dragging");
  take(event.dataTransfer.files);
});
addEventListener("paste", (event) => take(event.clipboardData.files));

for (const [file, name] of Object.entries(JSON.parse(samples))) {
  const button = document.createElement("button");
  const image = document.createElement("img");
  Object.assign(image, { src: `page/${file}`, alt: "" });
  button.type = "button";
  button.append(image, name);
  button.addEventListener("click", async () => {
    const response = await fetch(`page/${file}`);
    showPhoto(await response.blob(), name);
  });
  at("samples").append(button);
}
