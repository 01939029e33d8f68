// Draws an SVG that the server made: only shapes and words of it are copied, nothing that could run or load.

import { s } from "./dom.js";

const TAGS = new Set(["svg", "g", "path", "rect", "line", "circle", "ellipse", "polygon", "polyline", "text", "tspan", "title", "defs", "marker"]);
const NAMES = new Set(["x", "y", "x1", "x2", "y1", "y2", "dx", "dy", "cx", "cy", "r", "rx", "ry", "d", "points", "width", "height", "viewBox", "fill", "stroke", "stroke-width", "stroke-dasharray", "text-anchor", "font-weight", "font-size", "font-family", "font-style", "transform", "id", "refX", "refY", "markerWidth", "markerHeight", "orient", "opacity", "marker-end"]);

function copy(node) {
  if (!TAGS.has(node.localName)) return null;
  const made = s(node.localName);
  for (const { name, value } of node.attributes) {
    if (!NAMES.has(name) || (value.includes("url(") && !/^url\(#[\w-]+\)$/.test(value))) continue;
    made.setAttribute(name, value);
  }
  for (const kid of node.childNodes) {
    if (kid.nodeType === Node.TEXT_NODE) made.append(kid.data);
    else if (kid.nodeType === Node.ELEMENT_NODE) {
      const copied = copy(kid);
      if (copied) made.append(copied);
    }
  }
  return made;
}

export function diagram(text, label) {
  const read = new DOMParser().parseFromString(text, "image/svg+xml");
  const made = copy(read.documentElement);
  if (!made || read.querySelector("parsererror")) return document.createTextNode("The diagram can't be drawn.");
  made.setAttribute("role", "img");
  made.setAttribute("aria-label", label);
  return made;
}
