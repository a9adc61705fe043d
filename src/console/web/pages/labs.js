// Labs: their list, and a lab with its question, check and hints beside a live picture of its topic and tables.
import { html, useEffect, useState } from 'preact';

import { post } from '../lib/api.js';
import * as f from '../lib/format.js';
import { Blocks, blocksOf } from '../lib/markdown.js';
import { useResource } from '../lib/resource.js';
import { address, route } from '../lib/route.js';
import { Change } from '../parts/change.js';
import { LabPicture } from '../parts/lab_picture.js';
import { Failure, Head, Loaded, Panel } from '../parts/panel.js';
import { DataTable } from '../parts/table.js';

const LOOK_EVERY_MS = 3000;
const MISSING = 'Labs run in a terminal';

export const Page = () => route.value.parts[1] ? html`<${LabPage} number=${route.value.parts[1]} key=${route.value.parts[1]} />` : html`<${Labs} />`;

const Progress = ({ is }) => is === 'passed' ? html`<span class="state up">passed</span>` : is ? html`<span class="tag">${is}</span>` : '';

function Labs() {
  const answer = useResource('/api/labs');
  return html`<${Head} title="Labs" /><${Loaded} of=${answer} what="the labs" missing=${MISSING}>${({ labs }) => html`
    <${Panel} title="Take one concept, break it, and have your work checked" aside=${html`<span class="dim">${labs.filter((lab) => lab.progress === 'passed').length} of ${labs.length} passed</span>`}>
      <${DataTable} caption="Labs" rows=${labs} rowKey=${(lab) => lab.number} filter=${false} columns=${[
    { key: 'number', title: 'lab', number: true },
    { key: 'title', title: 'title', draw: (lab) => html`<a href=${address(['labs', String(lab.number)])}>${lab.title}</a>` },
    { key: 'concept', title: 'concept', long: true },
    { key: 'minutes', title: 'minutes', number: true },
    { key: 'progress', title: 'progress', draw: (lab) => html`<${Progress} is=${lab.progress} />` },
  ]} /><//>`}<//>`;
}

function LabPage({ number }) {
  const path = `/api/labs/${encodeURIComponent(number)}`;
  const answer = useResource(path);
  const [own, setOwn] = useState({ value: null, at: 0 });  // The answer of the last act on this page.
  const newest = own.at > answer.at ? { ...answer, ...own, error: null } : answer;
  const title = newest.value?.title ? `Lab ${number}: ${newest.value.title}` : `Lab ${number}`;
  return html`<${Head} title=${title} path=${[['Labs', '/labs']]}><${Progress} is=${newest.value?.progress} /><//>
    <${Loaded} of=${newest} what="the lab" missing=${MISSING}>${(lab) => html`<div class="split">
      <${Panel} label="The lab's page"><div class="document lab-page"><${Blocks} blocks=${blocksOf(lab.page).slice(1)} /></div><//>
      <${Work} lab=${lab} path=${path} changed=${(value) => setOwn({ value, at: Date.now() })} reload=${answer.reload} /></div>`}<//>`;
}

const IN_PROGRESS = { start: 'Preparing the topic and the folder…', check: 'Checking…' };

const OWN_BROKERS = 'The brokers of this lab are deleted too, with all that they have.';

