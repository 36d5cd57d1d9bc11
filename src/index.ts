import { createApp } from './app.ts';
import { configOf, type Env } from './config.ts';
import { createIsolate, type Isolate } from './isolate.ts';
import { checkModel } from './scheduled.ts';

let isolate: Isolate | undefined;

function isolateOf(env: Env): Isolate {
  isolate ??= createIsolate(configOf(env), env.MODELS);
  return isolate;
}

const app = createApp(isolateOf);

export default {
  fetch: app.fetch,
  scheduled: (_controller, env, context) => checkModel(isolateOf(env), context),
} satisfies ExportedHandler<Env>;
