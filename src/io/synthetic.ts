/** Controls of the seeded activation generator (docs/activations.md). */
export interface SyntheticSpec {
  readonly tokens: number
  /** Channels multiplied by outlierGain. */
  readonly outlierChannels: number
  readonly outlierGain: number
  readonly seed: number
}

export const DEFAULT_SYNTHETIC: SyntheticSpec = { tokens: 512, outlierChannels: 6, outlierGain: 20, seed: 0 }
