import assert from "node:assert/strict";
import test from "node:test";
import { formatMatchers, parseLabels, parseMatchers } from "../src/alertmanager/matchers.js";

test("matchers are read as people write them", () => {
  const check = (text: string, expected: string | null) => {
    const matchers = parseMatchers(text);
    assert.equal(matchers && formatMatchers(matchers), expected, text);
    if (expected !== null) assert.deepEqual(parseMatchers(expected), matchers, "written and read again");
  };
  check('{alertname="Down",path=~"/pay.*"}', '{alertname="Down",path=~"/pay.*"}');
  check("severity=page, job!=x", '{severity="page",job!="x"}');
  check('a !~ "b,c" , d="}" ,', '{a!~"b,c",d="}"}');
  check('name="say \\"hi\\"\\n"', '{name="say \\"hi\\"\\n"}');
  check('"a.b"="<b>🔥"', '{"a.b"="<b>🔥"}');
  check('empty=""', '{empty=""}');
  check("summary=two words", '{summary="two words"}');
  check("", "{}");
  for (const text of ["alertname", "=x", "a=", 'a="b', 'a="b" c="d"', "a=b}"]) check(text, null);
});

test("labels are read however they were pasted", () => {
  const check = (text: string, expected: Record<string, string> | null) => assert.deepEqual(parseLabels(text), expected, text);
  const both = { alertname: "Down", severity: "page" };
  check('alertname="Down", severity="page"', both);
  check('{alertname="Down",severity="page"}', both);
  check('{\n  alertname="Down",\n  severity="page",\n}', both);
  check("alertname: Down\nseverity: page", both);
  check('alertname=Down\nseverity="page"', both);
  check('{"alertname": "Down", "severity": "page"}', both);
  check('ALERTS{alertname="Down"}', { __name__: "ALERTS", alertname: "Down" });
  check('a="b: c"', { a: "b: c" });
  check("", {});
  for (const text of ['a=~"b"', 'a!="b"', "=", '{"a": 1}']) check(text, null);
});
