// The duty page: one stream with everything on connect, then what changed; a heartbeat that says how old it all is.
"use strict";

const STALE_AFTER = 12000;
const CALM = 3000;
const WARN_BEFORE = 30 * 60000;

const $ = (id) => document.getElementById(id);
const wall = document.body.dataset.wall === "yes";
const endsAt = Number(document.body.dataset.ends);
const nodes = new Map();
const drawn = new Map();
const nonces = new Map();
let rows = {};
let order = [];
let more = 0;
let about = { flood: null, unreadable: [], fed: { sources: [], unsent: 0, broken: [] } };
let hubTime = 0;
let heardAt = -Infinity;
let freshAt = -Infinity;
let begunAt = performance.now();
let stale = false;
let out = false;
let version = "";
let source = null;
let attempts = 0;
let again = 0;
let openedAt = -Infinity;
let touchedAt = -Infinity;
let pending = false;

function now() { return hubTime ? hubTime + (performance.now() - heardAt) : Date.now(); }

// ---- what is shown

function hear(state) {
  heardAt = performance.now();
  hubTime = state.now;
  freshAt = heardAt - state.age;
  attempts = 0;
  if (version && version !== state.version) return location.reload();
  version = state.version;
  $("trouble").hidden = !state.trouble;
  $("trouble").textContent = state.trouble ? `系统异常：${state.trouble}。新的警情可能进不来，请按预案人工值守。` : "";
  tick();
}

function take(change, whole) {
  const known = new Set(order);
  rows = whole ? change.rows : { ...rows, ...change.rows };
  order = change.order;
  more = change.more;
  about = { flood: change.flood, unreadable: change.unreadable, fed: change.fed };
  for (const code of Object.keys(rows)) if (!order.includes(code)) delete rows[code];
  const fresh = order.filter((code) => !known.has(code));
  if (fresh.some((code) => rows[code].ring)) sound.unmute();
  else if (!whole && fresh.some((code) => rows[code].critical)) sound.news();
  draw();
}

// While somebody types, points or has the focus in a row, rows stay where they are; what is new still comes.
function draw() {
  const box = $("rows");
  for (const [code, node] of nodes) if (!rows[code]) { leave(node, box); nodes.delete(code); drawn.delete(code); }
  for (const code of order) {
    const text = JSON.stringify(rows[code]);
    if (drawn.get(code) === text) continue;
    const old = nodes.get(code);
    const opened = Boolean(old && old.querySelector("details.told").open);
    const node = rowNode(rows[code], now(), press, opened);
    if (old) { const focus = focusIn(old); old.replaceWith(node); restore(node, focus); }
    nodes.set(code, node);
    drawn.set(code, text);
  }
  arrange(box);
  drawTasks();
  const critical = order.filter((code) => rows[code].critical).length;
  const mine = order.filter((code) => rows[code].sign).length;
  $("counts").textContent = order.length ? `共 ${order.length + more} 条，其中紧急 ${critical} 条，本单位待签收 ${mine} 条` : "";
  document.title = `${mine ? `（${mine}）` : ""}值班页`;
  $("none").hidden = order.length > 0;
  drawAbout(now());
  $("more").hidden = !more;
  $("more").textContent = more ? `另有 ${more} 条时限较晚的没有显示` : "";
  sound.ring(order.some((code) => rows[code].ring));
  document.body.dataset.ready = "yes";
}

function leave(node, box) {
  if (node.contains(document.activeElement)) box.focus({ preventScroll: true });
  node.remove();
}

function focusIn(node) {
  const at = document.activeElement;
  return node.contains(at) ? [...node.querySelectorAll("a, button, summary")].indexOf(at) : -1;
}

function restore(node, place) {
  if (place < 0) return;
  const found = [...node.querySelectorAll("a, button, summary")];
  (found[place] || found[0]).focus({ preventScroll: true });
}

