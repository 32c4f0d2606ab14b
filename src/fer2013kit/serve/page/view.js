// What is seen: the photo or video with its boxes, and a card with bars for each face.
import { explanationOf, hideHeat } from "./heat.js";
import { at, colorOf, count, inkOn, make, percent } from "./parts.js";

const THUMBNAIL = 112; // pixels
const AROUND = 0.12; // of a box, shown around it in its card
const LABEL = 32; // pixels above or below a box for its label
const NARROW = 64; // pixels of a box below which its number must do, where there are many
const MANY = 4; // faces, from which on cards are compact
const QUIET = 5000; // milliseconds between what is said aloud of moving pictures
const FIRST_EXPLANATION = "Loading TensorFlow; the first time takes some seconds.";

const inWords = ({ emotion, score, uncertain }) =>
  `${emotion}, ${percent(score)}${uncertain ? ", uncertain" : ""}`;

export class View {
  constructor() {
    this.address = null;
    this.hasExplained = false;
    this.spoken = 0;
    this.photo = at("photo");
    this.stage = at("stage");
  }

  complain(text) {
    at("message").textContent = text;
    at("message").hidden = !text;
  }

  showNothing() {
    this.swap(at("result"), at("start"));
    this.stage.classList.remove("busy");
  }

  // Whoever stood on what is hidden goes on from where the answer will be.
  swap(gone, seen) {
    const stood = gone.contains(document.activeElement);
    gone.hidden = true;
    seen.hidden = false;
    if (stood) (seen === at("start") ? at("choose") : at("summary")).focus({ preventScroll: true });
  }

  open(text) {
    this.swap(at("start"), at("result"));
    at("result").classList.remove("unseen");
    this.stage.hidden = false;
    for (const name of ["tools", "hint", "timeline", "programs"]) at(name).hidden = true;
    at("code").ariaExpanded = "false";
    window.onresize = null;
    at("boxes").replaceChildren();
    at("faces").replaceChildren();
    hideHeat();
    this.summarize(text);
    this.stage.classList.add("busy");
  }

  // Returns when the browser has the photo, or has not.
  async showPhoto(photo, description) {
    this.open("Looking for faces ...");
    at("video").hidden = true;
    if (this.address) URL.revokeObjectURL(this.address);
    const address = URL.createObjectURL(photo);
    this.address = address;
    this.photo.src = address;
    this.photo.alt = description;
    this.photo.hidden = false;
    try {
      await this.photo.decode();
    } catch {
      if (this.address !== address) return;
      this.stage.hidden = true;
      at("result").classList.add("unseen");
    }
  }

  showVideo(isMirrored, name) {
    this.open("Looking for faces ...");
    this.photo.hidden = true;
    at("video").hidden = false;
    at("video").ariaLabel = name;
    at("video").classList.toggle("mirrored", isMirrored);
  }

  // onExplain: a function from a face's number and an emotion to what supports it, or null.
  showAnswer(answer, onExplain) {
    const isSeen = !this.stage.hidden;
    // From left to right; the number of a face is that of the answer.
    const faces = answer.faces
      .map((face, number) => ({ ...face, number }))
      .sort((one, other) => one.box.left - other.box.left);
    faces.forEach((face, place) => {
      face.title = `${faces.length > 1 ? `${place + 1} ` : ""}${face.emotion}`;
    });
    const unseen = isSeen ? "" : " This browser cannot show the picture itself.";
    this.summarize(summaryOf(faces) + unseen);
    this.render({ ...answer, faces }, isSeen ? this.photo : null, onExplain);
    at("hint").hidden = faces.length > 0;
    at("tools").hidden = false;
    at("png").hidden = !isSeen;
    at("code").hidden = false;
    this.stage.classList.remove("busy");
  }

  showLive(answer, picture) {
    const faces = answer.faces.map((face) => ({ ...face, title: `${face.id} ${face.emotion}` }));
    this.summarize(summaryOf(faces), { aloud: Date.now() - this.spoken > QUIET });
    this.render({ ...answer, faces }, picture, null);
    at("tools").hidden = false;
    at("png").hidden = false;
    at("code").hidden = true;
    this.stage.classList.toggle("live", true);
    this.stage.classList.remove("busy");
  }

  summarize(text, { aloud = true } = {}) {
    this.stage.classList.remove("live");
    if (at("summary").textContent !== text) at("summary").textContent = text;
    if (!aloud || at("status").textContent === text) return;
    at("status").textContent = text;
    this.spoken = Date.now();
  }

  render(answer, picture, onExplain) {
    const { width, height, faces } = answer;
    window.onresize = () => this.render(answer, picture, onExplain);
    at("result").classList.toggle("many", faces.length >= MANY);
    const cards = fit(at("faces"), faces.length, makeCard);
    const boxes = fit(at("boxes"), picture ? faces.length : 0, makeBox);
    faces.forEach((face, place) => {
      fillCard(cards[place], face, picture, width);
      const why = cards[place].querySelector(".why");
      why.hidden = !onExplain;
      why.onclick = () => this.toggleExplanation(cards[place], face, width, height, onExplain);
      if (boxes[place]) fillBox(boxes[place], face, width, height, cards[place]);
    });
  }

