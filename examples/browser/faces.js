// From a photograph to the emotions of the faces on it: fer2013kit.analyze_photo.

import { quarterTurns, uprightFace } from "./alignment.js";
import { fillsPicture, wholeFace } from "./crops.js";
import { Detector, roundHalfEven } from "./detector.js";
import { fetchBytes, Network } from "./networks.js";
import { mirrored, quarterTurned } from "./pixels.js";

/** What collect.py wrote into a folder, ready to analyze photographs. */
export async function loadAnalyzer(folder) {
  const [settings, detector, emotions] = await Promise.all([
    fetch(`${folder}/settings.json`).then((response) => response.json()),
    fetchBytes(`${folder}/detector.tflite`),
    fetchBytes(`${folder}/emotions.tflite`),
  ]);
  return new Analyzer(settings, detector, emotions);
}

export class Analyzer {
  #settings;
  #detector;
  #emotions;

  constructor(settings, detector, emotions) {
    this.#settings = settings;
    this.#detector = new Detector(detector, settings.detector);
    this.#emotions = new Network(emotions, ([images]) => [[images, settings.classes.known]]);
  }

  /** The names of the emotions and their colours. */
  get classes() {
    return this.#settings.classes;
  }

  /** The faces of an RGB image, the surest first, with what their expression is taken for. */
  async analyze(rgb) {
    const faces = [];
    for (const face of await this.#find(rgb)) {
      const probabilities = await this.#probabilities(face.crop);
      faces.push({ ...face, ...this.#describe(face, probabilities) });
    }
    return faces;
  }

  async #find(rgb) {
    const { crop, filled } = this.#settings;
    const whole = [0, 0, rgb.width, rgb.height];
    if (rgb.width === crop.width && rgb.height === crop.height) {
      return [{ box: whole, points: null, crop: wholeFace(rgb, crop) }];
    }
    const faces = await this.#detector.find(rgb);
    if (faces.length === 1 && fillsPicture(faces[0].box, rgb, crop.margin, filled)) {
      const turned = quarterTurned(rgb, ((quarterTurns(faces[0].points) % 4) + 4) % 4);
      return [{ ...faces[0], box: whole, crop: wholeFace(turned, crop) }];
    }
    const found = [];
    for (const face of faces) {
      found.push({ ...face, crop: await uprightFace(rgb, face, this.#detector, this.#settings) });
    }
    return found;
  }

  // The mean over a face and its mirror image, before the temperature; then the words alone.
  async #probabilities(crop) {
    const { columns, temperature } = this.#settings.classes;
    const answers = [];
    for (const view of [crop, mirrored(crop)]) {
      const [row] = Object.values(await this.#emotions.run(view.data, [1, view.height, view.width, 1]));
      answers.push(rescaled(row, 1 / temperature));
    }
    const mean = answers[0].map((one, column) => (one + answers[1][column]) / 2);
    const row = rescaled(mean, temperature);
    const words = columns.map((column) => row[column]);
    const sum = words.reduce((total, one) => total + one, 0);
    return words.map((one) => one / sum);
  }

  #describe({ box, crop }, probabilities) {
    const { certain, classes } = this.#settings;
    const score = Math.max(...probabilities);
    const quality = qualityOf(box, crop, certain);
    return {
      box: box.map(roundHalfEven),
      emotion: classes.names[probabilities.indexOf(score)],
      score,
      uncertain: score < certain.probability || quality.length > 0,
      quality,
      probabilities: Object.fromEntries(classes.names.map((name, place) => [name, probabilities[place]])),
    };
  }
}

function rescaled(probabilities, temperature) {
  const raised = Array.from(probabilities, (one) => Math.max(one, 1e-7) ** (1 / temperature));
  const sum = raised.reduce((total, one) => total + one, 0);
  return raised.map((one) => one / sum);
}

// What makes a face hard to read.
function qualityOf([, , width, height], { data, width: side }, { smallest, darkest, leastSharpness }) {
  const mean = data.reduce((sum, level) => sum + level, 0) / data.length;
  const variance = data.reduce((sum, level) => sum + (level - mean) ** 2, 0) / data.length;
  let [squares, places] = [0, 0];
  for (let at = side; at < data.length - side; at += 1) {
    if (at % side === 0 || at % side === side - 1) continue;
    const around = data[at - 1] + data[at + 1] + data[at - side] + data[at + side];
    squares += (around - 4 * data[at]) ** 2;
    places += 1;
  }
  const sharpness = variance > 0 ? squares / places / variance : 1;
  return [
    Math.sqrt(width * height) < smallest && "small",
    mean < darkest && "dark",
    sharpness < leastSharpness && "blurred",
  ].filter(Boolean);
}
