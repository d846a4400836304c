// The page of bench_report: the first report against the others.

const lastPart = (path) => path.split("/").pop() || path;

/// Names of the reports, as short as still tells them apart.
function reportNames(data) {
  const names = data.reports.map((report) => report.name), short = names.map(lastPart);
  return new Set(short).size === names.length ? short : names;
}

/// What tells the runs apart; all of a name that is alone.
function shortNames(runs) {
  const parts = runs.map((run) => run.name.split("  "));
  const isCommon = (part) => parts.length > 1 && parts.every((others) => others.includes(part));
  return parts.map((own) => own.filter((part) => !isCommon(part)).join(" · ") || own.join(" · "));
}

const rowOf = (run, kind, phase) => run.rows.find((row) => row.kind === kind && row.phase === phase);

/// A change in words: what lies within noise is none.
function verdict(row, i) {
  const change = row && row.changes[i];
  if (!change) return html("span", { class: "quiet" }, "–");
  if (change.change === 0) return html("span", { class: "quiet" }, "same");
  const size = `${change.change > 0 ? "+" : ""}${(100 * change.change).toFixed(1)} %`;
  if (change.within_noise) return html("span", { class: "quiet" }, `${size}, within noise`);
  const [worse, better] = row.kind === "memory" ? ["more", "less"] : ["slower", "faster"];
  const [name, meaning] = change.change > 0 ? ["bad", worse] : ["good", better];
  return html("span", { class: `verdict ${name}` }, `${size}, ${meaning}`);
}

const changeColumn = (name, row, i) =>
  ({ name, value: (item) => at(row(item), "changes", i, "change"), text: (item) => verdict(row(item), i) });

const mainRows = [["First token", "time", ""], ["Prefill", "time", "prefill"], ["Decode", "time", "decode"]];

function summarySection(data, names) {
  const runs = shortNames(data.matched);
  const rows = data.matched.flatMap((run, n) => run.in.filter((i) => i !== run.base).map((i) => ({ run, name: runs[n], i })));
  const columns = [words("Run", (item) => item.name), words("Report", (item) => names[item.i]),
    words("Against", (item) => names[item.run.base]), ...mainRows.map(([name, kind, phase]) => ({ name,
      value: ({ run, i }) => at(rowOf(run, kind, phase), "changes", i, "change"),
      text: ({ run, i }) => verdict(rowOf(run, kind, phase), i) }))];
  const about = "Within noise: the runs of both reach into each other, from the least to the most.";
  return section("summary", "Changes of time", about,
    html("div", { class: "sheet" }, table("All runs that both sides have", columns, rows)));
}

/// Bars of one time for all runs and reports, with what lies between the least and the most.
function timeBars(data, names, phase) {
  const rows = data.matched.map((run) => rowOf(run, "time", phase));
  const series = names.map((name, i) => ({ name, values: rows.map((row) => at(row, "values", i, "median")),
    ranges: rows.map((row) => at(row, "values", i)) }));
  return barChart({ kind: "bar", title: phaseTitles[phase], about: "Whiskers: from the least to the most.", format: duration,
    x: "Run", categories: shortNames(data.matched), series });
}

function timesSection(data, names) {
  const bars = Object.keys(phaseTitles).map((phase) => timeBars(data, names, phase));
  return section("times", "Times", null, html("div", { class: "columns" }, bars));
}

/// The components of a phase, a bar for each report.
function componentBars(run, names, phase) {
  const rows = run.rows.filter((row) => row.phase === phase && row.kind === "component");
  return barChart({ kind: "stacked", title: phaseTitles[phase], format: duration, x: "Report",
    categories: run.in.map((i) => names[i]), series: rows.map((row) => ({ name: row.name, color: colorOf(row.name),
      values: run.in.map((i) => at(row, "values", i, "median") || 0) })) });
}

function rowTable(run, names) {
  const format = (row, value) => (row.kind === "memory" ? bytes(value) : duration(value));
  const columns = [words("Name", (row) => row.name), words("Phase", (row) => row.phase), words("Kind", (row) => row.kind)];
  for (const i of run.in) {
    columns.push({ name: names[i], value: (row) => at(row, "values", i, "median"),
      text: (row) => format(row, at(row, "values", i, "median")) });
    if (i !== run.base) columns.push(changeColumn("Change", (row) => row, i));
  }
  return html("div", { class: "sheet" }, table("Every difference", columns, run.rows));
}

function comparedRun(run, names) {
  const bars = Object.keys(phaseTitles).map((phase) => componentBars(run, names, phase));
  return html("div", { class: "stack" }, html("div", { class: "columns" }, bars), rowTable(run, names));
}

function comparisonDetail(data, names) {
  const holder = html("div"), show = (i) => holder.replaceChildren(comparedRun(data.matched[i], names));
  show(0);
  const detail = section("detail", "One run in detail", "A part of a phase may vary by as much time as the phase does.", holder);
  return data.matched.length > 1 ? withControls(detail, picker("Run", shortNames(data.matched), show)) : detail;
}

function unmatchedSection(data, names) {
  const columns = [words("Run", (run) => run.name.split("  ").join(" · ")), words("Report", (run) => names[run.report])];
  return section("unmatched", "Runs of one report only", null,
    html("div", { class: "sheet" }, table("They have nothing to be compared with", columns, data.unmatched)));
}

function drawComparison(page, data) {
  const names = reportNames(data);
  const facts = data.reports.map((report, i) => `${names[i]}: ${report.cpu}`);
  page.append(pageHead(names.join(" and "), facts));
  if (data.matched.length > 0)
    page.append(summarySection(data, names), timesSection(data, names), comparisonDetail(data, names));
  else page.append(html("p", {}, "No run of one report has its like in another."));
  if (data.unmatched.length > 0) page.append(unmatchedSection(data, names));
}
