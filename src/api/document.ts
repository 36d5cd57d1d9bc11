import * as z from 'zod';
import { createDocument, type ZodOpenApiOperationObject, type ZodOpenApiRequestBodyObject } from 'zod-openapi';
import type { FailureCode } from '../errors.ts';
import type { Codec } from '../image/codec.ts';
import { getSamples, huskyaiSamples, predictSamples } from './examples.ts';
import { ImageRequest } from './protocols/image.ts';
import { Instances } from './protocols/kserve.ts';
import { Data, listOutputs, OutputName } from './protocols/open-inference.ts';
import { describeProtocols, protocolSchemas } from './protocols/operations.ts';
import { failures, fromModel, fromUpload, headers, html, success } from './responses.ts';
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
  /** Whether clients see labels only. */
  readonly hidesScores: boolean;
  readonly formats: readonly Pick<Codec, 'format' | 'mediaTypes'>[];
}

export type ApiDocument = ReturnType<typeof createDocument>;

const binary = z.string().min(1).meta({ format: 'binary', description: 'The bytes of the photo.' });
const policyHeader = (policy: string) =>
  z.string().meta({
    description:
      'The limits (draft-ietf-httpapi-ratelimit-headers): `q` photos in `w` seconds for one address or token.',
    example: policy,
  });

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
      'A JSON body carries one photo in base64. With `Accept: text/html` the answer is a small page instead of JSON.',
    requestParams: { query: PredictQuery },
    requestBody: upload(
      z.array(binary).min(1).max(setup.maxPhotos).meta({ description: 'The photos, one field each.' }),
      formats,
      { 'application/json': { schema: ImageRequest() } },
    ),
    responses: {
      200: { ...answers, content: { ...answers.content, 'text/html': { schema: html } } },
      ...failures(
        [...fromUpload, 'invalid_body', 'invalid_parameter', 'too_many_photos', ...gate, ...fromModel],
        gateHeaders,
      ),
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

  const protocols = describeProtocols({ target: setup, rawBodies: rawBodies(formats), gate, gateHeaders, security });

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
        ...protocols,
      },
      components: {
        schemas: { ...schemas, ...protocolSchemas() },
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
        if (zodSchema === OutputName()) jsonSchema.enum = [...listOutputs(setup.hidesScores)];
        if (zodSchema === Instances() || zodSchema === Data()) jsonSchema.maxItems = setup.maxPhotos;
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
function upload(
  file: z.ZodType,
  formats: Formats,
  further: ZodOpenApiRequestBodyObject['content'] = {},
): ZodOpenApiRequestBodyObject {
  const form = {
    schema: z.object({ file }),
    encoding: { file: { contentType: mediaTypes(formats).join(', ') } },
  };
  return { required: true, content: { 'multipart/form-data': form, ...rawBodies(formats), ...further } };
}

/** The photo as the body itself. */
function rawBodies(formats: Formats): Record<string, { readonly schema: z.ZodType }> {
  const types = [...mediaTypes(formats), 'application/octet-stream'];
  return Object.fromEntries(types.map((type) => [type, { schema: binary }]));
}
