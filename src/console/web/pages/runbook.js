// docs/runbook.md: alerts link to its sections.
import { html, useEffect, useState } from 'preact';

import { Blocks, blocksOf } from '../lib/markdown.js';
import { Failure, Head, Loading, Panel } from '../parts/panel.js';

export function Page() {
  const [state, setState] = useState({});
  useEffect(() => {
    fetch(import.meta.resolve('/assets/runbook.md')).then((reply) => reply.ok ? reply.text() : Promise.reject(new Error(`status ${reply.status}`)))
      .then((text) => setState({ blocks: blocksOf(text) }),
        (error) => setState({ error: { kind: 'offline', message: `The runbook cannot be loaded: ${error.message}` } }));
  }, []);
  useEffect(() => {
    const show = () => document.getElementById(decodeURIComponent(location.hash.slice(1)))?.scrollIntoView();
    show();
    addEventListener('hashchange', show);
    return () => removeEventListener('hashchange', show);
  }, [state.blocks]);
  return html`<${Head} title="Runbook" />
    ${state.error ? html`<${Failure} error=${state.error} />` : !state.blocks ? html`<${Loading} what="the runbook" />`
    : html`<${Panel} label="Runbook"><div class="document"><${Blocks} blocks=${state.blocks.slice(1)} /></div><//>`}`;
}
