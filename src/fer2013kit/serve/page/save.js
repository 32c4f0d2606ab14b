// What is taken along: tables, the picture with its boxes, and programs that do the same.
import { query } from "./album.js";
import { colorOf, inkOn, make, percent } from "./parts.js";

export function save(content, name, type) {
  const address = URL.createObjectURL(content instanceof Blob ? content : new Blob([content], { type }));
  make("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

// One row for each face; start holds what comes first in it, the photo or the time.
export function rowsOf(start, faces) {
  return faces.map(({ id, box, emotion, score, uncertain, quality, probabilities }, number) => ({
    ...start,
    face: id ?? number,
    ...box,
    ...probabilities,
    emotion,
    score,
    uncertain,
    quality: quality.join(", "),
  }));
}

export function toCsv(rows) {
  const names = [...new Set(rows.flatMap(Object.keys))];
  const lines = [names, ...rows.map((row) => names.map((name) => row[name] ?? ""))];
  return lines.map((line) => `${line.map(cell).join(",")}\r\n`).join("");
}

// A spreadsheet would take some texts for formulas.
function cell(value) {
  const text = typeof value === "string" && /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

export function annotated(picture, { width: photoWidth, faces }) {
  const width = picture.naturalWidth ?? picture.width;
  const height = picture.naturalHeight ?? picture.height;
  const canvas = make("canvas", { width, height });
  const context = canvas.getContext("2d");
  context.drawImage(picture, 0, 0);
  const scale = width / photoWidth;
  const line = Math.max(2, width / 400);
  context.lineWidth = line;
  context.textBaseline = "middle";
  for (const { box, emotion, score, uncertain } of faces) {
    const [left, top, across, down] = [box.left, box.top, box.width, box.height].map((length) => length * scale);
    const size = Math.min(Math.max(11, across / 6), width / 25);
    const color = colorOf(emotion);
    context.font = `600 ${size}px system-ui, sans-serif`;
    const text = `${emotion}${uncertain ? "?" : ""} ${percent(score)}`;
    const wide = context.measureText(text).width + size * 0.8;
    const tall = size * 1.5;
    const x = Math.max(0, Math.min(left, width - wide));
    const y = top >= tall ? top - tall : Math.min(top + down, height - tall);
    context.strokeStyle = color;
    context.setLineDash(uncertain ? [3 * line, 2 * line] : []);
    context.strokeRect(left, top, across, down);
    context.fillStyle = color;
    context.fillRect(x, y, wide, tall);
    context.fillStyle = inkOn(color);
    context.fillText(text, x + size * 0.4, y + tall / 2);
  }
  return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
}

const inPython = JSON.stringify;
const inShell = (text) => `'${text.replaceAll("'", "'\\''")}'`;

// Programs for what was done with a photo last, by the model that was chosen; shipped: the names of
// those that ship.
export function programs({ name, whole, explained }, model, shipped) {
  const { source, own } = model;
  const given = own && !source;
  const loads = given ? "..." : `fk.load_predictor(${source ? inPython(source) : ""})`;
  const chosen = model.name !== "default" || own;
  const python = ["import fer2013kit as fk", ...(whole ? ["from PIL import Image"] : []), ""];
  if (given) python.push("# The classifier that create_app was given.");
  if (chosen || whole) python.push(`classifier = ${loads}`);
  if (whole) {
    python.push(`face = fk.to_face(Image.open(${inPython(name)}))`);
    // As everywhere, the default network sees the mirror image, too.
    python.push(`probabilities = classifier.predict_proba(face[None]${chosen ? "" : ', tta="flip"'})[0]`);
    python.push("print(dict(zip(classifier.class_names_, probabilities)))");
  } else {
    python.push(`faces = fk.analyze_photo(${inPython(name)}${chosen ? ", classifier=classifier" : ""})`);
    python.push("for face in faces:", "    print(face.emotion, face.score, face.box)");
    python.push(`fk.annotate(${inPython(name)}, faces).save("annotated.png")`);
  }
  let asked = `analyze${query(model.name, { whole })}`;
  if (explained) {
    const { number, emotion } = explained;
    const called = inPython(source ?? "ferplus_cnn");
    const read = own && !shipped.includes(source) ? "load" : "from_pretrained";
    const trained = given ? "classifier" : `fk.EmotionClassifier.${read}(${called})`;
    const crop = whole ? "face" : `faces[${number}].crop`;
    python.push(`trained = ${trained}`);
    python.push(`heat = fk.explain(trained, ${crop}[None], emotion=${inPython(emotion)})[0]`);
    asked = `explain${query(model.name, { whole }, { face: number, emotion })}`;
  }
  const curl = `curl --data-binary @${inShell(name)} ${inShell(new URL(asked, location.href).href)}`;
  return { Python: python.join("\n"), curl };
}
