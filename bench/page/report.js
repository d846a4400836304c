// The page of bench_breakdown: all runs beside each other, then one in detail.

const runFields = [["type", (value) => value], ["prompt", (n) => `prompt ${n}`], ["generate", (n) => `generate ${n}`],
  ["threads", (n) => counted(n, "thread")], ["isa", (value) => value]];

const varies = (runs, key) => new Set(runs.map((run) => run[key])).size > 1;

/// The model, and what tells a run from the others.
function runName(run, runs) {
  const parts = runFields.filter(([key]) => key === "type" || varies(runs, key)).filter(([key]) => run[key] !== undefined)
    .map(([key, format]) => format(run[key]));
  return [run.model, ...parts].join(" · ");
}

/// What all runs have in common.
const commonFacts = (runs) => runFields.filter(([key]) => runs.length > 0 && !varies(runs, key) && runs[0][key] !== undefined)
  .map(([key, format]) => format(runs[0][key]));

function fieldColumn(key, runs) {
  const title = key === "isa" ? "ISA" : key[0].toUpperCase() + key.slice(1);
  return typeof runs[0][key] === "number" ? measure(title, (run) => run[key], String) : words(title, (run) => run[key]);
}

function runTable(runs) {
  const token = (which) => (run) => at(run, "phases", "decode", "token_ns", which);
  const ms = (value) => number(value / 1e6);
  const fields = runFields.filter(([key]) => varies(runs, key)).map(([key]) => fieldColumn(key, runs));
  const columns = [words("Model", (run) => run.model), ...fields,
    measure("Parameters", (run) => run.n_parameters, count),
    measure("First token [ms]", (run) => at(run, "time_to_first_token_ns", "median"), ms),
    measure("Prefill [tokens/s]", (run) => at(run, "phases", "prefill", "tokens_per_second")),
    measure("Decode [tokens/s]", (run) => at(run, "phases", "decode", "tokens_per_second")),
    measure("p50 [ms]", token("p50"), ms), measure("p90 [ms]", token("p90"), ms), measure("p99 [ms]", token("p99"), ms),
    measure("Peak memory", (run) => at(run, "memory", "process_peak"), bytes)];
  if (runs.some(token("max"))) columns.splice(-1, 0, measure("max [ms]", token("max"), ms));
  return html("div", { class: "sheet" }, table("All runs", columns, runs));
}

/// Bars of one phase: runs x components or operations.
function phaseBars(runs, phaseName, kind, scale) {
  const phases = runs.map((run) => at(run, "phases", phaseName));
  const names = [...new Set(phases.flatMap((phase) => Object.keys(at(phase, kind) || {})))];
  const value = (phase, ns) => (phase && ns > 0 ? perPass(phaseName, phase, ns) : 0);
  const series = names.map((name) => ({ name, color: colorOf(name), hatched: name === "barrier_wait",
    values: phases.map((phase) => value(phase, at(phase, kind, name, "ns"))) }));
  series.push({ name: "unattributed", color: colorOf("unattributed"), values: phases.map((phase) =>
    value(phase, at(phase, "unattributed_share") * at(phase, "wall_ns", "median"))) });
  const categories = runs.map((run) => runName(run, runs));
  return barChart({ kind: "stacked", title: phaseTitles[phaseName], format: duration, scale, categories, series, x: "Run" });
}

function breakdownSection(runs) {
  const holder = html("div", { class: "columns" });
  const state = { kind: "components", scale: "time" };
  const show = (change) => {
    Object.assign(state, change);
    holder.replaceChildren(...Object.keys(phaseTitles).map((phase) => phaseBars(runs, phase, state.kind, state.scale)));
  };
  show({});
  return withControls(section("breakdown", "Where the time goes",
    "A component owns the waiting at the end of its steps; among the operations, waiting at barriers is one of its own.", holder),
    choice("Parts", [["components", "Components"], ["operations", "Operations"]], (kind) => show({ kind })),
    choice("Scale", [["time", "Time"], ["share", "Share"]], (scale) => show({ scale })));
}

/// Quantization x length of the prompt: a curve for each type, a pair of charts for each model.
function curvesSection(runs) {
  if (!varies(runs, "prompt")) return typeBars(runs);
  const models = [...new Set(runs.map((run) => run.model))];
  const charts = models.flatMap((model) => {
    const own = runs.filter((run) => run.model === model);
    const chartOf = (title, y, value) =>
      lineChart({ title: `${model}: ${title}`, x: "tokens of the prompt", y, series: typeSeries(own, value) });
    return [chartOf("time to first token", "ms", (run) => at(run, "time_to_first_token_ns", "median") / 1e6),
      chartOf("decode behind the prompt", "tokens/s", (run) => at(run, "phases", "decode", "tokens_per_second"))];
  });
  return section("curves", "Weight types and prompts", null, html("div", { class: "columns" }, charts));
}

/// One curve for each type, threads and ISA that the runs differ in.
function typeSeries(runs, value) {
  const series = new Map();
  for (const run of runs) {
    const name = ["type", "threads", "isa", "generate"].filter((key) => key === "type" || varies(runs, key))
      .map((key) => runFields.find(([field]) => field === key)[1](run[key])).join(" · ");
    if (!series.has(name)) series.set(name, []);
    series.get(name).push([run.prompt, value(run)]);
  }
  return [...series].map(([name, points]) => ({ name, points: points.sort((a, b) => a[0] - b[0]) }));
}

/// Several types and one prompt: bars.
function typeBars(runs) {
  if (!varies(runs, "type")) return null;
  const categories = runs.map((run) => runName(run, runs));
  const chartOf = (title, format, value) =>
    barChart({ kind: "bar", title, format, x: "Run", categories, series: [{ name: title, values: runs.map(value) }] });
  return section("curves", "Weight types", null, html("div", { class: "columns" },
    chartOf("Time to first token", duration, (run) => at(run, "time_to_first_token_ns", "median")),
    chartOf("Decode, tokens/s", number, (run) => at(run, "phases", "decode", "tokens_per_second"))));
}

function detailSection(runs) {
  const holder = html("div");
  const show = (i) => holder.replaceChildren(runDetail(runs[i]));
  show(0);
  const names = runs.map((run) => runName(run, runs));
  const detail = section("detail", runs.length > 1 ? "One run in detail" : "In detail", null, holder);
  return runs.length > 1 ? withControls(detail, picker("Run", names, show)) : detail;
}

function drawReport(page, data) {
  const runs = data.runs || [];
  const models = [...new Set(runs.map((run) => run.model))];
  const title = models.length > 0 && models.length <= 2 ? models.join(" and ") : "Where the time goes";
  page.append(pageHead(title, [...machineFacts(data.machine, data.mote), ...commonFacts(runs)]));
  if (runs.length === 0) page.append(html("p", {}, "This report holds no runs."));
  if (runs.length === 0) return;
  if (runs.length > 1) page.append(section("runs", "Runs", "Medians. A click on a column's name sorts.", runTable(runs)));
  page.append(breakdownSection(runs), curvesSection(runs) || "", detailSection(runs), reportNotes(runs));
}

function reportNotes(runs) {
  const repeat = `Times are medians of ${counted(runs[0].repeat, "run")}, the parts those of the run in the middle. `;
  return html("footer", {}, html("p", {}, runs[0].repeat ? repeat : null,
    "Bytes and operations are those that a step has to move and to do; a multiplication and an addition are two operations. ",
    "The data of this page stands in its source, as JSON."));
}
