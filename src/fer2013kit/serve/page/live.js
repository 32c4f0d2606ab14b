// Faces from frame to frame: who is who, steady boxes and bars, and a timeline of each.
import { at, colorOf, inkOn, percent } from "./parts.js";

const SECONDS_OF_BOX = 0.2; // over which boxes are averaged
const SECONDS_OF_WORD = 0.6; // and probabilities
const PATIENCE = 2; // seconds until a face that is not found is another one's
const SHOWN = 0.4; // seconds for which it is shown still
const CERTAIN = 0.7;
const SIDES = ["left", "top", "width", "height"];
const MOST = 6; // rows of the timeline
const ROW = 30; // pixels
const WINDOW = 60; // seconds of the camera in the timeline
const KEPT = 10_000; // answers that are kept to be saved

const middle = (box) => [box.left + box.width / 2, box.top + box.height / 2];

// How near two boxes are: 0 in the same place, 1 a face's width apart.
function distance(one, other) {
  const [x, y] = middle(one);
  const [u, v] = middle(other);
  const size = Math.max(one.width, one.height, other.width, other.height);
  const growth = Math.abs(Math.log(one.width / other.width));
  return Math.hypot(x - u, y - v) / size + growth / 2;
}

export class Recording {
  // duration: of a video, in seconds; null for the camera, whose last minute is drawn.
  constructor(duration = null) {
    this.duration = duration;
    this.tracks = [];
    this.samples = [];
    this.found = 0;
  }

  // Returns the answer with steady faces, numbered as they came.
  follow(answer, time) {
    this.tracks = this.tracks.filter((track) => time - track.time <= PATIENCE);
    const free = new Set(this.tracks);
    for (const face of answer.faces) {
      const near = [...free]
        .map((track) => [distance(track.face.box, face.box), track])
        .filter(([far]) => far < 0.7)
        .sort((one, other) => one[0] - other[0])[0];
      if (near) {
        free.delete(near[1]);
        steady(near[1], face, time);
      } else {
        this.found += 1;
        const start = { id: this.found, face: structuredClone(face), time, speed: [0, 0] };
        this.tracks.push(start);
      }
    }
    const faces = this.tracks
      .filter((track) => time - track.time <= SHOWN)
      .map(({ id, face, speed }) => ({ ...structuredClone(face), id, speed: [...speed] }));
    const shown = { ...answer, faces };
    this.samples.push({ time, answer: shown });
    if (this.samples.length > KEPT) this.samples.shift();
    return shown;
  }

  // The answer that is nearest to a time of the video.
  nearest(time) {
    const far = (sample) => Math.abs(sample.time - time);
    return this.samples.reduce((best, sample) => (far(sample) < far(best) ? sample : best));
  }

  // Seconds of each word, of each face; the longest seen first.
  summary() {
    const faces = new Map();
    for (const { answer } of this.samples) {
      for (const { id, emotion } of answer.faces) {
        const words = faces.get(id) ?? new Map();
        faces.set(id, words.set(emotion, (words.get(emotion) ?? 0) + 1));
      }
    }
    const total = (words) => [...words.values()].reduce((sum, times) => sum + times, 0);
    return [...faces].sort((one, other) => total(other[1]) - total(one[1])).map(([id, words]) => {
      const parts = [...words].sort((one, other) => other[1] - one[1]).slice(0, 3);
      return `Face ${id}: ${parts.map(([word, times]) => `${word} ${percent(times / total(words))}`).join(", ")}`;
    });
  }

