/** Named choices of methods, and which of them is on screen. */
import type { MethodSetup } from './state'

export interface MethodPreset {
  readonly id: string
  readonly label: string
  /** Methods shown, in any order. The baseline is computed even where it is not among them. */
  readonly methods: readonly string[]
}

/** In menu order; the first one is what a visitor finds on arrival. */
export const METHOD_PRESETS: readonly [MethodPreset, ...MethodPreset[]] = [
  { id: 'rotation-affine', label: 'Rotation vs affine', methods: ['rtn', 'quarot', 'flatquant'] },
  { id: 'channel-wise', label: 'Channel-wise', methods: ['rtn', 'smoothquant', 'awq', 'flatquant'] },
  { id: 'compensation', label: 'Error compensation', methods: ['rtn', 'gptq', 'mr-gptq', 'flatquant+gptq'] },
  {
    id: 'gptq-or-not',
    label: 'With and without GPTQ',
    methods: ['smoothquant', 'smoothquant+gptq', 'quarot', 'quarot+gptq', 'flatquant', 'flatquant+gptq'],
  },
  {
    id: 'paper',
    label: 'All of the paper',
    methods: [
      ...['rtn', 'gptq', 'mr-gptq', 'smoothquant', 'smoothquant+gptq', 'awq'],
      ...['quarot', 'quarot+gptq', 'spinquant', 'spinquant+gptq', 'flatquant', 'flatquant+gptq'],
    ],
  },
]

/** The preset whose methods are those shown, whatever their options; null for a choice of one's own. */
export function presetOf(methods: readonly MethodSetup[]): MethodPreset | null {
  const shown = methods.filter(({ hidden }) => !hidden).map(({ id }) => id)
  const same = (preset: MethodPreset) =>
    preset.methods.length === shown.length && preset.methods.every((id) => shown.includes(id))
  return METHOD_PRESETS.find(same) ?? null
}
