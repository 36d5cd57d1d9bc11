import * as z from 'zod';
import type { ZodOpenApiOperationObject, ZodOpenApiPathsObject } from 'zod-openapi';
import type { FailureCode } from '../../errors.ts';
import { jsonSamples, modelSamples, type Target } from '../examples.ts';
import { type FailureForm, failures, fromModel, fromUpload, success } from '../responses.ts';
import { schemas } from '../schemas.ts';
import { once } from './body.ts';
import { huggingFace } from './hugging-face.ts';
import { ImageRequest } from './image.ts';
import { kserve } from './kserve.ts';
import { openInference } from './open-inference.ts';

/** A failure as the clients of these protocols expect it. */
export const ErrorObject = once(() =>
  schemas.Problem.extend({ error: z.string().describe('The same text as `detail`.') }).meta({
    id: 'ErrorObject',
    description: 'A failure in the form of the other protocols: a problem with its text in `error` too.',
    example: {
      error: 'At most 20000000 bytes of photos are accepted.',
      type: 'urn:husky-ai:problem:body_too_large',
      title: 'The request body is too large',
      status: 413,
      code: 'body_too_large',
      detail: 'At most 20000000 bytes of photos are accepted.',
      requestId: '0f6a1d5e-3a0e-4f6e-9d6b-5d1c8a3c7e21',
    },
  }),
);

/** The named schemas of the protocols. */
export const protocolSchemas = once(() => ({
  ImageRequest: ImageRequest(),
  ErrorObject: ErrorObject(),
  HuggingFaceRequest: huggingFace.Request(),
  HuggingFaceAnswer: huggingFace.Answer(),
  KServeRequest: kserve.Request(),
  KServeAnswer: kserve.Answer(),
  KServeStatus: kserve.Status(),
  OpenInferenceRequest: openInference.Request(),
  OpenInferenceAnswer: openInference.Answer(),
  OpenInferenceServer: openInference.Server(),
  OpenInferenceModel: openInference.Model(),
  OpenInferenceLive: openInference.Live(),
  OpenInferenceReady: openInference.Ready(),
  OpenInferenceModelReady: openInference.ModelReady(),
}));

const errorForm: FailureForm = {
  mediaType: 'application/json',
  schema: ErrorObject,
  toExample: (problem) => ({ error: problem.detail, ...problem }),
  hasPage: false,
};

/** What these operations share with the others. */
interface Shared {
  readonly target: Target;
  /** The content of a request whose body is the photo itself. */
  readonly rawBodies: Record<string, { readonly schema: z.ZodType }>;
  readonly gate: readonly FailureCode[];
  readonly gateHeaders: Record<string, z.ZodType>;
  readonly security: Pick<ZodOpenApiOperationObject, 'security'>;
}