// What the student does, and what came of it.
function Work({ lab, path, changed, reload }) {
  const about = useResource('/api/about');
  const [doing, setDoing] = useState('');
  const [error, setError] = useState(null);
  const act = async (name, body) => {
    setError(null);
    setDoing(name);
    try {
      changed(await post(`${path}/${name}`, body));
    } finally {
      setDoing('');
    }
  };
  // Whoever has signed in needs no dialog, except to delete.
  const button = ({ name, label, title, plan, body = {}, confirm, disabled, main = true }) => about.value?.may_change && !confirm
    ? html`<button class=${`button ${main ? 'main' : ''}`} disabled=${disabled || doing !== ''} onClick=${() => act(name, body).catch(setError)}>${label}</button>`
    : html`<${Change} label=${label} title=${title} plan=${() => plan} confirm=${confirm} disabled=${disabled || doing !== ''}
        act=${() => act(name, { ...body, confirm })} done=${() => 'Done.'} after=${about.reload} />`;
  return html`<div class="stack">
    ${error && html`<${Failure} error=${error} />`}
    ${IN_PROGRESS[doing] && html`<p role="status" class="note">${IN_PROGRESS[doing]}</p>`}
    ${!lab.started ? html`<${Start} lab=${lab} button=${button} />` : html`
      <${Now} path=${path} lab=${lab} reload=${reload} />
      <${Prediction} lab=${lab} button=${button} />
      <${Check} lab=${lab} button=${button} />`}
    ${lab.why && html`<${Panel} title="Why it is so"><${Why} text=${lab.why} /><//>`}
    ${lab.started && html`<${Hints} lab=${lab} button=${button} />
      <${Panel} title="Start over"><p class="row">
      ${button({ name: 'reset', label: 'Reset', title: `Start lab ${lab.number} over`, confirm: `lab ${lab.number}`,
    plan: html`<p>Deletes the topic ${lab.topic} and all that is in ${lab.folder}, your changes too, and prepares both again. ${lab.own_brokers && OWN_BROKERS}</p>` })}
      ${button({ name: 'stop', label: 'Stop', title: `Stop lab ${lab.number}`, confirm: `lab ${lab.number}`,
    plan: html`<p>Deletes the topic ${lab.topic}, its groups and the folder ${lab.folder}, your changes too. ${lab.own_brokers && OWN_BROKERS} Your progress is kept.</p>` })}</p><//>`}
  </div>`;
}

const Start = ({ lab, button }) => html`<${Panel} title="Start"><p>It takes about ${f.plural(lab.minutes, 'minute')}. You get your own topic, tables and folder${lab.own_brokers ? ', and brokers that only this lab uses' : ' on the local cluster'}.</p>
  <p>${button({ name: 'start', label: 'Start', title: `Start lab ${lab.number}`, plan: html`<p>Creates a topic and a folder for this lab${lab.own_brokers && ', and starts its brokers'}.</p>` })}</p><//>`;

// The live picture. It also notices what was done in a terminal.
function Now({ path, lab, reload }) {
  const state = useResource(`${path}/state`, LOOK_EVERY_MS);
  const [before, setBefore] = useState(null);
  useEffect(() => {
    const seen = state.value?.attempt;
    if (seen && (state.value.topic !== lab.topic || seen.checks !== lab.checks || seen.hints !== lab.hints.length || seen.prediction !== (lab.prediction ?? ''))) reload();
  }, [state.value]);
  useEffect(() => () => setBefore(state.value), [state.value]);  // Once the next one is there.
  return html`<${Panel} title="Now">
    <dl class="facts"><dt>folder</dt><dd><code class="break">${lab.folder}</code></dd></dl>
    <${Loaded} of=${state} what="the topic and the tables">${(value) => html`<${LabPicture} now=${value} before=${before} />`}<//><//>`;
}

const inWords = (lab, answer) => lab.choices[answer] ? `${answer} (${lab.choices[answer]})` : answer;

function Prediction({ lab, button }) {
  const [answer, setAnswer] = useState('');
  const choices = Object.entries(lab.choices);
  if (lab.prediction) return html`<${Panel} title="Your prediction"><p>${lab.question}</p><p><b>${inWords(lab, lab.prediction)}</b></p><//>`;
  return html`<${Panel} title="Predict first"><fieldset class="plain-set stack"><legend>${lab.question}</legend>
      ${choices.length === 0 ? html`<label class="field">A whole number<input inputmode="numeric" value=${answer} onInput=${(e) => setAnswer(e.target.value.trim())} /></label>`
    : choices.map(([name, text]) => html`<label><input type="radio" name="prediction" value=${name} checked=${answer === name} onChange=${() => setAnswer(name)} />${name}) ${text}</label>`)}
    </fieldset>
    <p>${button({ name: 'predict', label: 'Predict', title: 'Predict the result', body: { answer }, disabled: !/^\w+$/.test(answer), plan: html`<p>Keeps your answer: ${inWords(lab, answer)}. It cannot be changed after the first check.</p>` })}</p><//>`;
}

const Check = ({ lab, button }) => html`<${Panel} title="Check">
  <p>${button({ name: 'check', label: 'Check', title: `Check lab ${lab.number}`, disabled: !lab.prediction, plan: html`<p>Looks at your topic, tables and files, and may run your programs.</p>` })}
    ${!lab.prediction && html` <span class="dim">after your prediction</span>`}</p>
  <div role="status">${lab.finding && html`<${Finding} lab=${lab} finding=${lab.finding} />`}</div><//>`;

function Finding({ lab, finding }) {
  const right = lab.prediction === finding.answer;
  const facts = [['saw', finding.saw], ['expected', finding.expected], ['example', finding.example],
    ['answer', finding.answer && `${right ? 'As you predicted' : `You predicted ${inWords(lab, lab.prediction)}; it is`}: ${inWords(lab, finding.answer)}.`],
    ['because', finding.answer && finding.evidence]];
  return html`<div class="stack"><p><span class="state ${finding.passed ? 'up' : 'degraded'}">${finding.passed ? 'PASSED' : 'NOT YET'}</span></p>
    <dl class="facts">${facts.filter(([, text]) => text).map(([label, text]) => html`<dt>${label}</dt><dd class="lines">${text}</dd>`)}</dl></div>`;
}

const Hints = ({ lab, button }) => html`<${Panel} title="Hints" aside=${html`<span class="dim">${lab.hints.length} of ${lab.hints_in_all}</span>`}>
  ${lab.hints.length > 0 && html`<ol class="words stack">${lab.hints.map((hint) => html`<li><div class="document"><${Blocks} blocks=${blocksOf(hint)} /></div></li>`)}</ol>`}
  ${lab.hints.length < lab.hints_in_all && html`<p>${button({ name: 'hint', label: 'Next hint', main: false, title: 'The next hint', plan: html`<p>Shows the next of ${lab.hints_in_all} hints, each more detailed than the one before.</p>` })}</p>`}<//>`;

// after.md: words such as WHY in front of indented paragraphs.
function Why({ text }) {
  const sections = [];
  for (const line of text.split('\n')) {
    const begin = /^([A-Z]+) +(.*)/.exec(line);
    if (begin) sections.push({ label: begin[1].toLowerCase(), text: begin[2] });
    else if (sections.length > 0) sections.at(-1).text += line.trim() ? ` ${line.trim()}` : '\n\n';
  }
  return html`<dl class="facts">${sections.map((s) => html`<dt>${s.label}</dt><dd><div class="document"><${Blocks} blocks=${blocksOf(s.text.split('\n\n').map((p) => p.trim()).join('\n\n'))} /></div></dd>`)}</dl>`;
}
