//! The box that queries are typed in: upstream's PromQL mode for CodeMirror.

import { acceptCompletion, autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap, completionStatus, type CompletionContext, type CompletionResult } from "@codemirror/autocomplete";
import { defaultKeymap, history as undoHistory, historyKeymap } from "@codemirror/commands";
import { bracketMatching, HighlightStyle, indentOnInput, syntaxHighlighting } from "@codemirror/language";
import { lintKeymap } from "@codemirror/lint";
import { EditorState, Prec } from "@codemirror/state";
import { drawSelection, EditorView, highlightSpecialChars, keymap, placeholder } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { PromQLExtension } from "@prometheus-io/codemirror-promql";
import { newCompleteStrategy, type CompleteStrategy } from "@prometheus-io/codemirror-promql/dist/esm/complete/index.js";
import { useEffect, useRef } from "preact/hooks";
import { history, settings, useStore } from "../../base/store.js";
import { root } from "../../page.js";

const colours = HighlightStyle.define([
  { tag: tags.name, color: "var(--text)" },
  { tag: [tags.number, tags.bool], color: "var(--code-number)" },
  { tag: tags.string, color: "var(--code-string)" },
  { tag: [tags.keyword, tags.definitionKeyword, tags.modifier], color: "var(--code-keyword)" },
  { tag: tags.function(tags.variableName), color: "var(--code-function)" },
  { tag: tags.labelName, color: "var(--code-label)" },
  { tag: tags.operator, color: "var(--code-keyword)" },
  { tag: tags.comment, color: "var(--muted)", fontStyle: "italic" },
  { tag: tags.invalid, color: "var(--bad)" },
]);

