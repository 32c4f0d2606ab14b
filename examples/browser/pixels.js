// Images as the library sees them: resized, turned and made grey by the arithmetic of Pillow, to
// the last bit, since a network's answer follows from its pixels.
//
// An image is {width, height, channels, data}: rows of bytes, the channels of a pixel together.

const PRECISION = 2 ** 22;

const sinc = (x) => (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x));

const FILTERS = {
  bilinear: { support: 1, weight: (x) => Math.max(0, 1 - Math.abs(x)) },
  bicubic: {
    support: 2,
    weight: (place) => {
      const x = Math.abs(place);
      if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
      return x < 2 ? -0.5 * (((x - 5) * x + 8) * x - 4) : 0;
    },
  },
  lanczos: { support: 3, weight: (x) => (x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0) },
};

export function image(width, height, channels, data = new Uint8Array(width * height * channels)) {
  return { width, height, channels, data };
}

/** Drop the alpha channel of a canvas. */
export function fromCanvas({ width, height, data }) {
  const rgb = image(width, height, 3);
  for (let from = 0, to = 0; from < data.length; from += 4, to += 3) {
    rgb.data[to] = data[from];
    rgb.data[to + 1] = data[from + 1];
    rgb.data[to + 2] = data[from + 2];
  }
  return rgb;
}

/** Grey levels: luma by ITU-R 601. */
export function toGray(rgb) {
  const gray = image(rgb.width, rgb.height, 1);
  for (let to = 0, from = 0; to < gray.data.length; to += 1, from += 3) {
    const [r, g, b] = [rgb.data[from], rgb.data[from + 1], rgb.data[from + 2]];
    gray.data[to] = (r * 19595 + g * 38470 + b * 7471 + 32768) >> 16;
  }
  return gray;
}

/** The part from left and top on; beyond the edge, its pixels go on. */
export function cut(from, left, top, width, height) {
  const { channels } = from;
  const to = image(width, height, channels);
  const inside = (place, length) => Math.min(Math.max(place, 0), length - 1);
  for (let y = 0, at = 0; y < height; y += 1) {
    const row = inside(top + y, from.height) * from.width;
    for (let x = 0; x < width; x += 1) {
      const place = (row + inside(left + x, from.width)) * channels;
      for (let c = 0; c < channels; c += 1, at += 1) to.data[at] = from.data[place + c];
    }
  }
  return to;
}

/** The image on a larger one, which is black beside it. */
export function pad(from, width, height) {
  const to = image(width, height, from.channels);
  const length = from.width * from.channels;
  for (let y = 0; y < from.height; y += 1) {
    to.data.set(from.data.subarray(y * length, (y + 1) * length), y * width * from.channels);
  }
  return to;
}

/** Left becomes right. */
export function mirrored(from) {
  const to = image(from.width, from.height, from.channels);
  for (let y = 0, at = 0; y < from.height; y += 1) {
    for (let x = from.width - 1; x >= 0; x -= 1) {
      const place = (y * from.width + x) * from.channels;
      for (let c = 0; c < from.channels; c += 1, at += 1) to.data[at] = from.data[place + c];
    }
  }
  return to;
}

/** Turned counter-clockwise by quarters. */
export function quarterTurned(from, turns) {
  if (turns % 4 === 0) return from;
  const once = image(from.height, from.width, from.channels);
  for (let y = 0, at = 0; y < once.height; y += 1) {
    for (let x = 0; x < once.width; x += 1) {
      const place = (x * from.width + from.width - 1 - y) * from.channels;
      for (let c = 0; c < from.channels; c += 1, at += 1) once.data[at] = from.data[place + c];
    }
  }
  return quarterTurned(once, (((turns - 1) % 4) + 4) % 4);
}

// For each place of a resized row: where it begins in the old one, and the weights from there on.
function weightsOf(length, low, high, size, { support, weight }) {
  const scale = (high - low) / size;
  const stretch = Math.max(scale, 1);
  return Array.from({ length: size }, (_, place) => {
    const center = low + (place + 0.5) * scale;
    const begin = Math.max(0, Math.trunc(center - support * stretch + 0.5));
    const end = Math.min(length, Math.trunc(center + support * stretch + 0.5));
    const raw = [];
    for (let x = begin; x < end; x += 1) raw.push(weight((x - center + 0.5) / stretch));
    const sum = raw.reduce((total, one) => total + one, 0);
    const whole = (share) => Math.trunc(share * PRECISION + (share < 0 ? -0.5 : 0.5));
    return { begin, weights: raw.map((one) => whole(sum === 0 ? one : one / sum)) };
  });
}

function along(from, places, step, lines, stepOfLines, to, toStep, toStepOfLines, channels) {
  for (let line = 0; line < lines; line += 1) {
    for (let place = 0; place < places.length; place += 1) {
      const { begin, weights } = places[place];
      for (let c = 0; c < channels; c += 1) {
        let sum = PRECISION / 2;
        let at = line * stepOfLines + begin * step + c;
        for (let k = 0; k < weights.length; k += 1, at += step) sum += from[at] * weights[k];
        const level = Math.floor(sum / PRECISION);
        to[line * toStepOfLines + place * toStep + c] = level < 0 ? 0 : level > 255 ? 255 : level;
      }
    }
  }
}

