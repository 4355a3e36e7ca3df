import { defaultKeymap, history, historyKeymap, isolateHistory } from '@codemirror/commands';
import { json } from '@codemirror/lang-json';
import {
  bracketMatching,
  foldGutter,
  foldKeymap,
  indentOnInput,
  indentUnit,
} from '@codemirror/language';
import { diagnosticCount, lintKeymap, setDiagnostics } from '@codemirror/lint';
import { highlightSelectionMatches, search, searchKeymap } from '@codemirror/search';
import { EditorState, type Extension } from '@codemirror/state';
import { EditorView, highlightSpecialChars, keymap, lineNumbers } from '@codemirror/view';
import { jsonColours } from './json-colours.ts';
import { lineBreakOf } from './line-break.ts';
import { textDifference } from './text-difference.ts';

/** Where something is wrong, counted from one. */
export interface Mark {
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

export interface Editor {
  /** Changes what differs, in one step that can be undone; the cursor stays with its surroundings. */
  setText(text: string): void;
  mark(mark: Mark | undefined): void;
  focus(): void;
  destroy(): void;
}

export interface EditorOptions {
  /** A shadow root: its styles are adopted there, where the page's policy allows no style elements. */
  readonly root: ShadowRoot;
  readonly label: string;
  readonly text: string;
  readonly onText: (text: string) => void;
}

/** What turns a line around or cannot be seen, beside those that CodeMirror names. */
const UNSEEN = /\p{DI}|[\u202a-\u202c\u2800]/gu;

/** Colours come from the page, light or dark. Pictures in the library's own style would be of `data:`, and refused. */
const theme = EditorView.theme({
  '&': { height: '100%', backgroundColor: 'var(--surface)', color: 'var(--text)' },
  // The page outlines it, where the gutter covers nothing.
  '&.cm-focused': { outline: 'none' },
  '.cm-scroller': { fontFamily: 'var(--mono)', fontSize: '0.92rem', lineHeight: '1.5' },
  '.cm-content': { caretColor: 'var(--text)' },
  '.cm-gutters': {
    backgroundColor: 'var(--raised)',
    color: 'var(--muted)',
    borderRight: '1px solid var(--line)',
  },
  '.json-name': { color: 'var(--json-name)' },
  '.json-text': { color: 'var(--json-text)' },
  '.json-number': { color: 'var(--json-number)' },
  '.json-word': { color: 'var(--json-word)' },
  '.cm-specialChar': { color: 'var(--danger)' },
  '.cm-foldPlaceholder': {
    backgroundColor: 'var(--raised)',
    borderColor: 'var(--line)',
    color: 'var(--text)',
  },
  '&.cm-focused .cm-matchingBracket': { backgroundColor: 'var(--raised)', outline: '1px solid' },
  '&.cm-focused .cm-nonmatchingBracket': { backgroundColor: 'var(--danger-soft)' },
  '.cm-selectionMatch, .cm-searchMatch': {
    backgroundColor: 'var(--raised)',
    outline: '1px solid var(--muted)',
  },
  '.cm-searchMatch.cm-searchMatch-selected': { outline: '2px solid var(--accent)' },
  '.cm-lintRange-error': {
    backgroundImage: 'none',
    textDecoration: 'underline wavy var(--danger)',
  },
  '.cm-lintPoint-error::after': { borderBottomColor: 'var(--danger)' },
  '.cm-tooltip, .cm-panels': {
    backgroundColor: 'var(--surface)',
    color: 'var(--text)',
    borderColor: 'var(--line)',
  },
  '.cm-panel.cm-panel-lint ul [aria-selected]': {
    backgroundColor: 'var(--raised)',
    color: 'var(--text)',
  },
  '.cm-button, .cm-textfield': {
    backgroundImage: 'none',
    backgroundColor: 'var(--surface)',
    color: 'var(--text)',
    border: '1px solid var(--muted)',
    borderRadius: '4px',
  },
  '.cm-panel.cm-search': { padding: '0.4rem 2rem 0.4rem 0.6rem' },
  '.cm-panel.cm-search [name=close]': { color: 'var(--text)', fontSize: '1.2rem' },
});

/**
 * Typing over a selection, done here: Chromium would give what it inserts the look of what was there, as an inline
 * style, which the policy refuses. What a keyboard composes cannot be taken over.
 */
const typedOver = EditorView.domEventHandlers({
  beforeinput({ inputType, data, isComposing }, view) {
    const isTyped = inputType === 'insertText' && data !== null && !isComposing;
    if (!isTyped || view.state.selection.main.empty) return false;
    view.dispatch(view.state.replaceSelection(data), {
      userEvent: 'input.type',
      scrollIntoView: true,
    });
    return true;
  },
});

export function mountEditor({ root, label, text, onText }: EditorOptions): Editor {
  const extensions: Extension = [
    lineNumbers(),
    foldGutter(),
    history(),
    // The default keymap leaves Tab alone: it leads on, as everywhere.
    keymap.of([...defaultKeymap, ...historyKeymap, ...searchKeymap, ...foldKeymap, ...lintKeymap]),
    highlightSpecialChars({ addSpecialChars: UNSEEN }),
    bracketMatching(),
    highlightSelectionMatches(),
    search({ top: true }),
    indentOnInput(),
    indentUnit.of('  '),
    json(),
    jsonColours,
    EditorView.lineWrapping,
    typedOver,
    EditorView.contentAttributes.of(({ state }) => ({
      'aria-label': label,
      // It has the focus without, but axe would not know.
      tabindex: '0',
      'aria-invalid': String(diagnosticCount(state) > 0),
    })),
    EditorView.updateListener.of(({ docChanged, state }) => {
      if (docChanged) onText(state.sliceDoc());
    }),
    theme,
  ];
  const stateOf = (doc: string): EditorState =>
    EditorState.create({
      doc,
      extensions: [extensions, EditorState.lineSeparator.of(lineBreakOf(doc))],
    });
  const view = new EditorView({ root, parent: root, state: stateOf(text) });

  return {
    setText(changed) {
      const { state } = view;
      if (state.sliceDoc() === changed) return;
      const hasBreaks = /[\r\n]/.test(changed);
      if (hasBreaks && state.lineBreak !== lineBreakOf(changed)) {
        return view.setState(stateOf(changed));
      }
      const { head, before, after } = textDifference(
        state.doc.toString(),
        state.toText(changed).toString(),
      );
      const [from, to] = [head.length, head.length + before.length];
      view.dispatch({
        changes: { from, to, insert: state.toText(linesBy(after, state)) },
        annotations: isolateHistory.of('full'),
      });
    },

    mark(mark) {
      const { state } = view;
      if (!mark) {
        if (diagnosticCount(state) > 0) view.dispatch(setDiagnostics(state, []));
        return;
      }
      const line = state.doc.line(Math.min(mark.line, state.doc.lines));
      const from = Math.min(line.from + mark.column - 1, line.to);
      const found = { from, to: Math.min(from + 1, line.to), message: mark.message };
      view.dispatch(setDiagnostics(state, [{ ...found, severity: 'error' }]));
    },

    focus: () => view.focus(),
    destroy: () => view.destroy(),
  };
}

/** What is cut from the editor's own lines, with the breaks that it reads. */
function linesBy(text: string, { lineBreak }: EditorState): string {
  return lineBreak === '\n' ? text : text.replaceAll('\n', lineBreak);
}
