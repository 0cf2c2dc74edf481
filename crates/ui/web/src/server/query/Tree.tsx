//! The expression as a tree: what is computed from what.

import { useApi } from "../../base/api.js";
import { formatDuration } from "../../base/duration.js";
import { labelName, quote } from "../../base/format.js";
import { Trouble, Waiting } from "../../parts/bits.js";

/** A node as `parse_query` writes it; which keys there are depends on its type. */
interface Node {
  type: string;
  [key: string]: unknown;
}

export function Tree({ expr }: { expr: string }) {
  const { data, error, reload } = useApi<Node>("parse_query", { query: expr });
  if (error) return <Trouble onRetry={reload}>{error}</Trouble>;
  if (!data) return <Waiting />;
  return <ul class="tree"><Branch node={data} /></ul>;
}

function Branch({ node }: { node: Node }) {
  const { head, what } = describe(node);
  const children = childrenOf(node);
  return (
    <li>
      <div class="node"><code>{head}</code> <span class="muted">{what}</span></div>
      {children.length > 0 && <ul>{children.map((child, at) => <Branch key={at} node={child} />)}</ul>}
    </li>
  );
}

function childrenOf(node: Node): Node[] {
  const one = (key: string) => (node[key] ? [node[key] as Node] : []);
  switch (node.type) {
    case "call": return node.args as Node[];
    case "binaryExpr": return [...one("lhs"), ...one("rhs")];
    case "aggregation": return [...one("param"), ...one("expr")];
    default: return one("expr");
  }
}

function describe(node: Node): { head: string; what: string } {
  const text = (key: string) => String(node[key] ?? "");
  switch (node.type) {
    case "vectorSelector": return { head: selector(node), what: `series, each with its latest sample${moved(node)}` };
    case "matrixSelector": return { head: `${selector(node)}[${formatDuration(Number(node.range))}]`, what: `samples of the last ${formatDuration(Number(node.range))}${moved(node)}` };
    case "subquery": return { head: `…[${formatDuration(Number(node.range))}:${node.step ? formatDuration(Number(node.step)) : ""}]`, what: `evaluated again and again over the last ${formatDuration(Number(node.range))}${moved(node)}` };
    case "call": return { head: `${(node.func as { name: string }).name}()`, what: `function, gives a ${(node.func as { returnType: string }).returnType}` };
    case "aggregation": {
      const by = node.grouping as string[];
      const clause = by.length > 0 || node.without ? ` ${node.without ? "without" : "by"} (${by.map(labelName).join(", ")})` : "";
      return { head: `${text("op")}${clause}`, what: clause ? "one series for each group" : "one series for all" };
    }
    case "binaryExpr": return { head: `${text("op")}${node.bool ? " bool" : ""}${matching(node.matching)}`, what: "binary operation" };
    case "unaryExpr": return { head: text("op"), what: "sign" };
    case "parenExpr": return { head: "( … )", what: "" };
    case "numberLiteral": return { head: text("val"), what: "number" };
    case "stringLiteral": return { head: quote(text("val")), what: "text" };
    default: return { head: node.type, what: "" };
  }
}

function selector(node: Node): string {
  const matchers = (node.matchers as { name: string; type: string; value: string }[]).filter(
    (matcher) => !(matcher.name === "__name__" && matcher.type === "=" && matcher.value === node.name),
  );
  const inner = matchers.map(({ name, type, value }) => `${labelName(name)}${type}${quote(value)}`).join(", ");
  return `${String(node.name ?? "")}${inner || !node.name ? `{${inner}}` : ""}`;
}

function moved(node: Node): string {
  const offset = Number(node.offset ?? 0);
  const at = node.timestamp !== null && node.timestamp !== undefined ? `, at ${Number(node.timestamp) / 1000}` : node.startOrEnd ? `, at the ${String(node.startOrEnd)}` : "";
  if (!offset) return at;
  return `${at}, ${formatDuration(Math.abs(offset))} ${offset > 0 ? "earlier" : "later"}`;
}

function matching(value: unknown): string {
  const found = value as { card: string; labels: string[]; on: boolean; include: string[] } | null | undefined;
  if (!found) return "";
  const on = found.on || found.labels.length > 0 ? ` ${found.on ? "on" : "ignoring"} (${found.labels.join(", ")})` : "";
  const side = { "many-to-one": " group_left", "one-to-many": " group_right" }[found.card] ?? "";
  return `${on}${side}${side && found.include.length > 0 ? ` (${found.include.join(", ")})` : ""}`;
}
