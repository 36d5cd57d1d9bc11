declare namespace Cloudflare {
  interface Env {
    readonly MODELS: R2Bucket;
  }
}
