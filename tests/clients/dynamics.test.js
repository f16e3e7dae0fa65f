// The Dynamics side, driven by the npm package dynamics-web-api.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { DynamicsWebApi } from 'dynamics-web-api';
import { dynamicsToken, startSandbox } from './sandbox.js';

let sandbox;
let client;
let tokens = 0;

before(async () => {
  sandbox = await startSandbox();
  client = new DynamicsWebApi({
    serverUrl: sandbox.dynamics,
    dataApi: { version: '9.2' },
    onTokenRefresh: async () => {
      tokens += 1;
      return dynamicsToken(sandbox);
    },
  });
});

after(() => sandbox.stop());

const contact = (n, more = {}) => ({
  firstname: 'Ada', lastname: `Vale ${n}`, emailaddress1: `ada${n}@example.org`, new_marketoid: `${n}`, ...more,
});

test('a token, and who we are', async () => {
  const me = await client.callFunction('WhoAmI');
  assert.match(me.UserId, /^[0-9a-f-]{36}$/);
  assert.ok(tokens > 0);
});

test('create and retrieve', async () => {
  const id = await client.create({ collection: 'contacts', data: contact(1, { telephone1: '555-0100' }) });
  assert.match(id, /^[0-9a-f-]{36}$/);
  const row = await client.retrieve({ collection: 'contacts', key: id, select: ['fullname', 'emailaddress1', 'telephone1'] });
  assert.equal(row.fullname, 'Ada Vale 1');
  assert.equal(row.telephone1, '555-0100');
  assert.match(row['@odata.etag'], /^W\/"\d+"$/);
  const whole = await client.create({ collection: 'contacts', data: contact(2), returnRepresentation: true, select: ['lastname'] });
  assert.equal(whole.lastname, 'Vale 2');
  const byKey = await client.retrieve({ collection: 'contacts', key: "new_marketoid='2'", select: ['contactid'] });
  assert.equal(byKey.contactid, whole.contactid);
});

test('a row that is not there', async () => {
  const absent = '00000000-0000-4000-8000-000000000001';
  await assert.rejects(client.retrieve({ collection: 'contacts', key: absent }), (error) => {
    assert.equal(error.status, 404);
    assert.equal(error.code, '0x80040217');
    return true;
  });
});

test('update, with and without a version', async () => {
  const id = await client.create({ collection: 'contacts', data: contact(3) });
  await client.update({ collection: 'contacts', key: id, data: { jobtitle: 'Clerk' } });
  const row = await client.retrieve({ collection: 'contacts', key: id, select: ['jobtitle'] });
  assert.equal(row.jobtitle, 'Clerk');
  await client.updateSingleProperty({ collection: 'contacts', key: id, fieldValuePair: { jobtitle: 'Chief' } });
  assert.equal(await client.update({ collection: 'contacts', key: id, data: { jobtitle: 'X' }, ifmatch: row['@odata.etag'] }), false);
  const now = await client.retrieve({ collection: 'contacts', key: id, select: ['jobtitle'] });
  assert.equal(now.jobtitle, 'Chief');
  await client.update({ collection: 'contacts', key: id, data: { jobtitle: 'Y' }, ifmatch: now['@odata.etag'] });
  const unchanged = await client.retrieve({ collection: 'contacts', key: id, select: ['jobtitle'] });
  assert.equal(unchanged.jobtitle, 'Y');
});

test('upsert: creates, updates, and does neither when told', async () => {
  const key = "new_marketoid='77'";
  await client.upsert({ collection: 'contacts', key, data: { lastname: 'Berg', emailaddress1: 'berg@example.org' } });
  const made = await client.upsert({ collection: 'contacts', key, data: { lastname: 'Bergen' }, returnRepresentation: true, select: ['lastname'] });
  assert.equal(made.lastname, 'Bergen');
  assert.equal(await client.upsert({ collection: 'contacts', key, data: { lastname: 'Z' }, ifnonematch: '*' }), null);
  const absent = '00000000-0000-4000-8000-000000000002';
  assert.equal(await client.upsert({ collection: 'contacts', key: absent, data: { lastname: 'Z' }, ifmatch: '*' }), null);
  assert.equal((await client.retrieve({ collection: 'contacts', key, select: ['lastname'] })).lastname, 'Bergen');
});

