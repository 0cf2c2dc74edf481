import assert from "node:assert/strict";
import test from "node:test";
import { formatMatchers, parseMatchers } from "../src/alertmanager/matchers.js";

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
