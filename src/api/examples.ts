/** A program that calls the API. The tests run each. */
export interface CodeSample {
  readonly lang: 'Shell' | 'TypeScript' | 'Python';
  readonly label: string;
  readonly source: string;
}

/** The address for the samples, and whether they need a token. */
export interface Target {
  readonly origin: string;
  readonly token: boolean;
}

/** Samples with one photo and with several, in each language. */
export function predictSamples({ origin, token }: Target): readonly CodeSample[] {
  const url = `${origin}/api/predict`;
  const curl = `${token ? CURL_WITH_TOKEN : 'curl'} --fail-with-body`;
  const python = token
    ? `import os\n\nimport requests\n\nheaders = {"Authorization": f"Bearer {os.environ['HUSKY_AI_TOKEN']}"}\n`
    : 'import requests\n\n';
  const pythonHeaders = token ? ', headers=headers' : '';
  const init = token
    ? "{\n  method: 'POST',\n  headers: { Authorization: 'Bearer ' + process.env.HUSKY_AI_TOKEN },\n  body: form,\n}"
    : "{ method: 'POST', body: form }";
  return [
    { lang: 'Shell', label: 'curl', source: `${curl} -F file=@photo.jpg ${url}` },
    {
      lang: 'Shell',
      label: 'curl, several photos',
      source: `${curl} -F file=@photo.jpg -F file=@other.png ${url}`,
    },
    {
      lang: 'TypeScript',
      label: 'TypeScript',
      source: `import { openAsBlob } from 'node:fs';

const form = new FormData();
form.append('file', await openAsBlob('photo.jpg'));
const response = await fetch('${url}', ${init});
const answer = await response.json();
if (!response.ok) throw new Error(\`\${answer.code}: \${answer.detail}\`);
console.log(answer.label, answer.score);`,
    },
    {
      lang: 'TypeScript',
      label: 'TypeScript, several photos',
      source: `import { openAsBlob } from 'node:fs';

const form = new FormData();
for (const name of ['photo.jpg', 'other.png']) form.append('file', await openAsBlob(name), name);
const response = await fetch('${url}', ${init});
const answers = await response.json();
if (!response.ok) throw new Error(\`\${answers.code}: \${answers.detail}\`);
for (const answer of answers) console.log(answer.label ?? answer.code, answer.score);`,
    },
    {
      lang: 'TypeScript',
      label: 'TypeScript, several photos, with the typed client from the source of this service',
      source: `import { openAsBlob } from 'node:fs';
import { createClient } from './static/client/client.js';

const husky = createClient({ origin: '${origin}'${token ? ', token: process.env.HUSKY_AI_TOKEN' : ''} });
const photos = await Promise.all(['photo.jpg', 'other.png'].map((name) => openAsBlob(name)));
for (const answer of await husky.predictMany(photos)) {
  console.log('label' in answer ? answer.label : answer.code);
}`,
    },
    {
      lang: 'Python',
      label: 'Python',
      source: `${python}with open("photo.jpg", "rb") as photo:
    response = requests.post("${url}", files={"file": photo}${pythonHeaders}, timeout=60)
answer = response.json()
if not response.ok:
    raise SystemExit(f"{answer['code']}: {answer['detail']}")
print(answer["label"], answer.get("score"))`,
    },
    {
      lang: 'Python',
      label: 'Python, several photos',
      source: `${python}with open("photo.jpg", "rb") as photo, open("other.png", "rb") as other:
    files = [("file", photo), ("file", other)]
    response = requests.post("${url}", files=files${pythonHeaders}, timeout=60)
answers = response.json()
if not response.ok:
    raise SystemExit(f"{answers['code']}: {answers['detail']}")
for answer in answers:
    print(answer.get("label", answer.get("code")), answer.get("score"))`,
    },
  ];
}

const CURL_WITH_TOKEN = 'curl -H "Authorization: Bearer $HUSKY_AI_TOKEN"';

/** A sample for the original's contract. */
export function huskyaiSamples({ origin, token }: Target): readonly CodeSample[] {
  const curl = token ? CURL_WITH_TOKEN : 'curl';
  return [
    {
      lang: 'Shell',
      label: 'curl',
      source: `${curl} --fail-with-body -F file=@photo.jpg ${origin}/huskyai/`,
    },
  ];
}

/**
 * Samples that send JSON with the photo in base64.
 *
 * @param frame the JSON with `%s` in the place of the photo
 */
export function jsonSamples({ origin, token }: Target, path: string, frame: string): readonly CodeSample[] {
  const curl = token ? CURL_WITH_TOKEN : 'curl';
  const source = `printf '${frame}' "$(base64 < photo.jpg)" |
  ${curl} --fail-with-body -H 'Content-Type: application/json' --data-binary @- "${origin}${path}"`;
  return [{ lang: 'Shell', label: 'curl; MODEL is the name of the served model', source }];
}

/** A sample for an endpoint of the served model that takes no photo. */
export function modelSamples({ origin }: Target, path: string): readonly CodeSample[] {
  const source = `curl --fail-with-body "${origin}${path}"`;
  return [{ lang: 'Shell', label: 'curl; MODEL is the name of the served model', source }];
}

/** Samples for an endpoint that takes no photo. */
export function getSamples({ origin }: Target, path: string): readonly CodeSample[] {
  return [
    { lang: 'Shell', label: 'curl', source: `curl --fail-with-body ${origin}${path}` },
    {
      lang: 'TypeScript',
      label: 'TypeScript',
      source: `const response = await fetch('${origin}${path}');
const answer = await response.json();
if (!response.ok) throw new Error(\`\${answer.code}: \${answer.detail}\`);
console.log(answer);`,
    },
    {
      lang: 'Python',
      label: 'Python',
      source: `import requests\n\nresponse = requests.get("${origin}${path}", timeout=60)\nprint(response.json())`,
    },
  ];
}
