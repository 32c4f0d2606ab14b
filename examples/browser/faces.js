// From a photograph to the emotions of the faces on it: fer2013kit.analyze_photo.

import { quarterTurns, uprightFace } from "./alignment.js";
import { fillsPicture, wholeFace } from "./crops.js";
import { Detector, roundHalfEven } from "./detector.js";
import { fetchBytes, Network } from "./networks.js";
import { mirrored, quarterTurned } from "./pixels.js";
import { qualityOf } from "./quality.js";

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
      const answers = [];
      for (const view of [face.crop, ...face.views ?? []]) answers.push(await this.#probabilities(view));
      const probabilities = answers[0].map((_, place) => (
        answers.reduce((sum, row) => sum + row[place], 0) / answers.length));
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
      const [crop, ...views] = await uprightFace(rgb, face, this.#detector, this.#settings);
      found.push({ ...face, crop, views });
    }
    return found;
  }

  // The mean over a face and its mirror image, before the temperature; then the words alone.
  async #probabilities(crop) {
    const { columns, temperature, mirrored: both } = this.#settings.classes;
    const answers = [];
    for (const view of both ? [crop, mirrored(crop)] : [crop]) {
      const [row] = Object.values(await this.#emotions.run(view.data, [1, view.height, view.width, 1]));
      answers.push(rescaled(row, 1 / temperature));
    }
    const mean = answers[0].map((_, column) => (
      answers.reduce((sum, row) => sum + row[column], 0) / answers.length));
    const row = rescaled(mean, temperature);
    const words = columns.map((column) => row[column]);
    const sum = words.reduce((total, one) => total + one, 0);
    return words.map((one) => one / sum);
  }

  #describe({ box, crop, points }, probabilities) {
    const { certain, classes } = this.#settings;
    const score = Math.max(...probabilities);
    const quality = qualityOf(box, crop, points, certain);
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
