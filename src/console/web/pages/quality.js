// What became of the purchases: the books of each date, rules, and quarantine.
import { html, useState } from 'preact';

import { post, withQuery } from '../lib/api.js';
import * as f from '../lib/format.js';
import { useResource } from '../lib/resource.js';
import { address, route, setQuery } from '../lib/route.js';
import { Empty, Failure, Figure, Head, Loaded, Panel } from '../parts/panel.js';
import { DataTable } from '../parts/table.js';

const TABS = [['', 'Books and rules'], ['quarantine', 'Quarantine']];

export function Page() {
  const { tab = '' } = route.value.query;
  return html`<${Head} title="Quality" />
    <nav class="tabs" aria-label="Views">${TABS.map(([id, title]) => html`<a href=${address(['quality'], { tab: id })} aria-current=${tab === id ? 'page' : undefined}>${title}</a>`)}</nav>
    ${tab === 'quarantine' ? html`<${Quarantine} />` : html`<${Books} />`}`;
}

function Books() {
  const report = useResource('/api/quality', 10000);
  return html`<${Loaded} of=${report} what="the books">${(value) => value.exists === false
    ? html`<${Panel}><${Empty} title=${`No report yet: ${value.reason}`} next=${value.remedy}>Refine decides what becomes of each purchase.<//><//>`
    : html`<div class="grid"><${Totals} value=${value} at=${report.at} /></div>
      <div class="split"><${Panel} title="By date"><${DataTable} caption="Books by date" filter=${false} rows=${value.dates} rowKey=${(d) => d.date} columns=${[
      { key: 'date', title: 'date', mono: true },
      { key: 'bronze_rows', title: 'Bronze', number: true, draw: (d) => f.count(d.bronze_rows) },
      { key: 'silver_rows', title: 'Silver', number: true, draw: (d) => f.count(d.silver_rows) },
      { key: 'rejected_rows', title: 'rejected', number: true, draw: (d) => f.count(d.rejected_rows) },
      { key: 'duplicate_rows', title: 'duplicates', number: true, draw: (d) => f.count(d.duplicate_rows) },
      { key: 'difference', title: 'closes', number: true, draw: (d) => html`<span class="state ${d.difference === 0 ? 'up' : 'degraded'}">${d.difference === 0 ? 'yes' : `not by ${f.count(d.difference)}`}</span>` },
    ]} /><//>
      <${Panel} title="Rules">${value.rules_unknown && html`<p class="note warn">${value.rules_unknown}</p>`}
        <${DataTable} name="r" caption="Rules" rows=${value.rules} rowKey=${(r) => r.rule} columns=${[
      { key: 'rule', title: 'rule', mono: true, draw: (r) => html`<a href=${address(['sql'], { sql: `SELECT date, count(*) AS rows FROM silver_rejects WHERE contains(reasons, '${r.rule}') GROUP BY date ORDER BY date` })}>${r.rule}</a>` },
      { key: 'rejected_rows', title: 'rows', number: true, draw: (r) => f.count(r.rejected_rows) },
      { key: 'action', title: 'action' },
      { key: 'description', title: 'meaning', long: true, draw: (r) => html`${r.description ?? ''} ${r.owner && html`<span class="dim">Ask ${r.owner}.</span>`}` },
    ]} /><//></div>`}<//>`;
}

function Totals({ value, at }) {
  const { total } = value;
  const figure = (title, rows, note) => { const [n, unit] = f.compact(rows); return html`<${Figure} title=${title} value=${n} unit=${unit} note=${note} at=${at} />`; };
  const part = (rows) => total.bronze_rows > 0 ? `${(100 * rows / total.bronze_rows).toPrecision(2)} % of Bronze` : '';
  return html`${figure('Bronze', total.bronze_rows, value.closes ? 'Silver, rejected and duplicates add up to it'
    : value.difference > 0 ? `${f.count(value.difference)} more than decided: not refined yet, or missing` : `${f.count(-value.difference)} fewer than decided: Bronze no longer has them`)}
    ${figure('Silver', total.silver_rows, part(total.silver_rows))}${figure('Rejected', total.rejected_rows, part(total.rejected_rows))}${figure('Duplicates', total.duplicate_rows, part(total.duplicate_rows))}`;
}

