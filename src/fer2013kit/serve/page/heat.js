// What supports an emotion: heat on the photo itself, and beside what the network saw.
import { at, make } from "./parts.js";

const TURNED = 12; // degrees from which faces are turned upright before they are read

export function hideHeat() {
  at("heat").hidden = true;
}

export function explanationOf({ emotion, width, height, face, heat, square }, { head_pose: pose }, photoWidth, photoHeight) {
  const pixels = fromBase64(face);
  const hot = fromBase64(heat);
  drawOnPhoto(hot, width, height, square, pose, photoWidth, photoHeight);
  at("heat").ariaLabel = `Heat: what supports ${emotion}`;
  const seen = drawPixels(width, height, (place) => [...Array(3).fill(pixels[place]), 255]);
  const spoke = drawPixels(width, height, (place) => {
    const share = hot[place] / 255;
    return [...warm(share).map((level) => level * 0.75 * share + pixels[place] * (1 - 0.75 * share)), 255];
  });
  const shows = (canvas, text) => {
    canvas.role = "img";
    canvas.ariaLabel = text;
    return make("figure", {}, canvas, make("figcaption", {}, text));
  };
  return [
    make("div", { className: "pair" }, shows(seen, "What the network saw"), shows(spoke, `What in it supports ${emotion}`)),
    make("p", { className: "soft" }, "HiResCAM, also on the photo: yellow speaks most. It is as coarse as the network's last maps."),
  ];
}

const warm = (share) => [150 + 105 * share, 215 * share ** 1.5, 70 * (1 - share)];

function drawOnPhoto(hot, width, height, { left, top, side }, pose, photoWidth, photoHeight) {
  const small = drawPixels(width, height, (place) => [...warm(hot[place] / 255), 0.8 * hot[place]]);
  const canvas = at("heat");
  Object.assign(canvas, { width: 4 * width, height: 4 * height, hidden: false });
  canvas.getContext("2d").drawImage(small, 0, 0, canvas.width, canvas.height);
  Object.assign(canvas.style, {
    left: `${(100 * left) / photoWidth}%`,
    top: `${(100 * top) / photoHeight}%`,
    width: `${(100 * side) / photoWidth}%`,
    height: `${(100 * side) / photoHeight}%`,
    transform: Math.abs(pose?.roll ?? 0) < TURNED ? "none" : `rotate(${pose.roll}deg)`,
  });
}

function fromBase64(text) {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}

function drawPixels(width, height, colorOf) {
  const canvas = make("canvas", { width, height });
  const context = canvas.getContext("2d");
  const image = context.createImageData(width, height);
  for (let place = 0; place < width * height; place += 1) image.data.set(colorOf(place), 4 * place);
  context.putImageData(image, 0, 0);
  return canvas;
}
