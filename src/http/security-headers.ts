import type { MiddlewareHandler } from 'hono';
import { secureHeaders } from 'hono/secure-headers';

const NOTHING = ["'none'"];

const options = {
  // Pages set their own policy.
  contentSecurityPolicy: {
    defaultSrc: NOTHING,
    baseUri: NOTHING,
    formAction: NOTHING,
    frameAncestors: NOTHING,
  },
  permissionsPolicy: { camera: [], geolocation: [], microphone: [], payment: [], usb: [] },
  overwrite: false,
  // Browsers ignore these today.
  xDnsPrefetchControl: false,
  xDownloadOptions: false,
  xFrameOptions: false,
  xPermittedCrossDomainPolicies: false,
  xXssProtection: false,
};
const overHttp = secureHeaders({ ...options, strictTransportSecurity: false });
const overHttps = secureHeaders({ ...options, strictTransportSecurity: 'max-age=31536000' });

/** Denies every browser feature by default; over HTTPS, requires HTTPS for later visits too. */
export const securityHeaders: MiddlewareHandler = (c, next) =>
  (new URL(c.req.url).protocol === 'https:' ? overHttps : overHttp)(c, next);

/** The policy of a rendered page: the service's own styles and images, no scripts, no forms. */
export const PAGE_POLICY =
  "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
