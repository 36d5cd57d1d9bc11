import { registerHooks } from 'node:module';

/** Code of the Worker imports compiled wasm: the default export is the module, as in workerd. */
const SOURCE = `
import { readFileSync } from 'node:fs';
export default new WebAssembly.Module(readFileSync(new URL(import.meta.url)));
`;

registerHooks({
  load(url, context, nextLoad) {
    return url.endsWith('.wasm') ? { format: 'module', shortCircuit: true, source: SOURCE } : nextLoad(url, context);
  },
});
