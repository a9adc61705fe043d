// Who changed what, when, from where. Each line opens what was there before and after.
import { html, useState } from 'preact';

import { instant, toMs } from '../lib/format.js';
import { useResource } from '../lib/resource.js';
import { Empty, Head, Loaded, Panel } from '../parts/panel.js';
import { DataTable } from '../parts/table.js';

export function Page() {
  const changes = useResource('/api/changes', 5000);
  const [open, setOpen] = useState(null);
  return html`<${Head} title="Changes" />
    <${Loaded} of=${changes} what="the change log">${(value) => value.changes.length === 0 && html`
      <${Panel}><${Empty} title="Nothing was changed from this console">
        ${value.allow_changes ? 'What is changed here is listed with who, when, before and after.'
    : html`It only reads. To allow changes, set <code>console.allow_changes</code> and a token.`}<//><//>`
    || html`<div class=${open ? 'beside' : ''}><${Panel}>
      <${DataTable} caption="Changes" rows=${value.changes} rowKey=${(c) => c.id} sort="-at" open=${setOpen} selected=${open?.id} columns=${[
    { key: 'at', title: 'time', value: (c) => toMs(c.at_ms), draw: (c) => html`<span class="mono nowrap">${instant(toMs(c.at_ms))}</span>` },
    { key: 'what', title: 'what', long: true, draw: (c) => html`${c.error && html`<span class="state down">failed</span> `}<button class="plain" onClick=${() => setOpen(c)}>${c.what}</button>` },
    { key: 'who', title: 'who' },
    { key: 'from', title: 'from', mono: true },
    { key: 'subject', title: 'subject', long: true },
  ]} /><//>
      ${open && html`<${Panel} title=${open.what} aside=${html`<button class="button quiet" onClick=${() => setOpen(null)}>Close</button>`}>
        ${open.error && html`<p class="note bad">${open.error}</p>`}
        <div class="stack"><h3>Before</h3><pre>${JSON.stringify(open.before, null, 2)}</pre>
          <h3>After</h3><pre>${JSON.stringify(open.after, null, 2)}</pre></div><//>`}</div>`}<//>`;
}
