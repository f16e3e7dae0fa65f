// A sandbox for a test: started, asked for its users, stopped at the end. Knows none of the clients.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

export async function startSandbox() {
  const child = spawn(process.env.TANDEM_SANDBOX, [], { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const url = async () => (await lines.next()).value.split(' ')[1];
  const marketo = await url();
  const dynamics = await url();
  const control = async (name, body) => {
    const answer = await fetch(`${marketo}/_sandbox/${name}`, body && { method: 'POST', body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(`${name}: ${answer.status} ${await answer.text()}`);
    return answer.json();
  };
  const users = await control('users');
  const user = (side, name) => users[side].find((u) => u.name === name);
  const stop = async () => {
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    const [code] = await ended;
    if (code !== 0) throw new Error(`the sandbox ended with ${code}`);
  };
  return { marketo, dynamics, control, user, stop };
}

// Microsoft Learn: OAuth 2.0 client credentials flow.
export async function dynamicsToken(sandbox, name = 'tandem') {
  const user = sandbox.user('dynamics', name);
  const answer = await fetch(`${sandbox.dynamics}/${user.tenantId}/oauth2/v2.0/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: user.clientId,
      client_secret: user.clientSecret,
      scope: `${sandbox.dynamics}/.default`,
    }),
  });
  return (await answer.json()).access_token;
}
