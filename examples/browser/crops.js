// Faces cut out of photographs as FER-2013 cut them.

import { cut, resized, toGray } from "./pixels.js";

/** The square around a box in grey levels; beyond the edge, its pixels go on. */
export function cutFace(rgb, box, { width, height, margin }) {
  const [left, top, side] = faceSquare(box, margin);
  const [x, y] = [Math.floor(left), Math.floor(top)];
  const [wide, high] = [Math.ceil(left + side) - x, Math.ceil(top + side) - y];
  const part = toGray(cut(rgb, x, y, wide, high));
  const window = {
    left: left - x,
    top: top - y,
    right: Math.min(left - x + side, wide),
    bottom: Math.min(top - y + side, high),
  };
  return sharpened(part, width, height, window);
}

/** All of an image as a face: the longer side is cut about the centre. */
export function wholeFace(rgb, { width, height }) {
  const gray = toGray(rgb);
  if (gray.width === width && gray.height === height) return gray;
  const scale = Math.max(height / gray.height, width / gray.width);
  const across = Math.max(0, (gray.width - width / scale) / 2);
  const down = Math.max(0, (gray.height - height / scale) / 2);
  const window = { left: across, top: down, right: gray.width - across, bottom: gray.height - down };
  return sharpened(gray, width, height, window);
}

/** Whether an image is a ready-made crop of the face in it. */
export function fillsPicture(box, rgb, margin, filled) {
  const [left, top, side] = faceSquare(box, margin);
  const across = Math.min(left + side, rgb.width) - Math.max(left, 0);
  const down = Math.min(top + side, rgb.height) - Math.max(top, 0);
  const shared = Math.max(across, 0) * Math.max(down, 0);
  return shared >= filled * (side * side + rgb.height * rgb.width - shared);
}

// Lanczos overshoots: no level leaves the range of the image.
function sharpened(gray, width, height, window) {
  let [low, high] = [255, 0];
  for (const level of gray.data) {
    if (level < low) low = level;
    if (level > high) high = level;
  }
  const face = resized(gray, width, height, "lanczos", window);
  face.data.forEach((level, at) => { face.data[at] = Math.min(Math.max(level, low), high); });
  return face;
}

function faceSquare([left, top, width, height], margin) {
  const side = Math.sqrt(width * height) * (1 + 2 * margin);
  return [left + (width - side) / 2, top + (height - side) / 2, side];
}
