import { expect, test } from 'vitest';
import { z } from 'zod';
import { PROBLEM_CODES } from '../../../src/api/problems.ts';
import { schemas } from '../../../src/api/schemas.ts';
import { createApp } from '../../../src/app.ts';
import { parseConfig } from '../../../src/config.ts';
import * as errors from '../../../src/errors.ts';
import { codecs } from '../../../src/image/codecs.ts';
import { createService } from '../../../src/service.ts';
import { bind, newService, type Service } from '../service.ts';

const Document = z.object({
  openapi: z.string(),
  servers: z.array(z.object({ url: z.string() })),
  paths: z.record(z.string(), z.record(z.string(), z.looseObject({ responses: z.record(z.string(), z.json()) }))),
  components: z.object({ schemas: z.record(z.string(), z.json()), securitySchemes: z.json().optional() }),
});

async function read(service: Service) {
  const response = await service('/openapi.json');
  expect(response.headers.get('Content-Type')).toContain('application/json');
  return Document.parse(await response.json());
}

test('the document has every route except pages, and no other', async () => {
  const { openapi, servers, paths } = await read(newService());
  expect(openapi).toMatch(/^3\.1\./);
  expect(servers).toEqual([{ url: 'https://husky.test' }]);
  const documented = Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path.replace(/\/$/, '')}`),
  );
  const app = createApp(createService(parseConfig(bind()), bind(), codecs));
  const pages = /^\/(docs|openapi\.json)/;
  const routes = app.routes.filter(({ method, path }) => method !== 'ALL' && !pages.test(path));
  // `:name{[^/]+:predict}` is `{name}:predict`, and `:name` is `{name}`.
  const toTemplate = (path: string) => path.replace(/\/:(\w+)(?:\{\[[^\]]+\]\+(:\w+)?\})?/g, '/{$1}$2');
  const served = routes.map(({ method, path }) => `${method} ${toTemplate(path)}`);
  expect(documented.toSorted()).toEqual([...new Set(served)].toSorted());
});

test('every failure is documented, and every documented code exists', async () => {
  const text = JSON.stringify((await read(newService({ RATE_LIMITS: 'on', API_TOKENS: '0'.repeat(64) }))).paths);
  const anywhere = ['not_found', 'method_not_allowed'];
  for (const code of PROBLEM_CODES) {
    if (!anywhere.includes(code)) expect(text, code).toContain(`\`${code}\``);
  }
  const { properties } = z
    .looseObject({ properties: z.looseObject({ code: z.looseObject({ enum: z.array(z.string()) }) }) })
    .parse((await read(newService())).components.schemas.Problem);
  expect(properties.code.enum).toEqual(PROBLEM_CODES);
});

test('every failure has a class with its own code', () => {
  const classes = [
    ...[errors.EmptyBody, errors.InvalidBody, errors.InvalidParameter, errors.NotFound, errors.RequestTimeout],
    ...[errors.BodyTooLarge, errors.ImageTooLarge, errors.TooManyPhotos, errors.UnsupportedMediaType],
    ...[errors.MalformedImage, errors.Internal, errors.ModelUnavailable, errors.ModelUntrusted],
  ];
  const failures: errors.Failure[] = [
    ...classes.map((Class) => new Class('')),
    ...[errors.RateLimited, errors.Overloaded].map((Class) => new Class('', 1)),
    new errors.Unauthorized('', true),
    new errors.MethodNotAllowed(['GET']),
  ];
  expect(failures.map(({ code }) => code).toSorted()).toEqual(PROBLEM_CODES.toSorted());
  const defined = Object.values(errors).filter(({ prototype }) => prototype instanceof errors.Failure);
  expect(defined.filter((each) => each !== errors.TemporaryFailure).length).toBe(failures.length);
});

test('the document shows how this service is set up', async () => {
  const open = await read(newService());
  expect(open.components.securitySchemes).toBeUndefined();
  expect(open.paths['/api/predict']?.post?.responses['401']).toBeUndefined();
  expect(open.paths['/api/predict']?.post?.responses['429']).toBeUndefined();
  const strict = await read(newService({ RATE_LIMITS: 'on', API_TOKENS: '0'.repeat(64) }));
  expect(strict.components.securitySchemes).toMatchObject({ token: { type: 'http', scheme: 'bearer' } });
  expect(strict.paths['/api/predict']?.post?.responses['401']).toBeDefined();
  expect(JSON.stringify(strict.paths['/api/predict']?.post?.responses['429'])).toContain(
    '\\"burst\\";q=20;w=10, \\"sustained\\";q=60;w=60',
  );
});

test('answers may gain fields: the document forbids none', async () => {
  expect(JSON.stringify((await read(newService())).components)).not.toContain('"additionalProperties":false');
  expect(schemas.Health.safeParse({}).success).toBe(false);
});

test('the documentation page shows every operation, failure and schema, and has no script', async () => {
  const service = newService();
  const response = await service('/docs');
  expect(response.headers.get('Content-Type')).toContain('text/html');
  expect(response.headers.get('Content-Security-Policy')).toContain("default-src 'none'; style-src 'self'");
  const page = await response.text();
  const { paths, components } = await read(service);
  for (const [path, methods] of Object.entries(paths)) {
    for (const method of Object.keys(methods)) expect(page).toContain(`${method.toUpperCase()} ${path}`);
  }
  for (const code of PROBLEM_CODES) expect(page).toContain(`<code>${code}</code>`);
  for (const name of Object.keys(components.schemas)) expect(page).toContain(`id="schema-${name}"`);
  expect(page).not.toMatch(/<script|<style| style=| on\w+=|(src|href)="(https?:)?\/\//);
});