function arrange(box) {
  const held = performance.now() - touchedAt < CALM;
  pending = held && [...box.children].some((node, place) => node.dataset.code !== order[place]);
  const keep = box.contains(document.activeElement) ? document.activeElement.closest("li.row") : null;
  if (held) {
    for (const code of order) if (!nodes.get(code).isConnected) box.prepend(nodes.get(code));
    return;
  }
  // A node that is moved loses its focus: everything else is laid around it.
  const place = keep ? order.indexOf(keep.dataset.code) : -1;
  let before = keep;
  order.slice(0, Math.max(place, 0)).forEach((code) => box.insertBefore(nodes.get(code), keep));
  for (const code of order.slice(place + 1)) {
    const wanted = before ? before.nextSibling : box.firstChild;
    if (wanted !== nodes.get(code)) box.insertBefore(nodes.get(code), wanted);
    before = nodes.get(code);
  }
}

function drawTasks() {
  const list = $("task-list");
  const wanted = new Map();
  for (const code of order) for (const task of rows[code].tasks) wanted.set(`task-${task.id}`, [rows[code], task]);
  for (const node of [...list.children]) if (!wanted.has(node.id)) node.remove();
  for (const [id, [row, task]] of wanted) {
    const old = document.getElementById(id);
    const text = JSON.stringify(task);
    if (old && (old.dataset.text === text || old.contains(document.activeElement))) continue;
    const node = taskNode(row, task, now(), wall, press);
    node.dataset.text = text;
    if (old) old.replaceWith(node); else list.append(node);
  }
  $("tasks").hidden = !wanted.size;
}

// ---- what is not an incident: a flood, what cannot be read, and what feeds this page

// Said anew only when it says something else: a reader of the screen hears every change.
function band(id, text) {
  $(id).hidden = !text;
  if ($(id).textContent !== text) $(id).textContent = text;
}

function roughly(ms) {
  const minutes = Math.floor(Math.max(ms, 0) / 60000);
  if (minutes < 1) return "不到 1 分钟";
  return minutes < 60 ? `${minutes} 分钟` : minutes < 1440 ? `${Math.floor(minutes / 60)} 小时 ${minutes % 60} 分` : `${Math.floor(minutes / 1440)} 天`;
}

function ago(ms) { return ms < 60000 ? "刚刚" : `${roughly(ms)}前`; }

function drawAbout(at) {
  const { flood, unreadable, fed } = about;
  band("flood", flood ? `洪泛：${MINUTE_FORM.format(flood.since)} 起新警情 ${flood.many} 条，最近 10 分钟 ${flood.lately} 条。紧急的排在最前，一条也没有省略；请先处理紧急的。` : "");
  band("unreadable", unreadable.length ? `有 ${unreadable.length} 条警情不能显示。${unreadable.map((each) => each.todo).join("")}` : "");
  const good = fed.sources.filter((each) => !each.silent).length;
  const parts = fed.sources.map((each) => [`${each.name} ${each.at ? ago(at - each.at) : "还没有收到过"}${each.silent ? `，超过 ${roughly(each.after)}没有数据` : ""}`, each.silent]);
  if (fed.unsent) parts.push([`最早未发出的消息已等 ${roughly(at - fed.unsent)}`, true]);
  for (const name of fed.broken) parts.push([`渠道 ${name} 无法使用`, true]);
  const line = $("fed");
  line.hidden = !parts.length;
  const text = JSON.stringify(parts);
  if (line.dataset.text !== text) line.replaceChildren(`数据源 ${good}/${fed.sources.length} 正常：`, ...parts.flatMap(([text, bad], place) => [place ? "；" : "", make("span", bad ? "bad" : "", bad ? `⚠ ${text}` : text)]));
  line.dataset.text = text;
  $("none").textContent = unreadable.length ? "没有其他未关闭的警情。" : good === fed.sources.length ? `当前没有未关闭的警情（数据源 ${good}/${fed.sources.length} 正常）。` : `当前没有未关闭的警情，但有 ${fed.sources.length - good} 个数据源没有数据，可能是没有收到。`;
}

// ---- time, and whether what is shown is true

