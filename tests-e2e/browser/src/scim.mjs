// Single requests of Entra's, where a story needs known values.

import { world } from './world.mjs';

const USER = 'urn:ietf:params:scim:schemas:core:2.0:User';
const ENTERPRISE = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';

async function send(method, path, body) {
  const answer = await fetch(`${world.scim_url}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${world.company.scim_token}`,
      'content-type': 'application/scim+json; charset=utf-8',
    },
    body: JSON.stringify(body),
  });
  const text = await answer.text();
  return { status: answer.status, body: text ? JSON.parse(text) : undefined };
}

/** What Entra posts of somebody. */
export const create = ({ userName, displayName, title }) =>
  send('POST', '/Users', {
    schemas: [USER, ENTERPRISE],
    externalId: userName.split('@')[0],
    userName,
    active: true,
    displayName,
    title,
    emails: [{ primary: true, type: 'work', value: userName }],
    meta: { resourceType: 'User' },
    [ENTERPRISE]: { employeeNumber: '77120' },
  });

/** What Entra sends when one attribute of somebody has changed. */
export const replace = (id, path, value) =>
  send('PATCH', `/Users/${id}`, {
    schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
    Operations: [{ op: 'Replace', path, value }],
  });
