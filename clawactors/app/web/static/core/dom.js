// Makes elements. Text goes in as text nodes only: what agents and users wrote is never read as HTML.

const SVG = "http://www.w3.org/2000/svg";
const LINK = /^(\/(?!\/)|#|\?)/; // links stay within this server

function fill(element, props, kids) {
  for (const [name, value] of Object.entries(props ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "on") for (const [event, listener] of Object.entries(value)) element.addEventListener(event, listener);
    else if (name === "data") Object.assign(element.dataset, value);
    else if (name === "style") Object.assign(element.style, value); // through the object model: the policy allows no attribute
    else if (name === "value" || name === "checked" || name === "indeterminate") element[name] = value;
    else if (name.startsWith("on") || name === "srcdoc") throw new TypeError(`${name} is no attribute to set`);
    else if ((name === "href" || name === "src") && !LINK.test(value)) continue;
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  add(element, kids);
  return element;
}

function add(element, kids) {
  for (const kid of kids) {
    if (kid === undefined || kid === null || kid === false || kid === "") continue;
    if (Array.isArray(kid)) add(element, kid);
    else element.append(kid instanceof Node ? kid : String(kid));
  }
}

/** An element: `h("a", { href: "/tasks" }, "Tasks")`. */
export const h = (tag, props, ...kids) => fill(document.createElement(tag), props, kids);

/** An element of SVG. */
export const s = (tag, props, ...kids) => fill(document.createElementNS(SVG, tag), props, kids);

/** Puts these in place of what is in the element. */
export function put(element, ...kids) {
  element.replaceChildren();
  add(element, kids);
  return element;
}

/** Tells screen readers. */
export function say(text) {
  document.getElementById("say").textContent = text;
}

/** Calls it `ms` after the last of many calls. */
export function later(ms, call) {
  let timer = 0;
  return (...given) => {
    clearTimeout(timer);
    timer = setTimeout(() => call(...given), ms);
  };
}
