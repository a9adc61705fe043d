// Values from the API, for pages.
import { useEffect, useRef, useState } from 'preact';

import { get } from './api.js';
import { follow } from './live.js';

const NOTHING = { value: null, error: null, loading: true, at: 0 };

// {value, error, loading, at, reload}: the answer of a GET, asked again every `everyMs` while the
// page is visible. The last value stays while an error is shown. `path` null: asks nothing.
export function useResource(path, everyMs = 0) {
  const [state, setState] = useState({ path, ...NOTHING });
  const reload = useRef(() => {});
  useEffect(() => {
    if (path === null) {
      setState({ path, ...NOTHING, loading: false });
      return undefined;
    }
    const gone = new AbortController();
    let timer = null;
    let asking = false;
    let again = false;
    const ask = async () => {
      clearTimeout(timer);
      if (asking) {
        again = true;
        return;
      }
      asking = true;
      try {
        const value = await get(path, { signal: gone.signal });
        setState({ path, value, error: null, loading: false, at: Date.now() });
      } catch (error) {
        if (error.name === 'AbortError') return;
        setState((before) => ({ ...before, error, loading: false }));
      } finally {
        asking = false;
      }
      if (gone.signal.aborted) return;
      if (again) {
        again = false;
        ask();
      } else if (everyMs) {
        timer = setTimeout(ask, document.hidden ? 10 * everyMs : everyMs);
      }
    };
    const back = () => everyMs && !document.hidden && ask();
    document.addEventListener('visibilitychange', back);
    setState({ path, ...NOTHING });
    reload.current = ask;
    ask();
    return () => { gone.abort(); clearTimeout(timer); document.removeEventListener('visibilitychange', back); };
  }, [path, everyMs]);
  // Until the effect has run, the state is that of the path before.
  return { ...(state.path === path ? state : NOTHING), reload: () => reload.current() };
}

// The last value of a live channel, as {value, error, loading, at}. Until the first event, the value
// of a GET of the same name.
export function useChannel(name) {
  const first = useResource(`/api/${name}`);
  const [live, setLive] = useState({ value: null, at: 0 });
  useEffect(() => {
    const channel = follow(name);
    const end = channel.value.subscribe((last) => last && setLive(last));
    return () => { end(); channel.leave(); };
  }, [name]);
  return live.value ? { value: live.value, error: null, loading: false, at: live.at } : first;
}

// Draws again every `everyMs`, for ages.
export function useNow(everyMs = 1000) {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return now;
}

// The width in pixels of the element that a ref holds.
export function useWidth(ref, first = 600) {
  const [width, setWidth] = useState(first);
  useEffect(() => {
    const watch = new ResizeObserver(([{ contentRect }]) => contentRect.width > 0 && setWidth(Math.floor(contentRect.width)));
    watch.observe(ref.current);
    return () => watch.disconnect();
  }, []);
  return width;
}
