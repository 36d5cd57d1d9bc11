import * as z from 'zod';
import {
  createDocument,
  type ZodOpenApiOperationObject,
  type ZodOpenApiResponseObject,
  type ZodOpenApiResponsesObject,
} from 'zod-openapi';
import { getSamples, huskyaiSamples, predictSamples } from './examples.ts';
import { PROBLEMS, type ProblemCode } from './problems.ts';
import { PredictQuery } from './requests.ts';
import { schemas } from './schemas.ts';

/** Goes up with every change of what is asked or answered. */
const API_VERSION = '1.0.0';

/** What of the service's settings shows in its document. */
export interface Setup {
  /** Where the service is reached. */
  readonly origin: string;
  /** Whether predictions need a bearer token. */
  readonly token: boolean;
  /** The value of `RateLimit-Policy`, or undefined where photos are not limited. */
  readonly rateLimit: string | undefined;
  readonly maxPhotos: number;
  readonly maxBytes: number;
  readonly maxBytesHuskyai: number;
}

export type ApiDocument = ReturnType<typeof createDocument>;

const binary = z.string().min(1).meta({ format: 'binary', description: 'The bytes of the photo.' });
const html = z.string().meta({ description: 'A small page that says the same.' });

const headers = {
  'X-Request-Id': z.string().meta({ description: 'The request’s id, as in the service’s log.' }),
  'Retry-After': z
    .string()
    .regex(/^\d+$/)
    .meta({ description: 'Seconds after which it is worth another try.', example: '10' }),
  'WWW-Authenticate': z.string().meta({ description: 'RFC 6750.', example: 'Bearer' }),
};

const policyHeader = (policy: string) =>
  z.string().meta({
    description:
      'The limits (draft-ietf-httpapi-ratelimit-headers): `q` photos in `w` seconds, of one address or token.',
    example: policy,
  });

const fromUpload: readonly ProblemCode[] = [
  'empty_body',
  'request_timeout',
  'body_too_large',
  'image_too_large',
  'unsupported_media_type',
  'malformed_image',
];
const fromModel: readonly ProblemCode[] = ['internal', 'model_unavailable', 'model_untrusted'];

/** The OpenAPI 3.1 document of the API as it is set up. */
export function apiDocument(setup: Setup): ApiDocument {
  const { origin, token } = setup;
  const gate: readonly ProblemCode[] = [
    ...(token ? (['unauthorized'] as const) : []),
    ...(setup.rateLimit ? (['rate_limited'] as const) : []),
    'overloaded',
  ];
  const gateHeaders = setup.rateLimit ? { 'RateLimit-Policy': policyHeader(setup.rateLimit) } : {};
  const security = token ? { security: [{ token: [] }] } : {};

  const predict: ZodOpenApiOperationObject = {
    operationId: 'predict',
    summary: 'What is in the photo?',
    description:
      `Takes a photo as the request’s body or as the form field \`file\`; several photos, up to ${setup.maxPhotos}, are several such fields. ` +
      `One photo gets one answer, or the problem that it has. Several get a list in their order, in which each entry is an answer or a problem. ` +
      `A request may have ${setup.maxBytes.toLocaleString('en')} bytes in all. A file’s own bytes say what format it has, whatever its name and type claim. ` +
      'Where a page is wanted rather than JSON (`Accept: text/html`), a small page says the same.',
    requestParams: { query: PredictQuery },
    requestBody: {
      required: true,
      content: {
        'multipart/form-data': {
          schema: z.object({
            file: z
              .array(binary)
              .min(1)
              .max(setup.maxPhotos)
              .meta({ description: 'The photos, a field each.' }),
          }),
          encoding: { file: { contentType: 'image/jpeg, image/png, image/gif, image/webp' } },
        },
        ...photoTypes(['jpeg', 'png', 'gif', 'webp']),
      },
    },
    responses: {
      200: {
        description: 'An answer, or several.',
        headers: z.object({ 'X-Request-Id': headers['X-Request-Id'], ...gateHeaders }),
        content: {
          'application/json': {
            schema: z.union([schemas.Prediction, z.array(schemas.BatchEntry).min(2)]),
          },
          'text/html': { schema: html },
        },
      },
      ...failures(
        [...fromUpload, 'invalid_parameter', 'too_many_photos', ...gate, ...fromModel],
        gateHeaders,
      ),
    },
    ...security,
    'x-codeSamples': predictSamples(setup),
  };

  const huskyai: ZodOpenApiOperationObject = {
    operationId: 'huskyai',
    summary: 'Is it a husky? As the original asked it',
    description:
      `The original Husky AI server’s contract, for its page and clients: the photo as the form field \`file\`, at most ${setup.maxBytesHuskyai.toLocaleString('en')} bytes, PNG, JPEG or GIF. ` +
      'Answers 404 when the model that is served has more than two labels.',
    requestBody: {
      required: true,
      content: {
        'multipart/form-data': {
          schema: z.object({ file: binary }),
          encoding: { file: { contentType: 'image/jpeg, image/png, image/gif' } },
        },
        ...photoTypes(['jpeg', 'png', 'gif']),
      },
    },
    responses: {
      200: success('The score in percent, and the verdict in words.', schemas.HuskyAnswer, gateHeaders),
      ...failures([...fromUpload, 'not_found', ...gate, ...fromModel], gateHeaders),
    },
    ...security,
    'x-codeSamples': huskyaiSamples(setup),
  };

  const page: ZodOpenApiOperationObject = {
    operationId: 'huskyaiPage',
    summary: 'The page, where the original had it',
    responses: {
      302: {
        description: 'To the page.',
        headers: z.object({ 'X-Request-Id': headers['X-Request-Id'], Location: z.string() }),
      },
    },
    'x-codeSamples': [],
  };

  const model: ZodOpenApiOperationObject = {
    operationId: 'model',
    summary: 'What is served?',
    description: 'What is served, what it was made from, how it was verified, and how the service is set up.',
    responses: { 200: success('The model.', schemas.ModelInfo), ...failures(fromModel) },
    'x-codeSamples': getSamples(setup, '/api/model'),
  };

  const health: ZodOpenApiOperationObject = {
    operationId: 'health',
    summary: 'Would a prediction work?',
    description:
      '200 when a prediction would work, also when with an older version than it should be; else the problem that a prediction would get.',
    responses: { 200: success('It would.', schemas.Health), ...failures(fromModel) },
    'x-codeSamples': getSamples(setup, '/api/health'),
  };

  return createDocument(
    {
      openapi: '3.1.1',
      info: {
        title: 'Husky AI',
        version: API_VERSION,
        summary: 'A photo goes in, its label and the probabilities of all labels come out.',
        description:
          'Nothing of a photo is stored, logged or cached. Failures are problems after RFC 9457 with a `code` that stays the same. Answers may get further fields: do not refuse those that you do not know.',
        license: { name: 'MIT', identifier: 'MIT' },
      },
      servers: [{ url: origin }],
      paths: {
        '/api/predict': { post: predict },
        '/huskyai/': { get: page, post: huskyai },
        '/api/model': { get: model },
        '/api/health': { get: health },
      },
      components: {
        schemas,
        ...(token && {
          securitySchemes: {
            token: { type: 'http', scheme: 'bearer', description: 'A token from whoever runs the service.' },
          },
        }),
      },
    },
    {
      // Answers may grow.
      override: ({ jsonSchema, io }) => {
        if (io === 'output' && jsonSchema.additionalProperties === false)
          delete jsonSchema.additionalProperties;
      },
    },
  );
}

