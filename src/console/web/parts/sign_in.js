// Sign-in: as a user, which the whole console may need, or with the token that permits changes.
import { html, useState } from 'preact';

import { post } from '../lib/api.js';
import { Head, Panel } from './panel.js';

// send(): what the server gets; done(): after it has let the caller in.
function useSignIn(send, done) {
  const [state, setState] = useState({});
  const run = async (event) => {
    event.preventDefault();
    event.stopPropagation();  // The fields may be in another form.
    setState({ working: true });
    try {
      await post('/api/session', send());
      await done();
      setState({});
    } catch (error) {
      setState({ error });
    }
  };
  return [run, state];
}

const Refused = ({ error }) => error && html`<p class="note bad" role="alert">${error.message}</p>`;

// Instead of any page but the runbook, while nobody is signed in. Afterwards the address shows what it would have shown.
export function SignInPage() {
  const [user, setUser] = useState('');
  const [password, setPassword] = useState('');
  const [send, { working, error }] = useSignIn(() => ({ user, password }), () => location.reload());
  return html`<${Head} title="Sign in" />
    <${Panel} label="Sign in"><form class="stack narrow-form" onSubmit=${send}>
      <label class="field">User<input value=${user} required autocomplete="username" autocapitalize="none" spellcheck="false" onInput=${(e) => setUser(e.target.value)} /></label>
      <label class="field">Password<input type="password" value=${password} required autocomplete="current-password" onInput=${(e) => setPassword(e.target.value)} /></label>
      <${Refused} error=${error} />
      <div class="row"><button class="button main" disabled=${working}>Sign in</button></div>
    </form><p class="dim">The users are those of <code>console.users</code>.</p><//>`;
}

// In a dialog that changes something.
export function TokenSignIn({ signed }) {
  const [token, setToken] = useState('');
  const [send, { working, error }] = useSignIn(() => ({ token }), signed);
  return html`<label class="field">Token (the content of <code>console.token_file</code>)
      <input type="password" value=${token} autocomplete="current-password" onInput=${(e) => setToken(e.target.value)}
        onKeyDown=${(e) => e.key === 'Enter' && send(e)} /></label>
    <p><button type="button" class="button main" disabled=${working} onClick=${send}>Sign in</button></p>
    <${Refused} error=${error} />`;
}

// Who is signed in, and the way out.
export function SignedIn({ about }) {
  const [error, setError] = useState(null);
  if (about.signed_in_as === null) return about.allow_changes ? 'nobody; a change asks for the token' : 'nobody';
  const out = () => post('/api/session/end').then(() => location.reload(), setError);
  return html`<div class="row">${about.signed_in_as === 'token' ? 'by the token' : about.signed_in_as}${
    about.allow_changes && !about.may_change ? ', read-only' : ''}<button class="button" onClick=${out}>Sign out</button></div><${Refused} error=${error} />`;
}
