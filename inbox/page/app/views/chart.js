/** Lines over days. The numbers are there as a table too, for those who cannot see the picture. */

import { useEffect, useRef } from "../../vendor/hooks.js";
import { html } from "../html.js";
import { count, language } from "../i18n.js";

/** @typedef {{label: string, values: (number | null)[]}} Line */

const HEIGHT = 220; // pixels
const COLOURS = ["#1f5fd6", "#c2571a", "#1c8a4f", "#8e44ad", "#b3261e", "#00838f", "#7a6a00", "#5a606b"];

/** The library is loaded with the first chart: most agents never see one. */
let library = /** @type {Promise<typeof import("../../vendor/uplot.js").default> | null} */ (null);

async function load() {
  const sheet = document.createElement("link");
  sheet.rel = "stylesheet";
  sheet.href = "page/vendor/uplot.css";
  document.head.append(sheet);
  return (await import("../../vendor/uplot.js")).default;
}

/** @param {{title: string, days: string[], lines: Line[], shown?: (value: number) => string}} props `shown`: a value in words */
export function Chart({ title, days, lines, shown = count }) {
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => {
    const element = box.current;
    if (!element || !days.length) return undefined;
    /** @type {{destroy: () => void, setSize: (size: {width: number, height: number}) => void} | undefined} */
    let drawn;
    let gone = false;
    const sized = new ResizeObserver(() => drawn?.setSize({ width: element.clientWidth, height: HEIGHT }));
    (library ??= load()).then((Plot) => {
      if (gone) return;
      const ink = getComputedStyle(element).color;
      const axis = { stroke: ink, grid: { stroke: ink, width: 0.15 }, ticks: { show: false } };
      const written = new Intl.DateTimeFormat(language.value, { day: "numeric", month: "short", timeZone: "UTC" });
      const series = lines.map((line, index) => ({ label: line.label, stroke: COLOURS[index % COLOURS.length], width: 2, points: { show: days.length < 3 }, value: (/** @type {any} */ _, /** @type {number | null} */ value) => (value === null ? "–" : shown(value)) }));
      const options = {
        width: element.clientWidth, height: HEIGHT, tzDate: (/** @type {number} */ at) => Plot.tzDate(new Date(at * 1000), "UTC"),
        axes: [{ ...axis, values: (/** @type {any} */ _, /** @type {number[]} */ at) => at.map((one) => written.format(one * 1000)) }, { ...axis, size: 70, values: (/** @type {any} */ _, /** @type {number[]} */ at) => at.map(shown) }],
        series: [{ value: (/** @type {any} */ _, /** @type {number | null} */ at) => (at === null ? "–" : written.format(at * 1000)) }, ...series],
      };
      drawn = new Plot(options, [days.map((day) => Date.parse(day) / 1000), ...lines.map((line) => line.values)], element);
      sized.observe(element);
    });
    return () => {
      gone = true;
      sized.disconnect();
      drawn?.destroy();
    };
  }, [days, lines, language.value]);
  return html`
    <figure><figcaption>${title}</figcaption>
      <div ref=${box} class="chart" aria-hidden="true"></div>
      <table class="unseen"><caption>${title}</caption>
        <thead><tr><th></th>${lines.map((line) => html`<th scope="col">${line.label}</th>`)}</tr></thead>
        <tbody>${days.map((day, at) => html`<tr key=${day}><th scope="row">${day}</th>${lines.map((line) => html`<td>${line.values[at] === null ? "–" : shown(line.values[at] ?? 0)}</td>`)}</tr>`)}</tbody>
      </table>
    </figure>
  `;
}
