// The expression network of @vladmandic/face-api on crops of 48x48 grey bytes, one after another:
// node peers_face_api.cjs FOLDER_OF_node_modules FACES.raw   (recipes/peers.py calls it)
const fs = require("node:fs");
const path = require("node:path");

const [folder, faces] = process.argv.slice(2);
const modules = path.join(folder, "node_modules");
const from = (name) => require(path.join(modules, name));
const SIDE = 48;

async function main() {
  const wasm = from("@tensorflow/tfjs-backend-wasm");
  wasm.setWasmPaths(path.join(modules, "@tensorflow/tfjs-backend-wasm/dist/"));
  const tf = from("@tensorflow/tfjs");
  const faceapi = from("@vladmandic/face-api/dist/face-api.node-wasm.js");
  await faceapi.tf.setBackend("wasm");
  await faceapi.tf.ready();
  const net = faceapi.nets.faceExpressionNet;
  await net.loadFromDisk(path.join(modules, "@vladmandic/face-api/model"));
  const bytes = fs.readFileSync(faces);
  const words = [];
  const milliseconds = [];
  for (let at = 0; at < bytes.length; at += SIDE * SIDE) {
    const grey = Int32Array.from(bytes.subarray(at, at + SIDE * SIDE));
    const begun = performance.now();
    const image = faceapi.tf.tidy(() => faceapi.tf.tensor3d(grey, [SIDE, SIDE, 1], "int32").tile([1, 1, 3]));
    const answer = await net.predictExpressions(image);
    milliseconds.push(performance.now() - begun);
    image.dispose();
    words.push(answer.asSortedArray()[0].expression);
  }
  console.log(JSON.stringify({ words, milliseconds, backend: tf && faceapi.tf.getBackend() }));
}

main();
