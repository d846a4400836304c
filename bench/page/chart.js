// What all charts share: a sheet that draws itself again at each width, scales, axes, legends, marks.

/// draw(width, read) returns an SVG of that width; read(element, text) lets an element say the text when one points at it.
function chart(title, draw, { about, legend, table: asTable } = {}) {
  const holder = html("div", { class: "drawing" }), readout = html("p", { class: "readout", "aria-live": "polite" });
  const read = (element, text) => {
    element.classList.add("mark");
    element.append(svg("title", {}, text));
    for (const event of ["pointerenter", "click"]) element.addEventListener(event, () => { readout.textContent = text; });
    return element;
  };
  let drawn = 0;
  new ResizeObserver(([entry]) => {
    const width = Math.floor(entry.contentRect.width);
    if (width === drawn || width <= 0) return;
    drawn = width;
    requestAnimationFrame(() => holder.replaceChildren(draw(width, read))); // not inside the observer, whose sizes it changes
  }).observe(holder);
  const heading = html("figcaption", {}, title, about ? html("div", { class: "quiet" }, about) : null);
  return html("figure", { class: "sheet" }, heading, legend, holder, html("div", { class: "foot" }, asTable, readout));
}

/// An SVG for people who see it; what it shows stands in a table too.
const canvas = (width, height, name, ...children) =>
  svg("svg", { width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": name }, children);

const emptyCanvas = (width, name) => canvas(width, 30, name, text(0, 20, "Nothing to show", { class: "quiet" }));

const text = (x, y, content, attributes = {}) => svg("text", { x, y, ...attributes }, content);
const line = (x1, y1, x2, y2, name) => svg("line", { x1, y1, x2, y2, class: name });

/// Positions of values: scale(value) is a coordinate, scale.ticks are values worth a line.
function linearScale(max, from, to, nTicks) {
  const rough = (max || 1) / nTicks, power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= rough * 0.999);
  const end = Math.ceil((max || 1) / step - 1e-9) * step;
  const scale = (value) => from + ((to - from) * value) / end;
  scale.ticks = Array.from({ length: Math.round(end / step) + 1 }, (_, i) => i * step);
  return scale;
}

function logScale(min, max, from, to) {
  const low = Math.log10(min), high = Math.log10(max);
  const scale = (value) => from + ((to - from) * (Math.log10(value) - low)) / (high - low || 1);
  scale.invert = (position) => 10 ** (low + ((position - from) / (to - from)) * (high - low));
  const factors = high - low < 1.2 ? [1, 2, 5] : high - low < 2.5 ? [1, 3] : [1];
  scale.ticks = [];
  for (let decade = Math.floor(low); decade <= Math.ceil(high); ++decade)
    for (const factor of factors) {
      const value = factor * 10 ** decade;
      if (value >= min * 0.999 && value <= max * 1.001) scale.ticks.push(value);
    }
  return scale;
}

const tickText = (value) => (value !== 0 && Math.abs(value) < 1e-3 ? value.toExponential(0)
  : value.toLocaleString("en-US", { maximumSignificantDigits: 4 }));

/// Grid lines and numbers of both axes; box: { left, right, top, bottom }.
function axes(box, x, y, xName, yName) {
  const columns = x.ticks.map((value) => [line(x(value), box.top, x(value), box.bottom, "grid"),
    text(x(value), box.bottom + 17, tickText(value), { "text-anchor": "middle", class: "quiet" })]);
  const rows = y.ticks.map((value) => [line(box.left, y(value), box.right, y(value), "grid"),
    text(box.left - 7, y(value) + 4, tickText(value), { "text-anchor": "end", class: "quiet" })]);
  return svg("g", {}, columns.flat(), rows.flat(), line(box.left, box.bottom, box.right, box.bottom, "axis"),
    text(box.right, box.bottom + 35, xName, { "text-anchor": "end", class: "quiet" }),
    text(2, 12, yName, { class: "quiet" }));
}

/// Colour, marker and dashes of the n-th series; colours repeat after the others have changed.
const palette = ["blue", "orange", "green", "purple", "ochre", "teal", "rose", "indigo", "grey"].map((name) => `var(--${name})`);
const markers = ["circle", "square", "triangle", "diamond", "cross"];
const dashes = ["", "6 3", "2 3", "8 3 2 3"];
const nth = (list, n) => list[n % list.length];
const styleOf = (n) => ({ color: nth(palette, n), marker: nth(markers, n), dash: nth(dashes, n) });

function marker(kind, x, y, r, color) {
  const paths = {
    square: `M${x - r},${y - r}h${2 * r}v${2 * r}h${-2 * r}z`,
    triangle: `M${x},${y - 1.2 * r}L${x + 1.15 * r},${y + r}H${x - 1.15 * r}z`,
    diamond: `M${x},${y - 1.35 * r}L${x + 1.35 * r},${y}L${x},${y + 1.35 * r}L${x - 1.35 * r},${y}z`,
    cross: `M${x - r},${y - r}L${x + r},${y + r}M${x - r},${y + r}L${x + r},${y - r}`,
  };
  if (kind === "circle") return svg("circle", { cx: x, cy: y, r, style: `fill: ${color}` });
  const style = kind === "cross" ? `fill: none; stroke: ${color}; stroke-width: 2` : `fill: ${color}`;
  return svg("path", { d: paths[kind], style });
}

/// items: [{ name, color, marker, dash }]; without a marker a filled square.
function legend(items) {
  const stroke = ({ color, dash }) => (dash === undefined ? null
    : svg("path", { d: "M0,6H24", "stroke-dasharray": dash, style: `stroke: ${color}; stroke-width: 2` }));
  const sample = (item) => (item.marker ? [stroke(item), marker(item.marker, 12, 6, 4, item.color)]
    : svg("rect", { width: 12, height: 12, rx: 2, style: `fill: ${item.color}` }));
  return html("ul", { class: "legend" }, items.map((item) => {
    const width = item.marker ? 24 : 12;
    return html("li", {}, svg("svg", { width, height: 12, "aria-hidden": "true" }, sample(item)), item.name);
  }));
}

const pen = document.createElement("canvas").getContext("2d");

/// How wide a text of a chart is, in pixels.
function textWidth(content, weight = 400) {
  pen.font = `${weight} 12px ${getComputedStyle(document.body).fontFamily}`;
  return pen.measureText(content).width;
}

/// What there is room for; the middle is left out.
function clipped(content, width) {
  let n = content.length;
  let shown = content;
  while (n > 2 && textWidth(shown) > width) {
    n -= 1;
    shown = `${content.slice(0, Math.ceil(n / 2))}…${content.slice(content.length - Math.floor(n / 2))}`;
  }
  return shown;
}

/// Moves labels down that would cover each other or fixed ones: [{ x, y, content }], changed in place.
function separate(labels, fixed, height = 14) {
  const placed = [...fixed];
  for (const label of [...labels].sort((a, b) => a.y - b.y)) {
    const covers = (other) => Math.abs(other.y - label.y) < height && label.x < other.x + textWidth(other.content) &&
      other.x < label.x + textWidth(label.content);
    for (let other = placed.find(covers); other; other = placed.find(covers)) label.y = other.y + height;
    placed.push(label);
  }
}
