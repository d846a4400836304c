// Layers from left to right, what they do from top to bottom, time as shade.

const cellHeight = 22;

/// Time by layer_operations of a phase: [{ layer, component, operation, ns, ... }]; layer -1 is outside the layers.
function heatChart(phase, phaseName) {
  const title = `Layers, ${phaseName}`, rows = phase.layer_operations;
  const columns = [measure("Layer", (row) => row.layer, (layer) => (layer < 0 ? "outside" : String(layer))),
    words("Component", (row) => row.component), words("Operation", (row) => row.operation),
    measure("Time per token", (row) => row.ns / phase.n_tokens, duration), measure("Share", (row) => row.share, percent),
    measure("GB/s", (row) => row.bytes_per_second / 1e9), measure("GOP/s", (row) => row.operations_per_second / 1e9)];
  return chart(title, (width, read) => heat(phase, title, width, read),
    { about: "The stronger the shade, the longer. In figures: the share of all layers together, or of what is outside of them.",
      table: folded("As a table", table(title, columns, rows)) });
}

/// The rows of one component and operation each, in the order in which a token meets them; waiting stands last in its component.
function heatRows(phase) {
  const components = ["embedding", "attention", "ffn", "lm_head", "other"];
  const groups = new Map();
  for (const row of phase.layer_operations) {
    const name = `${row.component}.${row.operation}`;
    const rank = components.indexOf(row.component) + (row.operation === "barrier_wait" ? 0.5 : 0);
    if (!groups.has(name)) groups.set(name, { name, rank, cells: [], share: 0 });
    groups.get(name).cells.push(row);
    groups.get(name).share += row.share;
  }
  return [...groups.values()].filter((group) => group.share >= 0.0005).sort((a, b) => a.rank - b.rank);
}

function heat(phase, title, width, read) {
  const groups = heatRows(phase), inside = phase.layer_operations.filter((row) => row.layer >= 0);
  const box = heatBox(groups, width);
  const nLayers = Math.max(...inside.map((row) => row.layer), 0) + 1, longest = Math.max(...inside.map((row) => row.ns), 1);
  const cell = (box.right - box.left) / nLayers;
  const rows = groups.map((group, i) => {
    const top = i * box.rowHeight, y = top + box.cellTop;
    const cells = group.cells.filter((row) => row.layer >= 0).map((row) => read(
      svg("rect", { class: "heat", x: box.left + row.layer * cell, y: y + 1, width: cell - (cell > 5 ? 1 : 0),
        height: cellHeight - 2, "fill-opacity": (0.06 + 0.94 * (row.ns / longest)).toFixed(3) }),
      `layer ${row.layer}, ${group.name}: ${duration(row.ns / phase.n_tokens)} a token, ${percent(row.share)}`));
    const empty = line(box.left, y + cellHeight / 2, box.right, y + cellHeight / 2, "grid");
    return svg("g", { "data-name": group.name }, text(0, top + 15, clipped(group.name, box.nameWidth)),
      cells.length > 0 ? cells : empty, text(width, top + 15, percent(group.share), { "text-anchor": "end" }));
  });
  const bottom = groups.length * box.rowHeight;
  return canvas(width, bottom + 22, title, rows, layerNumbers(nLayers, box.left, cell, bottom + 16));
}

/// Names and shares stand beside the cells, or above them where that leaves too little room.
function heatBox(groups, width) {
  const names = Math.max(...groups.map((group) => textWidth(group.name))) + 8, shares = 52;
  if (width < 480) return { left: 0, right: width, nameWidth: width - shares, cellTop: 19, rowHeight: cellHeight + 21 };
  return { left: names, right: width - shares, nameWidth: names, cellTop: 0, rowHeight: cellHeight };
}

function layerNumbers(nLayers, left, cell, y) {
  const step = [1, 2, 4, 5, 8, 10, 16, 20, 32, 40, 64].find((n) => n * cell >= 30) || 100;
  const numbers = Array.from({ length: Math.ceil(nLayers / step) }, (_, i) => i * step);
  return [left > 0 ? text(0, y, "layer", { class: "quiet" }) : [],
    ...numbers.map((layer) => text(left + (layer + 0.5) * cell, y, layer, { "text-anchor": "middle", class: "quiet" }))];
}
