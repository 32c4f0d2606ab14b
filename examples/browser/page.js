// The page: a photo or the camera in, boxes and bars out.

import { loadAnalyzer } from "./faces.js";
import { start } from "./networks.js";
import { fromCanvas } from "./pixels.js";

const LARGEST_SIDE = 4096; // larger photos are worked on at this size, as in the library

const at = (id) => document.getElementById(id);
const percent = (share) => `${Math.round(100 * share)} %`;

export let analyzer; // once the networks are loaded
let stream = null;

function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

function tell(text) {
  if (at("status").textContent !== text) at("status").textContent = text;
}

/** Pixels as they are stored: upright, in their own colours, on white. */
function pixelsOf(source, width, height) {
  const scale = Math.min(1, LARGEST_SIDE / Math.max(width, height));
  const canvas = new OffscreenCanvas(Math.round(width * scale), Math.round(height * scale));
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.fillStyle = "white";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(source, 0, 0, canvas.width, canvas.height);
  return context.getImageData(0, 0, canvas.width, canvas.height);
}

function show(pixels, faces) {
  const canvas = at("photo");
  [canvas.width, canvas.height] = [pixels.width, pixels.height];
  const context = canvas.getContext("2d");
  context.putImageData(pixels, 0, 0);
  const { names, colors } = analyzer.classes;
  const colorOf = (emotion) => colors[names.indexOf(emotion)];
  const line = Math.max(2, Math.max(pixels.width, pixels.height) / 250);
  const inOrder = [...faces].sort((a, b) => a.box[0] - b.box[0]);
  const items = inOrder.map(({ box, emotion, score, uncertain, quality, probabilities }, place) => {
    const [left, top, width, height] = box;
    for (const [lineWidth, strokeStyle] of [[2 * line, "#111111"], [line, colorOf(emotion)]]) {
      Object.assign(context, { lineWidth, strokeStyle });
      context.strokeRect(left, top, width, height);
    }
    const number = String(place + 1);
    context.font = `600 ${8 * line}px system-ui, sans-serif`;
    const wide = context.measureText(number).width + 4 * line;
    context.fillStyle = "#111111";
    context.fillRect(left, top, wide, 10 * line);
    context.fillStyle = "#ffffff";
    context.fillText(number, left + 2 * line, top + 8 * line);
    const why = quality.length ? ` (${quality.join(", ")})` : "";
    return make("li", {},
      make("h2", { textContent: `${number}. ${emotion}, ${percent(score)}${uncertain ? `, uncertain${why}` : ""}` }),
      make("ol", { className: "bars" }, ...Object.entries(probabilities).map(([name, share]) => {
        const bar = make("i");
        bar.style.width = `${100 * share}%`;
        bar.style.background = colorOf(name);
        return make("li", {}, make("span", { textContent: name }),
          make("span", { className: "track" }, bar), make("span", { textContent: percent(share) }));
      })));
  });
  at("faces").replaceChildren(...items);
  at("result").hidden = false;
  const count = faces.length === 1 ? "1 face" : `${faces.length} faces`;
  tell(faces.length ? `${count}: ${inOrder.map(({ emotion }) => emotion).join(", ")}`
    : "No face was found. Faces should be at least 10 pixels high, and not hidden.");
}

async function look(file) {
  leaveCamera();
  tell("Looking for faces …");
  try {
    const options = { colorSpaceConversion: "none", imageOrientation: "from-image" };
    const photo = await createImageBitmap(file, options);
    const pixels = pixelsOf(photo, photo.width, photo.height);
    photo.close();
    show(pixels, await analyzer.analyze(fromCanvas(pixels)));
  } catch (error) {
    at("result").hidden = true;
    tell(`${file.name}: ${error.name === "InvalidStateError" ? "this is no image that the browser can read." : error.message}`);
  }
}

async function useCamera() {
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: true });
  } catch (error) {
    tell(`The camera cannot be used: ${error.message}`);
    return;
  }
  at("camera").setAttribute("aria-pressed", "true");
  at("camera").textContent = "Stop the camera";
  const video = make("video", { srcObject: stream, muted: true, playsInline: true });
  await video.play();
  while (stream) {
    const pixels = pixelsOf(video, video.videoWidth, video.videoHeight);
    const faces = await analyzer.analyze(fromCanvas(pixels));
    if (!stream) return;
    show(pixels, faces);
    await new Promise((resume) => { requestAnimationFrame(resume); });
  }
}

function leaveCamera() {
  for (const track of stream?.getTracks() ?? []) track.stop();
  stream = null;
  at("camera").setAttribute("aria-pressed", "false");
  at("camera").textContent = "Use the camera";
}

async function begin() {
  try {
    await start("./node_modules/@litertjs/core/wasm/");
    analyzer = await loadAnalyzer("./networks");
  } catch (error) {
    tell(`The networks cannot be loaded: ${error.message}. Run npm install and collect.py first.`);
    return;
  }
  at("choose").disabled = false;
  at("camera").disabled = false;
  at("choose").addEventListener("click", () => at("file").click());
  at("file").addEventListener("change", ({ target }) => target.files[0] && look(target.files[0]));
  at("camera").addEventListener("click", () => (stream ? leaveCamera() : useCamera()));
  document.addEventListener("dragover", (event) => event.preventDefault());
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    const [file] = event.dataTransfer.files;
    if (file) look(file);
  });
  tell("Ready: choose a photo, drop one here, or use the camera.");
}

begin();
