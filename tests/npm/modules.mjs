// Finds the packages where tests/npm/install put them: RESMGR_NPM_DIR, which is not beside the
// scripts that use them.
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const require = createRequire(`${process.env.RESMGR_NPM_DIR}/package.json`);

export const pathOf = (name) => require.resolve(name);
export const load = (name) => import(pathToFileURL(pathOf(name)).href);
