import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { buffer } from 'node:stream/consumers';

export interface Front {
  readonly url: string;
  /** The photos that the page has sent. Tests may remove them. */
  readonly sent: Buffer[];
  close(): Promise<void>;
}

/** A grid whose strongest cell is at the top right. */
const HEATMAP = { rows: 2, columns: 3, values: [0, 0, 1, 0, 0, 0] };

/**
 * Starts a server in front of the service: it records photos, and adds heat maps to the answers. Unlike intercepted
 * requests, this works alike in all engines.
 */
export async function startFront(service: string): Promise<Front> {
  const sent: Buffer[] = [];

  async function forward(request: IncomingMessage): Promise<Response> {
    const photo = await buffer(request);
    const isPhoto = request.method === 'POST';
    if (isPhoto) sent.push(photo);
    const response = await fetch(new URL(request.url ?? '/', service), {
      headers: { 'Content-Type': request.headers['content-type'] ?? '' },
      ...(isPhoto && { method: 'POST', body: new Uint8Array(photo) }),
    });
    if (request.url === '/api/model') {
      const model = await response.json();
      return Response.json({ ...model, heatmap: { rows: HEATMAP.rows, columns: HEATMAP.columns } });
    }
    const isMap = request.url === '/api/predict?heatmap=1' && response.ok;
    return isMap ? Response.json({ ...(await response.json()), heatmap: HEATMAP }) : response;
  }

  const server = createServer(async (request, answer) => {
    const response = await forward(request);
    const headers = Object.fromEntries(response.headers);
    // fetch has decompressed the body.
    delete headers['content-encoding'];
    delete headers['content-length'];
    delete headers['transfer-encoding'];
    answer.writeHead(response.status, headers).end(Buffer.from(await response.arrayBuffer()));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  return {
    url: `http://127.0.0.1:${port}`,
    sent,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
