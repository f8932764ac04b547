// The wall: one stream with a full snapshot on connect, then what changed. Text only ever becomes text nodes.
"use strict";

const STALE_AFTER = 30000;
const SHAPES = { red: "◆", orange: "▲", yellow: "■", blue: "●", grey: "○" };
const TIERS = { enterprise: "企业", town: "镇街、园区", county: "区县", city: "市", province: "省", stranger: "路人" };
const MOST_SHOWN = 8;
const QUICK = [["签收", "签收"], ["处置", "处置 已停机检查，人员已撤离"], ["消警", "消警 已恢复正常"], ["误报", "误报 传感器故障"], ["查询", "查询"]];
const ZONE = "Asia/Shanghai";

const $ = (id) => document.getElementById(id);
const phones = new Map();
const rows = new Map();
let columns = 0;
let now = 0;
let nowSince = 0;
let lastHeard = 0;
let attempts = 0;
let source = null;
let retry = 0;
let incidents = [];

function make(tag, cls, text) {
  const node = document.createElement(tag);
  if (cls) node.className = cls;
  if (text !== undefined) node.textContent = text;
  return node;
}

function clock() { return now + (performance.now() - nowSince); }

function setClock(state) {
  now = state.now;
  nowSince = performance.now();
  for (const [id, names] of Object.entries(state.on_duty)) {
    const phone = phones.get(id);
    if (!phone) continue;
    phone.hint.textContent = `群里不能签收。当班：${names || "无人"}`;
    phone.hint.classList.toggle("nobody", !names);
  }
  showTroubles(state.troubles, state.night);
  $("band").hidden = !state.trouble;
  $("band").textContent = state.trouble ? `系统尚未就绪：${state.trouble}` : "";
}

