import { html } from 'preact';

import { useResource } from '../lib/resource.js';
import { Head, Loaded, Panel } from '../parts/panel.js';
import { SignedIn } from '../parts/sign_in.js';

export function Page() {
  const about = useResource('/api/about');
  return html`<${Head} title="About" />
    <${Loaded} of=${about} what="the version and licences">${(value) => html`
      <${Panel} title="This console"><dl class="facts">
        <dt>Version</dt><dd>${value.version}</dd>
        <dt>Changes</dt><dd>${value.allow_changes ? 'allowed, and logged' : html`not allowed (<code>console.allow_changes</code> is false)`}</dd>
        <dt>Signed in</dt><dd><${SignedIn} about=${value} /></dd>
      </dl><//>
      <${Panel} title="Parts by others">
        <div class="stack">${(value.licences ?? []).map((part) => html`<details>
          <summary>${part.name} ${part.version} <span class="dim">${part.licence}</span></summary><pre>${part.text}</pre></details>`)}</div><//>`}<//>`;
}
