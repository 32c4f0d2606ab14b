// What the other files share.

export const at = (id) => document.getElementById(id);
export const percent = (share) => `${Math.round(share * 100)} %`;
export const sentence = (text) => `${text[0].toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? "" : "."}`;

const colors = JSON.parse(document.body.dataset.colors);
export const colorOf = (emotion) => colors[emotion] ?? "#8a8f98";

export function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

// Ink that can be read on a colour.
export function inkOn(color) {
  const [red, green, blue] = [1, 3, 5].map((place) => parseInt(color.slice(place, place + 2), 16));
  return 0.299 * red + 0.587 * green + 0.114 * blue < 120 ? "#ffffff" : "#111111";
}

// "3 happy, 1 sad", the most frequent first.
export function count(words) {
  const times = new Map();
  words.forEach((word) => times.set(word, (times.get(word) ?? 0) + 1));
  const ordered = [...times].sort((one, other) => other[1] - one[1]);
  return ordered.map(([word, number]) => `${number} ${word}`).join(", ");
}

export async function ask(path, photo, signal) {
  let response;
  try {
    response = await fetch(path, { method: "POST", body: photo, signal });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error("The program behind this page does not answer. Was it ended?");
  }
  const answer = await response.json();
  if (response.ok) return answer;
  if (response.status === 503) {
    await new Promise((resolve) => setTimeout(resolve, 1000));
    return ask(path, photo, signal);
  }
  throw new Error(sentence(answer.error));
}
