// Consumer groups, and one of them: who reads what, how far behind it is, and the reset of its offsets.
import { html, useEffect, useRef, useState } from 'preact';

import { post, refusal } from '../lib/api.js';
import * as f from '../lib/format.js';
import { useChannel, useResource, useWidth } from '../lib/resource.js';
import { address, navigate, route, setQuery } from '../lib/route.js';
import { Change } from '../parts/change.js';
import { TimeChart } from '../parts/chart.js';
import { Age, Empty, Failure, Figure, Head, Loaded, Panel } from '../parts/panel.js';
import { Prose } from '../parts/prose.js';
import { State } from '../parts/state.js';
import { DataTable } from '../parts/table.js';

export function Page() {
  const name = route.value.parts[1];
  return name ? html`<${Group} key=${name} name=${name} />` : html`<${Head} title="Groups" /><${Groups} />`;
}

// Kafka's names of a group's states: what they mean for its readers.
const STATES = { Stable: 'up', Empty: 'unknown', PreparingRebalance: 'degraded', CompletingRebalance: 'degraded', Assigning: 'degraded', Reconciling: 'degraded', Dead: 'down' };
const WORDS = { Empty: 'no members', PreparingRebalance: 'rebalancing', CompletingRebalance: 'rebalancing', Assigning: 'rebalancing', Reconciling: 'rebalancing', Stable: 'stable', Dead: 'dead' };
const GroupState = ({ group }) => html`<${State} is=${STATES[group.state] ?? 'unknown'} word=${WORDS[group.state] ?? group.state ?? 'unknown'} />`;

function Groups() {
  const groups = useChannel('groups');
  return html`<${Panel} title="Consumer groups" aside=${html`<${Age} at=${groups.at} />`}>
    <${Loaded} of=${groups} what="the groups">${(value) => {
    if (value.unknown) return html`<${Failure} error=${{ kind: 'unavailable', message: value.unknown }} />`;
    if (value.groups.length === 0) return html`<${Empty} title="No group to see" next=${value.remedy}>${value.reason}<//>`;
    return html`<${DataTable} caption="Consumer groups" rows=${value.groups} rowKey=${(g) => g.group} sort="-lag"
      open=${(g) => navigate(address(['groups', g.group]))} columns=${[
        { key: 'group', title: 'group', long: true, draw: (g) => html`<a href=${address(['groups', g.group])}>${g.group}</a>${g.is_lake && html` <span class="tag">lake</span>`}` },
        { key: 'lag', title: 'lag', number: true, draw: (g) => f.count(g.lag) },
        { key: 'state', title: 'state', draw: (g) => g.unknown ? html`<${State} is="unknown" word=${g.unknown} />` : html`<${GroupState} group=${g} />` },
        { key: 'members', title: 'members', number: true, draw: (g) => f.count(g.members) },
        { key: 'protocol', title: 'protocol' },
        { key: 'topics', title: 'topics', long: true, value: (g) => g.topics.join(' ') },
        { key: 'coordinator', title: 'coordinator', number: true, draw: (g) => g.coordinator ?? f.unknown },
      ]} />`;
  }}<//><//>`;
}

function Group({ name }) {
  const path = `/api/groups/${encodeURIComponent(name)}`;
  const group = useResource(path, 2000);
  const history = useLanes(group);
  return html`<${Head} title=${name} path=${[['Groups', '/groups']]} />
    <${Loaded} of=${group} what="the group">${(value) => {
    if (value.exists === false && !value.is_lake) return html`<${Panel}><${Empty} title="There is no such group" next=${value.remedy}>${value.reason}<//><//>`;
    return html`${value.is_lake && html`<p class="note">This group reads for a lake. The lake's own table decides where it continues; the offsets committed to Kafka are only for displays.</p>`}
      <${Lag} path=${path} group=${value} at=${group.at} />
      <${Lanes} group=${value} samples=${history} />
      <${Partitions} group=${value} />
      ${!value.is_lake && html`<${Reset} name=${name} group=${value} after=${group.reload} />`}`;
  }}<//>`;
}

