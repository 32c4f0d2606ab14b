// Answers of @vladmandic/face-api for pictures that come through a pipe; see peer_networks.py.
//
// A request is a line of JSON, {"height", "width", "whole"}, and then red, green and blue of each
// pixel.  An answer is a line of JSON: a list of {box, words} for the faces found, or, where the
// whole picture is a face, one of {words}.

const { createRequire } = require('node:module');
const path = require('node:path');

const fromFolder = createRequire(path.join(path.resolve(process.argv[2]), 'any.js'));
const faceapi = fromFolder('@vladmandic/face-api/dist/face-api.node-wasm.js');
const wasm = fromFolder('@tensorflow/tfjs-backend-wasm');
const folderOf = (name) => path.dirname(fromFolder.resolve(`${name}/package.json`));

async function start() {
  wasm.setWasmPaths(`${folderOf('@tensorflow/tfjs-backend-wasm')}/dist/`);
  await faceapi.tf.setBackend('wasm');
  await faceapi.tf.ready();
  const models = path.join(folderOf('@vladmandic/face-api'), 'model');
  for (const name of ['ssdMobilenetv1', 'faceLandmark68Net', 'faceExpressionNet']) {
    await faceapi.nets[name].loadFromDisk(models);
  }
}

async function answer({ height, width, whole }, pixels) {
  const picture = faceapi.tf.tensor3d(Int32Array.from(pixels), [height, width, 3], 'int32');
  try {
    if (whole) return [{ words: await faceapi.nets.faceExpressionNet.predictExpressions(picture) }];
    const found = await faceapi
      .detectAllFaces(picture, new faceapi.SsdMobilenetv1Options())
      .withFaceLandmarks()
      .withFaceExpressions();
    return found.map(({ detection: { box }, expressions }) => ({
      box: [box.x, box.y, box.width, box.height],
      words: expressions,
    }));
  } finally {
    picture.dispose();
  }
}

async function main() {
  await start();
  let waiting = Buffer.alloc(0);
  let request = null;
  for await (const chunk of process.stdin) {
    waiting = Buffer.concat([waiting, chunk]);
    for (;;) {
      if (request === null) {
        const end = waiting.indexOf(10);
        if (end < 0) break;
        request = JSON.parse(waiting.subarray(0, end).toString());
        waiting = waiting.subarray(end + 1);
      }
      const size = request.height * request.width * 3;
      if (waiting.length < size) break;
      const said = await answer(request, waiting.subarray(0, size));
      waiting = waiting.subarray(size);
      request = null;
      process.stdout.write(`${JSON.stringify(said)}\n`);
    }
  }
}

main();
