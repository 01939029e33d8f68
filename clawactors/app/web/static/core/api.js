// Asks the HTTP API. All paths are below /api/v1; see docs/http.md.

import { learnClock } from "./format.js";

const BASE = "/api/v1";
const signedOut = new EventTarget();

/** What the API refused, with its hint. */
export class ApiError extends Error {
  constructor(status, problem) {
    super(problem.detail || problem.title || `the server answered ${status}`);
    this.status = status;
    this.code = problem.code ?? "";
    this.hint = problem.hint ?? "";
  }
}

export const onSignedOut = (call) => signedOut.addEventListener("out", call);

/** `?a=1&b=2`, without what is empty; a list repeats its name. */
export function query(given) {
  const made = new URLSearchParams();
  for (const [name, value] of Object.entries(given ?? {})) {
    for (const each of Array.isArray(value) ? value : [value]) {
      if (each !== undefined && each !== null && each !== "" && each !== false) made.append(name, String(each));
    }
  }
  const text = made.toString();
  return text && `?${text}`;
}

/** The words of a field that are separated by commas, as a body has them. */
export const words = (text) => text.split(",").map((each) => each.trim()).filter(Boolean);

/** A path of several parts, each escaped. */
export const path = (...parts) => `/${parts.map(encodeURIComponent).join("/")}`;

export async function request(method, where, { body, raw, headers, signal } = {}) {
  let response;
  const sent = { accept: "application/json", ...headers };
  if (raw) sent["content-type"] = "application/octet-stream";
  if (body !== undefined) sent["content-type"] = "application/json";
  try {
    response = await fetch(BASE + where, {
      method,
      headers: sent,
      signal,
      credentials: "same-origin",
      body: raw ?? (body === undefined ? undefined : JSON.stringify(body)),
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError(0, { detail: "the dashboard's server does not answer", code: "unavailable", hint: "is claw still running? claw status tells" });
  }
  learnClock(response.headers.get("date"));
  if (response.ok) return response;
  const problem = await response.json().catch(() => ({}));
  if (response.status === 401) signedOut.dispatchEvent(new Event("out"));
  throw new ApiError(response.status, problem);
}

/** Where the browser downloads from. */
export const download = (where) => BASE + where;

/** Stores a file; resolves to its reference, which may stand among the parameters of a task. */
export const upload = (file) => answer(request("PUT", path("files", file.name), { raw: file }));

/** Submits the tasks of a file, a JSON list or JSON lines. */
export const batch = (file) => answer(request("POST", "/tasks/batch", { raw: file }));

const answer = async (response) => ((await response).status === 204 ? null : (await response).json());

export const get = (where, given, signal) => answer(request("GET", where + query(given), { signal }));
export const post = (where, body = {}) => answer(request("POST", where, { body }));
export const put = (where, body = {}) => answer(request("PUT", where, { body }));
export const patch = (where, body, headers) => answer(request("PATCH", where, { body, headers }));
export const remove = (where) => answer(request("DELETE", where));
