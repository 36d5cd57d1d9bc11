/** The curves that models are signed on, by their WebCrypto names. */
export type CurveName = 'P-256' | 'P-384';

export interface Curve {
  readonly name: CurveName;
  /** Size of a coordinate, and of each half of a signature, in bytes. */
  readonly size: number;
  /** The hash that the Sigstore algorithm registry pairs with the curve. */
  readonly hash: 'SHA-256' | 'SHA-384';
  /** The order of the base point (NIST SP 800-186, section 3.2.1), as `size` bytes in hex. */
  readonly order: string;
  /** The DER of an uncompressed public key (RFC 5480) up to the coordinates, in hex. */
  readonly spkiPrefix: string;
}

export const CURVES: readonly Curve[] = [
  {
    name: 'P-256',
    size: 32,
    hash: 'SHA-256',
    order: 'ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551',
    spkiPrefix: '3059301306072a8648ce3d020106082a8648ce3d03010703420004',
  },
  {
    name: 'P-384',
    size: 48,
    hash: 'SHA-384',
    order: 'ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973',
    spkiPrefix: '3076301006072a8648ce3d020106052b8104002203620004',
  },
];
