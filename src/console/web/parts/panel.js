// The boxes that pages are made of, and what they show without a value.
import { html } from 'preact';

import { refusal } from '../lib/api.js';
import { duration } from '../lib/format.js';
import { useNow } from '../lib/resource.js';
import { Prose } from './prose.js';

export const Panel = ({ title, aside, children, label }) => html`
  <section class="panel" aria-label=${label ?? title}>
    ${title && html`<header><h2>${title}</h2><span class="grow"></span>${aside}</header>`}
    ${children}
  </section>`;

// One figure with its unit, and a line that explains it. `at`: when it was measured.
export const Figure = ({ title, value, unit, note, at }) => html`
  <section class="panel figure" aria-label=${title}>
    <h2>${title}</h2>
    <strong>${value}${unit && html`<span class="unit">${unit}</span>`}</strong>
    <small>${note}${at ? html` <${Age} at=${at} />` : ''}</small>
  </section>`;

// Shown once a live value is older than 3 s.
export function Age({ at, always }) {
  const seconds = (useNow() - at) / 1000;
  if (!always && seconds <= 3) return null;
  return html`<span class=${seconds > 15 ? 'stale' : 'dim'}>${duration(Math.max(seconds, 0))} old</span>`;
}

export const Loading = ({ what }) => html`<p class="loading" role="status">Loading ${what}…</p>`;

const TITLES = {
  unavailable: 'Does not answer now', refused: 'Not allowed to see', gone: 'No longer there',
  corrupt: 'Damaged', invalid: 'Cannot be answered', offline: 'The console is not reachable',
};

export const Failure = ({ error, retry }) => html`
  <div class="note ${error.kind === 'refused' ? '' : 'bad'}" role="alert">
    <strong>${error.kind === 'refused' ? '◌' : '■'} ${TITLES[error.kind] ?? 'Failed'}</strong>
    <p class="break"><${Prose} text=${error.message} /></p>
    ${retry && html`<p><button class="button" onClick=${retry}>Try again</button></p>`}
  </div>`;

// `next`: the command to type.
export const Empty = ({ title, children, next }) => html`
  <div class="empty"><strong>${title}</strong><p class="dim">${children}</p>
    ${next && html`<p>Next: <code>${next}</code></p>`}</div>`;

// A value of useResource or useChannel in all its states; `children(value)` draws it. `missing`: the title for an answer that
// it does not exist, with its reason; without it, the page draws that too.
export function Loaded({ of, what, missing, children }) {
  if (of.value === null) {
    if (of.error) return html`<${Failure} error=${of.error} retry=${of.reload} />`;
    return html`<${Loading} what=${what} />`;
  }
  const { value } = of;
  if (value.state === 'not_allowed') return html`<${Failure} error=${refusal(value)} />`;
  if (value.exists === false && missing) return html`<${Panel}><${Empty} title=${missing} next=${value.remedy}>${value.reason}<//><//>`;
  return html`${of.error && html`<p class="note warn" role="status">Not refreshed: ${of.error.message} <${Age} at=${of.at} always /></p>`}
    ${children(of.value)}`;
}

// The heading of a page; `path`: [[label, address], ...] of the pages above it.
export const Head = ({ title, path = [], children }) => html`
  <div class="head">
    <div>${path.length > 0 && html`<nav class="crumbs" aria-label="Where you are">${path.map(([label, to]) =>
    html`<a href=${to}>${label}</a><span aria-hidden="true">/</span>`)}</nav>`}
      <h1 tabindex="-1">${title}</h1></div>
    <span class="grow"></span>${children}
  </div>`;
