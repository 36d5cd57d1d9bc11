import { Hono } from 'hono';
import type { AppEnv } from '../app.ts';
import { PAGE_POLICY } from '../middleware/security-headers.ts';
import { docsPage } from '../views/docs.ts';
import { modelPage } from '../views/model.ts';
import { modelInfo } from './model.ts';
import { documentOf } from './openapi.ts';

/** `GET /docs`: the API's document to read; `GET /docs/model`: the card of the model that is served. */
export const docs = new Hono<AppEnv>()
  .use(async (c, next) => {
    c.header('Content-Security-Policy', PAGE_POLICY);
    await next();
  })
  .get('/', (c) => c.html(docsPage(documentOf(c))))
  .get('/model', async (c) => c.html(modelPage(await modelInfo(c))));
