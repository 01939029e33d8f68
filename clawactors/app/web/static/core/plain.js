// A table of rows whose fields one page does not need to know.

import { h } from "./dom.js";
import { time } from "./format.js";
import { badge, json, table } from "./widgets.js";

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d/;

export function cell(name, value) {
  if (value === null || value === undefined || value === "") return "–";
  if (typeof value === "string" && TIME.test(value)) return time(value);
  if (name === "status" || name === "verdict") return badge(String(value));
  if (typeof value === "object") return Array.isArray(value) && value.every((each) => typeof each !== "object") ? value.join(", ") || "–" : h("div", { class: "payload" }, json(value, " "));
  return String(value);
}

export function rows(title, all, extra = []) {
  const names = [...new Set(all.flatMap((row) => Object.keys(row)))].slice(0, 9);
  return table(title, [...names.map((name) => [name.replaceAll("_", " "), (row) => cell(name, row[name]), typeof all[0][name] === "number" ? "num" : "wide"]), ...extra], all);
}
