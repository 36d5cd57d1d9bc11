import { createApp } from './app.ts';
import { configOf, type Env } from './config.ts';
import { createIsolate, type Isolate } from './isolate.ts';

let isolate: Isolate | undefined;

const app = createApp((env) => {
  isolate ??= createIsolate(configOf(env));
  return isolate;
});

export default { fetch: app.fetch } satisfies ExportedHandler<Env>;
