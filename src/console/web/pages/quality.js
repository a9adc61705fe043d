// Is every row of Bronze accounted for, which rules reject how much, and what cannot be decoded.
import { html } from 'preact';

import * as f from '../lib/format.js';
import { useResource } from '../lib/resource.js';
import { address, navigate, route } from '../lib/route.js';
import { withQuery } from '../lib/api.js';
import { StackedBars } from '../parts/bars.js';
import { Age, Empty, Failure, Head, Loaded, Panel } from '../parts/panel.js';
import { Prose } from '../parts/prose.js';
import { Quarantine } from '../parts/quarantine.js';
import { State } from '../parts/state.js';
import { DataTable } from '../parts/table.js';

export function Page() {
  const [, section] = route.value.parts;
  if (section === 'quarantine') return html`<${Quarantine} />`;
  if (section) {
    return html`<${Head} title="Quality" /><${Panel}><${Empty} title="There is no such page">
      Look at <a href="/quality">quality</a> or <a href="/quality/quarantine">quarantine</a>.<//><//>`;
  }
  return html`<${Quality} />`;
}

const STALE_MS = 15000;  // Until then, a slow look is no news.

function Quality() {
  const before = route.value.query.before;
  const quality = useResource(withQuery('/api/quality', { before }), 3000);
  return html`<${Head} title="Quality"><a class="button" href="/quality/quarantine">Quarantine</a><//>
    <${Loaded} of=${quality} what="the quality of each day">${(value) => {
    if (value.state === 'computing') {
      const late = value.unknown?.startsWith('no answer');
      return html`<${Panel} title="Days">${late ? html`<p class="loading" role="status">The rows of each day are being counted…</p>`
        : html`<${Failure} error=${{ kind: 'unavailable', message: value.unknown }} />`}<//>
        <${Causes} quarantine=${value.quarantine} />`;
    }
    if (value.exists === false) {
      return html`<${Panel} title="Days"><${Empty} title="No table yet" next=${value.remedy}>${value.reason}. Each row of Bronze is counted here once ingest has written some.<//><//>
        <${Causes} quarantine=${value.quarantine} />`;
    }
    return html`${value.unknown && Date.now() - value.at_ms > STALE_MS && html`<p class="note warn" role="status">Not refreshed: ${value.unknown} <${Age} at=${value.at_ms} always /></p>`}
      ${!value.refined && html`<p class="note">Nothing is refined yet. Next: <code>${value.remedy}</code></p>`}
      <${Days} value=${value} />
      <div class="split"><${Rules} value=${value} /><${Causes} quarantine=${value.quarantine} /></div>`;
  }}<//>`;
}

// The parts of a day's rows, in the order of the bars and of the table. Null is unknown.
const PARTS = [
  { key: 'silver_rows', name: 'silver', class: 'silver' },
  { key: 'rejected_rows', name: 'rejected', class: 'rejected' },
  { key: 'duplicate_rows', name: 'duplicates', class: 'duplicate' },
  { key: 'not_refined_rows', name: 'not yet refined', class: 'other' },
  { key: 'without_coordinates_rows', name: 'from other programs', class: 'foreign' },
  { key: 'missing', name: 'not accounted for', class: 'missing' },
];

const dayName = (day) => day.date ?? 'no date';

// Until the reasons are counted, rejected rows and duplicates are one part, so that the bar closes.
function valuesOf(day) {
  const values = { ...day, missing: Math.max(0, day.difference ?? 0) };
  if (day.difference === null && !day.expired) {
    const known = PARTS.reduce((sum, part) => sum + (values[part.key] ?? 0), 0);
    values.missing = Math.max(0, (day.bronze_rows ?? known) - known);
  }
  return PARTS.map((part) => values[part.key] ?? 0);
}

function Days({ value }) {
  const days = value.days;
  const open = days.filter((day) => day.closes === false);
  const unknown = days.filter((day) => day.closes === null && !day.expired);
  const verdict = open.length > 0 ? html`<${State} is="down" word=${`${f.plural(open.length, 'day')} ${open.length === 1 ? 'does' : 'do'} not close`} />`
    : unknown.length > 0 ? html`<${State} is="unknown" word=${`${f.plural(unknown.length, 'day')} not decided yet`} />`
      : html`<${State} is="up" word="every row is accounted for" />`;
  const shown = PARTS.filter((part, i) => i < 4 || days.some((day) => valuesOf(day)[i] > 0));
  const positions = shown.map((part) => PARTS.indexOf(part));
  if (days.length === 0) return html`<${Panel} title="Days"><${Empty} title="No rows yet" next="shopstream generate">Bronze has no rows${value.older ? '' : ' of these days'}.<//><//>`;
  return html`<${Panel} title="What became of Bronze's rows" aside=${verdict}>
    ${[...new Set(unknown.map((day) => day.difference_unknown))].slice(0, 3).map((why) => html`<p class="note">Not decided: <${Prose} text=${why} />.</p>`)}
    <${StackedBars} title="Rows of each day by what became of them" unit="rows" keys=${shown}
      bars=${[...days].reverse().map((day) => ({ label: day.date?.slice(5) ?? 'none', values: positions.map((i) => valuesOf(day)[i]) }))} />
    <${DataTable} caption="Days" rows=${days} rowKey=${dayName} filter=${false} name="day_" columns=${[
    { key: 'date', title: 'day', mono: true, value: dayName, draw: (d) => html`<span class="nowrap">${dayName(d)}</span>` },
    { key: 'closes', title: 'closes', value: (d) => d.expired ? 'expired' : d.closes === null ? 'unknown' : d.closes ? 'yes' : 'no', draw: (d) => html`<${Closes} day=${d} />` },
    { key: 'bronze_rows', title: 'bronze', number: true, draw: (d) => f.count(d.bronze_rows) },
    ...PARTS.slice(0, 5).filter((part) => shown.includes(part)).map((part) => ({
      key: part.key, title: part.name, number: true, draw: (d) => f.count(d[part.key]) })),
    { key: 'reasons', title: 'rejected by', long: true, sortable: false, value: (d) => reasonText(d), draw: (d) => reasonText(d) || html`<span class="dim">none</span>` },
  ]} />
    ${value.older && html`<p><a class="button" href=${address(['quality'], { before: value.older })}>Earlier days</a></p>`}
    ${route.value.query.before && html`<p><a class="button" href="/quality">Newest days</a></p>`}
    <p class="dim">A day is the event's own UTC date. ${Object.keys(value.versions).length > 0 && html`Counted at pass ${f.count(value.pass)}: ${
    Object.entries(value.versions).map(([table, version], i) => html`${i ? ', ' : ''}<a href=${`/lake/${encodeURIComponent(table)}?version=${version}`}>${table} ${f.count(version)}</a>`)}, at ${f.clock(value.at_ms)}.`}
    ${value.counted_files < value.rejects_files && ` The reasons of ${f.count(value.counted_files)} of ${f.count(value.rejects_files)} files are counted so far.`}</p><//>`;
}

