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

/// Numbers stand to the right; a column of words is one in which some cell is no number.
function studyTable(data) {
  const isNumber = (i) => data.rows.every((row) => row[i] === null || row[i] === undefined || typeof row[i] === "number");
  const columns = data.columns.map((name, i) => (isNumber(i) ? measure(name, (row) => row[i]) : words(name, (row) => row[i])));
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
