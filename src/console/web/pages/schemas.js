// Subjects of the schema registry: versions, what each changed in words, and the check of a pasted schema.
import { html, useRef, useState } from 'preact';

import { post, refusal } from '../lib/api.js';
import * as f from '../lib/format.js';
import { useResource } from '../lib/resource.js';
import { address, navigate, route, setQuery } from '../lib/route.js';
import { Empty, Failure, Head, Loaded, Panel } from '../parts/panel.js';
import { State } from '../parts/state.js';
import { DataTable } from '../parts/table.js';

export function Page() {
  const subject = route.value.parts[1];
  return subject ? html`<${Subject} key=${subject} name=${subject} />` : html`<${Head} title="Schemas" /><${Subjects} />`;
}

function Subjects() {
  const subjects = useResource('/api/subjects', 30000);
  return html`<${Panel} title="Subjects"><${Loaded} of=${subjects} what="the subjects">${(value) => {
    if (value.subjects.length === 0) return html`<${Empty} title="No subject yet" next=${value.remedy}>The registry answers, and has no schema.<//>`;
    return html`<${DataTable} caption="Subjects" rows=${value.subjects} rowKey=${(s) => s.subject} sort="subject"
      open=${(s) => navigate(address(['schemas', s.subject]))} columns=${[
        { key: 'subject', title: 'subject', long: true, draw: (s) => html`<a href=${address(['schemas', s.subject])}>${s.subject}</a>` },
        { key: 'latest', title: 'newest version', number: true, draw: (s) => f.count(s.latest) },
        { key: 'id', title: 'id', number: true, draw: (s) => s.id ?? f.unknown },
        { key: 'type', title: 'type', draw: (s) => s.type ?? html`<span class="dim">${s.latest_unknown}</span>` },
      ]} />`;
  }}<//><//>`;
}

function Subject({ name }) {
  const subject = useResource(`/api/subjects/${encodeURIComponent(name)}`, 30000);
  return html`<${Head} title=${name} path=${[['Schemas', '/schemas']]} />
    <${Loaded} of=${subject} what="the versions" missing="There is no such subject">${(value) => {
    const versions = [...value.versions].reverse();
    const shown = versions.find((v) => String(v.version) === route.value.query.version) ?? versions[0];
    return html`<div class="beside">
        <div class="stack"><${Text} schema=${shown} /><${Check} name=${name} level=${value.level} newest=${versions[0]} /></div>
        <${Versions} versions=${versions} shown=${shown} value=${value} /></div>`;
  }}<//>`;
}

// The newest first. Each says what changed since the one below it.
const Versions = ({ versions, shown, value }) => html`<${Panel} title="Versions" aside=${html`<span class="tag">${value.level}</span>`}>
  <ol class="versions">${versions.map((v) => html`<li key=${v.version}>
    <div class="row"><button class="button ${v === shown ? 'main' : ''}" aria-pressed=${v === shown} onClick=${() => setQuery({ version: v.version })}>Version ${v.version}</button>
      <span class="dim">id ${v.id}</span></div>
    <${Changes} of=${v} /></li>`)}</ol>
  ${value.versions_left_out > 0 && html`<p class="dim">${f.plural(value.versions_left_out, 'older version')} not shown.</p>`}<//>`;

function Changes({ of }) {
  if (of.change_unknown) return html`<p class="dim">Not compared: ${of.change_unknown}</p>`;
  if (!of.change) return html`<p class="dim">The first one shown.</p>`;
  return html`<${ChangeList} change=${of.change} />`;
}

const ChangeList = ({ change }) => html`
  ${change.changes.length === 0 ? html`<p class="dim">No change that readers or writers would notice.</p>`
    : html`<ul class="words">${change.changes.map((line) => html`<li class="break">${line}</li>`)}</ul>`}`;

function Text({ schema }) {
  let text = schema.schema;
  try {
    text = JSON.stringify(JSON.parse(schema.schema), null, 2);
  } catch {
    // A schema of another type is shown as it is.
  }
  return html`<${Panel} title=${`Version ${schema.version}, ${schema.type}`} aside=${navigator.clipboard && html`
    <button class="button quiet" onClick=${() => navigator.clipboard.writeText(text)}>Copy</button>`}>
    <pre tabindex="0">${text}</pre>
    ${schema.references.length > 0 && html`<p class="dim">Refers to ${schema.references.map((r) => `${r.name} (${r.subject} ${r.version})`).join(', ')}.</p>`}<//>`;
}

function Check({ name, level, newest }) {
  const [text, setText] = useState('');
  const [state, setState] = useState({});
  const now = useRef(text);
  now.current = text;
  const check = async (event) => {
    event.preventDefault();
    setState({ working: true });
    let answer;
    try {
      answer = { verdict: await post(`/api/subjects/${encodeURIComponent(name)}/check`, { schema: text }) };
      if (answer.verdict.state === 'not_allowed') answer = { error: refusal(answer.verdict) };
    } catch (error) {
      answer = { error };
    }
    if (now.current === text) setState(answer);
  };
  const start = () => { setText(JSON.stringify(JSON.parse(newest.schema), null, 2)); setState({}); };
  return html`<${Panel} title="Could this be the next version?" aside=${html`<span class="dim">compatibility ${level}</span>`}>
    <form class="stack" onSubmit=${check}>
      <label class="field">A schema<textarea rows="10" spellcheck="false" value=${text} onInput=${(e) => { setText(e.target.value); setState({}); }}></textarea></label>
      <div class="row"><button class="button main" disabled=${!text || state.working}>Check</button>
        ${newest.type === 'AVRO' && html`<button type="button" class="button" onClick=${start}>Start from version ${newest.version}</button>`}</div>
    </form>
    <div role="status">${state.error && html`<${Failure} error=${state.error} />`}${state.verdict && html`<${Verdict} verdict=${state.verdict} />`}</div><//>`;
}

function Verdict({ verdict }) {
  if (!verdict.valid) return html`<div class="note bad"><${State} is="down" word="not a valid schema" /><${Reasons} of=${verdict.reasons ?? []} /></div>`;
  const with_ = verdict.versions?.length > 1 ? `versions ${verdict.versions[0]} to ${verdict.versions.at(-1)}` : `version ${verdict.versions?.[0]}`;
  return html`<div class="note ${verdict.compatible ? '' : 'bad'} stack">
    <${State} is=${verdict.compatible ? 'up' : 'down'} word=${verdict.first_version ? 'it would be the first version'
    : `${verdict.compatible ? 'compatible' : 'incompatible'} with ${with_} under ${verdict.level}`} />
    <${Reasons} of=${verdict.reasons ?? []} />
    ${verdict.change && html`<h3>What changes</h3><${ChangeList} change=${verdict.change} />
      ${verdict.change.order && html`<p>${verdict.change.order}</p>`}`}
    ${verdict.change_unknown && html`<p class="dim">Not compared: ${verdict.change_unknown}</p>`}</div>`;
}

const Reasons = ({ of }) => of.length > 0 && html`<ul class="words">${of.map((reason) => html`<li class="break">${reason}</li>`)}</ul>`;
