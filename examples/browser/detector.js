// Finds faces, and where their eyes, nose and mouth are: fer2013kit.FaceDetector.
//
// A face is {score, box: [left, top, width, height], points: five of [across, down]}.

import { mirrored, pad, quarterTurned, resized, rotated, shrunk } from "./pixels.js";
import { Network } from "./networks.js";

const STRIDES = [8, 16, 32];
const COLUMNS = 15; // of an output: the score, four of the box, and five points
const STEP = 32;

export class Detector {
  #network;
  #settings;

  constructor(content, settings) {
    const shapes = ([, height, width]) => STRIDES.map((one) => [1, height / one, width / one, COLUMNS]);
    this.#network = new Network(content, shapes);
    this.#settings = settings;
  }

  /** The faces on an RGB image, the surest first. */
  async find(rgb) {
    let faces = await this.#findSteadily(rgb);
    faces = await this.#addTurned(faces, rgb, [1, 2, 3]);
    if (!faces.length) faces = await this.#findAslant(rgb);
    return surestFirst(faces);
  }

  #scale(rgb) {
    const { enlarge, maxSide } = this.#settings;
    return Math.min(enlarge, maxSide / Math.max(rgb.width, rgb.height));
  }

  #findQuickly(rgb) {
    const scale = Math.min(1, this.#settings.quickSide / Math.max(rgb.width, rgb.height));
    return this.#findUpright(rgb, scale, this.#settings.minScore);
  }

  // The means of what is found on an image and on its mirror image.
  async #findSteadily(rgb) {
    const { minScore, missed, overlap } = this.#settings;
    const least = missed * minScore;
    const faces = await this.#findUpright(rgb, this.#scale(rgb), least);
    const others = (await this.#findUpright(mirrored(rgb), this.#scale(rgb), least))
      .map((one) => mirroredBack(one, rgb.width));
    const shares = faces.map((one) => others.map((other) => iou(one.box, other.box)));
    const joined = [];
    const isJoined = [new Set(), new Set()];
    faces.forEach((face, row) => others.forEach((other, column) => {
      const share = shares[row][column];
      const most = Math.max(...shares[row], ...shares.map((one) => one[column]));
      if (share <= overlap || share < most) return;
      joined.push(meanOf(face, other));
      isJoined[0].add(row);
      isJoined[1].add(column);
    }));
    const alone = [faces, others].flatMap((some, side) => (
      some.filter((_, place) => !isJoined[side].has(place))
        .map((one) => ({ ...one, score: (one.score + least) / 2 }))));
    return surestFirst([...joined, ...alone].filter(({ score }) => score >= minScore));
  }

  // At a size and at a small one, for faces too large for the network.
  async #findUpright(rgb, scale, least) {
    const { coarseSide, overlap, largestFace } = this.#settings;
    const longest = Math.max(rgb.width, rgb.height);
    let faces = await this.#search(rgb, scale, least);
    if (scale * longest > coarseSide) {
      faces = [...faces, ...await this.#search(rgb, coarseSide / longest, least)];
    }
    return withoutDoubles(faces, overlap).filter(({ box: [left, top, width, height] }) => (
      left + width > 0 && top + height > 0 && left < rgb.width && top < rgb.height
      && Math.max(width, height) <= largestFace * longest
    ));
  }

  // Those that are found, or surer, on views turned by quarters; a quick look goes first.
  async #addTurned(faces, rgb, quarters) {
    const { turnedOverlap } = this.#settings;
    let all = faces;
    for (const turns of quarters) {
      const view = quarterTurned(rgb, turns);
      let fresh = [];
      for (const isQuick of [true, false]) {
        const seen = await (isQuick ? this.#findQuickly(view) : this.#findSteadily(view));
        const found = seen.map((one) => turnedBack(one, turns, rgb));
        const isSame = (a, b) => iou(a.box, b.box) > turnedOverlap;
        fresh = found.filter((one) => !all.some((old) => isSame(old, one) && old.score >= one.score));
        if (!fresh.length) break;
      }
      all = [...all.filter((old) => !fresh.some((one) => iou(old.box, one.box) > turnedOverlap)), ...fresh];
    }
    return all;
  }

  // Half-way between two quarter turns.
  async #findAslant(rgb) {
    const shrink = Math.min(1, this.#settings.maxSide / Math.max(rgb.width, rgb.height));
    const size = [rgb.width, rgb.height].map((one) => Math.max(1, roundHalfEven(one * shrink)));
    const small = shrunk(rgb, ...size, "bilinear");
    const view = rotated(small, 45, "bilinear", { grow: true });
    const back = ([x, y]) => {
      const [u, v] = [(x - view.width / 2) / shrink, (y - view.height / 2) / shrink];
      return [(u - v) / Math.SQRT2 + rgb.width / 2, (u + v) / Math.SQRT2 + rgb.height / 2];
    };
    return (await this.#addTurned([], view, [0, 1, 2, 3])).map(({ score, box, points }) => {
      const [left, top, width, height] = box;
      const side = Math.sqrt(width * height) / shrink;
      const [x, y] = back([left + width / 2, top + height / 2]);
      return { score, box: [x - side / 2, y - side / 2, side, side], points: points.map(back) };
    });
  }

  /** The faces on a small part of an image, searched at a scale. */
  async findInPatch(rgb, scale) {
    const { minScore, overlap } = this.#settings;
    return withoutDoubles(await this.#search(rgb, scale, minScore), overlap);
  }

  async #search(rgb, scale, least) {
    const size = [rgb.width, rgb.height].map((length) => Math.max(1, roundHalfEven(length * scale)));
    const small = resized(rgb, ...size, "bilinear");
    const [across, down] = [rgb.width / size[0], rgb.height / size[1]];
    return (await this.#faces(small, least)).map(({ score, box, points }) => ({
      score,
      box: box.map((one, axis) => one * (axis % 2 ? down : across)),
      points: points.map(([x, y]) => [x * across, y * down]),
    }));
  }

  async #faces(rgb, least) {
    const [width, height] = [rgb.width, rgb.height].map((length) => Math.ceil(length / STEP) * STEP);
    const { data } = pad(rgb, width, height);
    const maps = await this.#network.run(data, [1, height, width, 3]);
    return STRIDES.flatMap((stride) => {
      const map = maps[`stride_${stride}`];
      const columns = width / stride;
      const found = [];
      for (let place = 0; place * COLUMNS < map.length; place += 1) {
        const [score, right, down, wide, high, ...points] = map.subarray(place * COLUMNS, (place + 1) * COLUMNS);
        if (score < least) continue;
        const [x, y] = [place % columns, Math.floor(place / columns)];
        const sides = [stride * Math.exp(wide), stride * Math.exp(high)];
        found.push({
          score,
          box: [stride * (x + right) - sides[0] / 2, stride * (y + down) - sides[1] / 2, ...sides],
          points: [0, 2, 4, 6, 8].map((k) => [stride * (points[k] + x), stride * (points[k + 1] + y)]),
        });
      }
      return found;
    });
  }
}

