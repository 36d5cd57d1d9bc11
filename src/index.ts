import { env } from 'cloudflare:workers';
import { createApp } from './app.ts';
import { parseConfig } from './config.ts';
import { codecs } from './image/codecs.ts';
import { checkModel } from './scheduled.ts';
import { createService } from './service.ts';

const service = createService(parseConfig(env), env, codecs);
const app = createApp(service);

export default {
  fetch: app.fetch,
  scheduled: (_controller, _env, context) => checkModel(service.models, context),
} satisfies ExportedHandler;
