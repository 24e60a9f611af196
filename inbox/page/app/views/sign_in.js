/** Signing in: by a password, or by the provider that the company has. */

import { useEffect, useState } from "../../vendor/hooks.js";
import { Problem, call } from "../api.js";
import { html } from "../html.js";
import { t } from "../i18n.js";
import { wordsOf } from "../notices.js";
import { signIn } from "../session.js";
import { said } from "./forms.js";
import { Languages } from "./parts.js";

export function SignIn() {
  const [wrong, setWrong] = useState("");
  const [busy, setBusy] = useState(false);
  const [provider, setProvider] = useState(/** @type {{name: string, url: string} | null} */ (null));
  useEffect(() => {
    call("GET", "/sign-in").then((found) => setProvider(found.oidc ?? null), () => setProvider(null));
  }, []);

  /** @param {SubmitEvent} event */
  async function submit(event) {
    const { email, password } = said(event);
    setBusy(true);
    try {
      await signIn(email, password);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      setWrong(error.type === "wrong-password" ? t("wrongPassword") : wordsOf(error));
      setBusy(false);
    }
  }
  const back = encodeURIComponent(location.pathname + location.search);
  return html`
    <main class="sign-in">
      <form onSubmit=${submit}>
        <h1><img src="page/icon.svg" alt="" width="32" height="32" /> Santral</h1>
        <label>${t("email")}<input name="email" type="email" autocomplete="username" required autofocus /></label>
        <label>${t("password")}<input name="password" type="password" autocomplete="current-password" required /></label>
        <p class="wrong" role="alert">${wrong}</p>
        <button class="primary" disabled=${busy}>${t("signIn")}</button>
        ${provider && html`<a class="button" href="/api/v1/session/oidc?next=${back}">${t("signInWith", { name: provider.name })}</a>`}
        <${Languages} />
      </form>
    </main>
  `;
}