/** The photo as the body itself. */
function photoTypes(formats: readonly string[]): Record<string, { schema: typeof binary }> {
  const types = [...formats.map((format) => `image/${format}`), 'application/octet-stream'];
  return Object.fromEntries(types.map((type) => [type, { schema: binary }]));
}

function success(
  description: string,
  schema: z.ZodType,
  further: Record<string, z.ZodType> = {},
): ZodOpenApiResponseObject {
  return {
    description,
    headers: z.object({ 'X-Request-Id': headers['X-Request-Id'], ...further }),
    content: { 'application/json': { schema } },
  };
}

/** A response for each status that these failures have. */
function failures(
  codes: readonly ProblemCode[],
  further: Record<string, z.ZodType> = {},
): ZodOpenApiResponsesObject {
  const byStatus = Object.groupBy(codes, (code) => PROBLEMS[code].status);
  const responses = Object.entries(byStatus).map(([status, group = []]) => [status, failure(group, further)]);
  return Object.fromEntries(responses);
}

function failure(
  codes: readonly ProblemCode[],
  further: Record<string, z.ZodType>,
): ZodOpenApiResponseObject {
  const retry = codes.some((code) => code === 'rate_limited' || code === 'overloaded');
  const examples = codes.map((code) => {
    const { status, title, when } = PROBLEMS[code];
    const value = { type: `urn:husky-ai:problem:${code}`, title, status, code, detail: title };
    return [code, { summary: when, value }] as const;
  });
  return {
    description: codes.map((code) => `\`${code}\`: ${PROBLEMS[code].when}`).join('; '),
    headers: z.object({
      'X-Request-Id': headers['X-Request-Id'],
      ...further,
      // Where one of the failures has none, it may be missing.
      ...(retry && {
        'Retry-After': codes.length === 1 ? headers['Retry-After'] : headers['Retry-After'].optional(),
      }),
      ...(codes.includes('unauthorized') && { 'WWW-Authenticate': headers['WWW-Authenticate'] }),
    }),
    content: {
      'application/problem+json': { schema: schemas.Problem, examples: Object.fromEntries(examples) },
      'text/html': { schema: html },
    },
  };
}
