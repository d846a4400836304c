// Operations per byte against the rate at which they are done, under what the machine can do at most.

/// phases: { prefill, decode } of a run; kind: "components" | "operations".
function rooflinePoints(phases, kind) {
  const points = [];
  for (const [phase, { marker: shape }] of Object.entries(phaseStyles))
    for (const [name, row] of Object.entries(at(phases, phase, kind) || {}))
      if (row.ns > 0 && row.bytes > 0 && row.operations > 0)
        points.push({ phase, name, marker: shape, row, x: row.operations / row.bytes, y: row.operations / row.ns });
  return points;
}

/// What bounds a run: GB/s and GOP/s; what is not known is absent.
function roofsOf(run) {
  const giga = (value) => (value > 0 ? value / 1e9 : undefined);
  const roofs = run.roofline || {};
  return { read: giga(roofs.read_bytes_per_second || run.read_bandwidth_bytes_per_second),
    peaks: [["int8", giga(roofs.int8_operations_per_second)], ["fp32", giga(roofs.fp32_operations_per_second)]]
      .filter(([, value]) => value) };
}

function rooflineChart(run, kind) {
  const points = rooflinePoints(run.phases, kind), roofs = roofsOf(run);
  const samples = Object.entries(phaseStyles).map(([name, style]) => ({ name, color: "var(--grey)", marker: style.marker }));
  const columns = [words("Part", (p) => p.name), words("Phase", (p) => p.phase), measure("Operations / byte", (p) => p.x),
    measure("GOP/s", (p) => p.y), measure("GB/s", (p) => p.row.bytes / p.row.ns),
    measure("Of roof", (p) => roofShare(p, roofs), percent)];
  const asTable = folded("As a table", table("Roofline", columns, points));
  return chart("Roofline", (width, read) => roofline(points, roofs, width, read),
    { about: "How near each part comes to what memory and arithmetic allow. Both axes are logarithmic.",
      legend: legend(samples), table: asTable });
}

/// Of the least possible time, if the report knows it; else of the lower of the roofs above the point.
function roofShare(point, roofs) {
  if (point.row.roofline_share > 0) return point.row.roofline_share;
  return roofs.read ? point.y / roofAt(point.x, roofs) : undefined;
}

const roofAt = (x, roofs) => Math.min(x * (roofs.read || Infinity), at(roofs.peaks, 0, 1) || Infinity);

function roofline(points, roofs, width, read) {
  if (points.length === 0) return emptyCanvas(width, "Roofline");
  const height = Math.round(Math.min(400, Math.max(290, width * 0.62)));
  const box = { left: 50, right: width - 12, top: 26, bottom: height - 42 };
  const xs = points.map((p) => p.x), rates = points.map((p) => p.y);
  const top = Math.max(...rates, ...roofs.peaks.map(([, value]) => value), roofs.read ? Math.min(...xs) * roofs.read : 0);
  const ridge = roofs.read && roofs.peaks.length ? roofs.peaks[0][1] / roofs.read : 1;
  const x = logScale(Math.min(...xs) / 2, Math.max(...xs, ridge) * 4, box.left, box.right);
  const y = logScale(Math.min(...rates) / 2, top * 2, box.bottom, box.top);
  const labels = points.map((p) => ({ content: p.name, x: x(p.x) + 8, y: y(p.y) + 4 }));
  for (const label of labels) label.x = Math.min(label.x, width - textWidth(label.content));
  const roofLabels = peakLabels(roofs, x, y, box);
  separate(labels, roofLabels);
  return canvas(width, height, "Roofline", axes(box, x, y, "operations per byte", "GOP/s"), roofLines(roofs, x, y, box),
    roofLabels.map((label) => text(label.x, label.y, label.content, { class: "strong halo" })),
    points.map((p) => read(marker(p.marker, x(p.x), y(p.y), 5, colorOf(p.name)), pointText(p, roofs))),
    labels.map((label) => text(label.x, label.y, label.content, { class: "halo" })));
}

const pointText = (p, roofs) => `${p.phase}, ${p.name}: ${number(p.x)} operations per byte, ${number(p.y)} GOP/s, ` +
  `${number(p.row.bytes / p.row.ns)} GB/s, ${percent(roofShare(p, roofs))} of the roof`;

/// The diagonal of memory up to the highest peak, and a line for each peak from where it becomes the lower one.
function roofLines(roofs, x, y, box) {
  const path = (peak) => `M${peakStart(roofs, peak, x, box)},${y(peak)}H${box.right}`;
  const dash = (i) => (i === 0 ? "" : "5 4");
  const peaks = roofs.peaks.map(([, peak], i) => svg("path", { class: "roof", d: path(peak), "stroke-dasharray": dash(i) }));
  return svg("g", { "data-name": "roofs" }, peaks, roofs.read ? memoryRoof(roofs, x, y, box) : []);
}

/// Where arithmetic, and no longer memory, is what bounds.
const peakStart = (roofs, peak, x, box) => x(Math.max(x.invert(box.left), roofs.read ? peak / roofs.read : 0));

/// The highest begins at its corner, where the label of memory ends; the others end at the right, away from that label.
const peakLabels = (roofs, x, y, box) => roofs.peaks.map(([name, peak], i) => {
  const content = `${name} ${number(peak)} GOP/s`;
  return { content, x: i === 0 ? peakStart(roofs, peak, x, box) + 6 : box.right - textWidth(content, 600), y: y(peak) - 6 };
});

function memoryRoof(roofs, x, y, box) {
  const highest = Math.min(y.invert(box.top), ...roofs.peaks.slice(0, 1).map(([, peak]) => peak));
  const start = Math.max(x.invert(box.left), y.invert(box.bottom) / roofs.read);
  const end = Math.min(x.invert(box.right), highest / roofs.read);
  if (end <= start) return [];
  const [x1, y1, x2, y2] = [x(start), y(start * roofs.read), x(end), y(end * roofs.read)];
  const angle = (Math.atan2(y2 - y1, x2 - x1) * 180) / Math.PI, place = [x2 - 0.06 * (x2 - x1), y2 - 0.06 * (y2 - y1)];
  return [svg("path", { class: "roof", d: `M${x1},${y1}L${x2},${y2}` }),
    text(place[0], place[1] - 7, `read ${number(roofs.read)} GB/s`,
      { class: "strong halo", "text-anchor": "end", transform: `rotate(${angle} ${place[0]} ${place[1]})` })];
}
