import { Hono } from 'hono';
import type { AppEnv } from '../env.ts';
import { PAGE_POLICY } from '../http/security-headers.ts';
import { docsPage } from '../views/docs.ts';
import { modelPage } from '../views/model.ts';
import { describeModel } from './model.ts';
import { describeApi } from './openapi.ts';
import { renderOnce, revalidate } from './static-document.ts';

const renderDocs = renderOnce(async (c) => String(await docsPage(describeApi(c))));

/** `GET /docs`: the API's documentation; `GET /docs/model`: the card of the served model. */
export const docs = new Hono<AppEnv>()
  .use(async (c, next) => {
    c.header('Content-Security-Policy', PAGE_POLICY);
    await next();
  })
  .get('/', revalidate, async (c) => c.html(await renderDocs(c)))
  .get('/model', async (c) => c.html(modelPage(await describeModel(c))));
