// The token of this tab. It stands in the session storage, so that a reload keeps it; never in an
// address, and in nothing that outlives the tab.

const kKey = 'resmgr.token';

export const savedToken = () => sessionStorage.getItem(kKey);
export const saveToken = (token) => sessionStorage.setItem(kKey, token);
export const forgetToken = () => sessionStorage.removeItem(kKey);

// What a header can carry; whether it is any good the agent says.
export const looksLikeToken = (text) => /^[A-Za-z0-9._~+/=-]+$/.test(text);

// What the token says of its owner, to greet them by. It decides nothing: the agent does.
export function claimsOf(token) {
  try {
    const payload = token.split('.')[1].replaceAll('-', '+').replaceAll('_', '/');
    const bytes = Uint8Array.from(atob(payload), (character) => character.charCodeAt(0));
    const claims = JSON.parse(new TextDecoder().decode(bytes));
    return claims && typeof claims === 'object' ? claims : {};
  } catch {
    return {};
  }
}

export function nameIn(claims) {
  const names = [claims.name, claims.preferred_username, claims.email, claims.sub];
  return names.find((name) => typeof name === 'string' && name) ?? '';
}
