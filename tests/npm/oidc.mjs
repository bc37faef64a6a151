// An OpenID provider (oidc-provider) that gives JWT access tokens for client credentials.
// Usage: oidc.mjs PORT GENERATION CLIENT…
// PORT 0 takes a free one. Each start makes keys of its own, whose ids are 'GENERATION-ALG'. A
// client's id is a UUID, and becomes the token's subject; its secret is 'secret'; the last client
// has the role admin. The resource 'urn:resmgr:ALG' chooses the algorithm.
import { generateKeyPairSync, webcrypto } from 'node:crypto';
import { createServer } from 'node:http';
import { load } from './modules.mjs';

// What the provider takes for granted and Node.js 18 has not yet.
globalThis.crypto ??= webcrypto;
URL.parse ??= (...parts) => {
  try {
    return new URL(...parts);
  } catch {
    return null;
  }
};
const { default: Provider } = await load('oidc-provider');

const [port, generation, ...clients] = process.argv.slice(2);
const algorithms = {
  RS256: ['rsa', { modulusLength: 2048 }],
  ES256: ['ec', { namedCurve: 'P-256' }],
  EdDSA: ['ed25519', {}],
};
const keys = Object.entries(algorithms).map(([alg, how]) => ({
  ...generateKeyPairSync(...how).privateKey.export({ format: 'jwk' }),
  alg,
  use: 'sig',
  kid: `${generation}-${alg}`,
}));

const server = createServer();
await new Promise((resolve) => server.listen(Number(port), '127.0.0.1', resolve));
const issuer = `http://127.0.0.1:${server.address().port}`;

const provider = new Provider(issuer, {
  jwks: { keys },
  clients: clients.map((client_id) => ({
    client_id,
    client_secret: 'secret',
    grant_types: ['client_credentials'],
    redirect_uris: [],
    response_types: [],
  })),
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: (context, resource) => ({
        audience: 'resmgr',
        scope: '',
        accessTokenTTL: 3600,
        accessTokenFormat: 'jwt',
        jwt: { sign: { alg: resource.split(':').pop() } },
      }),
    },
  },
  extraTokenClaims: (context, token) =>
    token.clientId === clients.at(-1) ? { role: 'admin' } : undefined,
});
server.on('request', provider.callback());
console.log(issuer);