function Quarantine() {
  const { cause = '', record } = route.value.query;
  const answer = useResource(withQuery('/api/quarantine', { cause, limit: 200 }));
  return html`<${Loaded} of=${answer} what="quarantine">${(value) => value.exists === false
    ? html`<${Panel}><${Empty} title="Nothing is in quarantine">Every record that ingest read could be decoded: ${value.reason}.<//><//>`
    : html`<div class=${record ? 'beside' : ''}><${Panel} title="Undecodable records" aside=${html`<${Replay} cause=${cause} done=${answer.reload} />`}>
        <${DataTable} caption="Quarantined records" rows=${value.records} rowKey=${(r) => `${r.partition}-${r.offset}`} selected=${record} open=${(r) => setQuery({ record: `${r.partition}-${r.offset}` })}
          tools=${html`<label>Cause <select value=${cause} onChange=${(e) => setQuery({ cause: e.target.value, record: '' })}><option value="">any</option>
            ${Object.entries(value.by_cause).map(([name, rows]) => html`<option value=${name}>${name} (${f.count(rows)})</option>`)}</select></label>
            <span class="dim">the newest ${f.count(value.records.length)} of ${f.count(value.matching)}</span>`}
          empty=${`No record with this cause.`} columns=${[
    { key: 'cause', title: 'cause', mono: true }, { key: 'place', title: 'record', value: (r) => `p${r.partition} ${r.offset}`, mono: true },
    { key: 'sent_ms', title: 'sent', draw: (r) => html`<span class="mono nowrap">${f.instant(r.sent_ms)}</span>` },
    { key: 'bytes', title: 'bytes', number: true, draw: (r) => f.count(r.bytes) }, { key: 'detail', title: 'what is wrong', long: true }]} /><//>
      ${record && html`<${Bytes} record=${record} />`}</div>`}<//>`;
}

function Bytes({ record }) {
  const [partition, offset] = record.split('-');
  const answer = useResource(`/api/quarantine/${partition}/${offset}`);
  return html`<${Panel} title=${`Partition ${partition}, offset ${offset}`} aside=${html`<a href=${address(['lineage'], { partition, offset })}>Lineage</a> <button class="button quiet" onClick=${() => setQuery({ record: '' })}>Close</button>`}>
    <${Loaded} of=${answer} what="the record">${(value) => value.records.map((r) => html`<div class="stack">
      <dl class="facts"><dt>Cause</dt><dd>${r.cause}: ${r.detail}</dd><dt>Schema</dt><dd>${r.schema_id ?? 'unreadable'}</dd><dt>Quarantined</dt><dd>${f.instant(r.quarantined_ms)}</dd><dt>Headers</dt><dd class="mono">${typeof r.headers === 'string' ? r.headers : JSON.stringify(r.headers)}</dd></dl>
      <h3>Key</h3><pre tabindex="0">${r.key_dump ?? 'null'}</pre><h3>Value</h3><pre tabindex="0">${r.value_dump ?? 'null'}</pre></div>`)}<//><//>`;
}

function Replay({ cause, done }) {
  const [state, setState] = useState({});
  const replay = async () => {
    setState({ running: true });
    try {
      const reply = await post('/api/quarantine/replay', { cause });
      setState({ answer: reply.answer ?? reply });
      done();
    } catch (error) { setState({ error }); }
  };
  const { answer } = state;
  return html`<span class="row"><button class="button" disabled=${state.running} onClick=${replay}>${state.running ? 'Replaying…' : cause ? `Replay ${cause}` : 'Replay all'}</button>
    ${answer && html`<span role="status">${f.plural(answer.replayed, 'record')} added to Bronze, ${f.count(Object.values(answer.still_unreadable).reduce((a, b) => a + b, 0))} still unreadable${answer.finished ? '' : '; more wait: replay again'}</span>`}
    ${state.error && html`<${Failure} error=${state.error} />`}</span>`;
}