function tick() {
  const at = now();
  $("clock").textContent = SECOND_FORM.format(at);
  for (const node of document.querySelectorAll(".clock")) tickClock(node, at);
  for (const node of document.querySelectorAll(".since")) tickAge(node, at);
  if (document.body.dataset.ready === "yes") drawAbout(at);
  const silent = performance.now() - Math.max(freshAt, begunAt);
  const old = silent > STALE_AFTER || out;
  $("fresh").textContent = old ? "画面已过时" : heardAt === -Infinity ? "正在连接" : `${Math.floor(silent / 1000)} 秒前更新`;
  if (old) {
    const last = freshAt === -Infinity ? "尚未收到任何内容" : `以下是 ${SECOND_FORM.format(at - silent)} 的画面`;
    $("stale").textContent = out ? `登录已失效，${last}，不再更新。请重新登录。` : `与系统失去联系 ${span(silent)}，${last}，可能已经不对。请用电话核实。`;
    if (out && !$("stale").querySelector("a")) { const link = make("a", "", "重新登录"); link.href = "/duty/login"; $("stale").append(" ", link); }
  }
  if (old !== stale) {
    stale = old;
    $("stale").hidden = !old;
    document.body.dataset.link = old ? "stale" : "live";
    if (old) sound.lost();
  }
  if (!old && heardAt !== -Infinity) document.body.dataset.link = "live";
  $("ending").hidden = endsAt - at > WARN_BEFORE;
  if (!$("ending").hidden) $("ending").textContent = `本次登录 ${MINUTE_FORM.format(endsAt)} 到期，请在此之前退出并重新登录。`;
  sound.tick();
  if (pending && performance.now() - touchedAt >= CALM) draw();
  if (silent > STALE_AFTER && source && performance.now() - openedAt > STALE_AFTER) lost();
}

// ---- the stream

function connect() {
  again = 0;
  openedAt = performance.now();
  source = new EventSource("/duty/stream");
  source.addEventListener("snapshot", (event) => { const state = JSON.parse(event.data); hear(state); take(state, true); });
  source.addEventListener("rows", (event) => { const state = JSON.parse(event.data); hear(state); take(state, false); });
  source.addEventListener("heartbeat", (event) => hear(JSON.parse(event.data)));
  source.addEventListener("error", lost);
}

// A stream that broke or fell silent is opened anew, by ourselves: a browser gives up after a refusal, and waits for
// ever on a connection that is only half there.
async function lost() {
  if (source) source.close();
  source = null;
  if (again) return;
  const pause = Math.min(20000, 1000 * 2 ** attempts) * (0.7 + Math.random() * 0.6);
  attempts += 1;
  again = setTimeout(reach, pause);
}

async function reach() {
  again = 0;
  try {
    const answer = await fetch("/duty/alive", { signal: AbortSignal.timeout(8000) });
    out = answer.status === 401;
    if (answer.ok) return connect();
  } catch {
    out = false;
  }
  lost();
}

// ---- buttons

function nonceOf(asked) {
  const key = JSON.stringify(asked);
  if (!nonces.has(key)) nonces.set(key, [...crypto.getRandomValues(new Uint8Array(12))].map((byte) => byte.toString(16).padStart(2, "0")).join(""));
  return nonces.get(key);
}

// A press keeps its number until it is answered: pressed again, it is the same act.
async function press(asked, pressed) {
  const nonce = nonceOf(asked);
  pressed.disabled = true;
  try {
    const body = new URLSearchParams({ ...asked, nonce, form: document.body.dataset.form });
    const answer = await fetch("/duty/act", { method: "POST", body, headers: { Accept: "application/json" }, signal: AbortSignal.timeout(15000) });
    const said = (await answer.json()).said || `没有完成（${answer.status}）`;
    if (answer.status < 500) nonces.delete(JSON.stringify(asked));
    say(said, !answer.ok);
  } catch {
    say("没有收到系统的答复，不知道是否已记录。请再按一次，重复提交只算一次。", true);
  } finally {
    pressed.disabled = false;
  }
}

function say(text, wrong) {
  const said = $("said");
  said.hidden = false;
  said.textContent = text;
  said.classList.toggle("wrong", wrong);
}

$("test-sound").addEventListener("click", () => sound.test());
$("allow-sound").addEventListener("click", () => sound.test());
$("mute").addEventListener("click", () => sound.mute());
for (const kind of ["pointerdown", "keydown"]) document.addEventListener(kind, () => sound.allow());
$("rows").addEventListener("pointermove", () => { touchedAt = performance.now(); });
document.addEventListener("visibilitychange", () => { if (!document.hidden) { tick(); if (!source && !again) reach(); } });
if (wall && navigator.wakeLock) navigator.wakeLock.request("screen").catch(() => {});

sound.allow();
connect();
setInterval(tick, 1000);
