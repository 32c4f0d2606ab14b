// The library's LiteRT files, run by LiteRT.js in WebAssembly.

import { loadAndCompile, loadLiteRt, Tensor } from "@litertjs/core";

// Where LiteRT's schema keeps what is read here.
const SUBGRAPHS = 2;
const [TENSORS, INPUTS, OUTPUTS] = [0, 1, 2];
const SHAPES = [0, 7]; // what a tensor's shape is, and which of its lengths may change

const KEPT = 8; // networks for as many shapes of images

export async function start(wasmFolder) {
  await loadLiteRt(wasmFolder);
}

export async function fetchBytes(url) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: ${response.status} ${response.statusText}`);
  return new Uint8Array(await response.arrayBuffer());
}

/** A network file, which answers images of one shape after the other. */
export class Network {
  #content;
  #outputShapes;
  #started = new Map();
  #busy = Promise.resolve();

  /** `outputShapes` takes the shape of the input and returns that of each output. */
  constructor(content, outputShapes) {
    this.#content = content;
    this.#outputShapes = outputShapes;
  }

  /** The outputs by their names, as arrays of floats; one image after the other. */
  run(data, shape) {
    const answer = this.#busy.then(() => this.#run(data, shape));
    this.#busy = answer.catch(() => {});
    return answer;
  }

  async #run(data, shape) {
    const model = await this.#startFor(shape);
    const input = new Tensor(data, shape);
    const outputs = await model.run(input);
    const names = model.getOutputDetails().map(({ name }) => name);
    const arrays = await Promise.all(outputs.map((output) => output.data()));
    const answer = names.map((name, place) => [name, arrays[place].slice()]);
    for (const one of [input, ...outputs]) one.delete();
    return Object.fromEntries(answer);
  }

  async #startFor(shape) {
    const key = shape.join();
    const started = this.#started.get(key)
      ?? await loadAndCompile(this.#contentFor(shape), { accelerator: "wasm" });
    this.#started.delete(key); // the last used are the last in the map
    this.#started.set(key, started);
    if (this.#started.size > KEPT) {
      const [oldest, model] = this.#started.entries().next().value;
      model.delete();
      this.#started.delete(oldest);
    }
    return started;
  }

  // LiteRT.js runs networks of fixed shapes alone, and the library's files leave some lengths open:
  // they are filled in where the file (a flatbuffer) says them.
  #contentFor(shape) {
    const content = this.#content.slice();
    const view = new DataView(content.buffer);
    const follow = (place) => place + view.getUint32(place, true);
    const field = (table, number) => {
      const vtable = table - view.getInt32(table, true);
      const at = 4 + 2 * number;
      const offset = at < view.getUint16(vtable, true) ? view.getUint16(vtable + at, true) : 0;
      return offset && follow(table + offset);
    };
    const graph = follow(field(follow(0), SUBGRAPHS) + 4);
    const fill = (list, shapes) => shapes.forEach((lengths, number) => {
      const tensor = view.getInt32(list + 4 + 4 * number, true);
      const table = follow(field(graph, TENSORS) + 4 + 4 * tensor);
      for (const vector of SHAPES.map((one) => field(table, one)).filter(Boolean)) {
        lengths.forEach((length, axis) => view.setInt32(vector + 4 + 4 * axis, length, true));
      }
    });
    fill(field(graph, INPUTS), [shape]);
    fill(field(graph, OUTPUTS), this.#outputShapes(shape));
    return content;
  }
}
