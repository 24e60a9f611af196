/** How the work goes: a picture for supervisors, of numbers that the API keeps. */

import { useEffect, useMemo, useState } from "../../vendor/hooks.js";
import { call } from "../api.js";
import { html } from "../html.js";
import { count, language, t } from "../i18n.js";
import { attempt } from "../notices.js";
import { Chart } from "./chart.js";

/** @typedef {{begins: string, channel: string, inbound: number, outbound: number, conversations: number}} Volume */
/** @typedef {{begins: string, first_response_median: number | null, first_response_p90: number | null, resolution_median: number | null, resolution_p90: number | null}} Times */
/** @typedef {{day: string, open: number, waiting: number}} Backlog */
/** @typedef {{weekday: number, hour: number, inbound: number}} Hour */
/** @typedef {{volume: Volume[], times: Times[], backlog: Backlog[], hours: Hour[]}} Found */

const SPANS = [7, 30, 90, 365]; // days
const DAY = 86_400_000; // milliseconds
const REPORTS = /** @type {const} */ (["volume", "times", "backlog", "hours"]);
const MONDAY = Date.UTC(2024, 0, 1);

/** @param {number} days */
function spanOf(days) {
  const iso = (/** @type {number} */ at) => new Intl.DateTimeFormat("sv").format(at);
  return { from: iso(Date.now() - (days - 1) * DAY), to: iso(Date.now()) };
}

/** @param {number} seconds */
function lasting(seconds) {
  const [unit, size] = seconds < 5400 ? ["minute", 60] : seconds < 172_800 ? ["hour", 3600] : ["day", 86_400];
  return new Intl.NumberFormat(language.value, { style: "unit", unit, unitDisplay: "short", maximumFractionDigits: 1 }).format(seconds / size);
}

export function OverviewPage() {
  const [days, setDays] = useState(30);
  const [found, setFound] = useState(/** @type {Found | null} */ (null));
  const span = useMemo(() => spanOf(days), [days]);
  useEffect(() => {
    let here = true;
    const read = (/** @type {string} */ name) => call("GET", `/reports/${name}`, { query: span });
    attempt(() => Promise.all(REPORTS.map(read))).then((all) => {
      if (here && all) setFound(/** @type {any} */ (Object.fromEntries(REPORTS.map((name, at) => [name, all[at].items]))));
    });
    return () => (here = false);
  }, [span]);
  return html`
    <header class="line"><h2>${t("overview")}</h2>
      <select aria-label=${t("span")} value=${days} onChange=${(/** @type {any} */ event) => setDays(Number(event.target.value))}>
        ${SPANS.map((n) => html`<option value=${n}>${t("lastDays", { n })}</option>`)}
      </select>
      ${REPORTS.map((name) => html`<a class="button" download="" href="/api/v1/reports/${name}?from=${span.from}&to=${span.to}&format=csv">${t(`${name}Report`)} (CSV)</a>`)}
    </header>
    ${found && html`<${Pictures} found=${found} />`}
  `;
}

/** @param {{found: Found}} props */
function Pictures({ found }) {
  const volume = useMemo(() => byChannel(found.volume), [found]);
  const times = useMemo(() => timesOf(found.times), [found, language.value]);
  const backlog = useMemo(() => ({ days: found.backlog.map((one) => one.day), lines: [{ label: t("open"), values: found.backlog.map((one) => one.open) }, { label: t("waiting"), values: found.backlog.map((one) => one.waiting) }] }), [found, language.value]);
  return html`
    <div class="charts">
      <${Chart} title=${t("volumeReport")} ...${volume} />
      <${Chart} title=${t("timesReport")} ...${times} shown=${lasting} />
      <${Chart} title=${t("backlogReport")} ...${backlog} />
      <${Hours} hours=${found.hours} />
    </div>
  `;
}

/** What customers wrote, a line a channel. @param {Volume[]} rows */
function byChannel(rows) {
  const days = [...new Set(rows.map((one) => one.begins))].sort();
  const known = new Map(rows.map((one) => [`${one.begins}|${one.channel}`, one.inbound]));
  const channels = [...new Set(rows.map((one) => one.channel))].sort();
  return { days, lines: channels.map((channel) => ({ label: channel, values: days.map((day) => known.get(`${day}|${channel}`) ?? 0) })) };
}

/** @param {Times[]} rows */
function timesOf(rows) {
  const line = (/** @type {string} */ label, /** @type {keyof Times} */ field) => ({ label, values: rows.map((one) => /** @type {number | null} */ (one[field])) });
  return { days: rows.map((one) => one.begins), lines: [line(t("firstResponse"), "first_response_median"), line(t("firstResponseSlow"), "first_response_p90"), line(t("resolution"), "resolution_median")] };
}

/** Which hours of the week are busy. @param {{hours: Hour[]}} props */
function Hours({ hours }) {
  const most = Math.max(1, ...hours.map((one) => one.inbound));
  const name = new Intl.DateTimeFormat(language.value, { weekday: "short", timeZone: "UTC" });
  const known = new Map(hours.map((one) => [one.weekday * 24 + one.hour, one.inbound]));
  const clock = [...Array(24).keys()];
  const cell = (/** @type {number} */ weekday, /** @type {number} */ hour) => {
    const n = known.get(weekday * 24 + hour) ?? 0;
    return html`<td key=${hour} title=${count(n)}><span class="heat" style=${{ opacity: n / most }}></span><span class="unseen">${count(n)}</span></td>`;
  };
  return html`
    <figure class="hours"><figcaption>${t("hoursReport")}</figcaption>
      <div class="scroll"><table>
        <thead><tr><td></td>${clock.map((hour) => html`<th scope="col" key=${hour}>${hour}</th>`)}</tr></thead>
        <tbody>${[1, 2, 3, 4, 5, 6, 7].map((weekday) => html`<tr key=${weekday}><th scope="row">${name.format(MONDAY + (weekday - 1) * DAY)}</th>${clock.map((hour) => cell(weekday, hour))}</tr>`)}</tbody>
      </table></div>
    </figure>
  `;
}
