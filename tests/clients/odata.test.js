// Addresses and filters, judged by the npm package odata-v4-parser, which follows the OASIS grammar: what it reads the
// sandbox must answer, what it cannot read the sandbox must refuse, and every link handed out must be readable.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import parser from 'odata-v4-parser';
import { dynamicsToken, startSandbox } from './sandbox.js';

let sandbox;
let headers;

before(async () => {
  sandbox = await startSandbox();
  headers = { Authorization: `Bearer ${await dynamicsToken(sandbox)}` };
  await sandbox.control('seed', { contacts: 30 });
});

after(() => sandbox.stop());

const readable = (parse, text) => {
  try {
    return Boolean(parse(text));
  } catch {
    return false;
  }
};

const get = (path, more = {}) => fetch(`${sandbox.dynamics}/api/data/v9.2/${path}`, { headers: { ...headers, ...more } });

const status = async (filter) => {
  const answer = await get(`contacts?$select=lastname&$top=1&$filter=${encodeURIComponent(filter)}`);
  await answer.arrayBuffer();
  return answer.status;
};

const good = [
  "lastname eq 'Vale'", "lastname ne null", "lastname eq 'O''Neil'", "not (lastname eq 'a')", "numberofchildren gt 2",
  "numberofchildren ge 2 and numberofchildren le 4", "(lastname eq 'a' or firstname eq 'b') and statecode eq 0",
  "contains(lastname,'a')", "startswith(lastname,'a')", "endswith(lastname,'a')", "not contains(lastname,'a')",
  "createdon gt 2020-01-01T00:00:00Z", "birthdate lt 2020-01-01", "donotphone eq true", "creditlimit lt 10.5",
  "contactid eq 00000000-0000-4000-8000-000000000001", "_parentcustomerid_value eq null",
  "_ownerid_value eq 00000000-0000-4000-8000-000000000001",
];

const bad = [
  "lastname eq", "lastname eq 'Vale", "eq 'Vale'", "lastname = 'Vale'", "(lastname eq 'a'", "lastname eq 'a')",
  "lastname eq 'a' and", "lastname eq 'a' xor firstname eq 'b'", "contains(lastname", "contains(lastname,'a'",
  "lastname eq \"Vale\"", "lastname eq 'a' 'b'",
];

for (const filter of good)
  test(`both take: ${filter}`, async () => {
    assert.ok(readable(parser.filter, filter));
    assert.equal(await status(filter), 200);
  });

for (const filter of bad)
  test(`neither takes: ${filter}`, async () => {
    assert.ok(!readable(parser.filter, filter));
    assert.equal(await status(filter), 400);
  });

test('every link handed out can be read', async () => {
  const links = [];
  const first = await (await get("contacts?$select=lastname&$filter=lastname ne null&$orderby=lastname", { Prefer: 'odata.maxpagesize=10' })).json();
  links.push(first['@odata.nextLink']);
  const tracked = await (await get('contacts?$select=lastname', { Prefer: 'odata.track-changes,odata.maxpagesize=10' })).json();
  links.push(tracked['@odata.nextLink']);
  const all = await (await get('contacts?$select=lastname', { Prefer: 'odata.track-changes' })).json();
  links.push(all['@odata.deltaLink']);
  const made = await fetch(`${sandbox.dynamics}/api/data/v9.2/contacts`, { method: 'POST',
    headers: { ...headers, 'Content-Type': 'application/json' }, body: JSON.stringify({ lastname: 'Vale' }) });
  links.push(made.headers.get('odata-entityid'));
  for (const link of links) {
    const [, rest] = link.split('/api/data/v9.2/');
    const [path, query] = rest.split('?');
    assert.ok(readable(parser.resourcePath, path), link);
    // The grammar has delta tokens, the parser has not; their values are of the same kind as skip tokens.
    if (query) assert.ok(readable(parser.query, query.replace('$deltatoken=', '$skiptoken=')), link);
    assert.equal((await fetch(link, { headers })).status, 200, link);
  }
});