// Duplicates have their own column.
const reasonText = (day) => day.reasons.filter((r) => r.reason !== 'duplicate').sort((a, b) => b.rows - a.rows).slice(0, 3).map((r) => `${r.reason} ${f.count(r.rows)}`).join(', ');

function Closes({ day }) {
  if (day.expired) return html`<span class="state unknown" title=${day.difference_unknown}>no longer kept</span>`;
  if (day.closes === null) return html`<span class="state unknown" title=${day.difference_unknown}>not known</span>`;
  if (day.closes) return html`<${State} is="up" word="closes" />`;
  return html`<${State} is="down" word=${day.difference > 0 ? `${f.count(day.difference)} missing` : `${f.count(-day.difference)} too many`} />`;
}

const ACTIONS = { reject: 'rejects', warn: 'warns', stop: 'stops the pass', built_in: 'built in' };
const share = (value) => value === null || value === undefined ? f.unknown : `${Number((100 * value).toPrecision(2))} %`;

function Rules({ value }) {
  const aside = value.rules_since_pass ? html`<span class="dim">in force since pass ${f.count(value.rules_since_pass)}</span>` : '';
  return html`<${Panel} title="Rules by rows rejected" aside=${aside}>
    ${value.rules_unknown && html`<p class="note warn">The rules cannot be read: <${Prose} text=${value.rules_unknown} /></p>`}
    ${value.other_rules && html`<p class="note warn">The files have other rules, rates or SQL than the last pass used. They count from the next pass on.</p>`}
    <${DataTable} caption="Rules, with their share of the refined rows" rows=${value.rules} rowKey=${(r) => r.name} filter=${false} sort="-rows" name="rule_" empty="There are no rules, and nothing was rejected." columns=${[
    { key: 'name', title: 'rule', draw: (r) => html`<span class="nowrap">${r.name}</span>${r.in_force === false && html` <span class="tag">earlier rule</span>`}` },
    { key: 'rows', title: 'rows', number: true, draw: (r) => html`<span title=${r.rows_unknown}>${f.count(r.rows)}</span>` },
    { key: 'share', title: 'share', number: true, draw: (r) => share(r.share) },
    { key: 'action', title: 'action', draw: (r) => ACTIONS[r.action] ?? r.action },
    { key: 'description', title: 'meaning', long: true, draw: (r) => html`${r.description ?? BUILT_IN[r.name] ?? ''}${r.owner && html` <span class="dim">ask ${r.owner}</span>`}` },
  ]} /><//>`;
}

const BUILT_IN = {
  duplicate: 'The same event was sent again.',
  not_computable: 'An id, a time or an amount in dollars is missing or too large.',
  closed_date: 'The day is no longer kept in Silver.',
};

function Causes({ quarantine }) {
  return html`<${Panel} title="Quarantine by cause" aside=${quarantine.rows !== null && html`<span class="dim">${f.plural(quarantine.rows, 'record')}</span>`}>
    ${quarantine.rows_unknown ? html`<p class="note warn">Not known: <${Prose} text=${quarantine.rows_unknown} /></p>`
    : quarantine.causes.length === 0 ? html`<${Empty} title="Nothing is in quarantine">Every record could be decoded.<//>`
      : html`<${DataTable} caption="Quarantine by cause" rows=${quarantine.causes} rowKey=${(c) => c.cause} filter=${false} sort="-rows" name="cause_"
        open=${(c) => navigate(address(['quality', 'quarantine'], { cause: c.cause }))} columns=${[
    { key: 'cause', title: 'cause', draw: (c) => html`<a href=${address(['quality', 'quarantine'], { cause: c.cause })}>${c.cause}</a>` },
    { key: 'rows', title: 'records', number: true, draw: (c) => f.count(c.rows) },
  ]} />`}<//>`;
}