/** Python's `round`. */
export function roundHalfEven(number) {
  const low = Math.floor(number);
  return number - low === 0.5 ? low + (low % 2) : Math.round(number);
}

const surestFirst = (faces) => [...faces].sort((a, b) => b.score - a.score);

// Non-maximum suppression: of two boxes that share more of their union, the surer one stays.
function withoutDoubles(faces, most) {
  const kept = [];
  for (const face of surestFirst(faces)) {
    if (kept.every((one) => iou(one.box, face.box) < most)) kept.push(face);
  }
  return kept;
}

function iou(a, b) {
  const shared = [0, 1].map((axis) => Math.max(0,
    Math.min(a[axis] + a[axis + 2], b[axis] + b[axis + 2]) - Math.max(a[axis], b[axis])));
  const both = shared[0] * shared[1];
  return both / Math.max(a[2] * a[3] + b[2] * b[3] - both, 1e-12);
}

function meanOf(a, b) {
  const mean = (x, y) => x.map((one, place) => (one + y[place]) / 2);
  return {
    score: (a.score + b.score) / 2,
    box: mean(a.box, b.box),
    points: a.points.map((one, place) => mean(one, b.points[place])),
  };
}

// Where a face is on the image that was mirrored.
function mirroredBack({ score, box: [left, top, ...size], points }, width) {
  const turned = [1, 0, 2, 4, 3].map((place) => [width - points[place][0], points[place][1]]);
  return { score, box: [width - left - size[0], top, ...size], points: turned };
}

// Where a face is on the image before it was turned counter-clockwise by quarters.
function turnedBack({ score, box: [left, top, width, height], points }, turns, { width: w, height: h }) {
  const back = ([x, y]) => [[x, y], [w - y, x], [w - x, h - y], [y, h - x]][turns % 4];
  const corners = [back([left, top]), back([left + width, top + height])];
  const low = [0, 1].map((axis) => Math.min(corners[0][axis], corners[1][axis]));
  const high = [0, 1].map((axis) => Math.max(corners[0][axis], corners[1][axis]));
  return { score, box: [...low, high[0] - low[0], high[1] - low[1]], points: points.map(back) };
}
