/** Takes a photo in and looks at none of it: what HTTP costs by itself. */

/** @satisfies {ExportedHandler} */
export default {
  async fetch(request) {
    const { byteLength } = await request.arrayBuffer();
    return Response.json({ bytes: byteLength });
  },
};
