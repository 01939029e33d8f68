// A line plot in SVG that can be read by pointer, by keys and as a table.

import { h, put, s, say } from "./dom.js";

const HEIGHT = 132;
const LEFT = 44;
const BOTTOM = 18;
const TOP = 8;

/** A round number at or above the greatest value. */
function ceiling(value) {
  if (!(value > 0)) return 1;
  const size = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 2.5, 5, 10].map((each) => each * size).find((each) => each >= value * 0.999);
}

/**
 * A plot of lines `[name, tone]`. `show(times, [values …])` draws; `times` are ms, `format` writes a value.
 */
export function plot(title, lines, format) {
  const svg = s("svg", { class: "plot", role: "img", tabindex: "0", height: HEIGHT });
  const readout = h("p", { class: "readout muted" });
  const legend = h("p", { class: "legend" }, lines.map(([name, tone]) => h("span", null, h("span", { class: `swatch ${tone}`, "aria-hidden": "true" }), name)));
  const rows = h("div", null);
  const details = h("details", { class: "data", on: { toggle: () => tell() } }, h("summary", null, "As a table"), rows);
  const element = h("section", { class: "card" }, h("div", { class: "head" }, h("h2", null, title), readout), svg, legend, details);
  let times = [];
  let values = [];
  let width = 320;
  let at = -1;

  const clock = (ms) => new Date(ms).toLocaleTimeString("sv");
  const x = (place) => LEFT + (times.length < 2 ? 0 : (place / (times.length - 1)) * (width - LEFT - 6));

  function draw() {
    const top = ceiling(Math.max(0, ...values.flat().filter((each) => typeof each === "number")));
    const y = (value) => TOP + (1 - value / top) * (HEIGHT - TOP - BOTTOM);
    svg.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
    svg.setAttribute("width", width);
    const grid = [0, 0.5, 1].map((share) => [
      s("line", { class: "grid", x1: LEFT, x2: width - 6, y1: y(share * top), y2: y(share * top) }),
      s("text", { class: "tick", x: LEFT - 6, y: y(share * top) + 4, "text-anchor": "end" }, format(share * top)),
    ]);
    const ends = times.length > 1 && [
      s("text", { class: "tick", x: LEFT, y: HEIGHT - 4 }, clock(times[0])),
      s("text", { class: "tick", x: width - 6, y: HEIGHT - 4, "text-anchor": "end" }, clock(times.at(-1))),
    ];
    const drawn = values.map((line, which) => {
      const points = line.map((value, place) => (typeof value === "number" ? `${x(place).toFixed(1)} ${y(value).toFixed(1)}` : null));
      const d = points.map((each, place) => each && `${place && points[place - 1] ? "L" : "M"}${each}`).filter(Boolean).join("");
      return s("path", { class: `line ${lines[which][1]}`, d });
    });
    const cross = at >= 0 && [
      s("line", { class: "cross", x1: x(at), x2: x(at), y1: TOP, y2: HEIGHT - BOTTOM }),
      values.map((line, which) => typeof line[at] === "number" && s("circle", { class: `dot ${lines[which][1]}`, cx: x(at), cy: y(line[at]), r: 3 })),
    ];
    put(svg, grid.flat(), ends || [], drawn, cross || []);
    const last = at >= 0 ? at : times.length - 1;
    const text = last < 0 ? "no data yet" : `${at >= 0 ? `${clock(times[at])} ` : ""}${lines.map(([name], which) => `${name} ${format(values[which][last])}`).join(", ")}`;
    readout.textContent = at >= 0 ? text : "";
    svg.setAttribute("aria-label", `${title}: ${text}. Arrow keys read single values.`);
  }

  function tell() {
    if (!details.open) return;
    const shown = times.map((_, place) => place).reverse().slice(0, 60);
    put(rows, h("div", { class: "scroll small", role: "group", "aria-label": `${title} as a table`, tabindex: "0" }, h("table", null, h("caption", { class: "unseen" }, title),
      h("thead", null, h("tr", null, h("th", { scope: "col" }, "Time"), lines.map(([name]) => h("th", { scope: "col", class: "num" }, name)))),
      h("tbody", null, shown.map((place) => h("tr", null, h("th", { scope: "row" }, clock(times[place])), values.map((line) => h("td", { class: "num" }, format(line[place])))))))));
  }

  function move(place) {
    at = Math.max(-1, Math.min(times.length - 1, place));
    draw();
  }
  svg.addEventListener("pointermove", (event) => {
    const box = svg.getBoundingClientRect();
    move(Math.round(((event.clientX - box.left - LEFT) / (box.width - LEFT - 6)) * (times.length - 1)));
  });
  svg.addEventListener("pointerleave", () => move(-1));
  svg.addEventListener("blur", () => move(-1));
  svg.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step || !times.length) return;
    event.preventDefault();
    move(Math.max(0, (at < 0 ? times.length - 1 - step : at) + step));
    say(readout.textContent);
  });
  new ResizeObserver(() => {
    const wide = Math.floor(element.clientWidth - 26);
    if (wide > 100 && wide !== width) {
      width = wide;
      draw();
    }
  }).observe(element);

  return {
    element,
    show(newTimes, newValues) {
      times = newTimes;
      values = newValues;
      if (at >= times.length) at = -1;
      draw();
      tell();
    },
  };
}
