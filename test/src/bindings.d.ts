declare namespace Cloudflare {
  interface Env {
    readonly MODELS: R2Bucket;
    /** How many files the fuzz test spoils. */
    readonly FUZZ_FILES: number;
  }
}
