// The editor for SQL: CodeMirror in a shadow root, where its styles need no exception from the
// content security policy.
import { html, useEffect, useRef } from 'preact';

const theme = (EditorView) => EditorView.theme({
  '&': { color: 'var(--text)', backgroundColor: 'var(--panel)', font: '13px var(--mono)', minHeight: '120px' },
  '.cm-content': { caretColor: 'var(--text)', fontFamily: 'var(--mono)', padding: '8px 0' },
  '.cm-cursor': { borderLeftColor: 'var(--text)' },
  '.cm-gutters': { backgroundColor: 'var(--background)', color: 'var(--dim)', border: 'none' },
  '.cm-activeLine, .cm-activeLineGutter': { backgroundColor: 'color-mix(in srgb, var(--accent-soft) 45%, transparent)' },
  '&.cm-focused': { outline: '2px solid var(--accent)' },
  '&.cm-focused .cm-selectionBackground, .cm-selectionBackground': { backgroundColor: 'var(--accent-soft) !important' },
  '.cm-tooltip': { backgroundColor: 'var(--panel)', color: 'var(--text)', border: '1px solid var(--line)', borderRadius: '6px' },
  '.cm-tooltip-autocomplete ul li[aria-selected]': { backgroundColor: 'var(--accent-soft)', color: 'var(--text)' },
});

// value: the first text, and one that replaces it whenever it changes; onChange(text), onRun().
// tables: {name: [column, ...]} for completion.
export function SqlEditor({ value, tables, onChange, onRun }) {
  const host = useRef(null);
  const editor = useRef(null);
  const calls = useRef({});
  calls.current = { onChange, onRun, tables };

  useEffect(() => {
    let gone = false;
    import('../vendor/codemirror.js').then((cm) => {
      if (gone) return;
      const root = host.current.shadowRoot ?? host.current.attachShadow({ mode: 'open' });
      const language = new cm.Compartment();
      const colours = cm.HighlightStyle.define([
        { tag: cm.tags.keyword, color: 'var(--accent)', fontWeight: '600' }, { tag: cm.tags.string, color: 'var(--asia)' },
        { tag: cm.tags.number, color: 'var(--us)' }, { tag: cm.tags.comment, color: 'var(--dim)', fontStyle: 'italic' },
        { tag: cm.tags.function(cm.tags.variableName), color: 'var(--eu)' }]);
      const view = new cm.EditorView({
        parent: root, root, doc: value,
        extensions: [
          cm.Prec.highest(cm.keymap.of([{ key: 'Mod-Enter', run: () => { calls.current.onRun(); return true; } }])),
          cm.lineNumbers(), cm.history(), cm.drawSelection(), cm.bracketMatching(), cm.closeBrackets(), cm.autocompletion(),
          cm.highlightActiveLine(), cm.syntaxHighlighting(colours),
          // Tab leaves the editor, as everywhere on the page.
          cm.keymap.of([...cm.closeBracketsKeymap, ...cm.defaultKeymap, ...cm.historyKeymap, ...cm.completionKeymap]),
          language.of(cm.sql({ dialect: cm.PostgreSQL, schema: calls.current.tables })), cm.EditorView.lineWrapping, theme(cm.EditorView),
          cm.EditorView.contentAttributes.of({ 'aria-label': 'SQL. Control Enter runs it; Tab leaves the editor.' }),
          cm.EditorView.updateListener.of((update) => update.docChanged && calls.current.onChange(update.state.doc.toString())),
        ],
      });
      editor.current = { view, setTables: (schema) => view.dispatch({ effects: language.reconfigure(cm.sql({ dialect: cm.PostgreSQL, schema })) }) };
    });
    return () => { gone = true; editor.current?.view.destroy(); editor.current = null; };
  }, []);

  useEffect(() => editor.current?.setTables(tables), [tables]);
  useEffect(() => {
    const view = editor.current?.view;
    if (view && view.state.doc.toString() !== value) view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: value } });
  }, [value]);
  return html`<div class="editor" ref=${host}></div>`;
}
