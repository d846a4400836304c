// One run in detail.

const phaseTitles = { prefill: "Prefill, the whole prompt", decode: "Decode, per token" };
const phaseStyles = { prefill: { marker: "circle" }, decode: { marker: "square" } };
const partColors = {
  embedding: "ochre", attention: "blue", ffn: "orange", lm_head: "green", other: "purple",
  mul_mat: "orange", mul_mat_vec: "orange", norm: "teal", embed: "ochre", recurrence: "rose", sample: "purple",
  barrier_wait: "grey", unattributed: "grey",
  kv_cache: "rose", state: "teal", compute: "purple", tokenizer: "grey", parameters: "indigo",
};
const colorOf = (name) => `var(--${partColors[name] || "indigo"})`;

const phasesOf = (run) => Object.entries(run.phases || {}).filter(([, phase]) => at(phase, "wall_ns", "median") > 0);
/// Prefill as a whole, decode for each token.
const perPass = (name, phase, ns) => (name === "decode" ? ns / phase.n_tokens : ns);

function figuresOf(run) {
  const { prefill, decode } = run.phases || {}, first = run.time_to_first_token_ns, token = at(decode, "token_ns");
  const roof = run.read_bandwidth_bytes_per_second, memory = run.memory || {};
  const speeds = (phase) => range({ min: perSecond(phase, "max"), max: perSecond(phase, "min") }, number);
  return [
    first && figure("Time to first token", inUnits(first.median, timeUnits), range(first, duration)),
    prefill && figure("Prefill", [number(prefill.tokens_per_second), "tokens/s"], speeds(prefill)),
    decode && figure("Decode", [number(decode.tokens_per_second), "tokens/s"], speeds(decode)),
    token && figure("Per decoded token, p50", inUnits(token.p50, timeUnits),
      `p90 ${duration(token.p90)}, p99 ${duration(token.p99)}${token.max ? `, max ${duration(token.max)}` : ""}`),
    decode && decode.weight_bytes_per_second && figure("Weights read", [number(decode.weight_bytes_per_second / 1e9), "GB/s"],
      `${percent(decode.read_bandwidth_share)} of ${number(roof / 1e9)} GB/s`),
    memory.process_peak && figure("Process peak", inUnits(memory.process_peak, byteUnits),
      `parameters ${bytes(memory.parameters)}`),
    run.cold && figure("First run, cold", inUnits(run.cold.time_to_first_token_ns, timeUnits),
      run.cold.open_ns ? `to the first token; opening ${duration(run.cold.open_ns)}` : "to the first token"),
    ...phasesOf(run).flatMap(([name, phase]) => [counterFigure(name, phase.counters), energyFigure(name, phase.energy)]),
    run.overhead && figure("Cost of measuring", [percent(run.overhead.share), ""],
      Number.isFinite(run.overhead.least) ? range({ min: run.overhead.least, max: run.overhead.most }, percent) : "of decode"),
  ].filter(Boolean);
}

const perSecond = (phase, which) => (1e9 * phase.n_tokens) / phase.wall_ns[which];

const figure = (name, [value, unit], more) => html("div", {}, html("dt", {}, name),
  html("dd", { class: "value" }, value, html("span", { class: "unit" }, unit)), html("dd", {}, more));

function counterFigure(name, counters) {
  if (!counters || counters.unavailable) return null;
  return figure(`Instructions per cycle, ${name}`, [number(counters.instructions / counters.cycles), ""],
    `${count(counters.instructions)} instructions, ${count(counters.cache_misses)} cache misses`);
}

function energyFigure(name, energy) {
  if (!energy || energy.unavailable) return null;
  return figure(`Energy per token, ${name}`, [number(energy.joules_per_token * 1e3), "mJ"], energy.source);
}

/// What could not be measured, and why: each reason once.
function unavailable(run) {
  const reasons = phasesOf(run).flatMap(([, phase]) => [["Hardware counters", phase.counters], ["Energy", phase.energy]])
    .filter(([, value]) => value && value.unavailable).map(([what, value]) => `${what}: not available: ${value.unavailable}.`);
  return [...new Set(reasons)].map((reason) => html("p", { class: "quiet" }, reason));
}

/// Components or operations of a phase, with what they move and do.
function partTable(run, kind) {
  const rows = phasesOf(run).flatMap(([phaseName, phase]) => Object.entries(phase[kind] || {})
    .filter(([, row]) => row.ns > 0).map(([name, row]) => ({ phaseName, name, ns: perPass(phaseName, phase, row.ns), row })));
  const rate = (what) => (r) => (r.row[what] > 0 ? r.row[what] / r.row.ns : undefined);
  const columns = [words(kind === "components" ? "Component" : "Operation", (r) => r.name), words("Phase", (r) => r.phaseName),
    measure("Time", (r) => r.ns, duration), measure("Share", (r) => r.row.share, percent),
    measure("GB/s", rate("bytes")), measure("GOP/s", rate("operations"))];
  if (rows.some((r) => r.row.roofline_share > 0))
    columns.push(measure("Of roof", (r) => (r.row.roofline_share > 0 ? r.row.roofline_share : undefined), percent));
  return html("div", { class: "sheet" },
    table(`By ${kind === "components" ? "component" : "operation"}; decode per token`, columns, rows));
}

