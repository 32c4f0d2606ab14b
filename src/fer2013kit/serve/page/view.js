// What is seen: the photo with its boxes, a card with bars for each face, the explanation.

const at = (id) => document.getElementById(id);
const THUMBNAIL = 112; // pixels
const AROUND = 0.12; // of a box, shown around it in its card
const LABEL = 32; // pixels above or below a box for its label
const FIRST_EXPLANATION = "Loading TensorFlow; the first time takes some seconds.";

function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

const percent = (share) => `${Math.round(share * 100)} %`;
const inWords = ({ emotion, score, uncertain }) =>
  `${emotion}, ${percent(score)}${uncertain ? ", uncertain" : ""}`;

export class View {
  // onExplain: a function from a face's number to its explanation, or null where there is none.
  constructor({ onExplain }) {
    this.onExplain = onExplain;
    this.address = null;
    this.hasExplained = false;
    this.photo = at("photo");
    this.stage = at("stage");
  }

  complain(text) {
    at("message").textContent = text;
    at("message").hidden = !text;
  }

  showNothing() {
    at("result").hidden = true;
    at("start").hidden = false;
    this.stage.classList.remove("busy");
  }

  open() {
    at("start").hidden = true;
    at("result").hidden = false;
    at("result").classList.remove("unseen");
    this.stage.hidden = false;
    at("boxes").replaceChildren();
    at("faces").replaceChildren();
    at("summary").textContent = "Looking for faces ...";
  }

  // Returns whether the browser can show the photo.
  async showPhoto(photo, description) {
    this.open();
    at("video").hidden = true;
    this.stage.classList.add("busy");
    if (this.address) URL.revokeObjectURL(this.address);
    this.address = URL.createObjectURL(photo);
    this.photo.src = this.address;
    this.photo.alt = description;
    this.photo.hidden = false;
    try {
      await this.photo.decode();
    } catch {
      this.stage.hidden = true;
      at("result").classList.add("unseen");
    }
  }

  showCamera(isMirrored) {
    this.open();
    this.photo.hidden = true;
    at("video").hidden = false;
    at("video").classList.toggle("mirrored", isMirrored);
    this.stage.classList.add("busy");
  }

  showLive(answer, picture) {
    this.render(answer, picture, null);
  }

  showAnswer(answer) {
    const isSeen = !this.stage.hidden;
    this.render(answer, isSeen ? this.photo : null, this.onExplain);
    if (!isSeen) at("summary").append(" This browser cannot show the picture itself.");
  }

  render({ width, height, faces }, picture, onExplain) {
    this.stage.classList.remove("busy");
    // From left to right; the number of a face is that of the answer.
    const ordered = faces
      .map((face, number) => ({ ...face, number }))
      .sort((one, other) => one.box.left - other.box.left);
    const summary = this.summarize(ordered);
    if (at("summary").textContent !== summary) at("summary").textContent = summary;
    const cards = fit(at("faces"), ordered.length, makeCard);
    const boxes = fit(at("boxes"), picture ? ordered.length : 0, makeBox);
    ordered.forEach((face, place) => {
      const title = `${ordered.length > 1 ? `${place + 1} ` : ""}${face.emotion}`;
      fillCard(cards[place], face, title, picture, width);
      const why = cards[place].querySelector(".why");
      why.hidden = !onExplain;
      why.onclick = () => this.explain(cards[place], face, onExplain);
      if (boxes[place]) fillBox(boxes[place], face, title, width, height, cards[place]);
    });
  }

  summarize(faces) {
    if (!faces.length) return "No face was found.";
    if (faces.length === 1) return `1 face: ${inWords(faces[0])}.`;
    return `${faces.length} faces: ${faces.map(({ emotion }) => emotion).join(", ")}.`;
  }

  async explain(card, face, onExplain) {
    const why = card.querySelector(".why");
    const place = card.querySelector(".explanation");
    why.disabled = true;
    place.hidden = false;
    place.replaceChildren(make("p", { className: "soft" }, this.hasExplained ? "..." : FIRST_EXPLANATION));
    try {
      place.replaceChildren(...explanationOf(await onExplain(face.number)));
      this.hasExplained = true;
      why.hidden = true;
    } catch (error) {
      if (error.name !== "AbortError") place.replaceChildren(make("p", { role: "alert" }, error.message));
    }
    why.disabled = false;
  }
}

// Returns as many children as wanted; those there are stay, so that bars move.
function fit(parent, count, build) {
  while (parent.children.length > count) parent.lastChild.remove();
  while (parent.children.length < count) parent.append(build());
  return [...parent.children];
}

