// The service's API. A failed call throws a Problem with the service's own words.
import { parseExactly } from "./format.js";
import { language } from "./words.js";

/** What the service refused, or (status 0) that it could not be reached. */
export class Problem extends Error {
  constructor(status, body) {
    super(body.detail || body.title || String(status));
    Object.assign(this, { status, title: body.title ?? "", detail: body.detail ?? "", hint: body.hint ?? "" });
    this.errors = Array.isArray(body.errors) ? body.errors : [];
  }
  get unreachable() { return this.status === 0; }
}

/** An address of the API with a query; empty values are left out. */
export function address(path, query = {}) {
  const pairs = Object.entries(query).filter(([, value]) => value !== undefined && value !== null && value !== "");
  return `/v1${path}${pairs.length ? `?${new URLSearchParams(pairs)}` : ""}`;
}

const part = encodeURIComponent;

// Rows keep the digits of their numbers; the service's own figures are plain numbers.
const ROWS = new Set(["row", "values", "last_row", "sample", "example"]);
const withRows = (plain, exact) => {
  if (typeof plain !== "object" || plain === null) return plain;
  for (const key of Object.keys(plain)) plain[key] = ROWS.has(key) ? exact[key] : withRows(plain[key], exact[key]);
  return plain;
};
const parsed = (text) => withRows(JSON.parse(text), parseExactly(text));

async function call(method, path, { query, body, raw, signal, headers } = {}) {
  const sent = { "Accept-Language": language(), ...headers };
  if (body !== undefined) sent["Content-Type"] = "application/json";
  if (raw !== undefined) sent["Content-Type"] = "application/octet-stream";
  let answer;
  let text;
  try {
    answer = await fetch(address(path, query), {
      method, signal, headers: sent, credentials: "same-origin", body: raw ?? (body === undefined ? undefined : JSON.stringify(body)),
    });
    text = await answer.text();
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem(0, { title: error.message });
  }
  let data = {};
  try { data = text ? parsed(text) : {}; } catch { data = { title: text.slice(0, 200) }; }
  if (answer.ok) return data;
  if (answer.status === 401) window.dispatchEvent(new Event("signed-out"));
  throw new Problem(answer.status, data);
}

const get = (path, query, signal) => call("GET", path, { query, signal });
const run = (id, rest = "") => `/runs/${part(id)}${rest}`;

let known = null;
/** Ask again what the service is: its words are in the language of the page. */
export const forget = () => { known = null; };
/** What the service is and allows; asked once. */
export const service = () => (known ??= get("/service").catch((error) => { known = null; throw error; }));

export const recipes = () => get("/recipes");
export const upload = (file) => call("POST", "/files", { query: { name: file.name }, raw: file });
export const preview = (source, signal) => call("POST", "/previews", { body: source, signal });
export const createRun = (source, name, key) =>
  call("POST", "/runs", { body: name ? { source, name } : { source }, headers: { "Idempotency-Key": key } });
export const runs = (query) => get("/runs", query);
export const oneRun = (id, signal) => get(run(id), {}, signal);
export const cancelRun = (id) => call("POST", run(id, "/cancel"));
export const resumeRun = (id) => call("POST", run(id, "/resume"));
export const growRun = (id, rows) => call("POST", run(id, "/grow"), { body: { rows } });
export async function deleteRun(id) {
  const { token } = await call("POST", run(id, "/deletion"));
  return call("DELETE", run(id), { query: { token } });
}
export const recipeOf = (id) => get(run(id, "/recipe"));
export const rows = (id, query, signal) => get(run(id, "/rows"), query, signal);
export const rejections = (id, query, signal) => get(run(id, "/rejections"), query, signal);
/** Where a row came from, with what its listing says of it: marked places, what a person decided, a refused text. */
export async function provenance(id, name, signal) {
  const after = Number(name.slice(name.startsWith("x") ? 1 : 0)) - 1;
  const listed = name.startsWith("s") ? null : (name.startsWith("x") ? rejections : rows)(id, { after, limit: 1 }, signal);
  const [found, page] = await Promise.all([get(run(id, `/rows/${part(name)}`), {}, signal), listed]);
  const [item] = (page?.rows ?? page?.rejections ?? []).filter((each) => each.name === name);
  return { ...found, spans: item?.spans ?? {}, text: item?.text ?? "", decision: item?.decision ?? null };
}
export const decide = (id, decision) => call("POST", run(id, "/decisions"), { body: decision });
export const rejudge = (id, toml) => call("POST", run(id, "/rejudge"), { body: { toml } });
export const comparison = (first, second) => get("/comparison", { first, second });
export const exportAddress = (id, query) => address(run(id, "/export"), query);
export const reportAddress = (id) => address(run(id, "/report"));

/** Follow a run: `seen(run)` at each change, `connected(bool)` when the connection comes or goes. Returns how to stop. */
export function follow(id, seen, connected) {
  let source = null;
  let timer = 0;
  let wait = 1000;
  let lost = 0;
  let over = false;
  const here = () => { clearTimeout(lost); lost = 0; wait = 1000; connected(true); };
  const open = () => {
    source = new EventSource(address(run(id, "/events")));
    source.addEventListener("open", here);
    source.addEventListener("run", (event) => { here(); seen(parsed(event.data)); });
    source.addEventListener("end", () => { stop(); oneRun(id).then(seen, () => {}); });
    source.addEventListener("error", () => {
      if (over) return;
      lost ||= setTimeout(() => connected(false), 1500);  // most are back before a person would read it
      if (source.readyState !== EventSource.CLOSED) return;  // the browser tries again by itself
      timer = setTimeout(open, wait);
      wait = Math.min(wait * 2, 15000);
    });
  };
  const stop = () => { over = true; clearTimeout(timer); clearTimeout(lost); source?.close(); };
  open();
  return stop;
}
