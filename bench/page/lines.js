// Curves and points over two axes.

/// spec: { kind: "line" | "scatter", title, about, x, y, x_scale, y_scale, series: [{ name, points: [[x, y, label?], ...] }] }; a
/// scale is "linear" (from 0) or "log".
function lineChart(spec) {
  const series = spec.series.map((one, i) => ({ ...styleOf(i), ...one, points: plottable(spec, one.points) }));
  const draw = (width, read) => curves({ ...spec, series }, width, read);
  const samples = series.map((one) => (spec.kind === "scatter" ? { ...one, dash: undefined } : one));
  return chart(spec.title, draw, { about: spec.about, legend: series.length > 1 ? legend(samples) : null,
    table: folded("As a table", pointTable(spec, series)) });
}

/// What an axis can show; a logarithmic one has no place for 0.
function plottable(spec, points) {
  const fits = (value, scale) => Number.isFinite(value) && (scale !== "log" || value > 0);
  return points.filter(([x, y]) => fits(x, spec.x_scale) && fits(y, spec.y_scale));
}

function pointTable(spec, series) {
  const rows = series.flatMap((one) => one.points.map(([x, y, label]) => ({ name: one.name, x, y, label })));
  const labels = rows.some((row) => row.label) ? [words("Point", (row) => row.label)] : [];
  const names = series.length > 1 ? [words("Series", (row) => row.name)] : [];
  const columns = [...labels, ...names, measure(spec.x, (row) => row.x, tickText), measure(spec.y, (row) => row.y)];
  return table(spec.title, columns, rows);
}

function scaleOf(kind, values, from, to, nTicks) {
  const max = Math.max(...values, kind === "log" ? Number.MIN_VALUE : 0);
  if (kind !== "log") return linearScale(max, from, to, nTicks);
  const min = Math.min(...values);
  return logScale(min / 1.15, max * 1.15, from, to);
}

function curves(spec, width, read) {
  const points = spec.series.flatMap((one) => one.points);
  const height = Math.round(Math.min(320, Math.max(220, width * 0.55)));
  const box = { left: 50, right: width - 12, top: 26, bottom: height - 42 };
  if (points.length === 0) return emptyCanvas(width, spec.title);
  const x = scaleOf(spec.x_scale, points.map((point) => point[0]), box.left, box.right, width / 90);
  const y = scaleOf(spec.y_scale, points.map((point) => point[1]), box.bottom, box.top, 5);
  return canvas(width, height, spec.title, axes(box, x, y, spec.x, spec.y),
    spec.series.map((one) => curve(spec, one, x, y, read)));
}

function curve(spec, one, x, y, read) {
  const path = one.points.map(([a, b], i) => `${i === 0 ? "M" : "L"}${x(a).toFixed(1)},${y(b).toFixed(1)}`).join("");
  const r = one.points.length > 60 ? 3 : 4;
  const marks = one.points.map(([a, b, label]) =>
    read(marker(one.marker, x(a), y(b), r, one.color), `${label || one.name}: ${spec.x} ${tickText(a)}, ${spec.y} ${number(b)}`));
  const stroke = spec.kind === "scatter" ? null
    : svg("path", { d: path, "stroke-dasharray": one.dash, style: `fill: none; stroke: ${one.color}; stroke-width: 2` });
  return svg("g", { "data-name": one.name }, stroke, marks);
}
