// The labelling page: shows one scene after the other and sends each answer until the intake has acknowledged it.
// Everything comes from this server, but for the image. Text is set as text, never as markup.
"use strict";

const SAME_PRESS = 400; // milliseconds: a second press so soon belongs to the first one
const FEW = 5; // with fewer scenes at hand the page asks for more
const LONGEST_WAIT = 30000;
const ANSWERS = {
  review: { key: "event_key", field: "true_event_type", types: [["working", "Working"], ["idle", "Idle"], ["absent", "Absent"], ["product_count", "Product"], ["cannot_tell", "Cannot tell"]] },
  audit: { key: "audit_key", field: "true_state", types: [["working", "Working"], ["idle", "Idle"], ["absent", "Absent"], ["nobody", "Nobody"], ["cannot_tell", "Cannot tell"]] },
};

const byId = (id) => document.getElementById(id);
const store = {
  read(area, name) { try { return area().getItem(name); } catch { return null; } },
  write(area, name, text) { try { text === null ? area().removeItem(name) : area().setItem(name, text); } catch { /* kept in this page alone */ } },
};
const session = () => sessionStorage;
const local = () => localStorage;

let key = null, reviewer = null, queue = "review";
let scenes = [], before = [], pending = [], known = new Set();
let left = {}, since = {};
let shownAt = 0, asking = false, wait = 1000, timer = null;

// Requests go one after the other: a changed answer must not overtake the first one, and what the intake counts as left
// must not depend on an answer that is on its way.
let line = Promise.resolve();
const inTurn = (job) => { line = line.then(job); };

const pendingName = () => `floorhouse.labels.${reviewer}`;
const idOf = (which, scene) => `${which} ${scene}`;
const keep = () => store.write(local, pendingName(), pending.length ? JSON.stringify(pending) : null);
const tell = (text) => { byId("told").textContent = text; };

const ask = (method, path, body) => fetch(path, {
  method, cache: "no-store", signal: AbortSignal.timeout(20000),
  headers: { "X-API-Key": key, ...(body && { "Content-Type": "application/json" }) },
  body: body && JSON.stringify(body),
});
const sentence = async (response) => { try { return (await response.json()).detail; } catch { return `The intake answered ${response.status}.`; } };

const showCounts = () => {
  for (const button of byId("queues").children) {
    const name = button.dataset.queue;
    button.querySelector("b").textContent = name in left ? Math.max(0, left[name] - (since[name] ?? 0)) : "…";
    button.setAttribute("aria-pressed", String(name === queue));
  }
  byId("saved").textContent = pending.length ? `${pending.length} not saved yet; they are kept here and sent again.` : "Everything is saved.";
  byId("back").disabled = before.length === 0;
};

const fact = (name, value) => {
  if (value === null) return [];
  const term = document.createElement("dt"), text = document.createElement("dd");
  term.textContent = name;
  text.textContent = value;
  return [term, text];
};

/* The time on the site's clock, or on the reader's where the browser does not know the site's zone. */
const timeAt = (scene) => {
  try {
    return new Date(scene.at).toLocaleString(undefined, { timeZone: scene.timezone, timeZoneName: "short" });
  } catch {
    return new Date(scene.at).toLocaleString(undefined, { timeZoneName: "short" });
  }
};

const show = () => {
  const scene = scenes[0];
  byId("scene").hidden = byId("answers").hidden = !scene;
  if (!scene) {
    showCounts();
    return;
  }
  byId("question").textContent = queue === "audit"
    ? `What happens at ${scene.workstation_id}?`
    : `What does ${scene.worker_id === null ? scene.workstation_id : `${scene.worker_id} do at ${scene.workstation_id}`}${scene.worker_id === null ? " show" : ""}?`;
  byId("facts").replaceChildren(
    ...fact("Time", `${timeAt(scene)} (${scene.at.slice(0, 19)}Z)`),
    ...fact("Site", scene.site_id), ...fact("Camera", scene.camera_id), ...fact("Reported", scene.reported),
    ...fact("Confidence", scene.confidence === null ? null : scene.confidence.toFixed(2)));
  byId("media").hidden = scene.media === null;
  byId("image").hidden = scene.media === null;
  if (scene.media !== null) byId("image").src = byId("clip").href = scene.media;
  else byId("image").removeAttribute("src");
  byId("answers").replaceChildren(...ANSWERS[queue].types.map(([type, name], place) => {
    const button = document.createElement("button"), number = document.createElement("kbd");
    button.type = "button";
    button.dataset.answer = type;
    number.textContent = place + 1;
    button.append(number, ` ${name}`);
    button.addEventListener("click", () => answer(type));
    return button;
  }));
  shownAt = performance.now();
  showCounts();
};

