import * as z from 'zod';
import type { ZodOpenApiResponseObject, ZodOpenApiResponsesObject } from 'zod-openapi';
import type { FailureCode } from '../errors.ts';
import { PROBLEMS } from './problems.ts';
import { schemas } from './schemas.ts';

/** How a service reports failures: their media type and schema, and the example of one. */
export interface FailureForm {
  readonly mediaType: string;
  schema(): z.ZodType;
  toExample(problem: Record<string, unknown> & { readonly detail: string }): unknown;
  /** Whether browsers get a page. */
  readonly hasPage: boolean;
}

const problemForm: FailureForm = {
  mediaType: 'application/problem+json',
  schema: () => schemas.Problem,
  toExample: (problem) => problem,
  hasPage: true,
};

export const html = z.string().meta({ description: 'A small page with the same content.' });

export const headers = {
  'X-Request-Id': z.string().meta({ description: 'The id of the request, as in the service’s log.' }),
  'X-Model-Version': z
    .string()
    .optional()
    .meta({ description: 'The version of the model, as in `model.version`. Absent until the isolate has loaded one.' }),
  'Retry-After': z
    .string()
    .regex(/^\d+$/)
    .meta({ description: 'Seconds to wait before the next attempt.', example: '10' }),
  'WWW-Authenticate': z.string().meta({ description: 'RFC 6750.', example: 'Bearer' }),
};

/** What may be wrong with an upload. */
export const fromUpload: readonly FailureCode[] = [
  'empty_body',
  'request_timeout',
  'body_too_large',
  'image_too_large',
  'unsupported_media_type',
  'malformed_image',
];
/** What may be wrong with the model. */
export const fromModel: readonly FailureCode[] = ['internal', 'model_unavailable', 'model_untrusted'];

export function success(
  description: string,
  schema: z.ZodType,
  further: Record<string, z.ZodType> = {},
): ZodOpenApiResponseObject {
  return {
    description,
    headers: z.object({
      'X-Request-Id': headers['X-Request-Id'],
      'X-Model-Version': headers['X-Model-Version'],
      ...further,
    }),
    content: { 'application/json': { schema } },
  };
}

/** A response for each status of these failures. */
export function failures(
  codes: readonly FailureCode[],
  further: Record<string, z.ZodType> = {},
  form = problemForm,
): ZodOpenApiResponsesObject {
  const byStatus = Object.groupBy(codes, (code) => PROBLEMS[code].status);
  const responses = Object.entries(byStatus).map(([status, group = []]) => [status, failure(group, further, form)]);
  return Object.fromEntries(responses);
}

function failure(
  codes: readonly FailureCode[],
  further: Record<string, z.ZodType>,
  form: FailureForm,
): ZodOpenApiResponseObject {
  const retry = codes.some((code) => code === 'rate_limited' || code === 'overloaded');
  const examples = codes.map((code) => {
    const { status, title, when } = PROBLEMS[code];
    const problem = { type: `urn:husky-ai:problem:${code}`, title, status, code, detail: title };
    return [code, { summary: when, value: form.toExample(problem) }] as const;
  });
  return {
    description: codes.map((code) => `\`${code}\`: ${PROBLEMS[code].when}`).join('; '),
    headers: z.object({
      'X-Request-Id': headers['X-Request-Id'],
      'X-Model-Version': headers['X-Model-Version'],
      ...further,
      // Optional where one of the failures lacks it.
      ...(retry && {
        'Retry-After': codes.length === 1 ? headers['Retry-After'] : headers['Retry-After'].optional(),
      }),
      ...(codes.includes('unauthorized') && { 'WWW-Authenticate': headers['WWW-Authenticate'] }),
    }),
    content: {
      [form.mediaType]: { schema: form.schema(), examples: Object.fromEntries(examples) },
      ...(form.hasPage && { 'text/html': { schema: html } }),
    },
  };
}
