// Bars that lie: stacked parts of a whole, or one beside the other.

const barHeight = 22, thinHeight = 14;

/// spec: { kind: "stacked" | "bar", title, about, format(value), x, categories: [text],
///         series: [{ name, values, color, ranges }] };
/// x is what the categories are, ranges: [{ min, max }] of bars. The bars of one chart share a scale; scale: "share" makes each
/// stacked bar as long as the chart.
function barChart(spec) {
  const series = withColors(spec.series).filter((one) => one.values.some((value) => value > 0));
  const draw = (width, read) => (spec.kind === "stacked" ? stackedBars : groupedBars)({ ...spec, series }, width, read);
  const columns = [words(spec.x || "Bar", (i) => spec.categories[i]),
    ...series.map((one) => measure(one.name, (i) => one.values[i], spec.format))];
  const rows = spec.categories.map((_, i) => i);
  const asTable = folded("As a table", table(spec.title, columns, rows));
  const shown = series.length > 1 || spec.kind === "stacked" ? legend(series) : null;
  return chart(spec.title, draw, { about: spec.about, legend: shown, table: asTable });
}

/// Names of a report have their colours, the others those that are left.
function withColors(series) {
  const known = series.filter((one) => partColors[one.name]).map((one) => colorOf(one.name));
  const left = palette.filter((color) => !known.includes(color));
  let n = 0;
  return series.map((one) => ({ color: partColors[one.name] ? colorOf(one.name) : left[n++ % left.length], ...one }));
}

const totalOf = (series, i) => series.reduce((sum, one) => sum + (one.values[i] || 0), 0);

/// Above each bar its name, and what it is in all.
function barLabel(spec, i, y, width, total) {
  return [text(0, y, clipped(spec.categories[i], width - textWidth(total, 600) - 12)),
    text(width, y, total, { "text-anchor": "end", class: "strong" })];
}

function stackedBars(spec, width, read) {
  const totals = spec.categories.map((_, i) => totalOf(spec.series, i));
  const longest = Math.max(...totals, Number.MIN_VALUE);
  const rowHeight = barHeight + 30;
  const rows = spec.categories.map((category, i) => {
    const y = i * rowHeight + 20;
    const scale = (spec.scale === "share" ? width / totals[i] : width / longest) || 0;
    let x = 0;
    const parts = spec.series.map((one) => {
      const value = one.values[i] || 0, part = barPart(one, value, x, y, value * scale, totals[i]);
      x += value * scale;
      return part && read(part, `${category}: ${one.name} ${spec.format(value)}, ${percent(value / totals[i])}`);
    });
    return svg("g", {}, barLabel(spec, i, y - 7, width, spec.format(totals[i])), parts);
  });
  return canvas(width, spec.categories.length * rowHeight - 4, spec.title, rows);
}

/// One part with its name, as far as there is room for it.
function barPart(one, value, x, y, width, total) {
  if (width < 0.3) return null;
  const share = `${Math.round((100 * value) / total)} %`;
  const label = [`${one.name} ${share}`, one.name].find((content) => textWidth(content, 550) + 12 < width);
  const fill = one.hatched ? "url(#hatch)" : one.color;
  return svg("g", { "data-name": one.name },
    svg("rect", { x, y, width: Math.max(width - 1, 0.5), height: barHeight, rx: Math.min(2, width / 4), style: `fill: ${fill}` }),
    label ? text(x + 6, y + 15.5, label, { class: one.hatched ? "halo" : "inside" }) : null);
}

function groupedBars(spec, width, read) {
  const most = (one) => one.values.map((value, i) => Math.max(value, at(one, "ranges", i, "max") || 0));
  const all = spec.series.flatMap(most).filter(Number.isFinite);
  const room = Math.max(...all.map((value) => textWidth(spec.format(value)))) + 8;
  const scale = (width - room) / Math.max(...all, Number.MIN_VALUE);
  const groupHeight = spec.series.length * (thinHeight + 3) + 30;
  const groups = spec.categories.map((category, i) => {
    const top = i * groupHeight;
    const bars = spec.series.map((one, n) => {
      const value = one.values[i], y = top + 20 + n * (thinHeight + 3), length = Math.max((value || 0) * scale, 0);
      const bar = svg("rect", { "data-name": one.name, y, width: length, height: thinHeight, rx: 2, style: `fill: ${one.color}` });
      const spread = at(one, "ranges", i), end = Math.max(length, (at(spread, "max") || 0) * scale);
      const between = spread ? `, from ${spec.format(spread.min)} to ${spec.format(spread.max)}` : "";
      return [read(bar, `${category}: ${one.name} ${spec.format(value)}${between}`), spread ? whisker(spread, scale, y) : [],
        text(end + 6, y + 11, spec.format(value), { class: "quiet" })];
    });
    return svg("g", {}, text(0, top + 13, clipped(category, width)), bars.flat());
  });
  return canvas(width, spec.categories.length * groupHeight - 8, spec.title, groups);
}

/// From the least to the most, across the end of a bar.
function whisker(spread, scale, y) {
  const [from, to, middle] = [spread.min * scale, spread.max * scale, y + thinHeight / 2];
  return svg("path", { class: "whisker", d: `M${from},${middle}H${to}M${from},${middle - 4}v8M${to},${middle - 4}v8` });
}
