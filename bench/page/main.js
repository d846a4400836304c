// The data of the page and its kind decide what is drawn.

/// The filling of bars that are waiting.
function hatch() {
  const stripe = (width, color) => svg("rect", { width, height: 6, style: `fill: var(--${color})` });
  const turned = { id: "hatch", width: 6, height: 6, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" };
  const pattern = svg("pattern", turned, stripe(6, "grid"), stripe(2, "grey"));
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
