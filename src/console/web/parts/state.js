// Shape and word for the state of a part of the system.
import { html } from 'preact';

const WORDS = { up: 'up', degraded: 'degraded', down: 'down', not_allowed: 'not allowed to see', unknown: 'unknown' };

export const State = ({ is, word }) => html`<span class="state ${is}">${word ?? WORDS[is] ?? is}</span>`;

// The worst of several states decides.
const ORDER = ['down', 'degraded', 'unknown', 'not_allowed', 'up'];
export const worst = (states) => ORDER.find((state) => states.includes(state)) ?? 'unknown';
