import * as z from 'zod';
import {
  createDocument,
  type ZodOpenApiOperationObject,
  type ZodOpenApiRequestBodyObject,
  type ZodOpenApiResponseObject,
  type ZodOpenApiResponsesObject,
} from 'zod-openapi';
import type { FailureCode } from '../errors.ts';
import type { Codec } from '../image/codec.ts';
import { getSamples, huskyaiSamples, predictSamples } from './examples.ts';
import { PROBLEMS } from './problems.ts';
import { ImageFormat, PredictQuery, schemas } from './schemas.ts';

/** Increases with every change of the API. */
const API_VERSION = '1.0.0';

/** The formats that the original server accepted. */
export const ORIGINAL_FORMATS: readonly string[] = ['png', 'jpeg', 'gif'];

/** The parts of the service's set-up that its document shows. */
export interface Setup {
  /** The address of the service. */
  readonly origin: string;
  /** Whether predictions need a bearer token. */
  readonly token: boolean;
  /** The value of `RateLimit-Policy`; undefined where there are no limits. */
  readonly rateLimit: string | undefined;
  readonly maxPhotos: number;
  readonly maxBytes: number;
  readonly maxBytesHuskyai: number;
  readonly formats: readonly Pick<Codec, 'format' | 'mediaTypes'>[];
}

export type ApiDocument = ReturnType<typeof createDocument>;

const binary = z.string().min(1).meta({ format: 'binary', description: 'The bytes of the photo.' });
const html = z.string().meta({ description: 'A small page with the same content.' });

