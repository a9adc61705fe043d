// Text of the server, in which `commands` are between backticks.
import { html } from 'preact';

export const Prose = ({ text }) => (text ?? '').split('`').map((piece, i) => i % 2 ? html`<code>${piece}</code>` : piece);
