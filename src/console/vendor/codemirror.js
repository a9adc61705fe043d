// What an editor of SQL needs of CodeMirror 6.
export {
  acceptCompletion, autocompletion, closeBrackets, closeBracketsKeymap, closeCompletion, completionKeymap,
  completionStatus, startCompletion,
} from "@codemirror/autocomplete";
export { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
export { PostgreSQL, SQLDialect, StandardSQL, keywordCompletionSource, schemaCompletionSource, sql } from "@codemirror/lang-sql";
export {
  HighlightStyle, bracketMatching, defaultHighlightStyle, indentOnInput, syntaxHighlighting, syntaxTree,
} from "@codemirror/language";
export { highlightSelectionMatches, searchKeymap } from "@codemirror/search";
export { Compartment, EditorSelection, EditorState, Prec, StateEffect, StateField } from "@codemirror/state";
export {
  Decoration, EditorView, ViewPlugin, WidgetType, crosshairCursor, drawSelection, dropCursor, highlightActiveLine,
  highlightActiveLineGutter, highlightSpecialChars, keymap, lineNumbers, placeholder, rectangularSelection,
} from "@codemirror/view";
export { tags } from "@lezer/highlight";
