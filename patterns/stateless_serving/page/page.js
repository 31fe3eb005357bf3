"use strict";
// The page asks only the service that it comes from. The service decides what fits the schema; the
// page sends what was typed and shows each problem beside its field.

const SVG = "http://www.w3.org/2000/svg";
const JSON_NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/;
const byId = (id) => document.getElementById(id);
const plain = (name) => name.replaceAll("_", " ");
const percent = (share, digits = 0) => `${(100 * share).toFixed(digits)} %`;
const short = (number) => Number(number.toPrecision(4)).toLocaleString("en-US");

let model; // what /model said
let language = "curl";
let busy = false; // a disabled button would lose the focus of the keyboard

function element(tag, attributes = {}, ...children) {
  const svg = ["svg", "g", "rect", "line", "text", "title"].includes(tag);
  const made = svg ? document.createElementNS(SVG, tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

async function ask(path, body) {
  const options = body === undefined
    ? {}
    : { method: "POST", headers: { "content-type": "application/json" }, body };
  const response = await fetch(path, options);
  return { ok: response.ok, status: response.status, content: await response.json() };
}

// --- the form ------------------------------------------------------------------------------------

function buildForm() {
  const known = model.provenance.trained_on ?? {};
  byId("fields").replaceChildren(
    ...Object.entries(model.schema).map(([name, rules]) => field(name, rules, known[name] ?? {})),
  );
  fill(model.example);
  byId("submit").disabled = byId("reset").disabled = false;
}

function field(name, rules, known) {
  const id = `field-${name}`;
  const common = { id, name, autocomplete: "off", "aria-describedby": `hint-${name} error-${name}` };
  const control = [];
  if (rules.type === "category" && rules.categories) {
    const values = rules.nullable ? ["", ...rules.categories] : rules.categories;
    const options = values.map((value) => element("option", { value }, value || "missing"));
    control.push(element("select", common, ...options));
  } else if (rules.type === "category") {
    const options = (known.values ?? []).map((value) => element("option", { value }));
    control.push(
      element("input", { ...common, type: "text", list: `list-${name}`, spellcheck: "false" }),
      element("datalist", { id: `list-${name}` }, ...options),
    );
  } else if (rules.type === "time") {
    control.push(element("input", { ...common, type: "datetime-local", step: 1, max: "2099-12-31T23:59:59" }));
  } else {
    control.push(element("input", { ...common, type: "text", inputmode: "decimal" }));
  }
  const kind = rules.type === "time" ? "time, UTC" : rules.type;
  const label = element("label", { for: id }, plain(name), element("span", {}, rules.nullable ? `${kind}, optional` : kind));
  return element(
    "div", { class: rules.type === "time" ? "field long" : "field" }, label, ...control,
    element("p", { class: "hint", id: `hint-${name}` }, hint(rules, known)),
    element("p", { class: "error", id: `error-${name}`, hidden: true }),
  );
}

function hint(rules, known) {
  const told = [];
  const { minimum: low, maximum: high } = rules;
  if (low != null && high != null) told.push(`${short(low)} to ${short(high)}`);
  else if (low != null) told.push(`at least ${short(low)}`);
  else if (high != null) told.push(`at most ${short(high)}`);
  if (known.values && !rules.categories) told.push(`such as ${known.values.slice(0, 4).join(", ")}`);
  if (rules.type === "number" && known.minimum != null)
    told.push(`trained on ${short(known.minimum)} to ${short(known.maximum)}`);
  if (rules.type === "time" && known.minimum)
    told.push(`trained on ${known.minimum.slice(0, 10)} to ${known.maximum.slice(0, 10)}`);
  return told.join("; ");
}

function fill(row) {
  for (const [name, rules] of Object.entries(model.schema)) {
    const value = row[name] ?? "";
    const isTime = rules.type === "time" && value !== "";
    byId(`field-${name}`).value = isTime ? new Date(value).toISOString().slice(0, 19) : value;
  }
  clearProblems();
  showRequest();
}

// Each value as JSON. A number stays as it was typed, because a copy of it could be rounded.
function typed() {
  return Object.entries(model.schema).map(([name, rules]) => {
    const text = byId(`field-${name}`).value.trim();
    if (text === "") return [name, "null"];
    if (rules.type === "time") return [name, JSON.stringify(`${text}${text.length === 16 ? ":00" : ""}Z`)];
    if (rules.type !== "number") return [name, JSON.stringify(text)];
    if (JSON_NUMBER.test(text)) return [name, text];
    const isDecimal = /^[+-]?(\d+\.?\d*|\.\d+)$/.test(text); // such as .5 and +5
    return [name, isDecimal ? String(Number(text)) : JSON.stringify(text)];
  });
}

const bodyOf = (values, indent) =>
  `{"rows": [{\n${values.map(([name, value]) => `${indent}${JSON.stringify(name)}: ${value}`).join(",\n")}\n}]}`;

function clearProblems() {
  byId("problem").hidden = true;
  for (const name of Object.keys(model.schema)) {
    byId(`field-${name}`).removeAttribute("aria-invalid");
    byId(`error-${name}`).hidden = true;
  }
}

function showProblems({ content, status }) {
  const others = [];
  let first = null;
  for (const { field: name, problem, value } of content.problems ?? []) {
    const said = value === null || value === "None" ? problem : `${problem}, got ${value}`;
    if (!(name in model.schema)) {
      others.push(name ? `${name} ${said}` : said);
      continue;
    }
    byId(`field-${name}`).setAttribute("aria-invalid", "true");
    byId(`error-${name}`).textContent = `${plain(name)} ${said}`;
    byId(`error-${name}`).hidden = false;
    first ??= byId(`field-${name}`);
  }
  if (!content.problems) others.push(`${content.error} (${status})`);
  if (others.length) {
    byId("problem").textContent = others.join("; ");
    byId("problem").hidden = false;
  }
  first?.focus();
}

// --- the answer ----------------------------------------------------------------------------------

async function predict(event) {
  event.preventDefault();
  if (busy) return;
  busy = true;
  clearProblems();
  const body = bodyOf(typed(), "  ");
  try {
    const started = performance.now();
    const found = await ask("v1/predict", body);
    const milliseconds = performance.now() - started;
    if (!found.ok) {
      showNoAnswer("There is no answer; the row has problems.");
      showProblems(found);
      return;
    }
    if (found.content.model_version !== model.model_version) { // it was swapped
      model = (await ask("model")).content;
      describeModel();
    }
    showAnswer(found.content, milliseconds);
    byId("answer").scrollIntoView({ block: "nearest" });
    await Promise.all([explain(body), showDrift()]);
  } catch (error) {
    showNoAnswer("The service does not answer.");
    byId("problem").textContent = `The service cannot be reached: ${error.message}`;
    byId("problem").hidden = false;
  } finally {
    busy = false;
  }
}

function showNoAnswer(why) {
  byId("answer").replaceChildren(element("p", { class: "empty" }, why));
  byId("explanation").hidden = true;
}

const isProbability = () => String(model.provenance.params?.objective).startsWith("binary:logistic");

function showAnswer(content, milliseconds) {
  const value = content.predictions[0];
  const target = model.provenance.target ?? "the target";
  const shown = [];
  if (isProbability()) {
    const gauge = element("svg", { class: "gauge", viewBox: "0 0 100 4", preserveAspectRatio: "none", "aria-hidden": "true" },
      element("rect", { class: "all", width: 100, height: 4 }),
      element("rect", { class: "part", width: 100 * value, height: 4 }));
    shown.push(element("p", { class: "value" }, percent(value, 1)));
    shown.push(element("p", { class: "meaning" }, `Probability: ${target}`), gauge);
  } else {
    shown.push(element("p", { class: "value" }, short(value)), element("p", { class: "meaning" }, target));
  }
  const facts = [
    [isProbability() ? "probability" : "prediction", String(value), "exact-value"],
    ["model", content.model_version.slice(0, 12), "exact-model"],
    ["schema", content.schema_version.slice(0, 12), "exact-schema"],
    ["answered in", `${milliseconds.toFixed(0)} ms`, "exact-time"],
  ];
  const age = content.age_seconds?.[0];
  if (age != null) facts.push(["computed", `${age.toFixed(0)} s before`, "exact-age"]);
  const list = element("dl", { class: "exact" });
  for (const [name, text, id] of facts) {
    const wide = { id, class: "version" };
    if (id === "exact-model") wide.title = content.model_version;
    if (id === "exact-schema") wide.title = content.schema_version;
    list.append(element("dt", {}, name), element("dd", wide, text));
  }
  byId("answer").replaceChildren(...shown, list);
}

async function explain(body) {
  if (!model.offers.includes("explain")) return;
  const place = byId("explanation");
  const { ok, content } = await ask("v1/explain", body);
  place.hidden = false;
  if (!ok) {
    place.replaceChildren(element("p", { class: "small" }, `There is no explanation: ${content.error}`));
    return;
  }
  const found = content.explanations[0];
  const outputs = Object.entries(found?.outputs ?? {});
  const shown = outputs.flatMap(([name, output]) => reasons(name, output, outputs.length > 1, found));
  const other = found?.counterfactual;
  if (other) {
    const changes = Object.entries(other.changes).map(([name, { from, to }]) => `${plain(name)} ${from} → ${to}`);
    shown.push(element("p", { class: "small" }, `Another decision, ${other.decision}, with: ${changes.join(", ")}`));
  }
  if (!shown.length) shown.push(element("pre", {}, JSON.stringify(found, null, 2)));
  place.replaceChildren(element("h3", {}, "Why"), ...shown);
}

function reasons(name, output, named, { baseline, link }) {
  const rows = output.top.map(({ feature, value, attribution }) => [`${plain(feature)} = ${value ?? "missing"}`, attribution]);
  rows.push(["all others", output.others]);
  const most = Math.max(...rows.map(([, by]) => Math.abs(by)), 1e-12);
  const table = element("table", { class: "reasons" });
  for (const [reason, by] of rows) {
    const width = (50 * Math.abs(by)) / most;
    const bar = element("svg", { viewBox: "0 0 100 10", preserveAspectRatio: "none", "aria-hidden": "true" },
      element("rect", { class: by > 0 ? "more" : "less", x: by > 0 ? 50 : 50 - width, y: 1, width, height: 8 }),
      element("line", { x1: 50, x2: 50, y1: 0, y2: 10 }));
    const number = `${by < 0 ? "−" : "+"}${Math.abs(by).toPrecision(3)}`;
    table.append(element("tr", {},
      element("th", { scope: "row" }, reason), element("td", {}, bar), element("td", { class: "number" }, number)));
  }
  const scale = link && link !== "identity" ? `, on the scale of the ${link}` : "";
  const against = typeof baseline === "string" ? `, against ${baseline}` : "";
  const about = `Added to the base value ${output.base_value.toPrecision(3)}${scale}${against}.`;
  return [...(named ? [element("h3", {}, name)] : []), table, element("p", { class: "small" }, about)];
}

// --- the request to copy -------------------------------------------------------------------------

function showRequest() {
  const values = typed();
  const url = new URL("v1/predict", document.baseURI).href;
  if (language === "curl") {
    const quoted = bodyOf(values, "  ").replaceAll("'", "'\\''");
    byId("code").textContent = `curl '${url}' \\\n  --header 'content-type: application/json' \\\n  --data '${quoted}'`;
  } else {
    const literals = values.map(([name, value]) => `    ${JSON.stringify(name)}: ${value === "null" ? "None" : value},`);
    byId("code").textContent = [
      "import json",
      "from urllib.request import Request, urlopen",
      "",
      `row = {\n${literals.join("\n")}\n}`,
      "request = Request(",
      `    ${JSON.stringify(url)},`,
      '    data=json.dumps({"rows": [row]}).encode(),',
      '    headers={"content-type": "application/json"},',
      ")",
      "with urlopen(request) as answer:",
      "    print(json.load(answer))",
    ].join("\n");
  }
  byId("copied").textContent = "";
}

function choose(name) {
  language = name;
  for (const one of ["curl", "python"]) {
    byId(`tab-${one}`).setAttribute("aria-selected", String(one === name));
    byId(`tab-${one}`).tabIndex = one === name ? 0 : -1;
  }
  byId("code").setAttribute("aria-labelledby", `tab-${name}`);
  if (model) showRequest();
}

function moveTab(event) {
  if (!["ArrowLeft", "ArrowRight"].includes(event.key)) return;
  choose(language === "curl" ? "python" : "curl");
  byId(`tab-${language}`).focus();
}

async function copy() {
  try {
    await navigator.clipboard.writeText(byId("code").textContent);
    byId("copied").textContent = "Copied.";
  } catch { // browsers forbid it where the page came over plain HTTP from another machine
    getSelection().selectAllChildren(byId("code"));
    byId("copied").textContent = "Selected; copy it with the keyboard.";
  }
}

// --- drift ---------------------------------------------------------------------------------------

async function showDrift() {
  if (!model.offers.includes("drift")) {
    byId("drift-about").textContent = "This model has no statistics of its training rows to compare with.";
    return;
  }
  const { n_rows: n, columns } = (await ask("drift")).content;
  const rows = n === 1 ? "The one row" : `The last ${n.toLocaleString("en-US")} rows`;
  const few = n < 100 ? " So few rows show only the largest shifts." : "";
  byId("drift-about").textContent = n
    ? `${rows} that this process served, beside those of training; the largest difference comes first.${few}`
    : "Nothing has been served yet. Each prediction counts, this page's too.";
  byId("legend").hidden = !n;
  const inputs = columns.filter(({ stage }) => stage === "inputs");
  const features = columns.filter(({ stage }) => stage !== "inputs");
  byId("drift").replaceChildren(...inputs.map(chart));
  byId("features").hidden = !features.length;
  const shifted = features.filter(({ alarm }) => alarm).length;
  byId("features").children[0].textContent = `Features that the model makes of them: ${features.length}, of which ${shifted} shifted`;
  byId("features").children[1].replaceChildren(...features.map(chart));
}

function chart({ name, alarm, bars }) {
  const badge = element("span", { class: `badge ${alarm ? "alarm" : "calm"}` }, alarm ? "shifted" : "no alarm");
  const caption = element("figcaption", {}, plain(name), badge);
  if (!bars.length) return element("figure", {}, caption, element("p", { class: "small" }, "A time has no bars; see what the model makes of it."));
  const [width, height, base] = [280, 128, 106];
  const most = Math.max(...bars.flatMap(({ training, serving }) => [training, serving]), 1e-9);
  const step = width / bars.length;
  const tall = (share) => ((base - 18) * share) / most;
  const isNumber = bars.every(({ label }) => /^(to|above) -?\d/.test(label));
  const far = bars.reduce((a, b) => (Math.abs(b.serving - b.training) > Math.abs(a.serving - a.training) ? b : a));
  const about = `${plain(name)}. The largest difference: ${far.label}, ${percent(far.training)} in training, ${percent(far.serving)} served.`;
  const svg = element("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": about });
  bars.forEach(({ label, training, serving }, i) => {
    const group = element("g", {}, element("title", {}, `${label}: ${percent(training, 1)} in training, ${percent(serving, 1)} served`));
    const [wide, narrow] = [Math.min(step * 0.84, 60), Math.min(step * 0.44, 32)];
    const middle = (i + 0.5) * step;
    const bar = (kind, size, share) =>
      element("rect", { class: kind, x: middle - size / 2, y: base - tall(share), width: size, height: tall(share) });
    group.append(bar("training", wide, training), bar("serving", narrow, serving));
    if (!isNumber) {
      const letters = Math.max(3, Math.floor(step / 6.5));
      const text = label.length > letters ? `${label.slice(0, letters - 1)}…` : label;
      group.append(element("text", { x: middle, y: base + 15, "text-anchor": "middle" }, text));
    }
    svg.append(group);
  });
  if (isNumber) { // the edges between bins
    const every = Math.ceil(bars.length / 5);
    bars.slice(0, -1).forEach(({ label }, i) => {
      if (i % every) return;
      const edge = short(Number(label.replace("to ", "")));
      svg.append(element("text", { x: (i + 1) * step, y: base + 15, "text-anchor": "middle" }, edge));
      svg.append(element("line", { x1: (i + 1) * step, x2: (i + 1) * step, y1: base, y2: base + 4 }));
    });
  }
  svg.append(element("line", { x1: 0, x2: width, y1: base, y2: base }));
  svg.append(element("text", { x: 0, y: 11 }, `${percent(most)}`));
  return element("figure", {}, caption, svg);
}

// --- the beginning -------------------------------------------------------------------------------

function describeModel() {
  const { target, data, rows } = model.provenance;
  const learned = [data, rows && `${rows.toLocaleString("en-US")} rows`].filter(Boolean).join(", ");
  byId("about").textContent = [target && `It predicts: ${target}.`, learned && `Trained on ${learned}.`].filter(Boolean).join(" ")
    || "Fill in a row and see what the model answers.";
  byId("version").textContent = `model ${model.model_version.slice(0, 12)}`;
  byId("version").className = "version";
  byId("version").title = model.model_version;
}

async function begin() {
  choose("curl");
  byId("form").addEventListener("submit", predict);
  byId("form").addEventListener("input", showRequest);
  byId("reset").addEventListener("click", () => fill(model.example));
  byId("copy").addEventListener("click", copy);
  for (const one of ["curl", "python"]) {
    byId(`tab-${one}`).addEventListener("click", () => choose(one));
    byId(`tab-${one}`).addEventListener("keydown", moveTab);
  }
  try {
    const [described, health] = await Promise.all([ask("model"), ask("health/ready")]);
    model = described.content;
    byId("state").textContent = health.ok ? "ready" : "not ready";
    byId("state").className = health.ok ? "ready" : "not";
    describeModel();
    buildForm();
    await showDrift();
  } catch (error) {
    byId("about").textContent = `The service cannot be reached: ${error.message}`;
    byId("state").textContent = "no answer";
    byId("state").className = "not";
  }
}

begin();