// Custom properties reach into the shadow root; the page's own rules do not.
const look = EditorView.theme({
  "&": { fontSize: "13.5px", color: "var(--text)", backgroundColor: "transparent" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.5" },
  ".cm-content": { padding: "7px 0", caretColor: "var(--accent)" },
  ".cm-cursor": { borderLeftColor: "var(--accent)", borderLeftWidth: "2px" },
  ".cm-line": { padding: "0 10px" },
  ".cm-placeholder": { color: "var(--muted)", fontFamily: "var(--sans)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": { backgroundColor: "var(--selection)" },
  "&.cm-focused .cm-matchingBracket": { backgroundColor: "var(--selection)", outline: "1px solid var(--line-strong)" },
  ".cm-tooltip": { backgroundColor: "var(--panel)", color: "var(--text)", border: "1px solid var(--line-strong)", borderRadius: "6px", boxShadow: "var(--shadow)" },
  ".cm-tooltip-below": { marginTop: "5px" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul": { fontFamily: "var(--mono)", fontSize: "12.5px", maxHeight: "22em", minWidth: "22em" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li": { padding: "3px 8px", lineHeight: "1.4" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li[aria-selected]": { backgroundColor: "var(--accent-soft)", color: "var(--text)" },
  ".cm-completionMatchedText": { textDecoration: "none", color: "var(--accent)", fontWeight: "600" },
  ".cm-completionDetail": { color: "var(--muted)", fontStyle: "normal", marginLeft: "1.5em" },
  ".cm-tooltip.cm-completionInfo": { padding: "8px 10px", maxWidth: "26em", fontFamily: "var(--sans)", fontSize: "13px" },
  ".cm-completionIcon": { display: "none" },
  ".cm-diagnostic": { fontFamily: "var(--sans)", fontSize: "13px", padding: "5px 9px" },
  ".cm-diagnostic-error": { borderLeft: "3px solid var(--bad)" },
  ".cm-lintRange-error": { backgroundImage: "none", textDecoration: "underline wavy var(--bad) 1px", textUnderlineOffset: "3px" },
  ".cm-lintRange-warning": { backgroundImage: "none", textDecoration: "underline wavy var(--warn) 1px", textUnderlineOffset: "3px" },
});

/** Upstream's completion, and what was asked before. */
class WithHistory implements CompleteStrategy {
  constructor(private readonly inner: CompleteStrategy) {}

  async promQL(context: CompletionContext): Promise<CompletionResult | null> {
    const found = await this.inner.promQL(context);
    const text = context.state.doc.toString();
    if (text !== context.state.sliceDoc(0, context.pos) || !found) return found;
    const past = history.get().slice(0, 30).filter((expr) => expr !== text).map((expr) => ({
      label: expr.length > 80 ? `${expr.slice(0, 79)}…` : expr,
      detail: "asked before",
      apply: (view: EditorView) => view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: expr }, selection: { anchor: expr.length } }),
      boost: -99,
    }));
    return { ...found, options: [...found.options, ...past] };
  }
}

export interface EditorProps {
  /** What to put into the box, each time that it is another object; what is typed does not come back here. */
  given: { text: string };
  onChange: (value: string) => void;
  onRun: () => void;
  isFirst: boolean;
}

export function Editor({ given, onChange, onRun, isFirst }: EditorProps) {
  const host = useRef<HTMLDivElement>(null);
  const text = useRef(given.text);
  const view = useRef<EditorView>(undefined);
  const completes = useStore(settings.completes);
  const checks = useStore(settings.checks);
  const highlights = useStore(settings.highlights);
  const handlers = useRef({ onChange, onRun });
  handlers.current = { onChange, onRun };

  useEffect(() => {
    // CodeMirror writes style elements, which our policy forbids, but for shadow roots, which take sheets.
    const shadow = host.current!.shadowRoot ?? host.current!.attachShadow({ mode: "open" });
    const promql = new PromQLExtension().activateCompletion(completes).activateLinter(checks).setComplete({
      completeStrategy: new WithHistory(newCompleteStrategy({ remote: { url: root.replace(/\/$/, ""), fetchFn: (input, init) => fetch(input, init) } })),
    });
    const run = () => {
      handlers.current.onRun();
      return true;
    };
    const editor = new EditorView({
      parent: shadow,
      root: shadow,
      state: EditorState.create({
        doc: text.current,
        selection: { anchor: text.current.length },
        extensions: [
          look,
          highlightSpecialChars(),
          undoHistory(),
          drawSelection(),
          indentOnInput(),
          bracketMatching(),
          closeBrackets(),
          autocompletion(),
          highlights ? syntaxHighlighting(colours) : [],
          EditorView.lineWrapping,
          EditorView.contentAttributes.of({ "aria-label": "PromQL expression", autocapitalize: "off", spellcheck: "false" }),
          placeholder("Expression, such as up (Shift-Enter for a new line)"),
          promql.asExtension(),
          Prec.highest(keymap.of([
            { key: "Enter", run: (at) => completionStatus(at.state) === "active" && acceptCompletion(at) || run() },
            { key: "Mod-Enter", run },
            { key: "Shift-Enter", run: (at) => (at.dispatch(at.state.replaceSelection("\n")), true) },
            { key: "Tab", run: acceptCompletion },
          ])),
          keymap.of([...closeBracketsKeymap, ...completionKeymap, ...historyKeymap, ...lintKeymap, ...defaultKeymap]),
          EditorView.updateListener.of((update) => {
            if (!update.docChanged) return;
            text.current = update.state.doc.toString();
            handlers.current.onChange(text.current);
          }),
        ],
      }),
    });
    view.current = editor;
    if (isFirst && text.current === "") editor.focus();
    return () => {
      promql.destroy();
      editor.destroy();
    };
  }, [completes, checks, highlights]);

  useEffect(() => {
    const editor = view.current;
    if (!editor || editor.state.doc.toString() === given.text) return;
    editor.dispatch({ changes: { from: 0, to: editor.state.doc.length, insert: given.text }, selection: { anchor: given.text.length } });
  }, [given]);

  return <div class="editor" ref={host} />;
}
