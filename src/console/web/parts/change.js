// A button that changes something: it states what will happen, asks for the name of what it destroys,
// and ends in a receipt.
import { html, useEffect, useRef, useState } from 'preact';

import { useResource } from '../lib/resource.js';
import { Failure } from './panel.js';
import { TokenSignIn } from './sign_in.js';

// plan(): what will happen, as text or elements, drawn again as they change. act(): does it.
// confirm: the name to be typed, if it destroys. done(receipt): a sentence. after(): refreshes the page.
export function Change({ label, title, plan, act, confirm, done, after, disabled, danger = Boolean(confirm) }) {
  const dialog = useRef(null);
  const [open, setOpen] = useState(false);
  const [typed, setTyped] = useState('');
  const [state, setState] = useState({});
  const about = useResource(open ? '/api/about' : null);

  useEffect(() => { open ? dialog.current?.showModal() : dialog.current?.close(); }, [open]);
  const close = () => { setOpen(false); setTyped(''); setState({}); };
  const run = async (event) => {
    event.preventDefault();
    event.stopPropagation();  // The button may be in another form.
    setState({ working: true });
    try {
      setState({ receipt: await act() });
      after?.();
    } catch (error) {
      setState({ error: error.kind ? error : { kind: 'invalid', message: error.message } });
    }
  };
  const allowed = about.value?.allow_changes;
  return html`<button type="button" class="button ${danger ? 'danger' : ''}" disabled=${disabled} onClick=${() => setOpen(true)}>${label}</button>
    <dialog ref=${dialog} onClose=${close} aria-label=${title}>${open && html`<form class="stack" onSubmit=${run}>
      <h2>${title}</h2>
      ${about.error && html`<${Failure} error=${about.error} />`}
      ${about.value && !allowed ? html`<p class="note">This console only reads. To change things, set <code>console.allow_changes</code> and a token, and restart it.</p>`
    : about.value && !about.value.signed_in_as ? html`<${TokenSignIn} signed=${about.reload} />`
      : about.value && !about.value.may_change ? html`<p class="note">You are signed in as ${about.value.signed_in_as}, who has the role reader. A writer may make changes.</p>`
      : state.receipt ? html`<p class="note" role="status">${done(state.receipt)} It is listed under <a href="/changes" onClick=${close}>Changes</a>.</p>`
        : html`<div>${plan()}</div>
          ${confirm && html`<label class="field">Type <code>${confirm}</code> to confirm<input class="mono" value=${typed} autocomplete="off" onInput=${(e) => setTyped(e.target.value)} /></label>`}
          ${state.error && html`<${Failure} error=${state.error} />`}`}
      <div class="row">
        ${allowed && about.value.may_change && !state.receipt && html`<button class="button main" disabled=${state.working || (confirm && typed !== confirm)}>${state.working ? 'Working…' : label}</button>`}
        <button type="button" class="button" onClick=${close}>${state.receipt ? 'Close' : 'Cancel'}</button></div>
    </form>`}</dialog>`;
}
