/**
 * `npm run model:list -- [--channel NAME] [--remote [--env NAME]]`
 *
 * Prints the versions in the bucket and marks the channel's and its candidate.
 */
import { modelKey, shortVersion } from '../src/model/layout.ts';
import { parseManifest } from '../src/model/manifest.ts';
import { withBucket } from './bucket.ts';
import { readChannel } from './channel.ts';
import { bucketArguments, runCommand } from './command.ts';
import { listVersions } from './versions.ts';

async function main(): Promise<void> {
  const { target, channel } = bucketArguments();
  await withBucket(target, async (bucket) => {
    const { version: current, candidate } = await readChannel(bucket, channel);
    for (const version of await listVersions(bucket)) {
      const object = await bucket.get(modelKey(version, 'manifest.json'));
      const bytes = Buffer.from((await object?.arrayBuffer()) ?? new ArrayBuffer(0));
      const mark = version === current ? '*' : version === candidate?.version ? '?' : ' ';
      console.log(
        `${mark} ${shortVersion(version)}  ${nameIn(bytes).padEnd(24)}  ${object?.uploaded.toISOString() ?? ''}`,
      );
    }
    console.log(`* the channel ${channel} points here`);
    if (candidate) console.log(`? ${candidate.share} % of the isolates try this one`);
  });
}

function nameIn(manifest: Buffer): string {
  try {
    return parseManifest(manifest).name;
  } catch {
    return '(no valid manifest)';
  }
}

if (import.meta.main) runCommand(main);