/** The operations for the clients of other protocols. */
export function describeProtocols({ target, rawBodies, gate, gateHeaders, security }: Shared): ZodOpenApiPathsObject {
  const name = z.string().min(1).meta({ description: 'The name of the served model, as in `/api/model`.' });
  const version = z.string().min(1).meta({ description: 'The served version, as in `/api/model`.' });
  const named = { requestParams: { path: z.object({ name }) } };
  const versioned = { requestParams: { path: z.object({ name, version }) } };
  const photoFailures = [...fromUpload, 'invalid_body', 'invalid_parameter', 'not_found'] as const;
  const several = ['too_many_photos'] as const;

  const score = (description: string, schema: z.ZodType, codes: readonly FailureCode[] = []) => ({
    responses: {
      200: success(description, schema, gateHeaders),
      ...failures([...photoFailures, ...codes, ...gate, ...fromModel], gateHeaders, errorForm),
    },
    ...security,
  });
  const get = (
    operation: Pick<ZodOpenApiOperationObject, 'operationId' | 'summary' | 'requestParams'>,
    path: string,
    schema: z.ZodType,
    codes: readonly FailureCode[] = ['not_found', ...fromModel],
  ): ZodOpenApiOperationObject => ({
    ...operation,
    responses: { 200: success('The answer.', schema), ...failures(codes, {}, errorForm) },
    'x-codeSamples': modelSamples(target, path),
  });
  const json = (schema: z.ZodType) => ({ 'application/json': { schema } });

  const { responses, ...secured } = score('One element for each photo.', openInference.Answer(), several);
  const { content, ...answer } = responses[200];
  const binary = z.string().meta({ format: 'binary', description: 'The JSON, then its binary outputs.' });
  const inferred = {
    ...secured,
    responses: {
      ...responses,
      200: { ...answer, content: { ...content, 'application/octet-stream': { schema: binary } } },
    },
  };
  const inference = (summary: string, path: string): Omit<ZodOpenApiOperationObject, 'operationId'> => ({
    summary,
    description:
      'The photos are the elements of one BYTES tensor: as base64 in `data`, or as raw bytes with the binary extension, where `Inference-Header-Content-Length` is the length of the JSON before the tensor. A photo that cannot be scored fails the request.',
    requestBody: { required: true, content: json(openInference.Request()) },
    ...inferred,
    'x-codeSamples': jsonSamples(
      target,
      path,
      '{"inputs": [{"name": "image", "shape": [1], "datatype": "BYTES", "data": ["%s"]}]}',
    ),
  });

  return {
    '/models/{name}': {
      post: {
        operationId: 'huggingFace',
        summary: 'Classify a photo (Hugging Face)',
        description:
          'The request of Hugging Face’s clients for image classification: the photo as the body, or JSON with the photo in base64 and `parameters.top_k`. Where the service hides scores, the answer is the verdict with the score 1.',
        ...named,
        requestBody: { required: true, content: { ...rawBodies, ...json(huggingFace.Request()) } },
        ...score('The labels, the most probable first.', huggingFace.Answer()),
        'x-codeSamples': jsonSamples(target, '/models/$MODEL', '{"inputs": "%s"}'),
      },
    },
    '/v1/models/{name}': {
      get: get(
        { operationId: 'kserveStatus', summary: 'Check the model (KServe V1, TensorFlow Serving)', ...named },
        '/v1/models/$MODEL',
        kserve.Status(),
      ),
    },
    '/v1/models/{name}:predict': {
      post: {
        operationId: 'kservePredict',
        summary: 'Classify photos (KServe V1, TensorFlow Serving)',
        description: 'A photo that cannot be scored fails the request.',
        ...named,
        requestBody: { required: true, content: json(kserve.Request()) },
        ...score('One prediction for each photo.', kserve.Answer(), several),
        'x-codeSamples': jsonSamples(target, '/v1/models/$MODEL:predict', '{"instances": [{"b64": "%s"}]}'),
      },
    },
    '/v2': {
      get: get(
        { operationId: 'openInferenceServer', summary: 'Describe the service (Open Inference Protocol)' },
        '/v2',
        openInference.Server(),
        ['internal'],
      ),
    },
    '/v2/health/live': {
      get: get(
        { operationId: 'openInferenceLive', summary: 'Check whether the service runs (Open Inference Protocol)' },
        '/v2/health/live',
        openInference.Live(),
        ['internal'],
      ),
    },
    '/v2/health/ready': {
      get: get(
        { operationId: 'openInferenceReady', summary: 'Check whether predictions work (Open Inference Protocol)' },
        '/v2/health/ready',
        openInference.Ready(),
        fromModel,
      ),
    },
    '/v2/models/{name}': {
      get: get(
        { operationId: 'openInferenceModel', summary: 'Describe the tensors (Open Inference Protocol)', ...named },
        '/v2/models/$MODEL',
        openInference.Model(),
      ),
    },
    '/v2/models/{name}/ready': {
      get: get(
        { operationId: 'openInferenceModelReady', summary: 'Check the model (Open Inference Protocol)', ...named },
        '/v2/models/$MODEL/ready',
        openInference.ModelReady(),
      ),
    },
    '/v2/models/{name}/infer': {
      post: {
        operationId: 'openInferenceInfer',
        ...named,
        ...inference('Classify photos (Open Inference Protocol)', '/v2/models/$MODEL/infer'),
      },
    },
    '/v2/models/{name}/versions/{version}': {
      get: get(
        { operationId: 'openInferenceVersion', summary: 'Describe a version (Open Inference Protocol)', ...versioned },
        '/v2/models/$MODEL/versions/$VERSION',
        openInference.Model(),
      ),
    },
    '/v2/models/{name}/versions/{version}/ready': {
      get: get(
        {
          operationId: 'openInferenceVersionReady',
          summary: 'Check a version (Open Inference Protocol)',
          ...versioned,
        },
        '/v2/models/$MODEL/versions/$VERSION/ready',
        openInference.ModelReady(),
      ),
    },
    '/v2/models/{name}/versions/{version}/infer': {
      post: {
        operationId: 'openInferenceVersionInfer',
        ...versioned,
        ...inference(
          'Classify photos with a version (Open Inference Protocol)',
          '/v2/models/$MODEL/versions/$VERSION/infer',
        ),
      },
    },
  };
}
