// The photos so far: which are waiting, what was found in each; the one that is shown goes first.
import { ask, at, count, make } from "./parts.js";

const SIDE = 112; // pixels of a small picture

export class Album {
  // onChange is told of the photo whose answer, or error, has come.
  constructor({ onChange, onChoose }) {
    this.items = [];
    this.shown = null;
    this.working = null;
    this.onChange = onChange;
    this.onChoose = onChoose;
  }

  add(photo, name) {
    const item = { photo, name, whole: false, answer: null, error: null, explained: null };
    item.button = make("button", { type: "button", title: name, onclick: () => this.onChoose(item) });
    item.picture = make("canvas", { width: SIDE, height: SIDE, ariaHidden: "true" });
    item.text = make("span", {}, "waiting");
    item.button.append(item.picture, item.text);
    item.place = make("li", {}, item.button);
    this.items.push(item);
    at("album").querySelector("ol").append(item.place);
    this.label(item);
    drawSmall(item);
    return item;
  }

  show(item) {
    this.shown = item;
    for (const one of this.items) {
      if (one === item) one.button.setAttribute("aria-current", "true");
      else one.button.removeAttribute("aria-current");
    }
    at("album").hidden = this.items.length < 2;
    this.work();
  }

  // What was said of photos is asked again, of the model that was chosen.
  askAgain(model, items = this.items) {
    this.model = model;
    for (const item of items) {
      Object.assign(item, { answer: null, error: null, explained: null });
      this.label(item);
    }
    this.working?.stop.abort();
  }

  async work() {
    if (this.working) return;
    const item = [this.shown, ...this.items].find((one) => one && !one.answer && !one.error);
    if (!item) return;
    const stop = new AbortController();
    this.working = { item, stop };
    try {
      const answer = await ask(`analyze${query(this.model, item)}`, item.photo, stop.signal);
      if (!stop.signal.aborted) Object.assign(item, { answer, model: this.model });
    } catch (error) {
      if (!stop.signal.aborted) item.error = error;
    }
    this.working = null;
    this.label(item);
    if (!stop.signal.aborted) this.onChange(item);
    this.work();
  }

  label(item) {
    const faces = item.answer?.faces;
    const words = faces?.map(({ emotion }) => emotion);
    const found = words && (words.length > 1 ? count(words) : (words[0] ?? "no face"));
    item.text.textContent = item.error ? "not read" : (found ?? "waiting");
    item.button.ariaLabel = `${item.name}: ${item.text.textContent}`;
  }

  clear() {
    this.items.forEach(({ place }) => place.remove());
    this.items = [];
    this.shown = null;
    this.working?.stop.abort();
    at("album").hidden = true;
  }
}

export function query(model, { whole }, more = {}) {
  const choices = { ...more, ...(model === "default" ? {} : { model }), ...(whole ? { whole: true } : {}) };
  const text = new URLSearchParams(choices).toString();
  return text && `?${text}`;
}

async function drawSmall({ photo, picture }) {
  try {
    const bitmap = await createImageBitmap(photo);
    const side = Math.min(bitmap.width, bitmap.height);
    const cut = [(bitmap.width - side) / 2, (bitmap.height - side) / 3, side, side];
    picture.getContext("2d").drawImage(bitmap, ...cut, 0, 0, SIDE, SIDE);
    bitmap.close();
  } catch {
    picture.classList.add("unseen"); // a kind that this browser cannot show
  }
}
