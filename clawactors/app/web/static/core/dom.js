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

/** As `put`, but keeps the elements that are alike, and with them focus and selection. For parts without listeners. */
export function morph(element, ...kids) {
  const wanted = document.createElement(element.localName);
  add(wanted, kids);
  alike(element, wanted);
}

function alike(old, fresh) {
  const from = [...old.childNodes];
  const to = [...fresh.childNodes];
  to.forEach((node, place) => {
    const known = from[place];
    if (!known) old.append(node);
    else if (known.nodeName !== node.nodeName) known.replaceWith(node);
    else if (node.nodeType === Node.TEXT_NODE) known.data !== node.data && (known.data = node.data);
    else {
      for (const { name } of [...known.attributes]) if (!node.hasAttribute(name)) known.removeAttribute(name);
      for (const { name, value } of node.attributes) {
        if (name === "style") known.style.cssText = node.style.cssText;
        else if (known.getAttribute(name) !== value) known.setAttribute(name, value);
      }
      alike(known, node);
    }
  });
  for (const node of from.slice(to.length)) node.remove();
}

/** Whether somebody is at work in the element: has the focus there in a field, or has selected text. */
export function busy(element) {
  const selection = getSelection();
  return (!selection.isCollapsed && element.contains(selection.anchorNode)) || (element.contains(document.activeElement) && document.activeElement.matches("input,select,textarea"));
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
