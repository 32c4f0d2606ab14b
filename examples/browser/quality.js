// What makes a face hard to read.

/** The reasons, for a face's box, the part cut out and its five points. */
export function qualityOf([, , width, height], crop, points, settings) {
  const { smallest, darkest, leastSharpness, leastContrast, covered, profile } = settings;
  const found = [
    Math.sqrt(width * height) < smallest && "small",
    meanOf(crop.data) < darkest && "dark",
    sharpness(crop) < leastSharpness && "blurred",
  ].filter(Boolean);
  const contrast = Math.sqrt(varianceOf(crop.data, meanOf(crop.data)));
  if (!found.length && contrast >= leastContrast && covering(crop, settings.covering) >= covered) {
    found.push("covered");
  }
  if (points && Math.abs(yawOf(points, settings.pose)) >= profile) found.push("profile");
  return found;
}

const meanOf = (levels) => levels.reduce((sum, level) => sum + level, 0) / levels.length;
const varianceOf = (levels, mean) => meanOf(Float64Array.from(levels, (level) => (level - mean) ** 2));

function sharpness({ data, width: side }) {
  const variance = varianceOf(data, meanOf(data));
  let [squares, places] = [0, 0];
  for (let at = side; at < data.length - side; at += 1) {
    if (at % side === 0 || at % side === side - 1) continue;
    const around = data[at - 1] + data[at + 1] + data[at - side] + data[at + side];
    squares += (around - 4 * data[at]) ** 2;
    places += 1;
  }
  return variance > 0 ? squares / places / variance : 1;
}

// How likely something covers a face: a network of two layers on gradients and light in cells.
function covering(crop, { cells, angles, into, shift, out, least }) {
  const seen = featuresOf(crop, cells, angles);
  let logit = least;
  shift.forEach((start, unit) => {
    let sum = start;
    for (let k = 0; k < seen.length; k += 1) sum += seen[k] * into[k][unit];
    logit += Math.max(sum, 0) * out[unit];
  });
  return 1 / (1 + Math.exp(-logit));
}

function featuresOf({ data, width: side }, cells, angles) {
  const size = side / cells;
  const shares = new Float64Array(cells * cells * angles);
  const light = new Float64Array(cells * cells);
  for (let row = 0; row < side; row += 1) {
    for (let column = 0; column < side; column += 1) {
      const at = row * side + column;
      const cell = Math.floor(row / size) * cells + Math.floor(column / size);
      light[cell] += data[at] / size ** 2;
      if (row % (side - 1) === 0 || column % (side - 1) === 0) continue;
      const [across, down] = [data[at + 1] - data[at - 1], data[at + side] - data[at - side]];
      const half = (Math.atan2(down, across) + Math.PI) % Math.PI;
      const angle = Math.min(Math.floor((half / Math.PI) * angles), angles - 1);
      shares[cell * angles + angle] += Math.hypot(across, down) / size ** 2;
    }
  }
  const usual = Math.sqrt(meanOf(shares.map((share) => share ** 2))) + 1e-3;
  const mean = meanOf(light);
  const spread = Math.sqrt(varianceOf(light, mean)) + 1;
  return [
    ...shares.map((share) => Math.log1p((4 * share) / usual)),
    ...light.map((level) => (level - mean) / spread),
  ];
}

// How far a head is turned to the right of the image: the rotation of a generic head, seen from
// afar, that fits the points best.  `pose` is the pseudo-inverse of that head's points.
function yawOf(points, pose) {
  const middle = [0, 1].map((axis) => points.reduce((sum, one) => sum + one[axis], 0) / points.length);
  const fit = [0, 1].map((axis) => pose.map((row) => row.reduce(
    (sum, one, place) => sum + one * (points[place][axis] - middle[axis]), 0)));
  const dot = (a, b) => a.reduce((sum, one, axis) => sum + one * b[axis], 0);
  // (F F')^(-1/2) F has the nearest rows of length 1 that stand upright on each other.
  const [a, b, d] = [dot(fit[0], fit[0]), dot(fit[0], fit[1]), dot(fit[1], fit[1])];
  const root = Math.sqrt(a * d - b * b);
  const trace = Math.sqrt(a + d + 2 * root);
  const inverse = [[d + root, -b], [-b, a + root]].map((row) => row.map((one) => one / (root * trace)));
  const [across, down] = inverse.map(([p, q]) => fit[0].map((one, axis) => p * one + q * fit[1][axis]));
  const away = across[0] * down[1] - across[1] * down[0];
  return (Math.atan2(-across[2], away) * 180) / Math.PI;
}