  toggleExplanation(card, face, width, height, onExplain) {
    const why = card.querySelector(".why");
    const place = card.querySelector(".explanation");
    const opens = place.hidden;
    place.hidden = !opens;
    why.ariaExpanded = String(opens);
    hideHeat();
    if (!opens) return;
    const choice = make("select", {}, ...Object.keys(face.probabilities).map((word) => make("option", {}, word)));
    choice.value = face.emotion;
    const shown = make("div");
    const explain = async () => {
      const text = this.hasExplained ? "..." : FIRST_EXPLANATION;
      shown.replaceChildren(make("p", { className: "soft" }, text));
      hideHeat();
      try {
        const answer = await onExplain(face.number, choice.value);
        if (answer.emotion !== choice.value || place.hidden) return; // another one was asked for since
        shown.replaceChildren(...explanationOf(answer, face, width, height));
        this.hasExplained = true;
      } catch (error) {
        if (error.name !== "AbortError") shown.replaceChildren(make("p", { role: "alert" }, error.message));
      }
    };
    choice.onchange = explain;
    place.replaceChildren(make("label", {}, "What supports ", choice), shown);
    explain();
  }
}

function summaryOf(faces) {
  if (!faces.length) return "No face was found.";
  if (faces.length === 1) return `1 face: ${inWords(faces[0])}.`;
  const words = faces.map(({ emotion }) => emotion);
  return `${faces.length} faces: ${faces.length < MANY ? words.join(", ") : count(words)}.`;
}

// Returns as many children as wanted; those there are stay, so that bars move and focus is kept.
function fit(parent, number, build) {
  while (parent.children.length > number) parent.lastChild.remove();
  while (parent.children.length < number) parent.append(build());
  return [...parent.children];
}

function makeCard() {
  const thumbnail = make("canvas", { width: THUMBNAIL, height: THUMBNAIL, ariaHidden: "true" });
  const why = make("button", { type: "button", className: "why", ariaExpanded: "false" }, "Why?");
  const texts = make("div", {}, make("h2"), make("p", { className: "soft" }));
  return make(
    "li",
    { className: "face", tabIndex: -1 },
    make("div", { className: "head" }, thumbnail, texts, why),
    make("ul", { className: "bars" }),
    make("div", { className: "explanation", hidden: true }),
  );
}

function fillCard(card, face, picture, width) {
  card.style.setProperty("--color", colorOf(face.emotion));
  card.querySelector("h2").textContent = face.title;
  const why = face.quality.length ? ` (${face.quality.join(", ")})` : "";
  card.querySelector(".soft").textContent = face.uncertain
    ? `uncertain: ${percent(face.score)}${why}`
    : percent(face.score);
  card.querySelector(".why").ariaLabel = `Why ${face.title}?`;
  const thumbnail = card.querySelector("canvas");
  thumbnail.hidden = !picture;
  if (picture) drawThumbnail(thumbnail, picture, face.box, width);
  const entries = Object.entries(face.probabilities);
  const bars = fit(card.querySelector(".bars"), entries.length, () =>
    make("li", {}, make("b"), make("i", { ariaHidden: "true" }), make("span")),
  );
  const ranks = entries.map(([, share]) => entries.filter(([, other]) => other > share).length);
  entries.forEach(([name, share], place) => {
    const [label, bar, number] = bars[place].children;
    bars[place].classList.toggle("best", name === face.emotion);
    bars[place].classList.toggle("rest", ranks[place] > 1);
    label.textContent = name;
    bar.style.setProperty("--share", share);
    bar.style.setProperty("--color", colorOf(name));
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

function fillBox(box, face, photoWidth, photoHeight, card) {
  const { left, top, width, height } = face.box;
  const share = (part, whole) => `${(100 * part) / whole}%`;
  Object.assign(box.style, {
    left: share(left, photoWidth),
    top: share(top, photoHeight),
    width: share(width, photoWidth),
    height: share(height, photoHeight),
  });
  const color = colorOf(face.emotion);
  box.style.setProperty("--box", color);
  box.style.setProperty("--ink", inkOn(color));
  box.classList.toggle("uncertain", face.uncertain);
  const above = (top / photoHeight) * at("stage").clientHeight;
  const below = (1 - (top + height) / photoHeight) * at("stage").clientHeight;
  box.classList.toggle("below", above < LABEL && below >= LABEL);
  box.classList.toggle("low", above < LABEL && below < LABEL); // inside
  box.classList.toggle("right", left + width / 2 > 0.7 * photoWidth);
  const shown = (width / photoWidth) * at("stage").clientWidth;
  const isNarrow = shown < NARROW && at("result").classList.contains("many");
  const title = isNarrow ? face.title.split(" ")[0] : face.title; // the card says the rest
  box.firstChild.textContent = face.uncertain ? `${title}?` : title;
  box.ariaLabel = `Face ${face.title}, ${percent(face.score)}${face.uncertain ? ", uncertain" : ""}`;
  box.onclick = () => card.focus();
  const mark = (marked) => () => {
    box.classList.toggle("marked", marked);
    card.classList.toggle("marked", marked);
  };
  Object.assign(box, { onmouseenter: mark(true), onmouseleave: mark(false) });
  Object.assign(card, { onmouseenter: mark(true), onmouseleave: mark(false) });
}
