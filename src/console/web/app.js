// The frame of every page, and which page is shown.
import { html, render, useEffect, useErrorBoundary, useRef, useState } from 'preact';

import { signedOut } from './lib/api.js';
import { connection } from './lib/live.js';
import { useChannel, useResource } from './lib/resource.js';
import { route } from './lib/route.js';
import { Age, Empty, Failure, Loading } from './parts/panel.js';
import { SignInPage } from './parts/sign_in.js';
import { worst } from './parts/state.js';

// Each is loaded when it is first opened.
const PAGES = [
  ['', 'Overview', () => import('./pages/overview.js')],
  ['kafka', 'Kafka', () => import('./pages/kafka.js')],
  ['groups', 'Groups', () => import('./pages/groups.js')],
  ['schemas', 'Schemas', () => import('./pages/schemas.js')],
  ['lake', 'Lake', () => import('./pages/lake.js')],
  ['sql', 'SQL', () => import('./pages/sql.js')],
  ['quality', 'Quality', () => import('./pages/quality.js')],
  ['lineage', 'Lineage', () => import('./pages/lineage.js')],
  ['changes', 'Changes', () => import('./pages/changes.js')],
  ['labs', 'Labs', () => import('./pages/labs.js')],
];
const HIDDEN_PAGES = [
  ['runbook', 'Runbook', () => import('./pages/runbook.js')],
  ['about', 'About', () => import('./pages/about.js')],
];

function Top({ name }) {
  const [open, setOpen] = useState(false);
  useEffect(() => setOpen(false), [route.value]);
  return html`<header class="top">
    <a class="skip" href="#main" onClick=${(e) => { e.preventDefault(); document.querySelector('main').focus(); }}>Skip to the page</a>
    <a class="brand" href="/">Shop<b>Stream</b></a>
    <button class="button menu" aria-expanded=${open} aria-controls="pages" onClick=${() => setOpen(!open)}>Menu</button>
    <nav id="pages" class=${open ? 'open' : ''} aria-label="Pages">${PAGES.map(([path, title]) => html`
      <a href="/${path}" aria-current=${path === name ? 'page' : undefined}>${title}</a>`)}</nav>
    <${Health} />
  </header>`;
}

function Health() {
  const overview = useChannel('overview');
  const state = connection.value;
  useResource(state === 'lost' ? '/api' : null, 5000);  // The stream may have ended with the session.
  if (signedOut.value) return html`<span class="live dim">signed out</span>`;
  const parts = overview.value?.health ?? [];
  const bad = parts.filter((part) => part.state !== 'up');
  const live = state === 'lost' ? html`<span class="stale">connection lost, trying again</span>`
    : overview.at ? html`live<${Age} at=${overview.at} />` : 'connecting';
  return html`<span class="live dim">${live}</span>
    ${parts.length > 0 && html`<a class="pill" href="/"><span class="state ${worst(parts.map((p) => p.state))}">${
    bad.length === 0 ? `all ${parts.length} up` : `${bad.length} of ${parts.length} ${bad.length === 1 ? bad[0].state.replace('_', ' ') : 'not up'}`}</span></a>`}`;
}

const THEMES = ['auto', 'light', 'dark'];

function Theme() {
  const [theme, setTheme] = useState(localStorage.getItem('theme') ?? 'auto');
  const choose = (value) => {
    localStorage.setItem('theme', value);
    setTheme(value);
    applyTheme();
    dispatchEvent(new Event('themechange'));
  };
  return html`<label>Theme <select value=${theme} onChange=${(e) => choose(e.target.value)}>
    ${THEMES.map((name) => html`<option>${name}</option>`)}</select></label>`;
}

function applyTheme() {
  const theme = localStorage.getItem('theme') ?? 'auto';
  if (theme === 'auto') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}

function App() {
  const name = route.value.parts[0] ?? '';
  const [page, setPage] = useState(null);
  const [broken, mend] = useErrorBoundary();
  const entry = [...PAGES, ...HIDDEN_PAGES].find(([path]) => path === name);
  const subject = route.value.parts.slice(1).join(' / ');
  useEffect(() => { document.title = entry ? `${subject ? `${subject} · ` : ''}${entry[1]} · ShopStream` : 'ShopStream'; }, [name, subject]);
  useEffect(() => {
    mend();
    if (!entry) return;
    let gone = false;
    entry[2]().then(({ Page }) => gone || setPage({ name, Page }),
      (error) => gone || setPage({ name, error: { kind: 'offline', message: `The page cannot be loaded: ${error.message}` } }));
    return () => { gone = true; };
  }, [name]);
  // A reader of the screen hears where it is, except at the first page.
  const shown = page?.name === name ? `${name} ${subject}` : null;
  const before = useRef(null);
  useEffect(() => {
    if (shown === null) return;
    if (before.current !== null && before.current !== shown) document.querySelector('main h1')?.focus({ preventScroll: true });
    before.current = shown;
  }, [shown]);
  return html`<${Top} name=${name} />
    <main id="main" tabindex="-1">${signedOut.value && name !== 'runbook' ? html`<${SignInPage} />`
    : broken ? html`<${Failure} error=${{ kind: 'corrupt', message: `This page cannot draw the answer: ${broken.message}` }} retry=${mend} />`
    : !entry ? html`<${Empty} title="There is no such page">The address may be wrong. The pages are in the menu above.<//>`
    : page?.name !== name ? html`<${Loading} what="the page" />`
      : page.error ? html`<${Failure} error=${page.error} />` : html`<${page.Page} key=${name} />`}</main>
    <footer><a href="/runbook">Runbook</a><a href="/about">About and licences</a><span>All times are UTC</span><${Theme} /></footer>`;
}

applyTheme();
document.getElementById('app').replaceChildren();
render(html`<${App} />`, document.getElementById('app'));
