// Turns faces upright before they are cut.

import { cutFace } from "./crops.js";
import { cut, quarterTurned, reduced, rotated, shrunk } from "./pixels.js";
import { roundHalfEven } from "./detector.js";

const degrees = (radians) => (radians * 180) / Math.PI;

/** How far a face with these points is turned clockwise. */
function rollOf(points) {
  const [across, down] = [0, 1].map((axis) => points[1][axis] - points[0][axis]);
  return degrees(Math.atan2(down, across));
}

/** Quarter turns, counter-clockwise, that bring a face upright. */
export function quarterTurns(points) {
  return roundHalfEven(rollOf(points) / 90);
}

/** Squares around a face's box in grey levels, the face upright; two more of one that lay aslant. */
export async function uprightFace(rgb, { box, points }, detector, settings) {
  const { alignment, crop } = settings;
  const { around, side } = surroundings(rgb, box, alignment);
  const look = new Look(detector, alignment);
  const roll = await findRoll(around, side, rollOf(points), look);
  if (roll === null) {
    const turns = quarterTurns(points);
    const lies = Math.abs(turns) % 2 === 1;
    const size = lies ? { ...crop, width: crop.height, height: crop.width } : crop;
    return [quarterTurned(cutFace(rgb, box, size), ((turns % 4) + 4) % 4)];
  }
  const turned = rotated(around, roll, "bicubic");
  const boxes = [];
  for (const searched of alignment.boxSearched) {
    const found = await look.inTheMiddle(turned, side, searched);
    if (found) boxes.push(found.box);
  }
  const middle = (turned.width - side) / 2;
  if (!boxes.length) boxes.push([middle, middle, side, side]);
  const mean = [0, 1, 2, 3].map((k) => boxes.reduce((sum, one) => sum + one[k], 0) / boxes.length);
  const views = [turned, ...alignment.beside.map((one) => rotated(around, roll + one, "bicubic"))];
  return views.map((view) => cutFace(view, mean, crop));
}

// By the turns at which the detector finds the face; null for hardly more than a quarter turn.
async function findRoll(around, side, read, look) {
  const { settings } = look;
  const small = roundHalfEven((around.width * settings.searched) / side);
  const picture = shrunk(around, small, small, "bicubic");
  const known = new Map();
  const surety = async (angle) => {
    if (!known.has(angle)) {
      const turned = angle % 360 === 0 ? picture : rotated(picture, angle, "bicubic");
      const found = await look.inTheMiddle(turned, settings.searched, settings.searched);
      known.set(angle, found ? found.score - look.leastScore : 0);
    }
    return known.get(angle);
  };
  const centered = async (angle) => {
    let [sum, weighted] = [0, 0];
    for (const step of settings.fine) {
      const share = await surety(roundHalfEven(angle) + step);
      sum += share;
      weighted += share * step;
    }
    return sum > 0 ? roundHalfEven(angle) + weighted / sum : angle;
  };
  const quarter = 90 * roundHalfEven(read / 90);
  const aside = Math.max(await surety(quarter - 30), await surety(quarter + 30));
  const found = await surety(quarter);
  const isUpright = found > 0 && aside < found + settings.surer;
  if (Math.abs(read - quarter) < settings.leastRead && isUpright) return null;
  let best = null;
  for (const step of settings.coarse) {
    if (best === null || (await surety(quarter + step)) > (await surety(best))) best = quarter + step;
  }
  const roll = (await surety(best)) > 0 ? await centered(await centered(best)) : read;
  const off = ((((roll - quarter + 180) % 360) + 360) % 360) - 180;
  return Math.abs(off) < settings.leastRoll ? null : roll;
}

// The square about a face that holds what is searched in any turn, and the face's side in it.
function surroundings(rgb, box, settings) {
  const [boxLeft, boxTop, width, height] = box;
  const whole = Math.sqrt(width * height);
  const factor = Math.max(1, Math.trunc(whole / settings.largestSide));
  const small = reduced(rgb, factor);
  const side = whole / factor;
  const half = Math.ceil((side * settings.around) / Math.SQRT2);
  const column = roundHalfEven((boxLeft + width / 2) / factor);
  const row = roundHalfEven((boxTop + height / 2) / factor);
  return { around: cut(small, column - half, row - half, 2 * half, 2 * half), side };
}

// Looks for the surest face in an image's middle.
class Look {
  constructor(detector, settings) {
    this.detector = detector;
    this.settings = settings;
    this.leastScore = settings.leastScore;
  }

  async inTheMiddle(picture, side, searched) {
    const begin = Math.max(0, roundHalfEven(picture.width / 2 - (side * this.settings.around) / 2));
    const length = picture.width - 2 * begin;
    const patch = cut(picture, begin, begin, length, length);
    const faces = await this.detector.findInPatch(patch, searched / side);
    const [found] = faces.filter(({ box: [left, top, width, height] }) => (
      Math.hypot(left + width / 2 - length / 2, top + height / 2 - length / 2) < side / 2
    ));
    if (!found) return null;
    const [left, top, ...size] = found.box;
    return { score: found.score, box: [left + begin, top + begin, ...size] };
  }
}
