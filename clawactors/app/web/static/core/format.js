// Numbers, sizes, durations and times as people read them.

import { h } from "./dom.js";

const UNITS = ["B", "KB", "MB", "GB", "TB", "PB"];
const STEPS = [
  [60, 1, "s"],
  [3600, 60, "min"],
  [86400, 3600, "h"],
  [86400 * 60, 86400, "d"],
  [86400 * 730, 86400 * 30.44, "mo"],
  [Infinity, 86400 * 365.25, "y"],
];
let ahead = 0; // how far the clock of the cluster is ahead of this one, in ms

/** Learns the time of the cluster from an answer. */
export function learnClock(dateHeader) {
  const then = Date.parse(dateHeader ?? "");
  if (then && Math.abs(then - Date.now()) > 5000) ahead = then - Date.now();
}

export const now = () => Date.now() + ahead;

export const number = (n) => (typeof n === "number" ? n.toLocaleString("en", { maximumFractionDigits: 2 }) : "–");

export const percent = (n) => (typeof n === "number" ? `${Math.round(n)} %` : "–");

export function bytes(n) {
  if (typeof n !== "number") return "–";
  let unit = 0;
  for (; n >= 1000 && unit < UNITS.length - 1; unit++) n /= 1000;
  return `${n.toLocaleString("en", { maximumFractionDigits: n < 10 && unit ? 1 : 0 })} ${UNITS[unit]}`;
}

/** A duration in seconds. */
export function duration(s) {
  if (typeof s !== "number" || !isFinite(s)) return "–";
  if (s === 0) return "< 1 ms";
  if (s < 1) return `${Math.max(1, Math.round(s * 1000))} ms`;
  if (s < 10) return `${s.toFixed(1)} s`;
  const [, size, unit] = STEPS.find(([most]) => s < most);
  return `${Math.round(s / size)} ${unit}`;
}

export const between = (from, to) => (from ? ((to ? Date.parse(to) : now()) - Date.parse(from)) / 1000 : NaN);

function relative(at) {
  const s = (now() - at) / 1000;
  if (Math.abs(s) < 1) return "now";
  return s < 0 ? `in ${duration(-s)}` : `${duration(s).replace(/^\d+ ms$/, "1 s").replace(/\.\d+/, "")} ago`;
}

/** The exact time, in the zone of the reader. */
export function exact(iso) {
  const at = new Date(iso);
  return isNaN(at) ? String(iso) : `${at.toLocaleString("sv")}.${String(at.getMilliseconds()).padStart(3, "0")}`;
}

/** A time that says how long ago it was, and when exactly on hover; it keeps itself up to date. */
export function time(iso) {
  if (!iso) return "–";
  const at = Date.parse(iso);
  return h("time", { datetime: iso, title: `${exact(iso)} (${iso})`, data: { at: String(at) } }, relative(at));
}

setInterval(() => {
  if (document.hidden) return;
  for (const element of document.querySelectorAll("time[data-at]")) {
    const text = relative(Number(element.dataset.at));
    if (element.textContent !== text) element.textContent = text;
  }
}, 1000);
