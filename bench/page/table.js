// Tables that are sorted by the buttons in their headers.

/// columns: [{ name, value(row), text(row), words }]: value is what sorts, text what is shown (default: the value); words: to the
/// left.
function table(caption, columns, rows) {
  const body = html("tbody");
  const fill = (order) => body.replaceChildren(...order.map((row) => tableRow(columns, row)));
  const headers = columns.map((column, i) => {
    const header = html("th", { scope: "col", class: column.words || i === 0 ? "text" : null });
    header.append(html("button", { type: "button", onclick: () => fill(sortBy(header, headers, column, rows)) }, column.name));
    return header;
  });
  fill(rows);
  // The caption stays where it is while the table scrolls.
  const content = html("table", { "aria-label": caption }, html("thead", {}, html("tr", {}, headers)), body);
  const scroll = html("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": caption }, content);
  return html("div", {}, html("h3", {}, caption), scroll);
}

function tableRow(columns, row) {
  const cell = (column, i) => {
    const content = column.text ? column.text(row) : column.value(row);
    const shown = content === undefined || content === null ? "–" : content;
    const classes = i === 0 ? "text name-cell" : column.words ? "text" : null;
    return html(i === 0 ? "th" : "td", { scope: i === 0 ? "row" : null, class: classes }, shown);
  };
  return html("tr", {}, columns.map(cell));
}

/// Numbers fall at first, words rise; the same header again turns the order. Rows without a value stand last.
function sortBy(header, headers, column, rows) {
  const first = column.words ? "ascending" : "descending", second = column.words ? "descending" : "ascending";
  const order = header.getAttribute("aria-sort") === first ? second : first;
  for (const other of headers) other.removeAttribute("aria-sort");
  header.setAttribute("aria-sort", order);
  return [...rows].sort((a, b) => {
    const left = column.value(a), right = column.value(b);
    const absent = (value) => value === undefined || value === null || Number.isNaN(value);
    if (absent(left) || absent(right)) return absent(left) - absent(right);
    const rising = column.words ? String(left).localeCompare(String(right), "en", { numeric: true }) : left - right;
    return order === "ascending" ? rising : -rising;
  });
}

const words = (name, value) => ({ name, value, words: true });
const measure = (name, value, format = number) => ({ name, value, text: (row) => format(value(row)) });

/// A table that most readers need not see.
const folded = (title, content) => html("details", {}, html("summary", {}, title), content);
