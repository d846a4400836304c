// The page of a study: what was published beside what was found here, then tables and charts.

function findingsSection(findings) {
  const verdicts = { true: ["good", "✓ agrees"], false: ["bad", "✗ disagrees"] };
  const verdict = (finding) => {
    const [name, words] = verdicts[finding.agrees] || ["quiet", "– open"];
    return html("span", { class: `verdict ${name}` }, words);
  };
  const columns = [words("The paper", (f) => f.paper), words("Here", (f) => f.here),
    { name: "Verdict", value: (f) => String(f.agrees), text: verdict, words: true }];
  const found = table("What was published, and what was found here", columns, findings);
  return section("findings", "Findings", null, html("div", { class: "sheet" }, found));
}

/// A column of words is one in which some cell is no number; one of whole numbers shows all of their digits.
function studyColumn(data, name, i) {
  const cells = data.rows.map((row) => row[i]).filter((cell) => cell !== null && cell !== undefined);
  if (!cells.every((cell) => typeof cell === "number")) return words(name, (row) => row[i]);
  const whole = (value) => (Number.isInteger(value) ? value.toLocaleString("en-US") : number(value));
  return measure(name, (row) => row[i], cells.every(Number.isInteger) ? whole : number);
}

function studyTable(data) {
  const columns = data.columns.map((name, i) => studyColumn(data, name, i));
  return html("div", { class: "sheet" }, table(data.caption || "", columns, data.rows));
}

function studyChart(data) {
  if (data.kind === "line" || data.kind === "scatter") return lineChart(data);
  const unit = data.y ? ` ${data.y}` : "";
  return barChart({ ...data, format: (value) => (Number.isFinite(value) ? number(value) + unit : "–") });
}

function drawStudy(page, data) {
  page.append(pageHead(data.title || "Study", [...machineFacts(data.machine, data.mote), ...(data.facts || [])]));
  for (const paragraph of data.about || []) page.append(html("p", {}, paragraph));
  if (at(data, "findings", "length") > 0) page.append(findingsSection(data.findings));
  if (at(data, "charts", "length") > 0) {
    const layout = data.charts.length > 1 ? "columns" : null;
    page.append(section("charts", "Charts", null, html("div", { class: layout }, data.charts.map(studyChart))));
  }
  if (at(data, "tables", "length") > 0)
    page.append(section("tables", "Tables", null, html("div", { class: "stack" }, data.tables.map(studyTable))));
}