function sumOf(partitions, key) {
  return partitions.some((p) => p[key] === null || p[key] === undefined) ? null : partitions.reduce((sum, p) => sum + p[key], 0);
}

function Lag({ path, group, at }) {
  const span = route.value.query.span ?? 'hour';
  const history = useResource(`${path}/lag?span=${span}`, span === 'hour' ? 5000 : 60000);
  const lag = group.lag_unknown ? null : sumOf(group.partitions, 'lag');
  const oldest = group.partitions.reduce((most, p) => p.lag_ms === null || p.lag_ms === undefined ? most : Math.max(most ?? 0, p.lag_ms), null);
  const [figure, unit] = f.compact(lag);
  const past = history.value;
  // The lake's is measured with its rates; of another group it follows from the change of its lag.
  const rates = group.is_lake && group.clear_seconds !== undefined ? group : past ?? {};
  const [clear, clearUnit] = rates.never_clears ? [f.unknown, ''] : f.span(rates.clear_seconds);
  const spans = html`<nav class="row" aria-label="Span">${[['hour', '1 hour'], ['day', '24 hours']].map(([key, title]) => html`
    <button class="button ${span === key ? 'main' : ''}" aria-pressed=${span === key} onClick=${() => setQuery({ span: key })}>${title}</button>`)}</nav>`;
  return html`<div class="grid">
      <${Figure} title="Lag" value=${figure} unit=${unit} at=${at} note=${group.lag_unknown ? group.lag_unknown : lag === null ? 'unknown in some partition' : `${f.plural(group.partitions.length, 'partition')}`} />
      <${Figure} title="Oldest unread record" value=${f.span(oldest === null ? null : oldest / 1000)[0]} unit=${f.span(oldest === null ? null : oldest / 1000)[1]} note=${oldest === null ? 'nothing waits, or its age is unknown' : 'since it was sent'} />
      <${Figure} title="Clears in" value=${clear} unit=${clearUnit} note=${rates.partitions_left_out ? 'the history lacks partitions' : rates.never_clears ? 'it does not shrink' : lag === 0 ? 'nothing waits' : 'at the rates of the last minute'} />
      <${Figure} title="Members" value=${f.count(group.members.length)} note=${html`<${GroupState} group=${group} />`} />
    </div>
    <${Panel} title="Lag over time" aside=${spans}><${Loaded} of=${history} what="the history">${(value) => value.unknown || value.at_ms.length === 0
    ? html`<p class="loading">${value.unknown ?? 'No points yet.'}</p>`
    : html`${value.partitions_left_out > 0 ? html`<p>It lacks ${f.plural(value.partitions_left_out, 'partition')}: the console remembers a limited number.</p>` : ''}<${TimeChart} title=${`Records behind, ${span === 'hour' ? 'of each sample' : 'the most of each minute'}`} times=${value.at_ms.map((ms) => ms / 1000)}
        series=${[{ label: 'lag', values: value.records, color: '--accent' }]} />`}<//><//>`;
}

// What was seen of the members while the page is open.
const MOST_SAMPLES = 180;

function useLanes(group) {
  const samples = useRef([]);
  const [, draw] = useState(0);
  useEffect(() => {
    if (!group.value?.members) return;
    const partitions = (member) => Object.values(member.partitions).reduce((sum, list) => sum + list.length, 0);
    samples.current.push({
      at: group.at, pause: /Rebalance|Assigning|Reconciling/.test(group.value.state ?? ''),
      members: Object.fromEntries(group.value.members.map((m) => [m.member, partitions(m)])),
    });
    samples.current = samples.current.slice(-MOST_SAMPLES);
    draw((n) => n + 1);
  }, [group.at]);
  return samples.current;
}

const LANE = 18;

