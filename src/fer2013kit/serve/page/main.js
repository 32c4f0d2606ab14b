// What the visitor does: choose, drop or paste photos or a video, use the camera, ask why, save.
import { Album, query } from "./album.js";
import { Camera, Film } from "./camera.js";
import { ahead, Recording } from "./live.js";
import { ask, at, make } from "./parts.js";
import { annotated, programs, rowsOf, save, toCsv } from "./save.js";
import { View } from "./view.js";

const { maxMegabytes, ...data } = document.body.dataset;
const models = JSON.parse(data.models);
const view = new View();
const camera = new Camera(at("video"));
const album = new Album({ onChange: showIfChosen, onChoose: show });

let moving = null; // the camera or the video that is shown: its source, recording, last picture

const model = () => models.find(({ name }) => name === at("model").value);

function add(photo, name) {
  if (photo.size > maxMegabytes * 1e6) {
    const size = (photo.size / 1e6).toFixed(1);
    view.complain(`${name} has ${size} megabytes; at most ${maxMegabytes} are taken.`);
    return null;
  }
  return album.add(photo, name);
}

function show(item) {
  stopMoving();
  view.complain("");
  item.seen = view.showPhoto(item.photo, item.name);
  album.show(item);
  showIfChosen(item);
}

async function showIfChosen(item) {
  if (item !== album.shown || moving) return;
  if (item.error) {
    view.showNothing();
    view.complain(item.error.message);
  }
  if (!item.answer) return;
  await item.seen;
  if (item !== album.shown || moving || !item.answer) return;
  view.showAnswer(item.answer, model().explains ? (...asked) => explain(item, ...asked) : null);
}

function explain(item, number, emotion) {
  item.explained = { number, emotion };
  showPrograms();
  return ask(`explain${query(item.model, item, { face: number, emotion })}`, item.photo);
}

function take(files) {
  view.complain("");
  const film = [...files].find(({ type }) => type.startsWith("video/"));
  if (film) {
    useFilm(film);
    return;
  }
  const [first] = [...files].map((file) => add(file, file.name)).filter(Boolean);
  if (first) show(first);
}

async function watch(source, recording, name) {
  album.show(null);
  moving = { source, recording, name };
  const mine = moving;
  view.showVideo(source.isMirrored, name);
  try {
    for await (const { photo, canvas, time } of source.frames()) {
      if (moving !== mine) return;
      Object.assign(moving, { photo: moving.photo ?? photo, sent: photo });
      at("freeze").hidden = false;
      const answer = await ask(`analyze${query(model().name, {})}`, photo);
      if (moving !== mine) return;
      const followed = recording.follow(answer, time);
      const late = recording.duration === null ? performance.now() / 1000 - time : 0;
      const faces = followed.faces.map((face) => ahead(face, late));
      Object.assign(moving, { canvas, answer: followed });
      view.showLive({ ...followed, faces }, canvas);
      recording.draw();
    }
  } catch (error) {
    if (moving !== mine) return;
    stopMoving();
    view.showNothing();
    view.complain(error.message);
  }
}

async function useCamera() {
  stopMoving();
  view.complain("");
  at("camera").disabled = true; // asked twice, it would be on twice
  try {
    await camera.start();
  } catch (error) {
    camera.stop();
    view.complain(error.message);
    return;
  } finally {
    at("camera").disabled = false;
  }
  at("camera").textContent = "Stop the camera";
  await watch(camera, new Recording(), "Camera");
}

async function useFilm(file) {
  stopMoving();
  const film = new Film(at("video"), file);
  try {
    await film.start();
  } catch (error) {
    view.complain(error.message);
    return;
  }
  const recording = new Recording(film.duration);
  await watch(film, recording, file.name);
  if (moving?.source !== film || !recording.samples.length) return;
  at("freeze").hidden = true;
  at("video").controls = true;
  at("video").currentTime = 0;
  const faces = recording.summary();
  const found = faces.length === 1 ? "1 face" : `${faces.length} faces`;
  view.summarize(faces.length ? `${found} in the video. ${faces.slice(0, 3).join("; ")}.` : "No face was found.");
}

function stopMoving() {
  moving?.source.stop();
  moving = null;
  if (document.activeElement === at("freeze")) at("camera").focus();
  at("freeze").hidden = true;
  at("camera").textContent = "Use the camera";
}