function makeCard() {
  const thumbnail = make("canvas", { width: THUMBNAIL, height: THUMBNAIL, ariaHidden: "true" });
  const why = make("button", { type: "button", className: "why" }, "Why?");
  const texts = make("div", {}, make("h2"), make("p", { className: "soft" }));
  return make(
    "li",
    { className: "face", tabIndex: -1 },
    make("div", { className: "head" }, thumbnail, texts, why),
    make("ul", { className: "bars" }),
    make("div", { className: "explanation", hidden: true }),
  );
}

function fillCard(card, face, title, picture, width) {
  card.querySelector("h2").textContent = title;
  card.querySelector(".soft").textContent = face.uncertain
    ? `uncertain: ${percent(face.score)}`
    : percent(face.score);
  const thumbnail = card.querySelector("canvas");
  thumbnail.hidden = !picture;
  if (picture) drawThumbnail(thumbnail, picture, face.box, width);
  const entries = Object.entries(face.probabilities);
  const bars = fit(card.querySelector(".bars"), entries.length, () =>
    make("li", {}, make("b"), make("i", { ariaHidden: "true" }), make("span")),
  );
  entries.forEach(([name, share], place) => {
    const [label, bar, number] = bars[place].children;
    bars[place].classList.toggle("best", name === face.emotion);
    label.textContent = name;
    bar.style.setProperty("--share", share);
    number.textContent = percent(share);
  });
}

function drawThumbnail(canvas, picture, { left, top, width, height }, photoWidth) {
  const scale = (picture.naturalWidth ?? picture.width) / photoWidth;
  const side = Math.max(width, height) * (1 + 2 * AROUND);
  const x = left + width / 2 - side / 2;
  const y = top + height / 2 - side / 2;
  const context = canvas.getContext("2d");
  context.clearRect(0, 0, THUMBNAIL, THUMBNAIL);
  context.drawImage(picture, x * scale, y * scale, side * scale, side * scale, 0, 0, THUMBNAIL, THUMBNAIL);
}

function makeBox() {
  return make("button", { type: "button", className: "box" }, make("span"));
}

function fillBox(box, face, title, photoWidth, photoHeight, card) {
  const { left, top, width, height } = face.box;
  const share = (part, whole) => `${(100 * part) / whole}%`;
  Object.assign(box.style, {
    left: share(left, photoWidth),
    top: share(top, photoHeight),
    width: share(width, photoWidth),
    height: share(height, photoHeight),
  });
  box.classList.toggle("uncertain", face.uncertain);
  const above = (top / photoHeight) * at("stage").clientHeight;
  const below = (1 - (top + height) / photoHeight) * at("stage").clientHeight;
  box.classList.toggle("below", above < LABEL && below >= LABEL);
  box.classList.toggle("low", above < LABEL && below < LABEL); // inside
  box.classList.toggle("right", left + width / 2 > 0.7 * photoWidth);
  box.firstChild.textContent = face.uncertain ? `${title}?` : title;
  box.ariaLabel = `Face: ${inWords(face)}`;
  box.onclick = () => card.focus();
  const mark = (marked) => () => {
    box.classList.toggle("marked", marked);
    card.classList.toggle("marked", marked);
  };
  Object.assign(box, { onmouseenter: mark(true), onmouseleave: mark(false) });
  Object.assign(card, { onmouseenter: mark(true), onmouseleave: mark(false) });
}

function explanationOf({ emotion, width, height, face, heat }) {
  const pixels = fromBase64(face);
  const hot = fromBase64(heat);
  const seen = drawPixels(width, height, (place) => Array(3).fill(pixels[place]));
  const spoke = drawPixels(width, height, (place) => {
    const share = hot[place] / 255;
    const warm = [150 + 105 * share, 215 * share ** 1.5, 70 * (1 - share)];
    return warm.map((level) => level * 0.75 * share + pixels[place] * (1 - 0.75 * share));
  });
  const shows = (canvas, text) => {
    canvas.role = "img";
    canvas.ariaLabel = text;
    return make("figure", {}, canvas, make("figcaption", {}, text));
  };
  return [
    make("div", {}, shows(seen, "What the network saw"), shows(spoke, `What in it spoke for ${emotion}`)),
    make("p", { className: "soft" }, "HiResCAM: the warmer, the more. It is as coarse as the network's last maps."),
  ];
}

function fromBase64(text) {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}

function drawPixels(width, height, colorOf) {
  const canvas = make("canvas", { width, height });
  const context = canvas.getContext("2d");
  const image = context.createImageData(width, height);
  for (let place = 0; place < width * height; place += 1) {
    image.data.set([...colorOf(place), 255], 4 * place);
  }
  context.putImageData(image, 0, 0);
  return canvas;
}