  draw() {
    const canvas = at("timeline");
    const last = this.samples.at(-1)?.time ?? 0;
    const span = this.duration ?? WINDOW;
    const begin = this.duration === null ? last - WINDOW : 0;
    const seen = this.samples.filter(({ time }) => time >= begin);
    const ids = [...new Set(seen.flatMap(({ answer }) => answer.faces.map(({ id }) => id)))].slice(-MOST);
    canvas.hidden = !ids.length;
    if (!ids.length) return;
    const style = getComputedStyle(canvas);
    const dense = window.devicePixelRatio;
    const wide = canvas.parentElement.clientWidth;
    const high = ids.length * ROW + 16;
    if (canvas.width !== Math.round(wide * dense) || canvas.height !== Math.round(high * dense)) {
      canvas.width = Math.round(wide * dense);
      canvas.height = Math.round(high * dense);
      canvas.style.height = `${high}px`;
    }
    const context = canvas.getContext("2d");
    context.setTransform(dense, 0, 0, dense, 0, 0);
    context.clearRect(0, 0, wide, high);
    context.font = `12px ${style.fontFamily}`;
    const margin = 22;
    const place = (time) => margin + ((time - begin) / span) * (wide - margin);
    ids.forEach((id, row) => {
      const top = row * ROW;
      context.fillStyle = style.color;
      context.fillText(String(id), 4, top + 20);
      runsOf(seen, id).forEach(({ emotion, color, start, end, heights }) => {
        context.fillStyle = color;
        heights.forEach(([time, until, score]) => {
          const tall = (ROW - 4) * (0.3 + 0.7 * score);
          context.fillRect(place(time), top + ROW - 2 - tall, place(until) - place(time) + 0.7, tall);
        });
        context.fillStyle = inkOn(color);
        const room = place(end) - place(start) - 8;
        if (context.measureText(emotion).width < room) context.fillText(emotion, place(start) + 4, top + ROW - 6);
      });
    });
    context.fillStyle = style.color;
    const from = this.duration === null ? `${WINDOW} s ago` : "0 s";
    const to = this.duration === null ? "now" : `${this.duration.toFixed(1)} s`;
    context.fillText(from, margin, high - 3);
    context.fillText(to, wide - context.measureText(to).width - 2, high - 3);
    canvas.ariaLabel = `Timeline. ${this.summary().slice(0, MOST).join("; ")}`;
  }
}

function steady(track, face, time) {
  const passed = Math.max(time - track.time, 1e-3);
  const weight = 1 - Math.exp(-passed / SECONDS_OF_BOX);
  const slow = 1 - Math.exp(-passed / SECONDS_OF_WORD);
  const before = middle(track.face.box);
  const blend = (old, now, share) => old + share * (now - old);
  const box = Object.fromEntries(SIDES.map((side) => [side, blend(track.face.box[side], face.box[side], weight)]));
  const probabilities = Object.fromEntries(
    Object.entries(face.probabilities).map(([word, now]) => [word, blend(track.face.probabilities[word] ?? now, now, slow)]),
  );
  const [emotion, score] = Object.entries(probabilities).reduce((best, one) => (one[1] > best[1] ? one : best));
  track.speed = middle(box).map((now, axis) => blend(track.speed[axis], (now - before[axis]) / passed, weight));
  track.face = { ...face, box, probabilities, emotion, score, uncertain: score < CERTAIN || face.quality.length > 0 };
  track.time = time;
}

// Stretches of one word of a face, with the probability of each moment.
function runsOf(samples, id) {
  const runs = [];
  samples.forEach(({ time, answer }, place) => {
    const face = answer.faces.find((one) => one.id === id);
    if (!face) return;
    const until = Math.min(samples[place + 1]?.time ?? time + 0.2, time + PATIENCE);
    const last = runs.at(-1);
    if (last?.emotion === face.emotion && time - last.end < 1e-6) {
      last.end = until;
      last.heights.push([time, until, face.score]);
    } else {
      const color = colorOf(face.emotion);
      runs.push({ emotion: face.emotion, color, start: time, end: until, heights: [[time, until, face.score]] });
    }
  });
  return runs;
}

// Where a box will be when it is seen: answers come late.
export function ahead(face, seconds) {
  const late = Math.min(seconds, 0.3);
  const { left, top, width, height } = face.box;
  const [across, down] = face.speed;
  return { ...face, box: { left: left + across * late, top: top + down * late, width, height } };
}