at("video").addEventListener("timeupdate", () => {
  if (!at("video").controls || !moving?.recording.samples.length) return;
  const { answer } = moving.recording.nearest(at("video").currentTime);
  view.render({ ...answer, faces: answer.faces.map((face) => ({ ...face, title: `${face.id} ${face.emotion}` })) }, moving.canvas, null);
});
at("timeline").addEventListener("click", (event) => {
  if (!at("video").controls) return;
  const { left, width } = at("timeline").getBoundingClientRect();
  at("video").currentTime = Math.max(0, ((event.clientX - left - 22) / (width - 22)) * at("video").duration);
});
addEventListener("resize", () => moving?.recording.draw());

at("choose").addEventListener("click", () => at("file").click());
at("take").addEventListener("click", () => at("shot").click());
for (const name of ["file", "shot"]) {
  at(name).addEventListener("change", (event) => {
    take(event.target.files);
    event.target.value = ""; // so that the same file may be chosen again
  });
}
at("camera").addEventListener("click", () => {
  if (!camera.isOn) {
    useCamera();
    return;
  }
  stopMoving();
  view.showNothing();
});
at("freeze").addEventListener("click", () => {
  if (moving?.sent) show(add(moving.sent, `camera-${album.items.length + 1}.jpg`));
});
at("clear").addEventListener("click", () => {
  stopMoving();
  album.clear();
  view.complain("");
  view.showNothing();
  at("choose").focus();
});
at("whole").addEventListener("click", () => {
  const item = album.shown;
  item.whole = true;
  album.askAgain(model().name, [item]);
  show(item);
});
at("model").addEventListener("change", () => {
  album.askAgain(model().name);
  if (album.shown) show(album.shown);
  else album.work();
});

const rows = () =>
  moving
    ? moving.recording.samples.flatMap(({ time, answer }) => rowsOf({ time }, answer.faces))
    : album.items.filter(({ answer }) => answer).flatMap(({ name, answer }) => rowsOf({ photo: name }, answer.faces));
const everything = () =>
  moving
    ? { video: moving.name, frames: moving.recording.samples.map(({ time, answer }) => ({ time, ...answer })) }
    : { photos: album.items.filter(({ answer }) => answer).map(({ name, model: by, answer }) => ({ photo: name, model: by, ...answer })) };
at("csv").addEventListener("click", () => save(toCsv(rows()), "emotions.csv", "text/csv"));
at("json").addEventListener("click", () => save(JSON.stringify(everything(), null, 2), "emotions.json", "application/json"));
at("png").addEventListener("click", async () => {
  const { picture, answer } = moving ? { picture: moving.canvas, answer: moving.answer } : { picture: at("photo"), answer: album.shown.answer };
  save(await annotated(picture, answer), "emotions.png");
});
at("code").addEventListener("click", () => {
  at("programs").hidden = !at("programs").hidden;
  at("code").ariaExpanded = String(!at("programs").hidden);
  showPrograms();
});

function showPrograms() {
  if (at("programs").hidden || !album.shown) return;
  const shipped = models.map(({ name }) => name).filter((name) => name !== "default");
  const texts = Object.entries(programs(album.shown, model(), shipped));
  at("programs").replaceChildren(
    ...texts.map(([language, text]) => {
      const copy = make("button", { type: "button", className: "small" }, "Copy");
      copy.ariaLabel = `Copy ${language}`;
      copy.onclick = async () => {
        await navigator.clipboard.writeText(text);
        copy.textContent = "Copied";
      };
      copy.hidden = !navigator.clipboard; // browsers give it to safe pages alone
      return make("figure", {}, make("figcaption", {}, language, copy), make("pre", { tabIndex: 0 }, text));
    }),
  );
}

// Entering a child leaves its parent: what is left is counted.
let entered = 0;
const isFile = (event) => event.dataTransfer?.types.includes("Files");
for (const [name, change] of [["dragenter", 1], ["dragleave", -1]]) {
  addEventListener(name, (event) => {
    if (!isFile(event)) return;
    entered += change;
    document.body.classList.toggle("dragging", entered > 0);
  });
}
addEventListener("dragover", (event) => event.preventDefault());
addEventListener("drop", (event) => {
  event.preventDefault();
  entered = 0;
  document.body.classList.remove("dragging");
  take(event.dataTransfer.files);
});
addEventListener("paste", (event) => take(event.clipboardData.files));

at("model").append(...models.map(({ name, title }) => make("option", { value: name }, title)));
album.model = model().name;
for (const [file, name] of Object.entries(JSON.parse(data.samples))) {
  const image = make("img", { src: `page/${file}`, alt: "" });
  const button = make("button", { type: "button" }, image, name);
  button.addEventListener("click", async () => {
    const response = await fetch(`page/${file}`);
    show(add(await response.blob(), file));
  });
  at("samples").append(button);
}