function relative(at) {
  const seconds = Math.round((at - clock()) / 1000);
  if (seconds <= 0) return "即将";
  if (seconds < 60) return `${seconds} 秒后`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} 分 ${String(seconds % 60).padStart(2, "0")} 秒后`;
  return `${Math.floor(minutes / 60)} 小时 ${minutes % 60} 分后`;
}

// ---- phones

function bubble(message, phone) {
  const item = make("li", `bubble ${message.by}`);
  item.dataset.id = String(message.id);
  const times = message.times > 1 ? `（${message.times} 次）` : "";
  item.append(make("span", "meta", `${message.word}${times} ${message.time}`));
  if (message.by === "app") {
    const quote = make("button", "quoting", "引用回复");
    quote.type = "button";
    quote.addEventListener("click", () => setQuote(phone, message));
    item.append(quote);
  }
  if (message.subject) item.append(make("p", "subject", message.subject));
  lines(item, message.lines);
  if (message.link) {
    const link = make("a", "", "打开签收页面");
    link.href = message.link;
    link.target = "_blank";
    link.rel = "noopener";
    item.append(link);
  }
  if (message.card) item.append(cardButtons(message.card));
  if (message.more && message.more.length) {
    const more = make("details");
    more.append(make("summary", "", "邮件全文"));
    lines(more, message.more);
    item.append(more);
  }
  return item;
}

// A card's buttons, or what stands in their place once somebody signed.
function cardButtons(card) {
  const row = make("div", "card");
  row.dataset.task = card.task;
  if (card.replaced) row.append(make("span", "replaced", card.replaced));
  else for (const words of card.buttons) {
    const button = make("button", "", words);
    button.type = "button";
    button.addEventListener("click", () => post("card", { phone: row.closest(".phone").id.slice(6), task: card.task, words }, button));
    row.append(button);
  }
  return row;
}

function changeCard(change) {
  const phone = phones.get(change.phone);
  const row = phone && phone.screen.querySelector(`.card[data-task="${change.card.task}"]`);
  if (row) row.replaceWith(cardButtons(change.card));
}

function lines(into, rows) {
  for (const row of rows) {
    const line = make("p", row.quote ? "quote" : "");
    for (const part of row.parts) {
      // A link inside a group's text stays text: nothing in a group may be opened by one person for all.
      line.append(make(part.bold ? "strong" : "span", part.colour || "", part.text));
    }
    into.append(line);
  }
}

function makePhone(state) {
  const node = make("article", "phone");
  node.id = `phone-${state.id}`;
  node.setAttribute("aria-label", `${state.name}，${state.place}${state.post}`);
  const head = make("header");
  const badge = make("span", "badge", "0");
  const name = make("button", "name", state.name);
  name.type = "button";
  head.append(name, make("span", "address", state.address), badge, make("span", "post", state.group ? state.post : `${state.place} ${state.post}`));
  const screen = make("ol", "screen");
  screen.tabIndex = 0;
  screen.setAttribute("aria-label", `${state.name}的消息`);
  node.append(head, screen);
  const phone = { id: state.id, name: state.name, node, screen, badge, unread: 0, quote: 0, hint: make("p", "hint"), nameButton: name };
  head.addEventListener("click", () => setAsleep(phone, !node.classList.contains("asleep")));
  if ((state.group && !state.speakers.length) || !state.answers) node.append(phone.hint);
  if (state.answers) node.append(...answering(phone, state));
  const read = () => seen(phone);
  node.addEventListener("pointerdown", read);
  node.addEventListener("focusin", read);
  phones.set(state.id, phone);
  for (const message of state.messages) screen.append(bubble(message, phone));
  setAsleep(phone, !state.messages.length && state.tier !== "stranger");
  return phone;
}

function answering(phone, state) {
  const form = make("form");
  const quoted = make("p", "quoted");
  quoted.hidden = true;
  phone.quoted = quoted;
  const speaking = make("label", "hint speaking", "由");
  if (state.speakers.length) {
    phone.speaker = make("select");
    phone.speaker.setAttribute("aria-label", `${phone.name}群里由谁说`);
    speaking.append(phone.speaker, "在群里说");
  }
  const input = make("input");
  input.name = "text";
  input.maxLength = 300;
  input.autocomplete = "off";
  const role = phone.speaker ? "@烽火" : state.group ? "用值班手机回复" : state.tier === "stranger" ? "发短信" : "以本人身份回复";
  input.placeholder = role;
  input.setAttribute("aria-label", `${phone.name}${role}`);
  form.append(input, make("button", "", "发送"));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const text = input.value.trim();
    if (text && await write(phone, text)) input.value = "";
  });
  const quick = make("div", "quick");
  for (const [word, text] of state.quick.length ? state.quick : QUICK) {
    const button = make("button", "", word);
    button.type = "button";
    button.addEventListener("click", () => write(phone, text, button));
    quick.append(button);
  }
  if (state.app) {
    const picture = make("button", "", "发图片");
    picture.type = "button";
    picture.addEventListener("click", () => post("picture", { phone: phone.id }, picture));
    quick.append(picture);
  }
  return [...(phone.speaker ? [speaking] : []), quoted, form, quick];
}

async function write(phone, text, button) {
  const sent = await post("answer", { phone: phone.id, text, quote: phone.quote, speaker: phone.speaker ? phone.speaker.value : "" }, button);
  if (sent && phone.quote) setQuote(phone, null);
  return sent;
}

// The next answer of this phone goes out as a quote of this message, as the chat's own menu does it.
function setQuote(phone, message) {
  phone.quote = message ? message.id : 0;
  phone.quoted.hidden = !message;
  phone.quoted.replaceChildren();
  if (!message) return;
  const text = message.lines.map((line) => line.parts.map((part) => part.text).join("")).filter(Boolean).slice(0, 2).join(" ");
  const stop = make("button", "", "不引用");
  stop.type = "button";
  stop.addEventListener("click", () => setQuote(phone, null));
  phone.quoted.append(make("span", "", `引用：${text}`), stop);
}

// A phone that got nothing yet is small; it wakes with its first message, or when somebody taps it.
function setAsleep(phone, asleep) {
  phone.node.classList.toggle("asleep", asleep);
  phone.nameButton.setAttribute("aria-expanded", String(!asleep));
  if (!asleep) phone.screen.scrollTop = phone.screen.scrollHeight;
}

function seen(phone) {
  phone.unread = 0;
  phone.node.classList.remove("unread", "ringing");
}

function arrive(change) {
  const phone = phones.get(change.phone);
  if (!phone) return;
  const item = bubble(change.message, phone);
  const before = phone.screen.querySelector(`[data-id="${change.message.id}"]`);
  if (before) return before.replaceWith(item);
  item.classList.add("fresh");
  phone.screen.append(item);
  setAsleep(phone, false);
  while (phone.screen.childElementCount > 60) phone.screen.firstElementChild.remove();
  phone.screen.scrollTop = phone.screen.scrollHeight;
  if (change.message.by === "me") return seen(phone);
  if (change.message.by === "refused") return;
  phone.unread += 1;
  phone.badge.textContent = String(phone.unread);
  phone.badge.setAttribute("aria-label", `${phone.unread} 条未读`);
  phone.node.classList.remove("ringing");
  void phone.node.offsetWidth;
  phone.node.classList.add("unread", "ringing");
  clearTimeout(phone.quiet);
  phone.quiet = setTimeout(() => phone.node.classList.remove("ringing"), 6000);
  $("heard").textContent = `${phone.name}收到${change.message.word}`;
}

function buildWall(states) {
  const unread = new Map([...phones.values()].map((phone) => [phone.id, phone.unread]));
  const drafts = new Map([...phones.values()].map((phone) => [phone.id, (phone.node.querySelector("input") || {}).value]));
  const speaking = new Map([...phones.values()].map((phone) => [phone.id, phone.speaker && phone.speaker.value]));
  phones.clear();
  const wall = $("wall");
  wall.replaceChildren();
  rows.clear();
  for (const state of states) {
    if (!rows.has(state.tier)) {
      const section = make("section", "tier");
      section.append(make("h2", "", TIERS[state.tier]), make("div", "row"));
      wall.append(section);
      rows.set(state.tier, { node: section.lastElementChild, phones: [] });
    }
    const phone = makePhone(state);
    rows.get(state.tier).phones.push(phone);
    phone.unread = unread.get(state.id) || 0;
    if (phone.unread) {
      phone.badge.textContent = String(phone.unread);
      phone.node.classList.add("unread");
    }
    if (drafts.get(state.id)) phone.node.querySelector("input").value = drafts.get(state.id);
  }
  for (const state of states) fillSpeakers(phones.get(state.id), state.speakers, speaking.get(state.id));
  columns = 0;
  arrange();
}

// Whoever is in a group whose robot listens: one of them speaks.
function fillSpeakers(phone, ids, chosen) {
  if (!phone.speaker) return;
  phone.speaker.replaceChildren(...ids.map((id) => {
    const option = make("option", "", phones.get(id).name);
    option.value = id;
    return option;
  }));
  if (chosen) phone.speaker.value = chosen;
}

// Columns rather than grid rows: a phone that wakes pushes down only what hangs below it.
function arrange() {
  const wanted = Math.max(1, Math.floor(($("wall").clientWidth + 12) / 232));
  if (wanted === columns) return;
  columns = wanted;
  for (const row of rows.values()) {
    const stacks = Array.from({ length: columns }, () => make("div", "column"));
    row.phones.forEach((phone, place) => stacks[place % columns].append(phone.node));
    row.node.replaceChildren(...stacks);
    for (const phone of row.phones) phone.screen.scrollTop = phone.screen.scrollHeight;
  }
}

// ---- incidents and upstream

function showIncidents() {
  const box = $("incidents");
  const scrolled = box.scrollTop;
  const nodes = incidents.slice(0, MOST_SHOWN).map(incidentNode);
  if (incidents.length > MOST_SHOWN) nodes.push(restOf(incidents.slice(MOST_SHOWN)));
  box.replaceChildren(...(nodes.length ? nodes : [make("p", "none", "当前没有警情。点“报警”试试。")]));
  box.scrollTop = scrolled;
}

// What does not fit is one line each: a storm must not hide what is gravest.
let restOpen = false;

function restOf(others) {
  const rest = make("details", "rest");
  rest.open = restOpen;
  rest.addEventListener("toggle", () => { restOpen = rest.open; });
  rest.append(make("summary", "", `另有 ${others.length} 件`));
  for (const it of others) {
    const row = make("p", it.todo ? "damaged" : "");
    if (it.todo) row.append(`⚠ ${it.todo}`);
    else row.append(make("span", `chip ${it.colour}`, `${SHAPES[it.colour]} ${it.mark}${it.what}`), ` ${it.code} ${it.where} ${it.state}`);
    rest.append(row);
  }
  return rest;
}

// What cannot be read may be the gravest: it stands first, with what to do about it.
function damagedNode(it) {
  const node = make("article", "incident damaged");
  node.id = `incident-${it.code}`;
  const head = make("header");
  head.append(make("strong", "", it.code), make("span", "state", "⚠ 记录无法读取"));
  node.append(head, make("p", "where", it.todo));
  return node;
}

function incidentNode(it) {
  if (it.todo) return damagedNode(it);
  const node = make("article", it.closed ? "incident closed" : "incident");
  node.id = `incident-${it.code}`;
  const head = make("header");
  head.append(make("span", `chip ${it.colour}`, `${SHAPES[it.colour]} ${it.mark}${it.what}`), make("strong", "", it.code), make("span", "state", it.state));
  node.append(head, make("p", "where", it.where + (it.reading ? `，${it.reading}` : "")));
  const list = make("ul");
  for (const duty of it.duties) {
    const said = duty.done.length ? duty.done.join("，") : duty.open ? "尚未签收" : "责任已结束";
    list.append(make("li", duty.signed ? "signed" : duty.open ? "unsigned" : "", `${duty.signed ? "✔" : "○"} ${duty.unit}：${said}`));
    if (duty.late.length) list.append(make("li", "late", `▲ ${duty.unit} ${duty.late.join("、")}已逾期`));
  }
  for (const step of it.next) {
    const row = make("li", "next");
    const when = make("b", "", relative(step.at));
    when.dataset.at = String(step.at);
    row.append(when, ` ${step.what}`);
    list.append(row);
  }
  for (const detour of it.detours) list.append(make("li", "detour", `↪ ${detour}`));
  list.append(make("li", "next", `已通知 ${it.told} 次，送达 ${it.delivered}`));
  node.append(list);
  return node;
}

function upstreamNode(row) {
  const item = make("li");
  item.dataset.row = row.id;
  item.append(make("time", "", row.time), ` ${row.text} `, ...row.ways.map((way) => make("span", "way", way)));
  return item;
}

function addUpstream(row) {
  const list = $("upstream");
  if (list.querySelector(".none")) list.replaceChildren();
  const before = [...list.children].find((item) => item.dataset.row === row.id);
  if (before) return before.replaceWith(upstreamNode(row));
  list.prepend(upstreamNode(row));
  while (list.childElementCount > 40) list.lastElementChild.remove();
}

// ---- what goes wrong

function showTroubles(troubles, night) {
  const shown = JSON.stringify([troubles, night]);
  if (showTroubles.shown === shown) return;
  showTroubles.shown = shown;
  $("troubles").replaceChildren(...troubles.map((it) => {
    const button = make("button", it.on ? "on" : "", it.on ? `▲ ${it.name}${it.is}中，恢复` : `${it.name}${it.is}`);
    button.type = "button";
    button.dataset.trouble = it.id;
    button.addEventListener("click", () => post("trouble", { name: it.id, on: !it.on }, button));
    return button;
  }));
  $("night").textContent = night ? "▲ 夜班无人，恢复值班表" : "夜里无人值班";
  $("night").classList.toggle("on", night);
  $("night").dataset.on = String(night);
}

function showStorm(storm) {
  const box = $("storm-told");
  box.hidden = !storm;
  if (!storm) return;
  const list = make("ul");
  for (const it of storm.phones) {
    const row = make("li", "", `${it.name} `);
    row.append(make("b", "", `${it.count} 条`));
    list.append(row);
  }
  box.replaceChildren(
    make("p", "", `${storm.events} 条事件分 ${storm.batches} 批送来，全部受理：新警情 ${storm.opened}，同一点位重复的并入 ${storm.merged}。`),
    make("p", "", `共发出 ${storm.messages} 条消息；${storm.phones.length} 部手机中，${storm.grave} 部先响的是红色预警或高高报：`),
    list,
  );
}

// ---- buttons

async function post(what, body, button) {
  if (button) button.disabled = true;
  const said = $("said");
  try {
    const answer = await fetch(`/demo/api/${what}`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
    said.textContent = (await answer.json()).said || `HTTP ${answer.status}`;
    said.classList.toggle("bad", !answer.ok);
    return answer.ok;
  } catch {
    said.textContent = "没有送到，请看演示是否还在运行";
    said.classList.add("bad");
    return false;
  } finally {
    if (button) button.disabled = false;
  }
}

function fillTargets(groups) {
  const select = $("target");
  if (select.childElementCount) return;
  for (const group of groups) {
    const box = make("optgroup");
    box.label = group.name;
    for (const target of group.targets) {
      const option = make("option", "", `${group.name} ${target.name}`);
      option.value = `${target.enterprise}/${target.point}`;
      option.dataset.grades = JSON.stringify(target.grades);
      box.append(option);
    }
    select.append(box);
  }
  select.addEventListener("change", fillGrades);
  fillGrades();
}

function fillGrades() {
  const grades = JSON.parse($("target").selectedOptions[0].dataset.grades);
  $("grade").replaceChildren(...grades.map((grade) => {
    const option = make("option", "", grade.word);
    option.value = grade.id;
    return option;
  }));
}

for (const button of document.querySelectorAll("[data-do]")) {
  button.addEventListener("click", () => {
    const [enterprise, point] = $("target").value.split("/");
    post("event", { do: button.dataset.do, enterprise, point, grade: $("grade").value, mode: $("mode").value }, button);
  });
}
$("raise").addEventListener("submit", (event) => event.preventDefault());
$("storm").addEventListener("click", () => post("storm", {}, $("storm")));
$("night").addEventListener("click", () => post("night", { on: $("night").dataset.on !== "true" }, $("night")));
for (const button of document.querySelectorAll("[data-minutes], [data-due]")) {
  button.addEventListener("click", () => {
    const asked = "due" in button.dataset ? { due: true } : { minutes: Number(button.dataset.minutes) };
    post("time", asked, button);
  });
}

// ---- the stream

const HANDLERS = {
  snapshot(state) {
    buildWall(state.phones);
    setClock(state);
    fillTargets(state.targets);
    incidents = state.incidents;
    showIncidents();
    showStorm(state.storm);
    $("upstream").replaceChildren(...(state.upstream.length ? state.upstream.map(upstreamNode).reverse() : [make("li", "none", "还没有答复。")]));
    tick();
    document.body.dataset.ready = "yes";
  },
  message: arrive,
  incidents(list) { incidents = list; showIncidents(); },
  upstream: addUpstream,
  storm: showStorm,
  clock: setClock,
  heartbeat: setClock,
  card: changeCard,
};

function heard() {
  lastHeard = performance.now();
  attempts = 0;
  setStale(false);
}

function setStale(stale) {
  document.body.classList.toggle("stale", stale);
  $("link").classList.toggle("stale", stale);
  const text = stale ? "画面可能已过时，正在重新连接…" : "已连接";
  if ($("link").textContent !== text) $("link").textContent = text;
}

function connect() {
  clearTimeout(retry);
  if (source) source.close();
  // A new attempt has as long as an open stream before it is given up.
  lastHeard = performance.now();
  source = new EventSource("/demo/api/stream");
  for (const [name, handle] of Object.entries(HANDLERS)) {
    source.addEventListener(name, (event) => { heard(); handle(JSON.parse(event.data)); });
  }
  source.onerror = () => again();
}

function again() {
  if (source) source.close();
  source = null;
  setStale(true);
  clearTimeout(retry);
  const most = Math.min(30000, 1000 * 2 ** attempts);
  attempts += 1;
  retry = setTimeout(connect, most / 2 + Math.random() * most / 2);
}

function tick() {
  if (now) {
    const parts = Object.fromEntries(new Intl.DateTimeFormat("zh-CN", { timeZone: ZONE, hour12: false, year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit" }).formatToParts(new Date(clock())).map((part) => [part.type, part.value]));
    $("time").textContent = `${parts.hour}:${parts.minute}:${parts.second}`;
    $("date").textContent = `${parts.year}-${parts.month}-${parts.day}`;
  }
  for (const node of document.querySelectorAll("[data-at]")) node.textContent = relative(Number(node.dataset.at));
  if (source && performance.now() - lastHeard > STALE_AFTER) again();
}

setInterval(tick, 500);
window.addEventListener("resize", arrange);
document.addEventListener("visibilitychange", () => {
  if (!document.hidden && performance.now() - lastHeard > STALE_AFTER / 2) connect();
});
connect();
