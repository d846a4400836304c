"use strict";
// Elements, numbers and controls. What comes from the data becomes text nodes and attributes, never markup.

function create(namespace, tag, attributes, children) {
  const element = document.createElementNS(namespace, tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== undefined && value !== null && value !== false) element.setAttribute(name, value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== undefined && child !== null));
  return element;
}

const html = (tag, attributes = {}, ...children) => create("http://www.w3.org/1999/xhtml", tag, attributes, children);
const svg = (tag, attributes = {}, ...children) => create("http://www.w3.org/2000/svg", tag, attributes, children);

/// Three significant digits, and thousands apart: what is not a number is a dash.
function number(value) {
  if (typeof value !== "number" || !Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  if (size > 0 && size < 0.0005) return value > 0 ? "< 0.001" : "> -0.001";
  const decimals = size >= 100 || size === 0 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3;
  return value.toLocaleString("en-US", { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
}

/// In the largest of the units that leaves at least 1; units: [[factor, name], ...], the largest first.
function inUnits(value, units) {
  if (typeof value !== "number" || !Number.isFinite(value)) return ["–", ""];
  const [factor, name] = units.find(([factor]) => Math.abs(value) >= factor) || units[units.length - 1];
  return [number(value / factor), name];
}

const timeUnits = [[1e9, "s"], [1e6, "ms"], [1e3, "µs"], [1, "ns"]];
const byteUnits = [[1e9, "GB"], [1e6, "MB"], [1e3, "kB"], [1, "B"]];
const countUnits = [[1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "k"], [1, ""]];
const spaced = ([value, unit]) => (unit ? `${value} ${unit}` : value);
const duration = (ns) => spaced(inUnits(ns, timeUnits));
const bytes = (n) => spaced(inUnits(n, byteUnits));
const count = (n) => spaced(inUnits(n, countUnits));
const percent = (share) => (Number.isFinite(share) ? `${(100 * share).toFixed(1)} %` : "–");
const counted = (n, thing) => `${n} ${thing}${n === 1 ? "" : "s"}`;
const range = (spread, format) => `${format(spread.min)} .. ${format(spread.max)}`;

/// The value at the end of a path of keys, if there is one.
const at = (object, ...keys) => keys.reduce((value, key) => value?.[key], object);

/// Buttons of which one is pressed; choices: [[value, text], ...], the first is chosen.
function choice(name, choices, choose) {
  const buttons = choices.map(([value, text], i) =>
    html("button", { type: "button", "data-value": value, "aria-pressed": String(i === 0), onclick: (event) => {
      for (const button of buttons) button.setAttribute("aria-pressed", String(button === event.currentTarget));
      choose(value);
    } }, text));
  return html("div", { class: "choice", role: "group", "aria-label": name }, buttons);
}

function picker(name, texts, choose) {
  const options = texts.map((text, i) => html("option", { value: i }, text));
  return html("label", {}, name, html("select", { onchange: (event) => choose(Number(event.target.value)) }, options));
}

function themeToggle() {
  const themes = [["auto", "Auto"], ["light", "Light"], ["dark", "Dark"]];
  return choice("Colours", themes, (theme) => { document.documentElement.dataset.theme = theme; });
}

function section(id, title, about, ...children) {
  const heading = html("div", {}, html("h2", { id: `${id}-title` }, title), about ? html("p", { class: "quiet" }, about) : null);
  return html("section", { id, "aria-labelledby": `${id}-title` }, html("div", { class: "bar" }, heading), children);
}

/// Puts controls beside the title of a section.
function withControls(element, ...controls) {
  element.querySelector(".bar").append(html("div", { class: "controls" }, controls));
  return element;
}

function pageHead(title, facts) {
  document.title = `${title} · mote`;
  return html("header", {},
    html("div", { class: "head" }, html("span", { class: "name" }, "mote"), themeToggle()),
    html("h1", {}, title),
    html("ul", { class: "facts" }, facts.filter(Boolean).map((fact) => html("li", {}, fact))));
}

function machineFacts(machine, version) {
  if (typeof machine === "string") return [machine, version && `mote ${version}`];
  if (!machine) return [version && `mote ${version}`];
  return [machine.cpu, machine.processors && counted(machine.processors, "processor"),
    machine.performance_cores && `${counted(machine.performance_cores, "core")} in use by default`,
    (machine.isas || []).join(", "), version && `mote ${version}`];
}
