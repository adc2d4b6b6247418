// Entra's side, played by `entra-emulator` with exactly what somebody pasted.

import { spawn } from 'node:child_process';

import { world } from './world.mjs';

/** Starts the emulator; the credential is in its environment, because command lines are for everybody to see. */
function start(command, connection, options) {
  const program = spawn(world.entra_emulator, [command, '--json', ...options.map(String)], {
    env: { PATH: process.env.PATH, ...environment(connection) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const told = { out: '', err: '' };
  program.stdout.setEncoding('utf8').on('data', (text) => (told.out += text));
  program.stderr.setEncoding('utf8').on('data', (text) => (told.err += text));
  return new Promise((resolve, reject) => {
    program.on('error', reject);
    program.on('close', (status) => {
      let report;
      try {
        report = JSON.parse(told.out);
      } catch {
        report = {};
      }
      resolve({ status, report, said: `${told.err}\n${told.out.slice(0, 4000)}` });
    });
  });
}

function environment({ tenantUrl, secretToken, client }) {
  const environment = { ENTRA_TENANT_URL: tenantUrl };
  if (!client) return { ...environment, ENTRA_SECRET_TOKEN: secretToken };
  return {
    ...environment,
    ENTRA_CLIENT_ID: client.id,
    ENTRA_CLIENT_SECRET: client.secret,
    ENTRA_TOKEN_ENDPOINT: client.tokenEndpoint,
  };
}

/** The button "Test Connection". */
export const testConnection = (connection) => start('test-connection', connection, []);

/** Test Connection and a cycle, and more with `options` of the command line. */
export const runCycle = (connection, options) => start('run', connection, options);

/** Ends the test when anything of a run has failed. */
export function assertSucceeded({ status, said }) {
  if (status !== 0) throw new Error(`Entra was not content (${status}): ${said}`);
}
