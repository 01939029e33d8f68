// A list of any length: rows come page by page while one scrolls, and only those that are seen are in the document.

import { h, put } from "./dom.js";

const EXTRA = 12;

/**
 * `columns` are `[title, cell(row), class]`; `load(cursor)` gives `{ rows, cursor }`; `key(row)` names a row.
 * The element holds a table for screen readers, with the number of all rows where `total` is known.
 */
export function list({ label, columns, key, load, href, empty, onError, onSelect, selected }) {
  const rows = [];
  let cursor = "";
  let complete = false;
  let loading = false;
  let generation = 0;
  let focus = -1;
  let height = 37;
  const body = h("div", { class: "vbody", role: "rowgroup" });
  const head = h("div", { class: "vhead", role: "rowgroup" }, h("div", { class: "vrow", role: "row" }, columns.map(([title, , kind]) => h("div", { class: `vcell ${kind ?? ""}`, role: "columnheader" }, title || h("span", { class: "unseen" }, "Select")))));
  const table = h("div", { class: "vtable", role: "table", "aria-label": label }, head, body);
  const note = h("div", { class: "vnote muted", role: "status" });
  const scroller = h("div", { class: "vlist", tabindex: "0", role: "region", "aria-label": label }, table, note);
  const drawn = new Map(); // place -> element

  function draw() {
    const top = Math.max(0, Math.floor(scroller.scrollTop / height) - EXTRA);
    const end = Math.min(rows.length, Math.ceil((scroller.scrollTop + scroller.clientHeight) / height) + EXTRA);
    for (const [place, element] of drawn) {
      if (place < top || place >= end) {
        if (element.contains(document.activeElement)) scroller.focus({ preventScroll: true });
        element.remove();
        drawn.delete(place);
      }
    }
    let after = null; // from the last to the first, so that each goes before the one that was put last
    for (let place = end - 1; place >= top; place--) {
      let element = drawn.get(place);
      if (!element) {
        const row = rows[place];
        element = h("div", { class: "vrow", role: "row", "aria-rowindex": place + 2, data: { place: String(place), key: key(row) } }, columns.map(([, cell, kind]) => h("div", { class: `vcell ${kind ?? ""}`, role: "cell" }, cell(row))));
        element.style.transform = `translateY(${place * height}px)`;
        element.classList.toggle("at", place === focus);
        element.classList.toggle("chosen", Boolean(selected?.has(key(row))));
        drawn.set(place, element);
        body.insertBefore(element, after);
      }
      after = element;
    }
    body.style.height = `${rows.length * height}px`;
    if (!complete && end > rows.length - 60) more();
  }

  async function more() {
    if (loading || complete) return;
    loading = true;
    const asked = generation;
    note.textContent = "Loading…";
    try {
      const page = await load(cursor);
      if (asked !== generation) return;
      rows.push(...page.rows);
      cursor = page.cursor ?? "";
      complete = !cursor;
      loading = false;
      if (complete && !rows.length) put(note, empty());
      else note.textContent = complete && rows.length > 30 ? "These are all." : "";
      table.hidden = !rows.length;
      measure();
      draw();
    } catch (error) {
      if (asked !== generation) return;
      loading = false;
      complete = true;
      put(note, onError(error));
    }
  }

  function measure() {
    const wanted = parseFloat(getComputedStyle(table).getPropertyValue("--row")) || 37;
    if (wanted !== height) {
      height = wanted;
      redraw();
    }
  }

  function redraw() {
    for (const element of drawn.values()) element.remove();
    drawn.clear();
    draw();
  }

  scroller.addEventListener("scroll", () => requestAnimationFrame(draw), { passive: true });
  new ResizeObserver(() => {
    measure();
    draw();
  }).observe(scroller);

  function go(place) {
    if (!rows.length) return;
    focus = Math.max(0, Math.min(rows.length - 1, place));
    const top = focus * height;
    const header = head.offsetHeight;
    if (top < scroller.scrollTop) scroller.scrollTop = top;
    else if (top + height > scroller.scrollTop + scroller.clientHeight - header) scroller.scrollTop = top + height - scroller.clientHeight + header;
    for (const [each, element] of drawn) element.classList.toggle("at", each === focus);
    draw();
    drawn.get(focus)?.querySelector("a")?.focus({ preventScroll: true });
  }

  scroller.addEventListener("keydown", (event) => {
    if (/^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName) && event.target.type !== "checkbox") return;
    const step = { ArrowDown: 1, ArrowUp: -1, j: 1, k: -1, PageDown: 12, PageUp: -12 }[event.key];
    if (step) go(focus + step);
    else if (event.key === "Home") go(0);
    else if (event.key === "End") go(rows.length - 1);
    else if (event.key === "x" && focus >= 0 && onSelect) {
      onSelect(rows[focus]);
      redraw();
      drawn.get(focus)?.querySelector("a")?.focus({ preventScroll: true });
    } else return;
    event.preventDefault();
  });
  body.addEventListener("click", (event) => {
    const place = event.target.closest(".vrow")?.dataset.place;
    if (place === undefined) return;
    focus = Number(place);
    if (href && !event.target.closest("a,button,input,label") && !getSelection().toString()) drawn.get(focus).querySelector("a")?.click();
  });

  return {
    element: scroller,
    redraw,
    restart() {
      generation++;
      rows.length = 0;
      cursor = "";
      focus = -1;
      complete = loading = false;
      scroller.scrollTop = 0;
      redraw();
      return more();
    },
    /** Puts the newest page in place of the beginning of the list, where that is all that is seen. */
    async refresh() {
      if (loading || scroller.scrollTop > height * 20) return;
      const asked = generation;
      const page = await load("");
      if (asked !== generation || loading) return;
      const fresh = new Set(page.rows.map(key));
      if (page.cursor && rows.length > page.rows.length) {
        const rest = rows.filter((row) => !fresh.has(key(row))).slice(0, rows.length - page.rows.length);
        rows.splice(0, rows.length, ...page.rows, ...rest);
      } else {
        rows.splice(0, rows.length, ...page.rows);
        cursor = page.cursor ?? "";
        complete = !cursor;
        if (!rows.length) put(note, empty());
        else if (note.firstElementChild) put(note);
        table.hidden = !rows.length;
      }
      const open = document.activeElement?.closest?.(".vrow")?.dataset.key;
      redraw();
      if (open) [...drawn.values()].find((each) => each.dataset.key === open)?.querySelector("a")?.focus({ preventScroll: true });
    },
    count(total) {
      table.setAttribute("aria-rowcount", String(total + 1));
    },
  };
}
