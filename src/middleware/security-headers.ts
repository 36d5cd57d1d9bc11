import type { MiddlewareHandler } from 'hono';
import { secureHeaders } from 'hono/secure-headers';

const NOTHING = ["'none'"];

const options = {
  // Pages bring a policy of their own.
  contentSecurityPolicy: {
    defaultSrc: NOTHING,
    baseUri: NOTHING,
    formAction: NOTHING,
    frameAncestors: NOTHING,
  },
  permissionsPolicy: { camera: [], geolocation: [], microphone: [], payment: [], usb: [] },
  overwrite: false,
  // What browsers no longer look at.
  xDnsPrefetchControl: false,
  xDownloadOptions: false,
  xFrameOptions: false,
  xPermittedCrossDomainPolicies: false,
  xXssProtection: false,
};
const overHttp = secureHeaders({ ...options, strictTransportSecurity: false });
const overHttps = secureHeaders({ ...options, strictTransportSecurity: 'max-age=31536000' });

/** Tells browsers to let nobody do anything with an answer; over HTTPS, to come back by nothing else. */
export const securityHeaders: MiddlewareHandler = (c, next) =>
  (new URL(c.req.url).protocol === 'https:' ? overHttps : overHttp)(c, next);

/** The policy of a page that is rendered here: the house's styles and pictures, no script, no form. */
export const PAGE_POLICY =
  "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