test('query: filter, order, count, formatted values, pages', async () => {
  await Promise.all([...Array(25).keys()].map((n) => client.create({
    collection: 'contacts', data: contact(100 + n, { address1_city: n % 5 ? 'Oslo' : 'Bergen', preferredcontactmethodcode: 2 }),
  })));
  const query = { collection: 'contacts', select: ['lastname', 'preferredcontactmethodcode'], orderBy: ['lastname desc'],
    filter: "address1_city eq 'Oslo' and startswith(emailaddress1,'ada')", count: true, maxPageSize: 8, includeAnnotations: '*' };
  const first = await client.retrieveMultiple(query);
  assert.equal(first.value.length, 8);
  assert.equal(first.oDataCount, 20);
  assert.ok(first.value[0]['preferredcontactmethodcode@OData.Community.Display.V1.FormattedValue']);
  assert.ok(first.oDataNextLink);
  const second = await client.retrieveMultiple(query, first.oDataNextLink);
  assert.equal(second.value.length, 8);
  const all = await client.retrieveAll(query);
  const names = all.value.map((row) => row.lastname);
  assert.equal(names.length, 20);
  assert.deepEqual(names, [...names].sort().reverse());
  assert.equal(await client.count({ collection: 'contacts', filter: "address1_city eq 'Bergen'" }), 5);
});

test('a query the service refuses', async () => {
  await assert.rejects(client.retrieveMultiple({ collection: 'contacts', filter: "nosuchcolumn eq 1" }), (error) => {
    assert.equal(error.status, 400);
    assert.match(error.message, /nosuchcolumn/);
    return true;
  });
});

test('lookups: bind, expand, clear', async () => {
  const account = await client.create({ collection: 'accounts', data: { name: 'Sample' } });
  const id = await client.create({ collection: 'contacts', data: contact(200, { 'parentcustomerid_account@odata.bind': `/accounts(${account})` }) });
  const row = await client.retrieve({ collection: 'contacts', key: id, select: ['_parentcustomerid_value'],
    expand: [{ property: 'parentcustomerid_account', select: ['name'] }] });
  assert.equal(row._parentcustomerid_value, account);
  assert.equal(row.parentcustomerid_account.name, 'Sample');
});

test('batch: a change set with a reference, and reads', async () => {
  client.startBatch();
  client.create({ collection: 'leads', data: { lastname: 'Lind', firstname: 'Bo', companyname: 'C', subject: 's' }, contentId: '1' });
  client.update({ collection: '$1', data: { jobtitle: 'Head' } });
  const [made] = await client.executeBatch();
  const row = await client.retrieve({ collection: 'leads', key: made, select: ['jobtitle'] });
  assert.equal(row.jobtitle, 'Head');
  client.startBatch();
  client.retrieveMultiple({ collection: 'leads', select: ['lastname'] });
  client.retrieve({ collection: 'leads', key: made, select: ['firstname'] });
  const [list, one] = await client.executeBatch();
  assert.equal(list.value.length, 1);
  assert.equal(one.firstname, 'Bo');
});

test('batch: one failure undoes its change set', async () => {
  const count = () => client.count({ collection: 'leads' });
  const was = await count();
  client.startBatch();
  client.create({ collection: 'leads', data: { lastname: 'Gone' } });
  client.create({ collection: 'leads', data: { nosuchcolumn: 1 } });
  await assert.rejects(client.executeBatch());
  assert.equal(await count(), was);
});

test('change tracking: what was made, changed and deleted since', async () => {
  const query = { collection: 'accounts', select: ['name'], trackChanges: true };
  const start = await client.retrieveMultiple(query);
  assert.ok(start.oDataDeltaLink);
  const kept = await client.create({ collection: 'accounts', data: { name: 'Kept' } });
  const gone = await client.create({ collection: 'accounts', data: { name: 'Gone' } });
  const between = await client.retrieveMultiple(query, start.oDataDeltaLink);
  assert.equal(between.value.length, 2);
  await client.deleteRecord({ collection: 'accounts', key: gone });
  const since = await client.retrieveMultiple(query, between.oDataDeltaLink);
  assert.deepEqual(since.value.map((row) => row.id ?? row.accountid), [gone]);
  assert.match(since.value[0]['@odata.context'], /\$deletedEntity$/);
  assert.ok(kept);
});

test('metadata', async () => {
  const entity = await client.retrieveEntity({ key: "LogicalName='contact'", select: ['LogicalName', 'EntitySetName', 'ChangeTrackingEnabled'] });
  assert.equal(entity.EntitySetName, 'contacts');
  assert.equal(entity.ChangeTrackingEnabled, true);
  const strings = await client.retrieveAttributes({ entityKey: "LogicalName='contact'", castType: 'Microsoft.Dynamics.CRM.StringAttributeMetadata', select: ['LogicalName', 'MaxLength'] });
  assert.equal(strings.value.find((a) => a.LogicalName === 'emailaddress1').MaxLength, 100);
});

test('a narrow user is refused', async () => {
  const stranger = client.initializeInstance({ serverUrl: sandbox.dynamics, dataApi: { version: '9.2' },
    onTokenRefresh: () => dynamicsToken(sandbox, 'stranger') });
  await assert.rejects(stranger.retrieveMultiple({ collection: 'contacts' }), (error) => error.status === 403 || error.status === 401);
});