const headers = {
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

const policyHeader = (policy: string) =>
  z.string().meta({
    description:
      'The limits (draft-ietf-httpapi-ratelimit-headers): `q` photos in `w` seconds for one address or token.',
    example: policy,
  });

const fromUpload: readonly FailureCode[] = [
  'empty_body',
  'request_timeout',
  'body_too_large',
  'image_too_large',
  'unsupported_media_type',
  'malformed_image',
];
const fromModel: readonly FailureCode[] = ['internal', 'model_unavailable', 'model_untrusted'];

/** Creates the OpenAPI 3.1 document of the API as it is set up. */
export function createApiDocument(setup: Setup): ApiDocument {
  const { origin, token, formats } = setup;
  const originals = formats.filter(({ format }) => ORIGINAL_FORMATS.includes(format));
  const gate: readonly FailureCode[] = [
    ...(token ? (['unauthorized'] as const) : []),
    ...(setup.rateLimit ? (['rate_limited'] as const) : []),
    'overloaded',
  ];
  const gateHeaders = setup.rateLimit ? { 'RateLimit-Policy': policyHeader(setup.rateLimit) } : {};
  const security = token ? { security: [{ token: [] }] } : {};

  const answers = success(
    'One answer, or a list of several.',
    z.union([schemas.Prediction, z.array(schemas.BatchEntry).min(2)]),
    gateHeaders,
  );
  const predict: ZodOpenApiOperationObject = {
    operationId: 'predict',
    summary: 'Classify a photo',
    description:
      `Send one photo as the request body or as the form field \`file\`, or up to ${setup.maxPhotos} photos as several such fields. ` +
      'One photo gets an answer or a problem. Several get a list in the same order, with an answer or a problem for each. ' +
      `A request may have up to ${setup.maxBytes.toLocaleString('en')} bytes. The service detects the format from the file’s own bytes, not from its name or type. ` +
      'With `Accept: text/html` the answer is a small page instead of JSON.',
    requestParams: { query: PredictQuery },
    requestBody: upload(
      z.array(binary).min(1).max(setup.maxPhotos).meta({ description: 'The photos, one field each.' }),
      formats,
    ),
    responses: {
      200: { ...answers, content: { ...answers.content, 'text/html': { schema: html } } },
      ...failures([...fromUpload, 'invalid_parameter', 'too_many_photos', ...gate, ...fromModel], gateHeaders),
    },
    ...security,
    'x-codeSamples': predictSamples(setup),
  };

  const huskyai: ZodOpenApiOperationObject = {
    operationId: 'huskyai',
    summary: 'Classify a photo as the original server did',
    description:
      `The contract of the original Husky AI server, for its page and clients: one photo as the form field \`file\`, at most ${setup.maxBytesHuskyai.toLocaleString('en')} bytes. ` +
      'Answers 404 if the served model is not binary.',
    requestBody: upload(binary, originals),
    responses: {
      200: success('The score in percent, and the verdict in words.', schemas.HuskyAnswer, gateHeaders),
      ...failures([...fromUpload, 'not_found', ...gate, ...fromModel], gateHeaders),
    },
    ...security,
    'x-codeSamples': huskyaiSamples(setup),
  };

  const page: ZodOpenApiOperationObject = {
    operationId: 'huskyaiPage',
    summary: 'Redirect to the page',
    responses: {
      302: {
        description: 'Redirects to `/`.',
        headers: z.object({ 'X-Request-Id': headers['X-Request-Id'], Location: z.string() }),
      },
    },
    'x-codeSamples': [],
  };

  const model: ZodOpenApiOperationObject = {
    operationId: 'model',
    summary: 'Describe the served model',
    description: 'The served model, its origin, its verification, and how the service is set up.',
    responses: { 200: success('The model.', schemas.ModelInfo), ...failures(fromModel) },
    'x-codeSamples': getSamples(setup, '/api/model'),
  };

  const health: ZodOpenApiOperationObject = {
    operationId: 'health',
    summary: 'Check whether predictions work',
    description:
      'Answers 200 if a prediction would work, even with an older version than the channel’s. Otherwise answers the problem that a prediction would get.',
    responses: { 200: success('A prediction would work.', schemas.Health), ...failures(fromModel) },
    'x-codeSamples': getSamples(setup, '/api/health'),
  };

  return createDocument(
    {
      openapi: '3.1.1',
      info: {
        title: 'Husky AI',
        version: API_VERSION,
        summary: 'Send a photo, get its label and the probabilities of all labels.',
        description:
          'The service never stores, logs or caches a photo. Failures are problem documents (RFC 9457) with a stable `code`. Answers may gain fields: ignore those that you do not know.',
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
            token: {
              type: 'http',
              scheme: 'bearer',
              description: 'A token from the operator of the service.',
            },
          },
        }),
      },
    },
    {
      override: ({ jsonSchema, zodSchema, io }) => {
        if (zodSchema === ImageFormat) jsonSchema.enum = formats.map(({ format }) => format);
        // Answers may gain fields.
        if (io === 'output' && jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties;
      },
    },
  );
}

type Formats = Setup['formats'];

function mediaTypes(formats: Formats): readonly string[] {
  return formats.flatMap((format) => format.mediaTypes);
}

/** A form with the field `file`, or the photo as the body itself. */
function upload(file: z.ZodType, formats: Formats): ZodOpenApiRequestBodyObject {
  const types = [...mediaTypes(formats), 'application/octet-stream'];
  const form = {
    schema: z.object({ file }),
    encoding: { file: { contentType: mediaTypes(formats).join(', ') } },
  };
  const bodies = Object.fromEntries(types.map((type) => [type, { schema: binary }]));
  return { required: true, content: { 'multipart/form-data': form, ...bodies } };
}

function success(
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
function failures(codes: readonly FailureCode[], further: Record<string, z.ZodType> = {}): ZodOpenApiResponsesObject {
  const byStatus = Object.groupBy(codes, (code) => PROBLEMS[code].status);
  const responses = Object.entries(byStatus).map(([status, group = []]) => [status, failure(group, further)]);
  return Object.fromEntries(responses);
}

function failure(codes: readonly FailureCode[], further: Record<string, z.ZodType>): ZodOpenApiResponseObject {
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
      'X-Model-Version': headers['X-Model-Version'],
      ...further,
      // Optional where one of the failures lacks it.
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