/** Another size, by default of everything, else of a box {left, top, right, bottom}. */
export function resized(from, width, height, filterName, box) {
  const { channels } = from;
  const { left, top, right, bottom } = box ?? {
    left: 0, top: 0, right: from.width, bottom: from.height,
  };
  const filter = FILTERS[filterName];
  let now = from;
  if (width !== from.width || left !== 0 || right !== width) {
    const wide = image(width, from.height, channels);
    const places = weightsOf(from.width, left, right, width, filter);
    along(now.data, places, channels, from.height, from.width * channels,
      wide.data, channels, width * channels, channels);
    now = wide;
  }
  if (height !== from.height || top !== 0 || bottom !== height) {
    const high = image(width, height, channels);
    const places = weightsOf(from.height, top, bottom, height, filter);
    along(now.data, places, width * channels, width, channels,
      high.data, width * channels, channels, channels);
    now = high;
  }
  return now;
}

/** Blocks of pixels become their mean. */
export function reduced(from, across, down = across) {
  if (across === 1 && down === 1) return from;
  const { channels } = from;
  const to = image(Math.ceil(from.width / across), Math.ceil(from.height / down), channels);
  for (let y = 0, at = 0; y < to.height; y += 1) {
    const bottom = Math.min(from.height, (y + 1) * down);
    for (let x = 0; x < to.width; x += 1) {
      const right = Math.min(from.width, (x + 1) * across);
      const pixels = (bottom - y * down) * (right - x * across);
      const share = Math.floor(2 ** 24 / pixels); // of a whole, as Pillow divides
      for (let c = 0; c < channels; c += 1, at += 1) {
        let sum = pixels >> 1;
        for (let row = y * down; row < bottom; row += 1) {
          for (let column = x * across; column < right; column += 1) {
            sum += from.data[(row * from.width + column) * channels + c];
          }
        }
        to.data[at] = Math.floor((sum * share) / 2 ** 24);
      }
    }
  }
  return to;
}

/** The same, quick for much smaller sizes: blocks first, as with Pillow's `reducing_gap` of 2. */
export function shrunk(from, width, height, filterName) {
  const across = Math.trunc(from.width / width / 2) || 1;
  const down = Math.trunc(from.height / height / 2) || 1;
  const box = { left: 0, top: 0, right: from.width / across, bottom: from.height / down };
  return resized(reduced(from, across, down), width, height, filterName, box);
}

function cubic(d, v1, v2, v3, v4) {
  return v2 + d * (-v1 + v3 + d * (2 * (v1 - v2) + v3 - v4 + d * (-v1 + v2 - v3 + v4)));
}

const SMOOTH = { bilinear: (d, v1, v2, v3) => v2 + (v3 - v2) * d, bicubic: cubic };

/** Turned counter-clockwise by degrees, about the middle; the corners are black. */
export function rotated(from, degrees, filterName, { grow = false } = {}) {
  const smooth = SMOOTH[filterName];
  const { channels, data } = from;
  const angle = (-(((degrees % 360) + 360) % 360) * Math.PI) / 180;
  const rounded = (number) => Number(number.toFixed(15));
  const [a, b] = [rounded(Math.cos(angle)), rounded(Math.sin(angle))];
  const moved = (x, y, right, down) => [a * x + b * y + right, -b * x + a * y + down];
  const [centerX, centerY] = [from.width / 2, from.height / 2];
  let [right, down] = moved(-centerX, -centerY, 0, 0);
  [right, down] = [right + centerX, down + centerY];
  let [width, height] = [from.width, from.height];
  if (grow) {
    const corners = [[0, 0], [width, 0], [width, height], [0, height]];
    const ends = corners.map(([x, y]) => moved(x, y, right, down));
    const length = (all) => Math.ceil(Math.max(...all)) - Math.floor(Math.min(...all));
    width = length(ends.map(([x]) => x));
    height = length(ends.map(([, y]) => y));
    [right, down] = moved(-(width - from.width) / 2, -(height - from.height) / 2, right, down);
  }
  const to = image(width, height, channels);
  const inside = (place, last) => Math.min(Math.max(place, 0), last);
  const at = new Int32Array(4);
  const across = new Float64Array(4);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const u = a * (x + 0.5) + b * (y + 0.5) + right;
      const v = -b * (x + 0.5) + a * (y + 0.5) + down;
      if (u < 0 || u >= from.width || v < 0 || v >= from.height) continue;
      const [left, top] = [Math.floor(u - 0.5), Math.floor(v - 0.5)];
      const [du, dv] = [u - 0.5 - left, v - 0.5 - top];
      for (let k = 0; k < 4; k += 1) at[k] = inside(left - 1 + k, from.width - 1) * channels;
      for (let c = 0; c < channels; c += 1) {
        for (let k = 0; k < 4; k += 1) {
          const row = inside(top - 1 + k, from.height - 1) * from.width * channels + c;
          across[k] = smooth(du, data[row + at[0]], data[row + at[1]], data[row + at[2]], data[row + at[3]]);
        }
        const level = smooth(dv, across[0], across[1], across[2], across[3]);
        to.data[(y * width + x) * channels + c] = inside(Math.trunc(level), 255);
      }
    }
  }
  return to;
}

