/** How each channel fares, and why where it does not. */

import { useEffect } from "../../vendor/hooks.js";
import { html } from "../html.js";
import { t } from "../i18n.js";
import { attempt } from "../notices.js";
import { channels, loadHouse } from "../session.js";
import { Ago, ChannelMark } from "./parts.js";

const AGAIN = 10_000; // milliseconds

export function ChannelsPage() {
  useEffect(() => {
    const timer = setInterval(() => attempt(loadHouse), AGAIN);
    return () => clearInterval(timer);
  }, []);
  return html`
    <h2>${t("channels")}</h2>
    <div class="scroll"><table>
      <thead><tr><th scope="col">${t("channels")}</th><th scope="col">${t("state")}</th><th scope="col">${t("lastIn")}</th><th scope="col">${t("lastOut")}</th></tr></thead>
      <tbody>
        ${channels.value.map(
          (one) => html`
            <tr key=${one.id}>
              <th scope="row"><${ChannelMark} connector=${one.connector} channel=${one.connector} /> ${one.id}</th>
              <td><span class="chip is-${one.state}">${t(/** @type {any} */ (one.state))}</span> ${one.reason && html`<p class="why">${one.reason}</p>`}</td>
              <td>${one.last_in ? html`<${Ago} at=${one.last_in} />` : t("never")}</td>
              <td>${one.last_out ? html`<${Ago} at=${one.last_out} />` : t("never")}</td>
            </tr>
          `,
        )}
      </tbody>
    </table></div>
  `;
}
