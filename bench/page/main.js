// The data of the page and its kind decide what is drawn.

function hatch() {
  const pattern = svg("pattern", { id: "hatch", width: 6, height: 6, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" },
    svg("rect", { width: 6, height: 6, style: "fill: var(--grid)" }), svg("rect", { width: 2, height: 6, style: "fill: var(--grey)" }));
  return svg("svg", { width: 0, height: 0, style: "position: absolute", "aria-hidden": "true" }, svg("defs", {}, pattern));
}

function main() {
  const page = document.getElementById("page");
  const draw = { report: drawReport, study: drawStudy, comparison: drawComparison }[document.body.dataset.kind];
  document.body.prepend(hatch());
  page.replaceChildren();
  draw(page, JSON.parse(document.getElementById("data").textContent));
}

main();
