/** The bytes of public/layers/synthetic-outliers.safetensors. */
export function makeSyntheticLayer(): Buffer
