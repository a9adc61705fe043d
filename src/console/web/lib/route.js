// The address is the state of a page: reload, back and a shared link show the same.
import { signal } from 'preact';

const decoded = (part) => {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;  // A lone % was typed.
  }
};

const current = () => ({
  parts: location.pathname.split('/').filter(Boolean).map(decoded),
  query: Object.fromEntries(new URLSearchParams(location.search)),
});

export const route = signal(current());

// The address of parts and query values; empty values are left out.
export function address(parts, query = {}) {
  const path = '/' + parts.map(encodeURIComponent).join('/');
  const text = new URLSearchParams(
    Object.entries(query).filter(([, value]) => value !== undefined && value !== null && value !== '')).toString();
  return text ? `${path}?${text}` : path;
}

export function navigate(to, { replace = false } = {}) {
  if (to !== location.pathname + location.search) history[replace ? 'replaceState' : 'pushState'](null, '', to);
  const moved = route.peek().parts[0] !== current().parts[0];
  route.value = current();
  if (moved) window.scrollTo(0, 0);
}

// Changes some of the query's values in place.
export function setQuery(values, { push = false } = {}) {
  const { parts, query } = route.peek();
  navigate(address(parts, { ...query, ...values }), { replace: !push });
}

addEventListener('popstate', () => { route.value = current(); });

// Links within the console change the page without loading it again.
addEventListener('click', (event) => {
  if (event.defaultPrevented || event.button !== 0) return;
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  const link = event.target.closest?.('a[href^="/"]');
  if (!link || link.target || link.hasAttribute('download')) return;
  if (/^\/(api|assets|metrics)\b/.test(link.getAttribute('href'))) return;
  event.preventDefault();
  navigate(link.getAttribute('href'));
});
