import { syntaxTree } from '@codemirror/language';
import { RangeSetBuilder } from '@codemirror/state';
import {
  Decoration,
  type DecorationSet,
  type EditorView,
  ViewPlugin,
  type ViewUpdate,
} from '@codemirror/view';

/** Classes for what the JSON grammar finds, in what can be seen. */
const marks: Readonly<Record<string, Decoration>> = {
  PropertyName: Decoration.mark({ class: 'json-name' }),
  String: Decoration.mark({ class: 'json-text' }),
  Number: Decoration.mark({ class: 'json-number' }),
  True: Decoration.mark({ class: 'json-word' }),
  False: Decoration.mark({ class: 'json-word' }),
  Null: Decoration.mark({ class: 'json-word' }),
};

export const jsonColours = ViewPlugin.define(
  (view) => {
    const plugin = {
      decorations: decorate(view),
      update({ view, docChanged, viewportChanged, state, startState }: ViewUpdate): void {
        const isParsed = syntaxTree(state) !== syntaxTree(startState);
        if (docChanged || viewportChanged || isParsed) plugin.decorations = decorate(view);
      },
    };
    return plugin;
  },
  { decorations: ({ decorations }) => decorations },
);

function decorate({ state, visibleRanges }: EditorView): DecorationSet {
  const builder = new RangeSetBuilder<Decoration>();
  for (const { from, to } of visibleRanges) {
    syntaxTree(state).iterate({
      from,
      to,
      enter(node) {
        const mark = marks[node.name];
        if (mark) builder.add(node.from, node.to, mark);
      },
    });
  }
  return builder.finish();
}
