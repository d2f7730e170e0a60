/**
 * Stands in for `zarrita` in the build. NiiVue 0.69 imports it for Zarr stores, which the page never opens, and with it come
 * three decoders of 1.4 MB. Anything asked of it fails with a sentence.
 */
function refuse(): never {
  throw new Error("Zarr stores are not read by this page.");
}

class Store {
  constructor() {
    refuse();
  }
}

export { refuse as get, refuse as open, refuse as root, refuse as slice, Store as FetchStore };