function Lanes({ group, samples }) {
  const box = useRef(null);
  const width = useWidth(box, 400);
  const names = [...new Set([...group.members.map((m) => m.member), ...samples.flatMap((s) => Object.keys(s.members))])].sort();
  const now = Object.fromEntries(group.members.map((m) => [m.member, m]));
  const reads = (member) => member ? Object.entries(member.partitions).map(([topic, list]) => `${topic}: ${list.length ? list.join(', ') : 'nothing'}`).join('; ') || 'nothing' : 'left';
  const cells = Math.max(30, samples.length);
  const step = width / cells;
  const over = samples.length > 1 ? f.duration((samples.at(-1).at - samples[0].at) / 1000) : '';
  return html`<${Panel} title="Members" label="Members over time" aside=${html`<span class="dim">${over && `as seen over ${over}, since the page was opened`}</span>`}>
    ${names.length === 0 && html`<p class="loading">No member reads now.</p>`}
    <div class="lanes" ref=${box}>${names.map((name) => html`<div class="lane" key=${name}>
      <span class="break">${name}</span><span class="dim break">${reads(now[name])}</span>
      <svg width=${width} height=${LANE} role="img" aria-label=${`${name}: in the group for ${samples.filter((s) => name in s.members).length} of ${samples.length} looks, ${samples.filter((s) => s.pause).length} of them in a rebalance`}>
        <rect class="none" width=${width} height=${LANE} rx="3" />
        ${samples.map((s, i) => name in s.members && html`<rect class=${s.pause ? 'pause' : s.members[name] > 0 ? 'reads' : 'idle'} x=${(cells - samples.length + i) * step} width=${Math.max(step - 0.3, 0.5)} height=${LANE} />`)}
      </svg></div>`)}</div>
    ${names.length > 0 && html`<ul class="key lanes"><li><i class="reads"></i>reads</li><li><i class="idle"></i>has no partition</li><li><i class="pause"></i>rebalance</li></ul>`}<//>`;
}

function Partitions({ group }) {
  if (group.partitions.length === 0) {
    return html`<${Panel} title="Partitions"><p class="loading">${group.lag_unknown ?? 'It has committed no offset, and no member reads a partition.'}</p><//>`;
  }
  const most = Math.max(1, ...group.partitions.map((p) => p.lag ?? 0));
  return html`<${Panel} title="Partitions"><${DataTable} caption="Partitions" rows=${group.partitions} rowKey=${(p) => `${p.topic} ${p.partition}`} sort="-lag" columns=${[
    { key: 'partition', title: 'partition', value: (p) => `${p.topic} ${p.partition}`, draw: (p) => html`<a href=${address(['kafka', 'topics', p.topic], { show: 'messages', partitions: p.partition })}>${p.topic}</a> ${p.partition}` },
    { key: 'lag', title: 'lag', number: true, draw: (p) => p.unknown ? html`${f.unknown} <span class="dim">${p.unknown}</span>` : html`<svg class="lag-bar" width="60" height="8" aria-hidden="true"><rect class="behind" width=${60 * (p.lag ?? 0) / most} height="8" rx="1" /></svg> <span class="nowrap">${f.count(p.lag)}</span>` },
    { key: 'lag_ms', title: 'age', number: true, draw: (p) => html`<span class="nowrap">${f.duration(p.lag_ms === null || p.lag_ms === undefined ? null : p.lag_ms / 1000)}</span>` },
    ...(group.is_lake ? [{ key: 'lake', title: 'in the lake', number: true, draw: (p) => f.count(p.lake) }] : []),
    { key: 'committed', title: 'committed', number: true, draw: (p) => f.count(p.committed) },
    ...(group.is_lake ? [] : [{ key: 'end', title: 'end', number: true, draw: (p) => f.count(p.end) }]),
    { key: 'member', title: 'member', long: true, draw: (p) => p.member ?? html`<span class="dim">none</span>` },
    ...(group.partitions.some((p) => p.note) ? [{ key: 'note', title: 'note', long: true, draw: (p) => p.note ? html`<${Prose} text=${p.note} />` : '' }] : []),
  ]} /><//>`;
}

