// One incident, one telephone task as nodes. Whatever upstream or people wrote only ever becomes text.
"use strict";

const ZONE = { timeZone: "Asia/Shanghai", hourCycle: "h23" };
const MINUTE_FORM = new Intl.DateTimeFormat("zh-CN", { ...ZONE, hour: "2-digit", minute: "2-digit" });
const DAY_FORM = new Intl.DateTimeFormat("zh-CN", { ...ZONE, month: "2-digit", day: "2-digit" });
const SECOND_FORM = new Intl.DateTimeFormat("zh-CN", { ...ZONE, hour: "2-digit", minute: "2-digit", second: "2-digit" });

function make(tag, cls, text) {
  const node = document.createElement(tag);
  if (cls) node.className = cls;
  if (text !== undefined) node.textContent = text;
  return node;
}

function when(at, now) {
  const day = DAY_FORM.format(at);
  return (day === DAY_FORM.format(now) ? "" : `${day} `) + MINUTE_FORM.format(at);
}

function span(ms) {
  const seconds = Math.floor(Math.abs(ms) / 1000);
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}:${String(seconds % 60).padStart(2, "0")}`;
  if (minutes < 1440) return `${Math.floor(minutes / 60)} 小时 ${minutes % 60} 分`;
  return `${Math.floor(minutes / 1440)} 天 ${Math.floor(minutes / 60) % 24} 小时`;
}

// Clocks count in the page, by the hub's time.
function tickClock(node, now) {
  const due = Number(node.dataset.due);
  const late = due <= now;
  const text = `${node.dataset.word} ${late ? "超" : "剩"} ${span(due - now)}`;
  if (node.textContent !== text) node.textContent = text;
  if (node.classList.contains("late") !== late) node.classList.toggle("late", late);
}

function tickAge(node, now) {
  const text = `${when(Number(node.dataset.since), now)} 起，已 ${span(now - Number(node.dataset.since))}`;
  if (node.textContent !== text) node.textContent = text;
}

function dutyNode(duty, now) {
  const node = make("li", duty.own ? "duty own" : "duty");
  const head = make("div");
  head.append(make("strong", "", `${duty.unit}${duty.own ? "（本单位）" : ""}`), " ");
  head.append(duty.signed ? make("span", "good", `✔ ${duty.signed.name} ${when(duty.signed.at, now)} 签收`) : make("span", "warn", "○ 未签收"));
  for (const done of duty.done) head.append(make("span", "good", `，${when(done.at, now)} ${done.word}`));
  node.append(head);
  for (const clock of duty.clocks) {
    const each = make("span", "clock");
    each.dataset.due = String(clock.due);
    each.dataset.word = clock.word;
    tickClock(each, now);
    node.append(each);
  }
  return node;
}

const STEPS = [["told", "通知"], ["submitted", "提交"], ["delivered", "送达"], ["read", "已读"], ["signed", "签收"]];

function toldNode(row, now, opened) {
  const box = make("details", "told");
  box.open = opened;
  const count = STEPS.map(([key, word]) => `${word} ${row.told.filter((each) => each[key]).length}`);
  const bad = row.told.filter((each) => each.bad).length;
  const head = make("summary", "", count.join("，"));
  if (bad) head.append(make("span", "bad", `，送不到 ${bad}`));
  const scroll = make("div", "scroll");
  scroll.tabIndex = 0;
  const table = make("table");
  const top = make("tr");
  for (const word of ["谁", "渠道", ...STEPS.map(([, word]) => word), "现状"]) { const cell = make("th", "", word); cell.scope = "col"; top.append(cell); }
  const first = make("thead");
  first.append(top);
  const body = make("tbody");
  for (const each of row.told) {
    const line = make("tr");
    const who = make("th", "", each.name);
    who.scope = "row";
    if (each.post) who.append(make("span", "quiet", `（${each.post}）`));
    line.append(who, make("td", "", each.channel));
    for (const [key] of STEPS) line.append(make("td", "", each[key] ? when(each[key], now) : "—"));
    line.append(make("td", each.bad ? "bad" : "", each.state));
    body.append(line);
  }
  table.append(first, body);
  scroll.append(table);
  box.append(head, scroll);
  return box;
}

function rowNode(row, now, press, opened) {
  const node = make("li", `row ${row.colour}${row.ring ? " ring" : ""}`);
  node.id = `row-${row.code}`;
  node.dataset.code = row.code;
  const what = make("div");
  const chip = make("span", `chip ${row.colour}`);
  const shape = make("span", "shape", row.shape);
  shape.setAttribute("aria-hidden", "true");
  chip.append(shape, ` ${row.mark}${row.what}`);
  const code = make("a", "code", row.code);
  code.href = `/duty/incident/${encodeURIComponent(row.code)}`;
  what.append(chip, " ", code, make("h3", "", row.short));
  if (row.place) what.append(make("p", "", row.place));
  const state = make("div");
  if (row.reading) state.append(make("p", "value", row.reading));
  state.append(make("p", row.returned ? "warn" : "", row.state));
  const since = make("p", "since quiet");
  since.dataset.since = String(row.opened);
  tickAge(since, now);
  state.append(since);
  if (row.raises > 1) state.append(make("p", "quiet", `报警 ${row.raises} 次`));
  if (row.flags.length) state.append(make("p", "warn", `注意：${row.flags.join("、")}`));
  const duties = make("ul");
  duties.append(...row.duties.map((duty) => dutyNode(duty, now)));
  if (!row.duties.length) duties.append(make("li", "quiet", "目前无单位承担处置"));
  for (const deed of row.last) duties.append(make("li", "quiet", `${when(deed.at, now)} ${deed.name}${deed.verb}${deed.said ? `：${deed.said}` : ""}`));
  const buttons = make("div", "buttons");
  if (row.sign) buttons.append(button("签收", "main", `签收 ${row.code} ${row.short}`, (it) => press({ verb: "sign", code: row.code }, it)));
  if (row.urge) buttons.append(button("催办", "", `催办 ${row.code} ${row.short}`, (it) => press({ verb: "urge", code: row.code }, it)));
  const told = make("div", "wide");
  told.append(toldNode(row, now, opened));
  node.append(what, duties, state, buttons, told);
  return node;
}

function button(word, cls, label, act) {
  const node = make("button", cls, word);
  node.type = "button";
  node.setAttribute("aria-label", label);
  node.addEventListener("click", () => act(node));
  return node;
}

function taskNode(row, task, now, wall, press) {
  const node = make("li", "task");
  node.id = `task-${task.id}`;
  const head = make("p");
  head.append(make("strong", "", `请打电话：${row.code} ${row.mark}${row.what}，${row.short} ${row.place}`), make("span", "quiet", `（${task.unit}，${when(task.at, now)} 交办）`));
  node.append(head);
  for (const whom of task.whom) {
    const line = make("p", "", `${whom.name}${whom.post ? `（${whom.post}）` : ""} `);
    if (whom.number) line.append(make("span", "number", whom.number));
    else line.append(make("span", "quiet", wall ? "" : "没有登记号码"));
    node.append(line);
  }
  for (const deed of task.tries) node.append(make("p", "quiet", `${when(deed.at, now)} ${deed.name}：${deed.said}`));
  if (wall) return node;
  const form = make("form");
  const name = make("input");
  name.name = "name";
  name.required = true;
  name.maxLength = 40;
  name.autocomplete = "off";
  name.value = task.whom.length === 1 ? task.whom[0].name : "";
  const result = make("select");
  result.name = "result";
  result.required = true;
  result.append(new Option("请选择", ""), ...task.results.map((each) => new Option(each, each)));
  const note = make("input");
  note.name = "text";
  note.maxLength = 200;
  note.autocomplete = "off";
  for (const [word, field] of [["通知了谁", name], ["结果", result], ["备注（可不填）", note]]) {
    const label = make("label", "", word);
    label.append(field);
    form.append(label);
  }
  const done = make("button", "main", "记录");
  form.append(done, make("p", "quiet", "记为“已电话告知”，不算签收。"));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    press({ verb: "phoned", code: row.code, notice: task.id, name: name.value, result: result.value, text: note.value }, done);
  });
  node.append(form);
  return node;
}