const answer = (type) => {
  const scene = scenes[0];
  if (!scene || performance.now() - shownAt < SAME_PRESS) return;
  scenes.shift();
  before.push({ queue, scene });
  before = before.slice(-20);
  const again = known.has(idOf(queue, scene.key));
  if (!again) since[queue] = (since[queue] ?? 0) + 1;
  known.add(idOf(queue, scene.key));
  pending.push({ queue, key: scene.key, answer: type, again });
  keep();
  show();
  send();
  if (scenes.length < FEW) more();
};

const back = () => {
  const last = before.pop();
  if (!last) return;
  if (last.queue !== queue) { queue = last.queue; scenes = []; more(); }
  scenes.unshift(last.scene);
  show();
};

const later = () => {
  clearTimeout(timer);
  timer = setTimeout(() => { send(); if (!scenes.length) more(); }, wait);
  wait = Math.min(wait * 2, LONGEST_WAIT);
};

const send = () => inTurn(async () => {
  if (key === null) return;
  const sender = reviewer;
  try {
    while (pending.length && reviewer === sender) {
      const first = pending[0], { key: keyField, field } = ANSWERS[first.queue];
      const response = await ask("POST", "api/labels", { [keyField]: first.key, [field]: first.answer });
      if (reviewer !== sender) return; // signed out meanwhile: what was kept for the other reviewer stays kept
      if (response.status === 401 || response.status === 403) {
        leave(await sentence(response));
        return;
      }
      if (response.status === 408 || response.status === 429 || response.status >= 500) { later(); return; }
      if (!response.ok) tell(`Not taken: ${await sentence(response)}`);
      pending.shift();
      keep();
      wait = 1000;
      showCounts();
    }
  } catch {
    later(); // no connection
  }
});

const more = () => {
  if (asking) return;
  asking = true;
  inTurn(fetchScenes);
};

const fetchScenes = async () => {
  asking = false;
  if (key === null) return;
  const wanted = queue;
  try {
    const response = await ask("GET", `api/labels?queue=${wanted}`);
    if (response.status === 401 || response.status === 403) { leave(await sentence(response)); return; }
    if (!response.ok) { tell(await sentence(response)); later(); return; }
    const found = await response.json();
    if (reviewer !== found.reviewer) begin(found.reviewer);
    tell("");
    left = found.left;
    since = {};
    for (const one of pending) if (!one.again) since[one.queue] = (since[one.queue] ?? 0) + 1;
    if (wanted !== queue) { more(); return; }
    const held = new Set(scenes.map((scene) => scene.key));
    const was = scenes[0];
    scenes.push(...found.scenes.filter((scene) => !held.has(scene.key) && !known.has(idOf(queue, scene.key))));
    if (scenes[0] !== was) show();
    else showCounts();
    if (!scenes.length) tell("Nothing is left in this queue. New scenes come with the next batch.");
  } catch {
    tell("There is no connection to the intake; trying again.");
    later();
  }
};

// The name comes with the first answer of the intake; what this reviewer gave on this device before is sent now.
const begin = (name) => {
  reviewer = name;
  pending = JSON.parse(store.read(local, pendingName()) ?? "[]");
  known = new Set(pending.map((one) => idOf(one.queue, one.key)));
  before = [];
  store.write(session, "floorhouse.key", key);
  byId("reviewer").textContent = `Reviewer ${name}`;
  byId("sign-in").hidden = true;
  byId("work").hidden = false;
  send();
};

const leave = (why) => {
  clearTimeout(timer);
  store.write(session, "floorhouse.key", null);
  key = reviewer = null;
  scenes = []; before = []; pending = []; left = {};
  byId("work").hidden = true;
  byId("sign-in").hidden = false;
  byId("key").value = "";
  byId("key").focus();
  tell(why);
};

byId("sign-in").addEventListener("submit", (event) => {
  event.preventDefault();
  key = byId("key").value.trim();
  byId("key").value = "";
  more();
});
byId("sign-out").addEventListener("click", () => leave(pending.length ? `${pending.length} answers are kept on this device and are sent when you sign in again.` : ""));
byId("back").addEventListener("click", back);
byId("image").addEventListener("error", () => { byId("image").hidden = true; }); // a clip, or gone: the link stays
for (const button of byId("queues").children) {
  button.addEventListener("click", () => {
    if (queue === button.dataset.queue) return;
    queue = button.dataset.queue;
    scenes = [];
    show();
    more();
  });
}
document.addEventListener("keydown", (event) => {
  if (event.repeat || event.ctrlKey || event.altKey || event.metaKey || reviewer === null || event.target.matches("input")) return;
  if (/^[1-5]$/.test(event.key)) answer(ANSWERS[queue].types[Number(event.key) - 1][0]);
  if (event.key.toLowerCase() === "b") back();
});
window.addEventListener("online", () => { wait = 1000; send(); more(); });
key = store.read(session, "floorhouse.key");
if (key !== null) more();