const TARGETS = [['earliest', 'the oldest record'], ['latest', 'the end'], ['time', 'a time'], ['offset', 'an offset']];

function Reset({ name, group, after }) {
  const [to, setTo] = useState('earliest');
  const [time, setTime] = useState('');
  const [offset, setOffset] = useState('0');
  const [topic, setTopic] = useState('');
  const [plan, setPlan] = useState({});
  const topics = [...new Set(group.partitions.map((p) => p.topic))];
  const body = () => ({
    to, ...(to === 'time' ? { time } : {}), ...(to === 'offset' ? { offset: Number(offset) } : {}),
    ...(topic ? { topics: { [topic]: [] } } : {}),
  });
  const changed = (set) => (event) => { set(event.target.value); setPlan({}); };
  const now = useRef(null);
  now.current = JSON.stringify(body());
  const ask = async (event) => {
    event.preventDefault();
    const asked = body();
    let answer;
    try {
      answer = { asked, value: await post(`/api/groups/${encodeURIComponent(name)}/reset/plan`, asked) };
      if (answer.value.state === 'not_allowed') answer = { error: refusal(answer.value) };
    } catch (error) {
      answer = { error };
    }
    // What was changed meanwhile needs a plan of its own.
    if (now.current === JSON.stringify(asked)) setPlan(answer);
  };
  const ready = plan.value?.possible;
  const what = `${TARGETS.find(([key]) => key === to)[1]}${to === 'time' ? ` ${time}` : to === 'offset' ? ` ${offset}` : ''}`;
  return html`<${Panel} title="Reset the offsets">
    <form class="row" onSubmit=${ask}>
      <label>to <select value=${to} onChange=${changed(setTo)}>${TARGETS.map(([key, title]) => html`<option value=${key}>${title}</option>`)}</select></label>
      ${to === 'time' && html`<label>UTC <input value=${time} placeholder="2025-10-24T08:15:30Z" required onInput=${changed(setTime)} /></label>`}
      ${to === 'offset' && html`<label>offset <input type="number" min="0" value=${offset} required onInput=${changed(setOffset)} /></label>`}
      <label>in <select value=${topic} onChange=${changed(setTopic)}><option value="">all that it has committed</option>${topics.map((t) => html`<option>${t}</option>`)}</select></label>
      <button class="button">Show what it would change</button>
      <${Change} label="Reset" title=${`Reset ${name}`} confirm=${name} disabled=${!ready} after=${() => { setPlan({}); after(); }}
        plan=${() => html`<p>Moves ${f.plural(plan.value?.partitions.length ?? 0, 'partition')} of the group to ${what}.</p><${PlanTable} plan=${plan.value} />`}
        act=${() => post(`/api/groups/${encodeURIComponent(name)}/reset`, { ...plan.asked, confirm: name })}
        done=${(receipt) => receipt.done ? 'The group continues at the new offsets.' : 'Some partitions are not as planned: see their notes.'} />
    </form>
    ${plan.error && html`<${Failure} error=${plan.error} />`}
    ${plan.value && html`<${PlanTable} plan=${plan.value} /><p class="dim">Nothing was changed. ${ready ? 'Reset does it, once the group has no members.' : 'Some partitions cannot be reset this way: see their notes.'}</p>`}<//>`;
}

const PlanTable = ({ plan }) => plan ? html`<${DataTable} caption="What would change" name="plan_" filter=${false} rows=${plan.partitions} rowKey=${(p) => `${p.topic} ${p.partition}`} columns=${[
  { key: 'partition', title: 'partition', value: (p) => `${p.topic} ${p.partition}` },
  { key: 'before', title: 'before', number: true, draw: (p) => f.count(p.before) },
  { key: 'after', title: 'after', number: true, draw: (p) => f.count(p.after) },
  { key: 'lag', title: 'lag then', number: true, draw: (p) => f.count(p.lag) },
  { key: 'note', title: 'note', long: true, draw: (p) => p.note ?? '' },
]} />` : null;