/// Bars of what is held, beside what was predicted from the shape.
function memoryChart(run) {
  const memory = run.memory || {}, predicted = memory.predicted;
  const parts = ["kv_cache", "state", "compute", "tokenizer", "packing"];
  const parameters = Object.keys(at(predicted, "parameters") || {});
  const bars = [predicted && ["predicted", { ...predicted.parameters, ...pick(predicted, parts) }],
    ["held by mote", pick(memory, ["parameters", ...parts])],
    memory.resident > 0 && ["the process, resident", pick(memory, ["anonymous", "mapped"])],
    memory.process_peak > 0 && ["the process, at its peak", { "process peak": memory.process_peak }]].filter(Boolean);
  const names = [...new Set([...parameters, "parameters", ...parts, "anonymous", "mapped", "process peak"])];
  const fixed = { anonymous: "teal", mapped: "blue", "process peak": "grey" };
  const series = names.map((name) => ({ name, color: fixed[name] ? `var(--${fixed[name]})` : colorOf(name),
    values: bars.map(([, values]) => values[name] || 0) }));
  const about = run.context ? `With ${counted(run.context, "position")} of context.` : null;
  const categories = bars.map(([name]) => name);
  return barChart({ kind: "stacked", title: "Memory", about, format: bytes, categories, series, x: "Memory" });
}

const pick = (object, keys) => Object.fromEntries(keys.filter((key) => object[key] > 0).map((key) => [key, object[key]]));

function contextChart(run) {
  const rows = at(run, "memory", "by_context");
  if (!rows || rows.length === 0) return null;
  const parameters = Object.values(at(run, "memory", "predicted", "parameters") || {}).reduce((sum, n) => sum + n, 0);
  const series = [{ name: "parameters", values: rows.map(() => parameters) },
    ...["kv_cache", "state", "compute"].map((name) => ({ name, values: rows.map((row) => row[name] || 0) }))];
  return barChart({ kind: "stacked", title: "Memory by context", about: "Predicted from the shape.", format: bytes, x: "Context",
    categories: rows.map((row) => `${row.context.toLocaleString("en-US")} positions`),
    series: series.map((one) => ({ ...one, color: colorOf(one.name) })) });
}

function percentileChart(run) {
  const token = at(run, "phases", "decode", "token_ns");
  if (!token) return null;
  const names = ["p50", "p90", "p99", "max"].filter((name) => token[name] > 0);
  return barChart({ kind: "bar", title: "Time of a decoded token", about: "What 50, 90 and 99 of 100 tokens do not exceed.",
    format: duration, x: "Percentile", categories: names, series: [{ name: "time", values: names.map((name) => token[name]) }] });
}

/// Speed against time, and what the sensors said meanwhile where there are any.
function sustainCharts(run) {
  const points = at(run, "sustain", "points") || [];
  const curves = [["Speed over a long run", "tokens/s", (point) => point.tokens_per_second],
    ["Clock meanwhile", "GHz", (point) => point.core_hz / 1e9], ["Temperature meanwhile", "°C", (point) => point.celsius]];
  return curves.filter(([, , value]) => points.some((point) => Number.isFinite(value(point)))).map(([title, y, value]) =>
    lineChart({ title, x: "seconds", y, series: [{ name: y, points: points.map((point) => [point.at_ns / 1e9, value(point)]) }] }));
}

function runDetail(run) {
  const heats = phasesOf(run).filter(([, phase]) => at(phase, "layer_operations", "length") > 0)
    .map(([name, phase]) => heatChart(phase, name));
  const rooflineHolder = html("div");
  const showRoofline = (kind) => rooflineHolder.replaceChildren(rooflineChart(run, kind));
  showRoofline("components");
  const rooflineKind = choice("Points", [["components", "Components"], ["operations", "Operations"]], showRoofline);
  return html("div", { class: "stack" },
    html("dl", { class: "figures" }, figuresOf(run)), unavailable(run),
    html("div", { class: "columns" }, partTable(run, "components"), partTable(run, "operations")), heats,
    html("div", { class: "columns" },
      html("div", { class: "stack" }, rooflineKind, rooflineHolder, percentileChart(run), sustainCharts(run)),
      html("div", { class: "stack" }, memoryChart(run), contextChart(run))));
}
