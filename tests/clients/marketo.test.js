// The Marketo side, driven by the npm package node-marketo-rest.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import Marketo from 'node-marketo-rest';
import { startSandbox } from './sandbox.js';

let sandbox;
let client;

before(async () => {
  sandbox = await startSandbox();
  const user = sandbox.user('marketo', 'tandem');
  client = new Marketo({
    endpoint: `${sandbox.marketo}/rest`,
    identity: `${sandbox.marketo}/identity`,
    clientId: user.clientId,
    clientSecret: user.clientSecret,
    retry: { maxRetries: 2, initialDelay: 10, maxDelay: 50 },
  });
});

after(() => sandbox.stop());

const code = (expected) => (error) => {
  assert.equal(error.errors[0].code, expected);
  return true;
};

const sync = async (people, options) => (await client.lead.createOrUpdate(people, options)).result;

test('a token', async () => {
  const token = await client.getOAuthToken();
  assert.equal(token.token_type, 'bearer');
  assert.ok(token.expires_in > 0);
});

test('wrong credentials', async () => {
  const wrong = new Marketo({ endpoint: `${sandbox.marketo}/rest`, identity: `${sandbox.marketo}/identity`,
    clientId: 'nobody', clientSecret: 'nothing', retry: { maxRetries: 1, initialDelay: 1 } });
  await assert.rejects(async () => wrong.lead.describe());
});

test('describe', async () => {
  const { result } = await client.lead.describe();
  const email = result.find((field) => field.rest?.name === 'email');
  assert.equal(email.dataType, 'email');
  assert.equal(email.rest.readOnly, false);
});

test('sync people: create, update, skip', async () => {
  const made = await sync([{ email: 'ada@example.org', lastName: 'Vale' }, { email: 'bo@example.org', lastName: 'Lind' }]);
  assert.deepEqual(made.map((r) => r.status), ['created', 'created']);
  const again = await sync([{ email: 'ada@example.org', lastName: 'Veil' }]);
  assert.deepEqual(again.map((r) => [r.id, r.status]), [[made[0].id, 'updated']]);
  const skipped = await sync([{ email: 'bo@example.org' }, { email: 'new@example.org' }], { action: 'createOnly' });
  assert.deepEqual(skipped.map((r) => r.status), ['skipped', 'created']);
  assert.equal(skipped[0].reasons[0].code, '1005');
  const byId = await sync([{ id: made[1].id, title: 'Head' }], { action: 'updateOnly', lookupField: 'id' });
  assert.equal(byId[0].status, 'updated');
});

test('find by filter and by id', async () => {
  const found = await client.lead.find('email', ['ada@example.org', 'bo@example.org'], { fields: ['email', 'lastName', 'title'] });
  assert.deepEqual(found.result.map((p) => p.lastName).sort(), ['Lind', 'Veil']);
  const one = await client.lead.byId(found.result[0].id, ['email']);
  assert.equal(one.result[0].email, found.result[0].email);
  assert.deepEqual((await client.lead.find('email', ['nobody@example.org'])).result, []);
});

test('pages of people', async () => {
  const people = [...Array(25).keys()].map((n) => ({ email: `page${n}@example.org`, company: 'Paged' }));
  await sync(people);
  const seen = [];
  let page = await client.lead.find('email', people.map((p) => p.email), { batchSize: 10, fields: ['email'] });
  for (;;) {
    seen.push(...page.result.map((p) => p.email));
    if (!page.nextPage) break;
    page = await page.nextPage();
  }
  assert.equal(new Set(seen).size, 25);
});

test('activities, from a paging token on', async () => {
  const { nextPageToken: start } = await client.lead.getPageToken('2020-01-01T00:00:00Z');
  const [person] = await sync([{ email: 'active@example.org', lastName: 'One' }]);
  await sync([{ email: 'active@example.org', lastName: 'Two' }]);
  const types = (await client.activities.getActivityTypes()).result;
  assert.equal(types.find((t) => t.id === 13).name, 'Change Data Value');
  const seen = [];
  let token = start;
  for (let more = true; more;) {
    const page = await client.lead.getActivities([person.id], [12, 13], token, { batchSize: 1 });
    seen.push(...(page.result ?? []).map((a) => a.activityTypeId));
    more = page.moreResult;
    token = page.nextPageToken;
  }
  assert.deepEqual(seen, [12, 13]);
  const changes = await client.lead.getChanges(start, { fields: ['lastName'] });
  assert.ok(changes.result.some((c) => c.leadId === person.id));
});

test('merge', async () => {
  const [winner, loser] = await sync([{ email: 'winner@example.org' }, { email: 'loser@example.org' }]);
  const merged = await client.lead.mergeLead(winner.id, [loser.id], {});
  assert.equal(merged.success, true);
  await assert.rejects(async () => client.lead.byId(loser.id), code('1004'));
});

test('partitions and usage', async () => {
  assert.equal((await client.lead.partitions()).result[0].name, 'Default');
  assert.ok((await client.stats.usage()).result[0].total > 0);
});

test('an error reaches the caller with its code', async () => {
  await assert.rejects(async () => client.lead.find('nosuchfield', ['x']), code('1006'));
});

test('an expired token is renewed and the call repeated', async () => {
  const before = (await client.getOAuthToken()).access_token;
  await sandbox.control('clock', { advanceSeconds: 4000 });
  const { success } = await client.lead.describe();
  assert.equal(success, true);
  assert.notEqual(client._connection._tokenData.access_token, before);
});
