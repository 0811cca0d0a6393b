import type { Mitigation } from '../method'

/** Every weight becomes the nearest code of its own block, after the transform's clip if it has one. */
export const roundToNearest: Mitigation = {
  id: 'round-to-nearest',
  label: 'Round to nearest',
  source: 'conversion as each number format defines it (docs/formats.md)',
  options: [],
  quantizeWeight: async (...parameters) => (await import('../rounding/round-weight')).roundWeight(...parameters),
  prepareRows: async (_, input) => (await import('../rounding/round-weight')).prepareRounding(input),
  memory: async (size, { config }, transform) =>
    (await import('../rounding/memory')).roundingMemory(size, config, transform),
}
